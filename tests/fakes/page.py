"""A page on which people watch the demo e-mail tools: who is there, on which lists, and what happened last.

It is rendered here, refreshes itself and needs no script. It listens on this machine only, answers to no other name
(so that no web page can reach it through a name of its own), and changes nothing for forms of another origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from urllib.parse import parse_qs, quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.fakes.effects import Effect
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import MailchimpAccount
from tests.fakes.server import Fake, endpoint
from tests.fakes.troubled import Asked

LAST = 12
AT_ONCE = 50
WEATHER = {
    "calm": "every request is answered",
    "slow": "every answer takes a second",
    "storm": "every third request is refused (429, 503)",
}
SAID = {
    "created": "new contacts", "changed": "contacts changed", "joined": "joined {}", "left": "left {}",
    "automation": "automation of {} began", "archived": "archived", "unsubscribed": "said no", "forgotten": "forgotten",
    "tag_created": "tag {} created", "tag_deleted": "tag {} deleted", "list_created": "list {} created",
    "list_deleted": "list {} deleted", "merge_field_created": "field {} created",
    "property_created": "property {} created", "stage_kept": "lifecycle stage kept", "blocklisted": "blocked for good",
    "status_sent": "status sent: {}", "resubscribed": "subscribed again", "foreign_tag": "touched {}",
    "address_changed": "address changed",
}  # fmt: skip


class Page(Fake):
    """`mailchimp` and `hubspot` are what it shows."""

    def __init__(self, mailchimp: MailchimpAccount, hubspot: HubSpotPortal) -> None:
        super().__init__()
        self.remembered = 1
        self.tools = {"mailchimp": mailchimp, "hubspot": hubspot}
        self.weather = dict.fromkeys(self.tools, "calm")
        loader = FileSystemLoader(Path(__file__).parent / "templates")
        self._pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._pages.filters |= {"ago": _ago, "number": lambda value: f"{value:,}", "path": lambda text: quote(text, "")}

    def routes(self) -> list[Route]:
        return [
            endpoint("/", self._overview),
            endpoint("/{tool}/contacts", self._contacts),
            endpoint("/{tool}/lists/{name:path}", self._contacts),
            endpoint("/{tool}/no", self._says_no, "POST"),
            endpoint("/{tool}/weather", self._set_weather, "POST"),
        ]

    def refusal(self, request: Request) -> Response | None:
        hosts = (self.host, f"localhost:{self.port}")
        own = [f"http://{host}" for host in hosts]
        if request.headers.get("host") not in hosts:
            return Response("This page is at another address.", 421, media_type="text/plain")
        if request.method == "POST" and request.headers.get("origin") not in own:
            return Response("Forms of other pages change nothing here.", 403, media_type="text/plain")
        if request.path_params.get("tool", "hubspot") not in self.tools:
            return Response("There is no such tool.", 404, media_type="text/plain")
        return None

    # ---- what people see

    def _overview(self, request: Request) -> Response:
        shown = []
        for name, tool in self.tools.items():
            with tool.lock:
                shown.append(_mailchimp(tool) if name == "mailchimp" else _hubspot(tool))
                shown[-1] |= {
                    "name": name, "forbidden": tool.effects.forbidden(), "weather": self.weather[name],
                    "effects": _grouped_effects(tool.effects), "calls": _grouped_calls(tool.asked),
                }  # fmt: skip
        return self._render("overview.html", tools=shown, weathers=WEATHER)

    def _contacts(self, request: Request) -> Response:
        name, on = request.path_params["tool"], request.path_params.get("name")
        tool, start = self.tools[name], max(0, int(request.query_params.get("from", "0") or 0))
        with tool.lock:
            people = (_members if name == "mailchimp" else _people)(tool, on)
        if people is None:
            return Response("There is no such list any more.", 404, media_type="text/plain")
        columns = list(dict.fromkeys(field for one in people for field, value in one["fields"].items() if value))
        return self._render(
            "contacts.html", tool=name, title=on or "All contacts", people=people[start : start + AT_ONCE],
            columns=columns, start=start, total=len(people), at_once=AT_ONCE, here=request.url.path,
        )  # fmt: skip

    # ---- what people do

    def _says_no(self, request: Request) -> Response:
        tool, form = self.tools[request.path_params["tool"]], _form(request)
        with tool.lock:
            if _knows(tool, form.get("address", "")):
                tool.leaves(form["address"])
        back = form.get("back", "/")
        return RedirectResponse(back if back.startswith("/") and not back.startswith("//") else "/", 303)

    def _set_weather(self, request: Request) -> Response:
        name, chosen = request.path_params["tool"], _form(request).get("weather", "")
        if chosen in WEATHER:
            faults = self.tools[name].faults
            faults.calm()
            faults.latency = 1.0 if chosen == "slow" else 0.0
            if chosen == "storm":
                faults.storm(seed=1, share=1 / 3)
            self.weather[name] = chosen
        return RedirectResponse("/", 303)

    def _render(self, template: str, **content: object) -> Response:
        policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return Response(self._pages.get_template(template).render(content), headers=headers, media_type="text/html")


def _mailchimp(tool: MailchimpAccount) -> dict:
    statuses = [member["status"] for member in tool.members.values()]
    counted = {status: statuses.count(status) for status in ("subscribed", "unsubscribed", "cleaned", "archived")}
    lists = [
        {"name": name, "size": len(tag["members"]), "own": name in tool.foreign_tags} for name, tag in tool.tags.items()
    ]
    return {
        "title": "Mailchimp", "kind": "Tags", "people": len(statuses), "lists": _sorted(lists),
        "counts": {status: number for status, number in counted.items() if number},
        "address": tool.url,
    }  # fmt: skip


def _hubspot(portal: HubSpotPortal) -> dict:
    lists = [{"name": one["name"], "size": len(one["members"]), "own": one["foreign"]} for one in portal.lists.values()]
    counts = {"opted out": len(portal.opted_out)} if portal.opted_out else {}
    return {
        "title": "HubSpot", "kind": "Lists", "people": len(portal.contacts), "lists": _sorted(lists), "counts": counts,
        "address": portal.url,
    }  # fmt: skip


def _members(tool: MailchimpAccount, on: str | None) -> list[dict] | None:
    if on is not None and on not in tool.tags:
        return None
    found = tool.members.values() if on is None else (tool.members[key] for key in tool.tags[on]["members"])
    return _by_address(
        {
            "address": member["email_address"], "status": member["status"], "fields": member["merge_fields"],
            "lists": [tag["name"] for tag in member["tags"]], "is_in": member["status"] == "subscribed",
        }
        for member in found
    )  # fmt: skip


def _people(portal: HubSpotPortal, on: str | None) -> list[dict] | None:
    chosen = [one for one in portal.lists.values() if on in (None, one["name"])]
    if on is not None and not chosen:
        return None
    keys = portal.contacts if on is None else chosen[0]["members"]
    plumbing = ("email", "createdate", "lastmodifieddate", "hs_object_id", "hs_email_optout")
    return _by_address(
        {
            "address": about["email"] or "", "status": "opted out" if is_out else "contact", "is_in": not is_out,
            "fields": {name: value for name, value in about.items() if name not in plumbing},
            "lists": [one["name"] for one in portal.lists.values() if key in one["members"]],
        }
        for key in keys
        for about in [portal.contacts[key]["properties"]]
        for is_out in [(about["email"] or "").lower() in portal.opted_out]
    )  # fmt: skip


def _knows(tool: MailchimpAccount | HubSpotPortal, address: str) -> bool:
    return (tool.member if isinstance(tool, MailchimpAccount) else tool.contact)(address) is not None


def _by_address(people: Iterable[dict]) -> list[dict]:
    return sorted(people, key=lambda one: one["address"].lower())


def _sorted(lists: list[dict]) -> list[dict]:
    """Ours first, and each by its name."""
    return sorted(lists, key=lambda one: (one["own"], one["name"].lower()))


def _grouped_effects(effects: list[Effect]) -> list[dict]:
    """The last effects, those of one kind in one line."""
    latest = groupby(reversed(effects[-5000:]), key=lambda one: (one.kind, one.what if _is_named(one) else "", one.by))
    lines = []
    for (kind, what, by), group in latest:
        together = list(group)
        text = SAID.get(kind, kind).format(what or "?")
        about = {"text": text, "times": len(together), "who": together[0].who, "at": together[0].at, "by": by}
        lines.append(about | {"kind": kind})
        if len(lines) == LAST:
            break
    return lines


def _is_named(effect: Effect) -> bool:
    return "{}" in SAID.get(effect.kind, "")


def _grouped_calls(asked: list[Asked]) -> list[dict]:
    """The last calls, equal ones in a row in one line."""
    lines = []
    for (method, path, status), group in groupby(reversed(asked), key=lambda one: (one.method, one.path, one.status)):
        together = list(group)
        about = {"method": method, "path": path, "status": status, "times": len(together), "at": together[0].at}
        lines.append(about)
        if len(lines) == LAST:
            break
    return lines


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.state.body.decode()).items()}


def _ago(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago" if seconds else "now"

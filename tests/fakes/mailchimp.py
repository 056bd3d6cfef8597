"""A Mailchimp account with one audience, as the Marketing API 3.0 shows it: members, campaigns and their reports.

Checked against
- https://mailchimp.com/developer/marketing/api/list-members/, .../campaigns/, .../reports/ and .../docs/errors/, by way
  of https://docs.rs/mailchimp/0.1.10/mailchimp/types/struct.ListMembersFilter.html (parameters),
  https://docs.rs/mailchimp-api/0.3.1/mailchimp_api/types/struct.SentTo.html (fields of reports) and
  https://kestra.io/plugins/plugin-mailchimp/mailchimp-reports (`since`, pages of 1000)
- https://github.com/airbytehq/airbyte (source-mailchimp/integration_tests/expected_records.jsonl): whole answers
Lists come in pages of `count` (default 10, at most 1000) from `offset`, with `total_items`; errors are problem
documents, but under load a gateway answers 429 or 503 without a body (order these with `faults.next`). Archived members
are shown only to who asks for `status=archived`: no document says that they come unasked.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from itertools import count

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.server import Fake, answer, endpoint

MAX_COUNT = 1000


class Mailchimp(Fake):
    """`list_id` is the audience. Addresses are told apart by the MD5 of their small letters, as Mailchimp does."""

    def __init__(self, token: str = "0123456789abcdef0123456789abcdef-us6", list_id: str = "a1b2c3d4e5") -> None:
        super().__init__(token)
        self.list_id = list_id
        self.members: dict[str, dict] = {}
        self.campaigns: dict[str, dict] = {}
        self.reports: dict[str, dict[str, list[dict]]] = {}
        self.complaints: list[dict] = []
        self._ids = count(1)

    # ---- what is in the account

    def add_member(self, address: str, status: str = "subscribed", at: str = "2026-03-01T02:00:00+00:00", **fields):
        """A member who signed up and last changed at `at`; `fields` replace what Mailchimp would fill in."""
        merge = {"FNAME": "", "LNAME": "", "ADDRESS": "", "PHONE": "", "BIRTHDAY": ""} | fields.pop("merge_fields", {})
        member = {
            "id": hashlib.md5(address.lower().encode()).hexdigest(), "email_address": address, "full_name": "",
            "unique_email_id": f"{next(self._ids):010x}", "web_id": next(self._ids), "email_type": "html",
            "status": status, "merge_fields": merge, "interests": {}, "ip_signup": "", "timestamp_signup": "",
            "ip_opt": "203.0.113.7", "timestamp_opt": at if status != "pending" else "", "member_rating": 2,
            "last_changed": at, "language": "", "vip": False, "email_client": "", "source": "API - Generic",
            "location": {"latitude": 0, "longitude": 0, "country_code": "", "timezone": ""}, "tags_count": 0,
            "tags": [], "list_id": self.list_id,
        } | fields  # fmt: skip
        self.members[member["id"]] = member
        return member

    def change(self, member: dict, status: str, at: str) -> None:
        """Somebody left, came back, was archived, or their address went dead (`cleaned`)."""
        member |= {"status": status, "last_changed": at}

    def add_campaign(self, title: str, at: str | None, *members: dict, list_id: str | None = None, **fields) -> dict:
        """A campaign that was sent to `members` at `at`, or is a draft when it is None."""
        campaign = {
            "id": f"{next(self._ids):010x}", "type": "regular", "create_time": at or "2026-03-01T00:00:00+00:00",
            "status": "sent" if at else "save", "emails_sent": len(members), "send_time": at or "",
            "recipients": {"list_id": list_id or self.list_id, "list_is_active": True},
            "settings": {"title": title, "subject_line": title},
        } | fields  # fmt: skip
        self.campaigns[campaign["id"]] = campaign
        sent = [self._about(campaign, member) | _SENT | {"merge_fields": member["merge_fields"]} for member in members]
        opened = [self._about(campaign, member) | {"activity": []} for member in members]
        self.reports[campaign["id"]] = {"sent_to": sent, "emails": opened, "unsubscribes": []}
        return campaign

    def act(self, campaign: dict, member: dict, action: str, at: str, **fields) -> None:
        """`open`, `click` (with `url`) or `bounce` (with `type`, hard or soft)."""
        report = self.reports[campaign["id"]]
        of_member = next(email for email in report["emails"] if email["email_id"] == member["id"])
        of_member["activity"].append({"action": action, "timestamp": at} | fields)
        if action == "bounce":
            next(to for to in report["sent_to"] if to["email_id"] == member["id"])["status"] = fields["type"]
            if fields["type"] == "hard":
                self.change(member, "cleaned", at)

    def unsubscribe(self, campaign: dict, member: dict, at: str, reason: str = "None given") -> None:
        """Somebody followed the link in a campaign."""
        gone = self._about(campaign, member) | {"timestamp": at, "reason": reason, "vip": False}
        self.reports[campaign["id"]]["unsubscribes"].append(gone)
        self.change(member, "unsubscribed", at)

    def complain(self, campaign: dict, member: dict, at: str) -> None:
        """Somebody called a campaign spam, which also unsubscribes them."""
        about = self._about(campaign, member) | {"id": next(self._ids), "date": at, "vip": False}
        self.complaints.append(about)
        self.change(member, "unsubscribed", at)

    def _about(self, campaign: dict, member: dict) -> dict:
        return {
            "campaign_id": campaign["id"], "list_id": campaign["recipients"]["list_id"], "list_is_active": True,
            "email_id": member["id"], "email_address": member["email_address"],
        }  # fmt: skip

    # ---- what it answers

    def routes(self) -> list[Route]:
        report = "/3.0/reports/{campaign}"
        return [
            endpoint("/3.0/ping", lambda request: answer({"health_status": "Everything's Chimpy!"})),
            endpoint("/3.0/lists/{list}/members", self._members),
            endpoint("/3.0/lists/{list}/abuse-reports", self._abuse_reports),
            endpoint("/3.0/campaigns", self._campaigns),
            endpoint(f"{report}/sent-to", lambda request: self._report(request, "sent_to")),
            endpoint(f"{report}/email-activity", self._activity),
            endpoint(f"{report}/unsubscribed", lambda request: self._report(request, "unsubscribes")),
        ]

    def refusal(self, request: Request) -> Response | None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            given = base64.b64decode(given).decode().partition(":")[2]
        if not kind or given != self.token:
            what = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return problem(401, "API Key Invalid", what)
        return None

    def shaped(self, request: Request, response: Response) -> Response:
        """Only the `fields` that were asked for, or all but `exclude_fields`: names with dots, through lists."""
        query = request.query_params
        if request.method != "GET" or response.status_code != 200 or not {"fields", "exclude_fields"} & set(query):
            return response
        content = json.loads(response.body)
        if "fields" in query:
            content = _picked(content, [name.split(".") for name in query["fields"].split(",")])
        for name in filter(None, query.get("exclude_fields", "").split(",")):
            _dropped(content, name.split("."))
        return answer(content)

    def _members(self, request: Request) -> Response:
        query = request.query_params
        if request.path_params["list"] != self.list_id:
            return _not_found()
        wanted = query.get("status")
        found = [
            member
            for member in self.members.values()
            if (member["status"] == wanted if wanted else member["status"] != "archived")
            and _within(member["last_changed"], query.get("since_last_changed"), query.get("before_last_changed"))
        ]
        return page(request, "members", found, {"list_id": self.list_id})

    def _abuse_reports(self, request: Request) -> Response:
        if request.path_params["list"] != self.list_id:
            return _not_found()
        return page(request, "abuse_reports", self.complaints, {"list_id": self.list_id})

    def _campaigns(self, request: Request) -> Response:
        query = request.query_params
        found = [
            campaign
            for campaign in self.campaigns.values()
            if query.get("status") in (None, campaign["status"])
            and query.get("list_id") in (None, campaign["recipients"]["list_id"])
            and _within(campaign["send_time"], query.get("since_send_time"), query.get("before_send_time"))
        ]
        return page(request, "campaigns", found, {})

    def _report(self, request: Request, name: str) -> Response:
        campaign = request.path_params["campaign"]
        if campaign not in self.reports:
            return _not_found()
        return page(request, name, self.reports[campaign][name], {"campaign_id": campaign})

    def _activity(self, request: Request) -> Response:
        campaign, since = request.path_params["campaign"], request.query_params.get("since")
        if campaign not in self.reports:
            return _not_found()
        emails = [
            email | {"activity": [act for act in email["activity"] if _within(act["timestamp"], since, None)]}
            for email in self.reports[campaign]["emails"]
        ]
        return page(request, "emails", emails, {"campaign_id": campaign})


_SENT = {"vip": False, "status": "sent", "open_count": 0, "last_open": "", "absplit_group": "", "gmt_offset": 0}


def problem(status: int, title: str, detail: str) -> Response:
    """An error as Mailchimp documents it."""
    about = "https://mailchimp.com/developer/marketing/docs/errors/"
    content = {"type": about, "title": title, "status": status, "detail": detail, "instance": "9c1e7e0c"}
    return answer(content, status, kind="application/problem+json; charset=utf-8")


def _not_found() -> Response:
    return problem(404, "Resource Not Found", "The requested resource could not be found.")


def page(request: Request, name: str, found: list[dict], beside: dict) -> Response:
    """A page of a list, as `count` and `offset` ask for it."""
    size, start = int(request.query_params.get("count", 10)), int(request.query_params.get("offset", 0))
    if not 0 <= size <= MAX_COUNT:
        return problem(400, "Invalid Resource", f"count must be at most {MAX_COUNT}")
    return answer({name: found[start : start + size], **beside, "total_items": len(found), "_links": []})


def _picked(content: object, names: list[list[str]]) -> object:
    if isinstance(content, list):
        return [_picked(one, names) for one in content]
    if not isinstance(content, dict) or [] in names:
        return content
    wanted: dict[str, list[list[str]]] = {}
    for first, *rest in names:
        wanted.setdefault(first, []).append(rest)
    return {name: _picked(value, wanted[name]) for name, value in content.items() if name in wanted}


def _dropped(content: object, name: list[str]) -> None:
    for one in content if isinstance(content, list) else [content]:
        if isinstance(one, dict) and len(name) == 1:
            one.pop(name[0], None)
        elif isinstance(one, dict) and name[0] in one:
            _dropped(one[name[0]], name[1:])


def _within(moment: str, since: str | None, before: str | None) -> bool:
    """Whether a time lies after `since` and before `before`; what has no time lies nowhere."""
    if not moment:
        return not since and not before
    at = datetime.fromisoformat(moment)
    return (not since or at > datetime.fromisoformat(since)) and (not before or at < datetime.fromisoformat(before))

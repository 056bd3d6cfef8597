"""A HubSpot portal that clients may write to: the whole of what `destinations.hubspot` needs.

    with HubSpotPortal() as portal:
        portal.add_contact("ani@example.com", crm_id="17")
        portal.faults.cut(only="POST .*/batch/upsert")     # done, but nobody is told
        ...
        assert portal.effects.doubled("created") == {}
        assert portal.on("crm:winback") == {"ani@example.com"}

Contacts are in `hubspot_contacts.py`, properties in `hubspot_properties.py`, lists in `hubspot_lists.py`, who said no
in `hubspot_consent.py`; the paging of contacts in `hubspot.py`. Paths are those of the version by date (`versions`,
such as /crm/lists/2026-09) and of v3 (/crm/v3/lists; /communication-preferences/v4).

Limits (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines): `requests` in any 10 seconds,
429 TEN_SECONDLY_ROLLING; searches do not count there, but are 5 a second: "You have reached your secondly limit."
`scopes` is what the token may do: 403 MISSING_SCOPES.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.elsewhere import Elsewhere
from tests.fakes.hubspot import UNASKED, HubSpot, error
from tests.fakes.hubspot_consent import MARKETING, Consent
from tests.fakes.hubspot_contacts import Contacts
from tests.fakes.hubspot_lists import CONTACTS, Lists
from tests.fakes.hubspot_properties import Properties, standard
from tests.fakes.limits import RollingWindow
from tests.fakes.server import answer, endpoint

SCOPES = {
    "/communication-preferences": "communication_preferences.read", "/batch/read": "crm.objects.contacts.read",
    "/batch/": "crm.objects.contacts.write", "/gdpr-delete": "crm.objects.contacts.write",
    "/properties": "crm.schemas.contacts.write", "/lists": "crm.lists.write",
}  # fmt: skip
"""The scope that a path needs, by the first part that it holds."""


class HubSpotPortal(Contacts, Properties, Lists, Consent, HubSpot):
    """`properties` are definitions by name, `lists` are by id; `automations` names the lists that begin a workflow."""

    unasked = UNASKED

    def __init__(
        self, token: str = "pat-eu1-fake", max_page: int = 100, requests: int = 100, searches: int = 5
    ) -> None:
        super().__init__(token, max_page, requests)
        self.elsewhere = Elsewhere()
        self.searches = RollingWindow(searches, 1.0)
        self.versions, self.multi_status = {"2026-03", "2026-09"}, "traced"
        self.scopes = set(SCOPES.values()) | {"crm.lists.read", "crm.schemas.contacts.read"}
        self.properties = standard()
        self.lists: dict[str, dict] = {}
        self.automations: set[str] = set()
        self.opted_out: dict[str, str] = {}
        self.blocklist: set[str] = set()
        self._indexes: dict[str, dict[str, dict]] = {}

    # ---- what is there

    def add_contact(self, email: str | None, at: str | None = None, **properties: str) -> dict:
        contact = super().add_contact(email, at or self.now(), **properties)
        for name, index in self._indexes.items():
            value = contact["properties"].get(name)
            if value:
                index[value.lower() if name == "email" else value] = contact
        return contact

    def contact(self, email: str) -> dict | None:
        return self._index("email").get(email.lower())

    def on(self, name: str) -> set[str]:
        """The addresses that are on a list."""
        one = self._named_list(name)
        return {self.contacts[key]["properties"]["email"] for key in one["members"]} if one else set()

    def list_by_hand(self, name: str, *addresses: str) -> dict:
        """The marketer makes a list of their own."""
        one = self.add_list(name, by="person")
        for address in addresses:
            self.put_on(one, self.contact(address), by="person")
        return one

    def automate(self, *names: str) -> None:
        """From now on, a workflow begins when somebody joins these lists."""
        self.automations.update(names)

    def remove(self, contact: dict, kind: str, by: str = "api") -> None:
        """A contact is gone for good."""
        for one in self.lists.values():
            one["members"].discard(contact["id"])
        for index in self._indexes.values():
            for key in [key for key, held in index.items() if held is contact]:
                del index[key]
        del self.contacts[contact["id"]]
        self.effects.note(kind, contact["properties"].get("email") or "", by=by)

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _index(self, name: str) -> dict[str, dict]:
        """Contacts by a property whose values are unique."""
        if name not in self._indexes:
            self._indexes[name] = {
                value.lower() if name == "email" else value: contact
                for contact in self.contacts.values()
                if (value := contact["properties"].get(name)) and not contact["archived"]
            }
        return self._indexes[name]

    # ---- what it answers

    def routes(self) -> list[Route]:
        contacts = (f"/crm/v3/objects/{kind}" for kind in ("contacts", CONTACTS))
        dated = (f"/crm/objects/{{version}}/{kind}" for kind in ("contacts", CONTACTS))
        found = [
            route
            for root in (*contacts, *dated)
            for route in (
                endpoint(f"{root}/batch/read", self._batch_read, "POST"),
                endpoint(f"{root}/batch/create", self._batch_create, "POST"),
                endpoint(f"{root}/batch/update", self._batch_update, "POST"),
                endpoint(f"{root}/batch/upsert", self._batch_upsert, "POST"),
                endpoint(f"{root}/gdpr-delete", self._gdpr_delete, "POST"),
            )
        ]
        for root in ("/crm/v3/properties", "/crm/properties/{version}"):
            for kind in ("contacts", CONTACTS):
                found += [
                    endpoint(f"{root}/{kind}", self._get_properties),
                    endpoint(f"{root}/{kind}", self._post_property, "POST"),
                    endpoint(f"{root}/{kind}/{{property}}", self._get_property),
                ]
        for root in ("/crm/v3/lists", "/crm/lists/{version}"):
            found += self._list_routes(root)
        for version in ("v4", "{version}"):
            found += self._consent_routes(f"/communication-preferences/{version}")
        found += [endpoint(f"/account-info/{version}/details", self._account) for version in ("v3", "{version}")]
        return [*super().routes(), *found]

    def _list_routes(self, root: str) -> list[Route]:
        one = f"{root}/{{list}}"
        changes: dict[str, Callable] = {
            "add-and-remove": self._add_and_remove, "add": self._add_all, "remove": self._remove_all
        }  # fmt: skip
        return [
            endpoint(root, self._post_list, "POST"),
            endpoint(f"{root}/search", self._search_lists, "POST"),
            endpoint(f"{root}/object-type-id/{CONTACTS}/name/{{name:path}}", self._list_by_name),
            endpoint(one, self._get_list),
            endpoint(one, self._delete_list, "DELETE"),
            endpoint(f"{one}/memberships", self._get_memberships),
            *(endpoint(f"{one}/memberships/{name}", change, "PUT") for name, change in changes.items()),
        ]

    def _consent_routes(self, root: str) -> list[Route]:
        batch, one = f"{root}/statuses/batch", f"{root}/statuses/{{address}}"
        return [
            endpoint(f"{root}/definitions", lambda request: answer({"results": [MARKETING]})),
            endpoint(f"{batch}/unsubscribe-all/read", self._read_opted_out, "POST"),
            endpoint(f"{batch}/unsubscribe-all", self._opt_out_many, "POST"),
            endpoint(f"{batch}/read", self._read_statuses, "POST"),
            endpoint(f"{batch}/write", self._write_statuses, "POST"),
            endpoint(f"{one}/unsubscribe-all", self._get_opted_out),
            endpoint(f"{one}/unsubscribe-all", self._opt_out_one, "POST"),
            endpoint(one, self._get_statuses),
            endpoint(one, self._write_status, "POST"),
        ]

    def refusal(self, request: Request) -> Response | None:
        path, version = request.url.path, request.path_params.get("version")
        if version is not None and version not in self.versions:
            return error(404, "resource not found", category="OBJECT_NOT_FOUND")
        if path.endswith("/search"):
            if not self.searches.admits():
                words = "You have reached your secondly limit."
                return error(429, words, errorType="RATE_LIMIT", policyName="SECONDLY", category="RATE_LIMITS")
            if request.headers.get("Authorization") == f"Bearer {self.token}":
                return None
        refused = super().refusal(request)
        if refused is not None:
            return refused
        needed = next((scope for part, scope in SCOPES.items() if part in path), None)
        if needed and needed not in self.scopes:
            words = "This app hasn't been granted all required scopes to make this call."
            about = [
                {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredScopes": [needed]},
                }
            ]
            return error(403, words, category="MISSING_SCOPES", errors=about)
        return None

    def bad_request(self, words: str) -> Response:
        return error(400, words, category="VALIDATION_ERROR")

    def _account(self, request: Request) -> Response:
        return answer({
            "portalId": 20240101, "accountType": "STANDARD", "timeZone": "Asia/Jakarta", "companyCurrency": "IDR",
            "utcOffset": "+07:00", "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1",
        })  # fmt: skip

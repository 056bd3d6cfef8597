"""A HubSpot portal, as its CRM objects API shows it: contacts, page by page.

Checked against
- https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide (and, for the answer's form,
  https://raw.githubusercontent.com/api-evangelist/hubspot/refs/heads/main/json-schema/
  crm-contacts-api-collection-response-contact-schema.json): `limit` of at most 100 (50 with history), `after`,
  `properties`, `propertiesWithHistory`, `archived`; only a few properties come unasked
- https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines: 100 requests in any 10 seconds, 429
  with the policy TEN_SECONDLY_ROLLING
All properties are texts, or null; a deleted contact is an archived one.
"""

from __future__ import annotations

from itertools import count

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.limits import RollingWindow
from tests.fakes.server import Fake, answer, endpoint

UNASKED = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")


class HubSpot(Fake):
    """`max_page` is the largest page it gives (HubSpot's is 100)."""

    def __init__(self, token: str = "pat-eu1-fake", max_page: int = 100, requests: int = 100) -> None:
        super().__init__(token)
        self.max_page = max_page
        self.window = RollingWindow(requests, 10.0)
        self.contacts: dict[str, dict] = {}
        self._ids = count(101)

    # ---- what is in the portal

    def add_contact(self, email: str | None, at: str = "2026-03-01T02:00:00.000Z", **properties: str) -> dict:
        """A contact who came at `at`."""
        identity = str(next(self._ids))
        contact = {
            "id": identity, "properties": {}, "history": {}, "createdAt": at, "updatedAt": at, "archived": False
        }  # fmt: skip
        self.contacts[identity] = contact
        self.change(contact, at, createdate=at, hs_object_id=identity, email=email, **properties)
        return contact

    def change(self, contact: dict, at: str, **properties: str | None) -> None:
        """New values of some properties; the old ones stay in their history."""
        for name, value in (properties | {"lastmodifieddate": at}).items():
            contact["properties"][name] = value
            said = {"value": value or "", "timestamp": at, "sourceType": "CRM_UI"}
            contact["history"].setdefault(name, []).insert(0, said)
        contact["updatedAt"] = at

    def archive(self, contact: dict, at: str) -> None:
        """Somebody deleted the contact."""
        contact |= {"archived": True, "archivedAt": at, "updatedAt": at}

    # ---- what it answers

    def routes(self) -> list[Route]:
        return [
            endpoint("/crm/objects/{version}/contacts", self._list),
            endpoint("/crm/v3/objects/contacts", self._list),
        ]

    def refusal(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            what = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            return error(401, what, category="INVALID_AUTHENTICATION")
        if not self.window.admits():
            what = "You have reached your ten_secondly_rolling limit."
            return error(429, what, errorType="RATE_LIMIT", policyName="TEN_SECONDLY_ROLLING")
        return None

    def _list(self, request: Request) -> Response:
        query = request.query_params
        limit, after = int(query.get("limit", 10)), int(query.get("after", 0))
        history = _names(query.get("propertiesWithHistory"))
        most = 50 if history else 100
        if limit > most:
            return error(400, f"limit must be at most {most}", category="VALIDATION_ERROR")
        wanted = (*UNASKED, *_names(query.get("properties")))
        is_archived = query.get("archived") == "true"
        left = [
            contact
            for contact in self.contacts.values()
            if contact["archived"] == is_archived and int(contact["id"]) > after
        ]
        size = min(limit, self.max_page)
        content = {"results": [shown(contact, wanted, history) for contact in left[:size]]}
        if len(left) > size:
            last = left[size - 1]["id"]
            content["paging"] = {"next": {"after": last, "link": f"{self.url}{request.url.path}?after={last}"}}
        return answer(content)


def error(status: int, message: str, **more: object) -> Response:
    """An error as HubSpot writes it."""
    content = {"status": "error", "message": message, "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24"}
    return answer(content | more, status)


def _names(given: str | None) -> list[str]:
    return given.split(",") if given else []


def shown(contact: dict, wanted: tuple[str, ...], history: list[str]) -> dict:
    """A contact with some of its properties, and the history of some."""
    found = {name: value for name, value in contact.items() if name != "history"}
    found["properties"] = {name: contact["properties"].get(name) for name in (*wanted, *history)}
    if history:
        found["propertiesWithHistory"] = {name: contact["history"].get(name, []) for name in history}
    return found

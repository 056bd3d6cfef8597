"""Lists of contacts in a HubSpot portal.

Checked against
- https://developers.hubspot.com/docs/api-reference/2026-03/crm/lists/memberships/update-list-memberships: PUT
  add-and-remove with `recordIdsToAdd` and `recordIdsToRemove`, for MANUAL and SNAPSHOT lists only; the answer's
  `recordsIdsAdded` (sic), `recordIdsRemoved`, `recordIdsMissing`: https://rubydoc.info/github/HubSpot/hubspot-api-ruby
  (MembershipsUpdateResponse: "did not exist in the portal")
- .../crm/lists/get-list (by name: /object-type-id/{objectTypeId}/name/{listName}), .../crm/lists/search/search-lists
Whoever is on a list already is neither added nor missing. That at most 100,000 ids come at once is from memory, and so
is the sub-category of a name that is taken.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.hubspot import error
from tests.fakes.server import Refused, answer, sent

CONTACTS = "0-1"
MAX_IDS = 100_000


class Lists:
    """The part of a HubSpot portal that keeps lists."""

    def add_list(self, name: str, kind: str = "MANUAL", by: str = "api") -> dict:
        """A list; one made by a person is the marketer's own."""
        identity, at = str(next(self._ids)), self.now()
        self.lists[identity] = {
            "listId": identity, "name": name, "objectTypeId": CONTACTS, "processingType": kind,
            "processingStatus": "COMPLETE", "listVersion": 1, "createdAt": at, "updatedAt": at, "createdById": "1",
            "members": set(), "foreign": by == "person",
        }  # fmt: skip
        self.effects.note("list_created", "", name, by)
        return self.lists[identity]

    def drop_list(self, name: str, by: str = "person") -> None:
        """Somebody deletes a list."""
        del self.lists[self._named_list(name)["listId"]]
        self.effects.note("list_deleted", "", name, by)

    def put_on(self, one: dict, contact: dict, by: str = "api") -> bool:
        """A contact joins a list, which begins a workflow. False: they were on it."""
        if contact["id"] in one["members"]:
            return False
        one["members"].add(contact["id"])
        self._noted("joined", one, contact, by)
        if one["name"] in self.automations:
            self.effects.note("automation", contact["properties"].get("email") or "", one["name"], by)
        return True

    def take_off(self, one: dict, contact: dict, by: str = "api") -> bool:
        """A contact leaves a list. False: they were not on it."""
        if contact["id"] not in one["members"]:
            return False
        one["members"].discard(contact["id"])
        self._noted("left", one, contact, by)
        return True

    def _noted(self, kind: str, one: dict, contact: dict, by: str) -> None:
        who = contact["properties"].get("email") or ""
        self.effects.note(kind, who, one["name"], by)
        if by == "api" and one["foreign"]:
            self.effects.note("foreign_tag", who, one["name"])

    # ---- what a client asks for

    def _post_list(self, request: Request) -> Response:
        given = sent(request)
        missing = [name for name in ("name", "objectTypeId", "processingType") if not given.get(name)]
        if missing:
            return error(400, f"Some required fields were not set: [{', '.join(missing)}]", category="VALIDATION_ERROR")
        if given["objectTypeId"] != CONTACTS or given["processingType"] not in ("MANUAL", "SNAPSHOT", "DYNAMIC"):
            return error(400, "This kind of list cannot be made here.", category="VALIDATION_ERROR")
        if given["processingType"] == "DYNAMIC" and not given.get("filterBranch"):
            return error(400, "A dynamic list needs a filterBranch.", category="VALIDATION_ERROR")
        if self._named_list(given["name"]):
            words = f"A list with the name '{given['name']}' already exists."
            return error(400, words, category="VALIDATION_ERROR", subCategory="ILS.DUPLICATE_LIST_NAMES")
        return answer({"list": _shown(self.add_list(given["name"], given["processingType"]))})

    def _get_list(self, request: Request) -> Response:
        return answer({"list": _shown(self._list_of(request))})

    def _list_by_name(self, request: Request) -> Response:
        found = self._named_list(request.path_params["name"])
        return answer({"list": _shown(found)}) if found else _no_list()

    def _search_lists(self, request: Request) -> Response:
        given = sent(request)
        query, kinds = given.get("query", "").lower(), given.get("processingTypes") or ()
        start, size = int(given.get("offset", 0)), min(int(given.get("count", 20)), 500)
        found = [
            one | {"additionalProperties": {"hs_list_size": str(len(self.lists[one["listId"]]["members"]))}}
            for one in map(_shown, self.lists.values())
            if query in one["name"].lower() and (not kinds or one["processingType"] in kinds)
        ]
        shown = found[start : start + size]
        return answer({
            "lists": shown, "total": len(found), "offset": start + len(shown),
            "hasMore": start + len(shown) < len(found),
        })  # fmt: skip

    def _delete_list(self, request: Request) -> Response:
        self.drop_list(self._list_of(request)["name"], by="api")
        return Response(status_code=204)

    def _get_memberships(self, request: Request) -> Response:
        one, query = self._list_of(request), request.query_params
        left = sorted(int(key) for key in one["members"] if int(key) > int(query.get("after", 0)))
        size = min(int(query.get("limit", 100)), 250)
        at = self.now()
        content = {"results": [{"recordId": str(key), "membershipTimestamp": at} for key in left[:size]]}
        if len(left) > size:
            content["paging"] = {"next": {"after": str(left[size - 1]), "link": ""}}
        return answer(content | {"total": len(one["members"])})

    def _add_and_remove(self, request: Request) -> Response:
        given = sent(request)
        return self._changed(request, given.get("recordIdsToAdd") or [], given.get("recordIdsToRemove") or [])

    def _add_all(self, request: Request) -> Response:
        return self._changed(request, sent(request), [])

    def _remove_all(self, request: Request) -> Response:
        return self._changed(request, [], sent(request))

    def _changed(self, request: Request, to_add: list, to_remove: list) -> Response:
        one = self._list_of(request)
        if one["processingType"] == "DYNAMIC":
            words = "Memberships of a DYNAMIC list cannot be changed."
            return error(400, words, category="VALIDATION_ERROR", subCategory="ILS.LIST_MODIFICATION_NOT_ALLOWED")
        if len(to_add) + len(to_remove) > MAX_IDS:
            return error(400, f"At most {MAX_IDS} record ids at once.", category="VALIDATION_ERROR")
        content: dict[str, list[str]] = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
        for key in map(str, to_add):
            contact = self.contacts.get(key)
            if contact is None or contact["archived"]:
                content["recordIdsMissing"].append(key)
            elif self.put_on(one, contact):
                content["recordsIdsAdded"].append(key)
        for key in map(str, to_remove):
            contact = self.contacts.get(key)
            if contact is None:
                content["recordIdsMissing"].append(key)
            elif self.take_off(one, contact):
                content["recordIdsRemoved"].append(key)
        return answer(content)

    # ---- helpers

    def _named_list(self, name: str) -> dict | None:
        return next((one for one in self.lists.values() if one["name"].lower() == name.lower()), None)

    def _list_of(self, request: Request) -> dict:
        one = self.lists.get(request.path_params["list"])
        if one is None:
            raise Refused(_no_list())
        return one


def _shown(one: dict) -> dict:
    return {name: value for name, value in one.items() if name not in ("members", "foreign")}


def _no_list() -> Response:
    return error(404, "List does not exist.", category="OBJECT_NOT_FOUND", subCategory="ILS.LIST_NOT_FOUND")

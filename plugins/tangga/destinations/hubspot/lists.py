"""Lists of contacts, static ones: who is on ours. Lists without our prefix do not exist for us."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import quote

from tangga.destinations import poison, words
from tangga.destinations.api import Api, document_of
from tangga.destinations.destination import Rejected
from tangga.destinations.hubspot.contacts import Contacts
from tangga.http import Denied
from tangga.settings import HubSpotDestination

CONTACTS = "0-1"
"""What HubSpot calls this type of object."""

PAGE = 250

Outcome = tuple[list[Rejected], dict[str, str]]
"""Whoever was not taken, and what HubSpot calls people, by their keys."""


class Lists:
    def __init__(self, api: Api, settings: HubSpotDestination, contacts: Contacts):
        self._api, self._prefix, self._contacts = api, settings.list_prefix, contacts
        self._path = f"crm/lists/{settings.version}"
        self._ids: dict[str, str] = {}

    def check(self, lists: Collection[str]) -> None:
        """Raise `DestinationRefused` when one of these lists is not there."""
        for list_name in sorted(lists):
            if self._found(list_name) is None:
                raise self._api.refused(
                    f"list '{self._prefix}{list_name}' was deleted or renamed there, with people on it; restore it, or "
                    f"delete the rows of the list '{list_name}' in the ledger's memberships, and all join it anew"
                )

    def add(self, list_name: str, rows: Sequence[Mapping]) -> Outcome:
        """Put people on the list, which is made when it is new. Whoever is not known there is rejected."""
        return self._change(list_name, self._id(list_name), "recordIdsToAdd", rows)

    def remove(self, list_name: str, rows: Sequence[Mapping]) -> Outcome:
        """Take people off. Whoever is not on the list, or not known there, is where they should be."""
        known_as = self._found(list_name)
        if known_as is None:
            return [], {}
        rejected, remote_ids = self._change(list_name, known_as, "recordIdsToRemove", rows)
        return [row for row in rejected if row.words != _UNKNOWN], remote_ids

    def _change(self, list_name: str, known_as: str, how: str, rows: Sequence[Mapping]) -> Outcome:
        by_key = {row["key"]: row for row in rows}
        named = {row["key"]: row["remote_id"] for row in rows if row["remote_id"]}
        found = self._contacts.find(row for row in rows if not row["remote_id"])
        rejected, missing = self._put(list_name, known_as, how, by_key, named | found)
        stale = [key for key in missing if key in named]
        if stale:  # contacts that were merged there, or deleted and made anew, go by another id
            again = self._contacts.find(by_key[key] for key in stale)
            found |= again
            more, still = self._put(list_name, known_as, how, by_key, again)
            rejected += more
            missing = [key for key in missing if key not in again] + still
        unknown = [key for key in by_key if key not in named and key not in found]
        return rejected + [Rejected(key, _UNKNOWN) for key in dict.fromkeys(unknown + missing)], found

    def _put(
        self, list_name: str, known_as: str, how: str, by_key: Mapping[str, Mapping], ids: Mapping[str, str]
    ) -> tuple[list[Rejected], list[str]]:
        """(whoever was refused, keys of those whom HubSpot does not know by these ids)."""
        missing: set[str] = set()

        def send(part: Sequence[str]) -> None:
            asked = [ids[key] for key in part]
            answer = self._api.ask("PUT", f"{self._path}/{known_as}/memberships/add-and-remove", json={how: asked})
            if not self._is_as_asked(known_as, how, asked, answer):
                raise self._api.untold()
            missing.update(map(str, answer.get("recordIdsMissing") or ()))

        with self._api.explained(f"list '{self._prefix}{list_name}' cannot be changed"):
            alone = poison.isolated(list(ids), send)
        rejected = [
            Rejected(key, words.said(document_of(error.content), by_key[key]) or f"answered {error.status}")
            for key, error in alone
        ]
        return rejected, [key for key, known_there in ids.items() if known_there in missing]

    def _is_as_asked(self, known_as: str, how: str, ids: Sequence[str], answer: Mapping) -> bool:
        """Whether people are on the list, or off it. HubSpot leaves out of its answer whom nothing was changed for, so
        that one without anybody is looked into: it may as well be something else that has answered."""
        if any(name in answer for name in ("recordsIdsAdded", "recordIdsRemoved", "recordIdsMissing")):
            return True
        on = set(self._members(known_as))
        return on.issuperset(ids) if how == "recordIdsToAdd" else on.isdisjoint(ids)

    def _members(self, known_as: str) -> Iterator[str]:
        after = {}
        while True:
            answer = self._api.ask("GET", f"{self._path}/{known_as}/memberships", {"limit": PAGE} | after)
            yield from (str(one.get("recordId")) for one in answer.get("results") or ())
            following = (answer.get("paging") or {}).get("next") or {}
            if not following.get("after"):
                return
            after = {"after": following["after"]}

    def _id(self, list_name: str) -> str:
        """The list's id; it is made when it is new."""
        known_as = self._found(list_name)
        if known_as is not None:
            return known_as
        about = {"name": f"{self._prefix}{list_name}", "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        try:
            self._keep(list_name, self._api.ask("POST", self._path, json=about))
        except Denied as error:
            if self._found(list_name) is None:  # else the answer to an earlier try was lost
                with self._api.explained(f"list '{about['name']}' cannot be made"):
                    raise error
        return self._ids[list_name]

    def _found(self, list_name: str) -> str | None:
        if list_name not in self._ids:
            path = f"{self._path}/object-type-id/{CONTACTS}/name/{quote(self._prefix + list_name, safe='')}"
            try:
                self._keep(list_name, self._api.ask("GET", path))
            except Denied as error:
                if error.status == 404:
                    return None
                with self._api.explained("its lists cannot be read"):
                    raise
        return self._ids[list_name]

    def _keep(self, list_name: str, answer: Mapping) -> None:
        found = answer.get("list") or {}
        if found.get("processingType") != "MANUAL" or "listId" not in found:
            raise self._api.refused(
                f"list '{self._prefix}{list_name}' is not a static one there; rename it, Tangga makes its own"
            )
        self._ids[list_name] = str(found["listId"])


_UNKNOWN = "is not known there"

"""Tags, which are Mailchimp's static segments: who has ours. Tags without our prefix do not exist for us."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tangga.destinations import poison, words
from tangga.destinations.api import Api, document_of
from tangga.destinations.destination import Rejected
from tangga.destinations.mailchimp.members import address_of, hash_of
from tangga.http import MAX_CONNECTIONS, Denied

PAGE = 1000

ASKED_FOR_SINGLY = 10
"""So many people are looked up one by one; for more of them all who have the tag are read."""


class Tags:
    """The tags of the audience at the path `of_list`."""

    def __init__(self, api: Api, of_list: str, prefix: str):
        self._api, self._list, self._prefix = api, of_list, prefix
        self._ids: dict[str, int] | None = None

    def check(self, lists: Collection[str]) -> None:
        """Raise `DestinationRefused` when the tag of one of these lists is not there."""
        missing = sorted(set(lists) - set(self._read() if lists else ()))
        if missing:
            raise self._api.refused(
                f"tag '{self._prefix}{missing[0]}' was deleted or renamed there, with people on it; name it so again, "
                f"or delete the rows of the list '{missing[0]}' in the ledger's memberships, and all join it anew"
            )

    def standing(self, audiences: Collection[str]) -> Iterator[tuple[str, str]]:
        """(list, address) of everybody who has the tag of one of these audiences, or of a step of its campaign."""
        for list_name, segment in self._read().items():
            if list_name.partition(":")[0] in audiences:
                yield from ((list_name, address) for address in self._members(segment))

    def add(self, list_name: str, rows: Sequence[Mapping]) -> list[Rejected]:
        """Give people the tag, which is made when it is new. Whoever is not known there is rejected."""
        segment = self._id(list_name)
        done: set[str] = set()
        refused: dict[str, str] = {}

        def send(part: Sequence[Mapping]) -> None:
            answer = self._change(list_name, segment, members_to_add=[address_of(row) for row in part])
            done.update(_addresses(answer.get("members_added")))
            refused.update(_errors(answer))

        alone = self._isolated(list_name, rows, send)
        rejected = [Rejected(row["key"], _words(error, row)) for row, error in alone]
        settled = {row["key"] for row, _ in alone}
        unsure = []
        for row in rows:
            address = address_of(row).lower()
            if address in refused:
                rejected.append(Rejected(row["key"], words.safe(refused[address], row)))
            elif address not in done and row["key"] not in settled:
                unsure.append(row)
        having = self._having(segment, unsure)
        rejected += [Rejected(row["key"], "is not known there") for row in unsure if row["key"] not in having]
        return rejected

    def remove(self, list_name: str, rows: Sequence[Mapping]) -> list[Rejected]:
        """Take the tag from people. Whoever does not have it, or is not known there, is where they should be."""
        segment = self._read().get(list_name)
        if segment is None:
            return []

        def send(part: Sequence[Mapping]) -> None:
            self._change(list_name, segment, members_to_remove=[address_of(row) for row in part])

        alone = self._isolated(list_name, rows, send)
        return [Rejected(row["key"], _words(error, row)) for row, error in alone]

    def _change(self, list_name: str, segment: int, **members: list[str]) -> dict:
        answer = self._api.ask("POST", f"{self._list}/segments/{segment}", json=members)
        return self._api.telling(answer, "members_added", "members_removed")

    def _isolated(self, list_name: str, rows: Sequence[Mapping], send) -> list[tuple[Mapping, Denied]]:
        with self._api.explained(f"tag '{self._prefix}{list_name}' cannot be changed"):
            return poison.isolated(rows, send)

    def _having(self, segment: int, rows: Sequence[Mapping]) -> set[str]:
        """The keys of those who have the tag already, as after an answer that was lost."""
        if len(rows) > ASKED_FOR_SINGLY:
            having = set(self._members(segment))
            return {row["key"] for row in rows if address_of(row).lower() in having}
        with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
            has = pool.map(lambda row: self._has(segment, row), rows)
            return {row["key"] for row, found in zip(rows, has, strict=True) if found}

    def _has(self, segment: int, row: Mapping) -> bool:
        path = f"{self._list}/members/{hash_of(address_of(row))}"
        try:
            member = self._api.ask("GET", path, {"fields": "tags"})
        except Denied as error:
            if error.status == 404:
                return False
            with self._api.explained("a member cannot be looked up"):
                raise
        return any(tag.get("id") == segment for tag in member.get("tags", []))

    def _members(self, segment: int) -> Iterator[str]:
        everybody = {f"include_{status}": "true" for status in ("cleaned", "transactional", "unsubscribed")}
        path = f"{self._list}/segments/{segment}/members"
        yield from _addresses(self._pages(path, "members", everybody | {"fields": "members.email_address,total_items"}))

    def _id(self, list_name: str) -> int:
        """The tag's id; it is made when it is new."""
        known = self._read()
        if list_name not in known:
            name = f"{self._prefix}{list_name}"
            try:
                made = self._api.ask("POST", f"{self._list}/segments", json={"name": name, "static_segment": []})
                known[list_name] = made["id"]
            except (Denied, KeyError) as error:
                self._ids = None
                if list_name in self._read():  # the answer to an earlier try was lost
                    return self._ids[list_name]
                said = f": {error}" if isinstance(error, Denied) else ""
                raise self._api.refused(f"tag '{name}' cannot be made{said}") from None
        return known[list_name]

    def _read(self) -> dict[str, int]:
        """The ids of our tags, by the names of their lists."""
        if self._ids is None:
            asked = {"type": "static", "fields": "segments.id,segments.name,total_items"}
            with self._api.explained("its tags cannot be read"):
                segments = list(self._pages(f"{self._list}/segments", "segments", asked))
            self._ids = {
                segment["name"].removeprefix(self._prefix): segment["id"]
                for segment in segments
                if segment["name"].startswith(self._prefix)
            }
        return self._ids

    def _pages(self, path: str, name: str, params: dict) -> Iterator[dict]:
        offset = 0
        while True:
            found = self._api.ask("GET", path, params | {"count": PAGE, "offset": offset})
            records = found.get(name, [])
            yield from records
            offset += len(records)
            if len(records) == 0 or offset >= found.get("total_items", 0):
                return


def _addresses(members: object) -> Iterator[str]:
    for member in members or ():
        yield str(member.get("email_address", "")).lower()


def _errors(answer: Mapping) -> dict[str, str]:
    """What is said of whom. An answer of success may hold any number of them."""
    return {
        str(address).lower(): str(error.get("error") or "was refused")
        for error in answer.get("errors") or ()
        for address in error.get("email_addresses") or ()
    }


def _words(error: Denied, row: Mapping) -> str:
    return words.said(document_of(error.content), row) or f"answered {error.status}"

"""Contacts: adopted by their address, written by our key, found by either, forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tangga.destinations.api import Api
from tangga.destinations.destination import Rejected
from tangga.destinations.hubspot import batches
from tangga.destinations.hubspot.batches import Input
from tangga.destinations.hubspot.properties import STAGE, Properties, Values
from tangga.settings import HubSpotDestination

ADDRESSES = ("email", "hs_additional_emails")


class Contacts:
    def __init__(self, api: Api, settings: HubSpotDestination, properties: Properties):
        self._api, self._key, self._properties = api, settings.key_property, properties
        self._path = f"crm/objects/{settings.version}/contacts"

    def upsert(self, rows: Sequence[Mapping], values: Values) -> tuple[list[Rejected], dict[str, str]]:
        """Write what is known of people; returns whoever was not taken, and what HubSpot calls the others.

        Whoever it has named before is written by that name; of the others, whoever has the address is adopted: found
        by it, or named when HubSpot refuses to make another (as for a second address of somebody's)."""
        known = [row for row in rows if row["remote_id"]]
        done = self._update([(row, row["remote_id"], _address(row)) for row in known], values)
        lost = {key for key, failure in done.failures.items() if failure.is_unknown}
        unknown = [row for row in rows if not row["remote_id"] or row["key"] in lost]
        holders = self._holders(unknown)
        adopted = self._update([(row, holders[row["key"]], {}) for row in unknown if row["key"] in holders], values)
        new = self._upsert([row for row in unknown if row["key"] not in holders], values)
        written = {str(result["id"]) for batch in (done, adopted, new) for result in batch.results.values()}
        named = {key: one.holder for key, one in new.failures.items() if one.holder and one.holder not in written}
        taken = self._free(named)
        late = self._update([(row, taken[row["key"]], {}) for row in unknown if row["key"] in taken], values)
        all_of_it = (done, adopted, new, late)
        remote_ids = {key: str(result["id"]) for batch in all_of_it for key, result in batch.results.items()}
        failures = {key: failure for batch in all_of_it for key, failure in batch.failures.items()}
        rejected = {key: failure.words for key, failure in failures.items() if key not in remote_ids}
        rejected |= self._correct_stages(rows, remote_ids, values)
        return [Rejected(key, why) for key, why in rejected.items()], remote_ids

    def find(self, rows: Iterable[Mapping]) -> dict[str, str]:
        """The contacts' own ids by the keys of rows, as far as there are such contacts."""
        if not self._properties.has_key:
            return {}
        keys = [row["key"] for row in rows]
        with self._api.explained("contacts cannot be read"):
            found = batches.read(self._api, f"{self._path}/batch/read", self._key, keys, [self._key])
            return {contact["properties"][self._key]: str(contact["id"]) for contact in found}

    def erase(self, rows: Sequence[Mapping]) -> list[Rejected]:
        """Forget people for good: the contact with our key, and the one with the address. They are looked up first,
        because HubSpot would block an address that it does not know."""
        found = self.find(rows)
        holders = self._holders(rows)
        for row in rows:
            for known_as in {found.get(row["key"]), holders.get(row["key"])} - {None}:
                with self._api.explained("a contact cannot be forgotten"):
                    self._api.ask("POST", f"{self._path}/gdpr-delete", json={"objectId": known_as})
        return []

    def _holders(self, rows: Sequence[Mapping]) -> dict[str, str]:
        """The ids of the contacts that have the rows' addresses, by the rows' keys."""
        rows = [row for row in rows if row["address"]]
        addresses = [row["address"].lower() for row in rows]
        with self._api.explained("contacts cannot be read"):
            found = list(batches.read(self._api, f"{self._path}/batch/read", "email", addresses, ADDRESSES))
        holders = {
            address.strip().lower(): str(contact["id"])
            for contact in found
            for name in reversed(ADDRESSES)
            for address in (contact["properties"].get(name) or "").split(";")
        }
        return {row["key"]: holders[row["address"].lower()] for row in rows if row["address"].lower() in holders}

    def _free(self, named: Mapping[str, str]) -> dict[str, str]:
        """Of contacts that have rows' addresses as second ones, by the rows' keys, those that are no other customer's:
        two customers with one contact would take it from each other every day."""
        if not named:
            return {}
        with self._api.explained("contacts cannot be read"):
            found = batches.read(self._api, f"{self._path}/batch/read", None, {*named.values()}, [self._key])
            owners = {str(contact["id"]): contact["properties"].get(self._key) for contact in found}
        return {key: known_as for key, known_as in named.items() if owners.get(known_as) in (None, "", key)}

    def _update(self, known: Sequence[tuple[Mapping, str, dict]], values: Values) -> batches.Batch:
        """Write contacts by their own ids. Of two rows that mean one contact, the first is written."""
        first: dict[str, Mapping] = {}
        for row, known_as, _ in known:
            first.setdefault(known_as, row)
        inputs = [
            Input(row, {"id": known_as, "properties": values(row) | own | {self._key: row["key"]}})
            for row, known_as, own in known
            if first[known_as] is row
        ]
        done = self._write("update", inputs)
        same = batches.Failure("is the same contact there as another customer")
        done.failures.update({row["key"]: same for row, known_as, _ in known if first[known_as] is not row})
        return done

    def _upsert(self, rows: Sequence[Mapping], values: Values) -> batches.Batch:
        inputs = [
            Input(row, {"idProperty": self._key, "id": row["key"], "properties": values(row) | _address(row)})
            for row in rows
        ]
        return self._write("upsert", inputs)

    def _write(self, how: str, inputs: Sequence[Input]) -> batches.Batch:
        with self._api.explained("contacts cannot be written"):
            return batches.write(self._api, f"{self._path}/batch/{how}", inputs)

    def _correct_stages(self, rows: Sequence[Mapping], remote_ids: Mapping[str, str], values: Values) -> dict[str, str]:
        """Lifecycle stages that HubSpot did not move back, though it said nothing: cleared, then set. Returns why some
        are still not right."""
        wanted = {
            row["key"]: (row, stage) for row in rows if row["key"] in remote_ids and (stage := values(row).get(STAGE))
        }
        if not wanted:
            return {}
        stages = self._stages(remote_ids[key] for key in wanted)
        behind = {key for key, (_, stage) in wanted.items() if stages.get(remote_ids[key]) != stage}
        rejected: dict[str, str] = {}
        for is_cleared in (True, False):
            inputs = [
                Input(row, {"id": remote_ids[key], "properties": {STAGE: "" if is_cleared else stage}})
                for key, (row, stage) in wanted.items()
                if key in behind and key not in rejected
            ]
            rejected |= {key: failure.words for key, failure in self._write("update", inputs).failures.items()}
        return rejected

    def _stages(self, remote_ids: Iterable[str]) -> dict[str, str | None]:
        with self._api.explained("contacts cannot be read"):
            found = batches.read(self._api, f"{self._path}/batch/read", None, remote_ids, [STAGE])
            return {str(contact["id"]): contact["properties"].get(STAGE) for contact in found}


def _address(row: Mapping) -> dict[str, str]:
    return {"email": row["address"]} if row["address"] else {}

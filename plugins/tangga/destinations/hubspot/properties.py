"""Properties of contacts: the one that tells people apart, and what their rows say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from tangga.campaigns import fields
from tangga.destinations.api import Api
from tangga.http import Denied
from tangga.settings import HubSpotDestination

STAGE = "lifecyclestage"


class Property(NamedTuple):
    """A property that is filled from `column` of a row. `is_ours`: it is made there, and emptied where nothing is
    known; others are HubSpot's own."""

    name: str
    column: str
    kind: str = "string"
    is_ours: bool = True


PROPERTIES = (
    Property("firstname", "first_name", is_ours=False),
    Property("lastname", "last_name", is_ours=False),
    Property("tangga_segment", "segment"),
    Property("tangga_rung", "rung"),
    Property("tangga_nps_group", "nps_group"),
    *(
        Property(field.hubspot, name, "date" if name == "next_birthday" else "string")
        for name, field in fields.FIELDS.items()
    ),
)

Values = Callable[[Mapping], dict[str, str]]
"""From a row to its properties, without its key and address."""


class Properties:
    """The portal's properties of contacts, asked for once."""

    def __init__(self, api: Api, settings: HubSpotDestination):
        self._api, self._path = api, f"crm/properties/{settings.version}/contacts"
        self._key, self._stages = settings.key_property, settings.lifecycle_stages
        self._known: dict[str, dict] | None = None

    @property
    def has_key(self) -> bool:
        """Whether customers' ids are kept there already."""
        return self._key in self._read()

    def check(self, is_known: bool) -> None:
        """Raise `DestinationRefused` when a property cannot hold what it is for; and where people have been delivered,
        which `is_known` says, when one is missing: it would stay empty for everybody who has not changed."""
        there = self._read()
        if self.has_key and not there[self._key].get("hasUniqueValue"):
            raise self._api.refused(
                f"property '{self._key}' does not have unique values there; name another one in key_property, and "
                "Tangga makes it"
            )
        for known in PROPERTIES:
            if known.is_ours and there.get(known.name, {}).get("type", known.kind) not in (known.kind, "string"):
                raise self._api.refused(
                    f"property '{known.name}' is of the type '{there[known.name]['type']}' there, not '{known.kind}'; "
                    "rename it"
                )
        missing = [name for name in (self._key, *(p.name for p in PROPERTIES if p.is_ours)) if name not in there]
        if missing and is_known:
            raise self._api.refused(
                f"property '{missing[0]}' was deleted there, or is new in Tangga; restore it, or make it"
            )

    def of(self, columns: Collection[str]) -> Values:
        """How the properties of rows with these columns are filled; what is missing there is made first."""
        there = self._read()
        if not self.has_key:
            self._make(self._key, "Customer id of Tangga", "string", is_key=True)
        for known in PROPERTIES:
            if known.is_ours and known.name not in there:
                self._make(known.name, known.column.replace("_", " ").capitalize(), known.kind)
        used = [known for known in PROPERTIES if known.column in columns and known.name in self._read()]

        def values(row: Mapping) -> dict[str, str]:
            texts = {known: "" if row[known.column] is None else str(row[known.column]) for known in used}
            filled = {known.name: text for known, text in texts.items() if text or known.is_ours}
            stage = self._stages.get(row.get("rung"))
            return filled | ({STAGE: stage} if stage else {})

        return values

    def _make(self, name: str, label: str, kind: str, is_key: bool = False) -> None:
        field = {"string": "text", "date": "date"}[kind]
        about = {"name": name, "label": label, "type": kind, "fieldType": field, "groupName": "contactinformation"}
        try:
            self._api.ask("POST", self._path, json=about | {"hasUniqueValue": is_key})
        except Denied as error:
            self._known = None
            if name in self._read():  # the answer to an earlier try was lost
                return
            with self._api.explained(f"property '{name}' cannot be made"):
                raise error
        self._known[name] = about

    def _read(self) -> dict[str, dict]:
        if self._known is None:
            with self._api.explained("its properties cannot be read"):
                found = self._api.ask("GET", self._path)
            self._known = {known["name"]: known for known in found.get("results", [])}
        return self._known

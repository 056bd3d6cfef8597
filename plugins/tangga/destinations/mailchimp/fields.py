"""Merge fields: what a member's row says, in the form that the audience holds it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NamedTuple

from tangga.campaigns import fields
from tangga.destinations.api import Api
from tangga.http import Denied

LONGEST = 255
"""Bytes of a text field."""


class Field(NamedTuple):
    """A merge field that is filled from `column` of a row. `is_ours`: it is made there, and emptied where nothing is
    known; others are the company's own."""

    tag: str
    column: str
    kind: str = "text"
    is_ours: bool = True


FIELDS = (
    Field("FNAME", "first_name", is_ours=False),
    Field("LNAME", "last_name", is_ours=False),
    Field("SEGMENT", "segment"),
    Field("RUNG", "rung"),
    Field("NPS", "nps_group"),
    *(
        Field(field.mailchimp, name, "birthday" if field.mailchimp == "BIRTHDAY" else "text")
        for name, field in fields.FIELDS.items()
    ),
)

Values = Callable[[Mapping], dict[str, str]]
"""From a row to its merge fields."""


class Fields:
    """The merge fields of the audience at the path `of_list`, asked for once."""

    def __init__(self, api: Api, of_list: str):
        self._api, self._path = api, f"{of_list}/merge-fields"
        self._kinds: dict[str, str] | None = None

    def check(self, is_known: bool) -> None:
        """Raise `DestinationRefused` when a field cannot hold what it is for; and where people have been delivered,
        which `is_known` says, when one is missing: it would stay empty for everybody who has not changed."""
        there = self._read()
        for field in FIELDS:
            if field.is_ours and there.get(field.tag, field.kind) not in (field.kind, "text"):
                raise self._api.refused(
                    f"merge field '{field.tag}' is of the type '{there[field.tag]}' there; make it one of the type "
                    f"'{field.kind}', or rename it"
                )
        missing = [field.tag for field in FIELDS if field.is_ours and field.tag not in there]
        if missing and is_known:
            raise self._api.refused(
                f"merge field '{missing[0]}' was deleted there, or is new in Tangga; add it there with this tag (type "
                f"{next(field.kind for field in FIELDS if field.tag == missing[0])})"
            )

    def of(self, columns: Collection[str]) -> Values:
        """How the merge fields of rows with these columns are filled; what is missing there is made first."""
        there = self._read()
        for field in FIELDS:
            if field.is_ours and field.tag not in there:
                there = self._make(field)
        used = [field for field in FIELDS if field.tag in there and field.column in columns]
        return lambda row: {
            field.tag: text
            for field in used
            if (text := _text(field, row[field.column])) or (field.is_ours and field.kind == "text")
        }

    def _make(self, field: Field) -> dict[str, str]:
        about = {"tag": field.tag, "name": field.column.replace("_", " ").capitalize(), "type": field.kind}
        try:
            self._api.ask("POST", self._path, json=about | {"required": False, "public": False})
        except Denied as error:
            self._kinds = None
            if field.tag in (there := self._read()):  # the answer to an earlier try was lost
                return there
            with self._api.explained(f"merge field '{field.tag}' cannot be made"):
                raise error
        self._kinds[field.tag] = field.kind
        return self._kinds

    def _read(self) -> dict[str, str]:
        if self._kinds is None:
            with self._api.explained("its merge fields cannot be read"):
                found = self._api.ask(
                    "GET", self._path, {"count": 1000, "fields": "merge_fields.tag,merge_fields.type"}
                )
            self._kinds = {field["tag"]: field["type"] for field in found.get("merge_fields", [])}
        return self._kinds


def _text(field: Field, value: object) -> str:
    if value is None:
        return ""
    if field.tag == "BIRTHDAY":
        return f"{value if isinstance(value, date) else date.fromisoformat(str(value)):%m/%d}"
    return str(value).encode()[:LONGEST].decode(errors="ignore")

"""The entities of a source in `tangga.yml`: what is read, and how its columns are called there."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tangga.settings.gates import Severity, read_severities
from tangga.settings.placeholders import FIRST
from tangga.settings.rest import Request
from tangga.settings.types import DateFormat, Delimiter, Encoding, Name, Strict, TableName, Text, TimeZone


class ColumnMapping(Strict):
    """How one contract column is filled: from a source column, or with a constant for every row."""

    column: Text | None = None
    value: str | None = None
    map: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_origin(self):
        if (self.column is None) == (self.value is None):
            raise ValueError("give either 'column' (a column of the source) or 'value' (a constant)")
        return self


def _as_mapping(given: Any) -> Any:
    if not isinstance(given, str | dict | ColumnMapping):
        raise ValueError("give the name of a column, in quotes, or a block with 'column' or 'value'")
    return {"column": given} if isinstance(given, str) else given


class Deleted(Strict):
    """Which rows say that what they stand for was deleted: those with one of `values` in `column`, without regard to
    capitals. Without `values`, all but those that are empty or say no there."""

    column: Text
    values: list[Text] = []


def _as_deleted(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


def _as_globs(given: Any) -> Any:
    return {"file": given} if isinstance(given, str) else given


class Entity(Strict):
    """One contract entity of a source of any type.

    Contract columns that `columns` does not map are taken from source columns of the same name.
    `gate` makes checks of the inbound gate stricter or looser, by name; it compares a day with no day
    before `normal_since`, from which on the figures are what is to be expected.
    """

    time_zone: TimeZone | None = None
    date_formats: list[DateFormat] = []
    load: Literal["snapshot", "daily"] = "snapshot"
    query: Text | None = None
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(_as_mapping)]] = {}
    deleted: Annotated[Deleted | None, BeforeValidator(_as_deleted)] = None
    min_rows: int = Field(1, ge=0)
    max_reject_share: float = Field(0.05, ge=0, le=1)
    gate: Annotated[dict[str, Severity], BeforeValidator(read_severities)] = {}
    normal_since: date | None = None


class FileEntity(Entity):
    """Read from files.

    `path` is a glob below the source's `path`, or several named globs when `query` joins them.
    `{ds}` in it stands for the day of the run. `query` is a SELECT over the relation `file` (or over
    the named ones), all columns text; its output is what `columns` maps.
    """

    path: Annotated[dict[Name, Text], BeforeValidator(_as_globs), Field(min_length=1)]
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    delimiter: Delimiter | None = None
    encoding: Encoding | None = None

    @model_validator(mode="after")
    def _consistent(self):
        if set(self.path) != {"file"} and self.query is None:
            raise ValueError("named paths need a 'query' that joins them")
        if self.load == "daily" and not any("{ds}" in path for path in self.path.values()):
            raise ValueError("'load: daily' needs '{ds}' in 'path', where the day of the run goes")
        return self


class SqlEntity(Entity):
    """Read from a table, or from a SELECT in the database's own SQL; either is what `columns` maps.

    `cursor` is the column whose times say which rows belong to a day; `look_back_days` reads so many
    days before it again, for rows that came late.
    """

    table: TableName | None = None
    cursor: Text | None = None
    look_back_days: int = Field(0, ge=0, le=3660)

    @model_validator(mode="after")
    def _consistent(self):
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query'")
        if (self.load == "daily") != (self.cursor is not None):
            raise ValueError("'load: daily' and 'cursor', the column that tells a row's day, need each other")
        if self.look_back_days and self.load != "daily":
            raise ValueError("'look_back_days' is for 'load: daily'")
        return self


class RestEntity(Entity):
    """Read from an HTTP API, by one `request`, whose records are the relation `file`, or by several named ones.

    `query` is a SELECT over the relations, all columns text. `look_back_days` widens the day of `load: daily`.
    """

    request: Request | None = None
    requests: dict[Name, Request] = {}
    look_back_days: int = Field(0, ge=0, le=3660)

    @model_validator(mode="after")
    def _consistent(self):
        if (self.request is None) == (not self.requests):
            raise ValueError("give either 'request' or 'requests' (each with a name)")
        relations = [relation for name, request in self.named() for relation, *_ in request.relations(name)]
        if len(set(relations)) < len(relations):
            raise ValueError("two of its relations have the same name; rename one")
        if len(relations) > 1 and self.query is None:
            raise ValueError("several relations need a 'query' that joins them")
        used = {name for _, request in self.named() for call in request.calls for name in call.placeholders}
        if self.load == "daily" and not used & set(FIRST):
            raise ValueError("'load: daily' needs '{begin}', '{begin_unix}' or '{ds}' in a path or in 'params'")
        if self.load != "daily" and used & {"begin", "begin_unix"}:
            raise ValueError("'{begin}' is for 'load: daily'; a snapshot of one day would drop all the others")
        if self.look_back_days and not used & {"begin", "begin_unix"}:
            raise ValueError("'look_back_days' is for 'load: daily' with '{begin}', which it makes earlier")
        return self

    def named(self) -> list[tuple[str, Request]]:
        """The requests, each with its name."""
        return [("file", self.request)] if self.request else list(self.requests.items())

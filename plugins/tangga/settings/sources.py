"""`sources:` in `tangga.yml`: where data come from and how their columns are called there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tangga.contracts import CONTRACTS
from tangga.settings.gates import Severity, read_severities, refuse_loose
from tangga.settings.placeholders import ADDRESS, FIRST, PERIOD, within
from tangga.settings.rest import Auth, Header, Paging, Request, Scalar, Url
from tangga.settings.types import (
    ConnectionId,
    DateFormat,
    Delimiter,
    Encoding,
    Name,
    SourcePath,
    Strict,
    TableName,
    Text,
    TimeZone,
    is_uri,
)

REFUSALS = ("consents", "messages")
"""The entities that say who must not be written to: where they are incomplete, nobody is."""


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


class Source(Strict):
    """Where data come from. `namespace` says whose ids the rows carry; by default the source's own.

    When it is down, the day stops, or what it delivered last is used if that is at most `max_stale_days` old.
    """

    namespace: Name | None = None
    time_zone: TimeZone | None = None
    date_formats: list[DateFormat] = []
    when_down: Literal["stop", "use_last"] = "stop"
    max_stale_days: int = Field(3, ge=1, le=366)

    @model_validator(mode="before")
    @classmethod
    def _lose_no_refusal(cls, given: Any) -> Any:
        """Of consents and messages no row may be rejected unless somebody allows it: it could be one that says no."""
        entities = given.get("entities") if isinstance(given, dict) else None
        if not isinstance(entities, dict):
            return given
        careful = {
            name: {"max_reject_share": 0.0} | spec
            for name, spec in entities.items()
            if name in REFUSALS and isinstance(spec, dict)
        }
        return given | {"entities": entities | careful}

    @model_validator(mode="after")
    def _consistent(self):
        if "max_stale_days" in self.model_fields_set and self.when_down == "stop":
            raise ValueError("'max_stale_days' is for 'when_down: use_last'")
        for entity, spec in getattr(self, "entities", {}).items():
            refuse_loose(entity, spec.load, spec.gate)
        return self


class FileSource(Source):
    """Files in a folder, of this machine or of an object store; `connection` is the id of the Airflow connection
    that holds the store's credentials."""

    type: Literal["files"] = "files"
    path: SourcePath
    connection: ConnectionId | None = None
    encoding: Encoding = "utf-8"
    entities: dict[str, FileEntity]

    @model_validator(mode="after")
    def _known_names(self):
        _refuse_unknown(self.entities.items())
        if self.connection and not is_uri(self.path):
            raise ValueError("'connection' is for a 'path' such as s3://bucket/folder")
        return self


class SqlSource(Source):
    """A SQL database. `connection` is the id of an Airflow connection, which alone holds the credentials."""

    type: Literal["sql"]
    connection: ConnectionId
    timeout_seconds: int = Field(3600, ge=1, le=86_400)
    entities: dict[str, SqlEntity]

    @model_validator(mode="after")
    def _known_names(self):
        _refuse_unknown(self.entities.items())
        return self


class RestSource(Source):
    """An HTTP API that answers in JSON. `connection` is the id of an Airflow connection, which alone holds the secret.

    `settings` are plain values for placeholders, used where the connection's extra has none of that name.
    """

    type: Literal["rest"]
    connection: ConnectionId
    url: Url = "{host}"
    settings: dict[Name, Scalar] = {}
    auth: Auth | None = None
    headers: dict[Header, Scalar] = {}
    paging: Paging | None = None
    requests_per_second: float | None = Field(None, gt=0)
    timeout_seconds: int = Field(60, ge=1, le=3600)
    deadline_seconds: int = Field(3600, ge=1, le=86_400)
    entities: dict[str, RestEntity]

    @model_validator(mode="after")
    def _known_names(self):
        _refuse_unknown(self.entities.items())
        taken = set(self.settings) & {*PERIOD, *ADDRESS, "password"}
        if taken:
            raise ValueError(f"settings: '{min(taken)}' means something else; choose another name")
        _refuse_placeholders("url", within(self.url) & {*PERIOD, "password"})
        for entity, spec in self.entities.items():
            for name, request in spec.named():
                place = f"entities.{entity}." + ("request" if spec.request else f"requests.{name}")
                for call, below in zip(request.calls, ("", ".for_each"), strict=False):
                    _refuse_placeholders(place + below, call.placeholders & {*ADDRESS, "password"})
                    if not (call.paging or self.paging):
                        raise ValueError(
                            f"{place}{below}: 'paging' is missing, here and for the source; write {{type: none}} "
                            "if every answer is whole"
                        )
        return self


def _refuse_placeholders(place: str, unfit: set[str]) -> None:
    if "password" in unfit:
        raise ValueError(f"{place}: '{{password}}' is never put into an address; use 'auth'")
    if unfit:
        raise ValueError(f"{place}: '{{{min(unfit)}}}' cannot stand there")


def _with_type(given: Any) -> Any:
    return {"type": "files"} | given if isinstance(given, dict) else given


AnySource = Annotated[FileSource | SqlSource | RestSource, Field(discriminator="type"), BeforeValidator(_with_type)]


def _refuse_unknown(entities: Iterable[tuple[str, Entity]]) -> None:
    for entity, spec in entities:
        if entity not in CONTRACTS:
            raise ValueError(f"'{entity}' is not a landing contract; use one of {', '.join(CONTRACTS)}")
        unknown = set(spec.columns) - set(CONTRACTS[entity].column_names)
        if unknown:
            raise ValueError(
                f"entities.{entity}.columns: {', '.join(sorted(unknown))} is no column of {entity}; "
                f"use {', '.join(CONTRACTS[entity].column_names)}"
            )
        if spec.deleted and entity in REFUSALS:
            raise ValueError(f"entities.{entity}.deleted: who said no stays heard; of {entity} nothing can be deleted")

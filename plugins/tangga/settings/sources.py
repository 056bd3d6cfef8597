"""`sources:` in `tangga.yml`: where data come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tangga.contracts import CONTRACTS
from tangga.settings.entities import Entity, FileEntity, RestEntity, SqlEntity
from tangga.settings.gates import refuse_loose
from tangga.settings.placeholders import ADDRESS, PERIOD, within
from tangga.settings.rest import Auth, Header, Paging, Scalar, Url
from tangga.settings.types import ConnectionId, DateFormat, Encoding, Name, SourcePath, Strict, TimeZone, is_uri

REFUSALS = ("consents", "messages")
"""The entities that say who must not be written to: where they are incomplete, nobody is."""


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

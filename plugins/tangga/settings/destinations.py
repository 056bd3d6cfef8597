"""`destinations:` in `tangga.yml`: where lists go, and what may be done there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tangga.settings.types import ConnectionId, Name, Strict, Text, shaped

STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist")
"""HubSpot's own lifecycle stages; a portal may have more, which it calls by a number."""

PACE = {
    *("audiences", "timeout_seconds", "deadline_seconds", "requests_per_second", "requests_per_10_seconds"),
    *("batch_from", "batch_seconds", "check_subscriptions", "when_refused"),
}
"""Settings that say who is told, and how fast: what a destination is told of a person does not depend on them."""

Prefix = Annotated[str, shaped(r"[^\s:,][^\s,]{0,19}", "use up to 20 characters without blanks and commas, like crm:")]
ListId = Annotated[str, shaped("[0-9A-Za-z]{5,20}", "give the audience's id, such as a1b2c3d4e5 (Audience > Settings)")]
Version = Annotated[str, shaped(r"20\d\d-\d\d", "write a version of the API like 2026-09")]
Property = Annotated[str, shaped("[a-z][a-z0-9_]{0,99}", "use small letters, digits and _, a letter first")]
Stage = Annotated[str, shaped("[a-z]+|[0-9]+", "use the stage's internal name, such as lead, or its number")]
FileFormat = Literal["plain", "spreadsheet", "mailchimp", "hubspot", "parquet"]


def _as_list(given: Any) -> Any:
    if isinstance(given, str):
        raise ValueError("must be a list: [winback, birthday]")
    return given


def _each_once(formats: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(formats)) < len(formats):
        raise ValueError("names a format twice; name each once")
    return formats


def _batch_from(given: Any) -> Any:
    if given != "never" and (isinstance(given, bool) or not isinstance(given, int) or given < 2):
        raise ValueError("must be a whole number from 2 on, or never")
    return given


class Destination(Strict):
    """Where lists go. `audiences` are names of audiences, or of families of them, in place of those that go there
    unless something is said."""

    audiences: Annotated[tuple[Name, ...] | None, BeforeValidator(_as_list), Field(min_length=1)] = None


class FilesDestination(Destination):
    """Audience lists as files, one an audience and format, under exports/<destination>/."""

    type: Literal["files"] = "files"
    formats: Annotated[
        tuple[FileFormat, ...], BeforeValidator(_as_list), Field(min_length=1), AfterValidator(_each_once)
    ] = ("plain",)


class Tool(Destination):
    """An e-mail tool. `connection` is the id of the Airflow connection that holds its key; a try takes at most
    `timeout_seconds`, a call with all its tries `deadline_seconds`."""

    connection: ConnectionId
    timeout_seconds: int = Field(60, ge=1, le=120)
    deadline_seconds: int = Field(300, ge=1, le=3600)


class MailchimpDestination(Tool):
    """One audience ("list") of a Mailchimp account; lists of Tangga's are tags there that begin with `tag_prefix`.

    `when_refused`: people who said no are archived, or kept and only taken off the lists. From `batch_from` people on a
    change goes as one batch, which is waited for `batch_seconds`, then by the next run.
    """

    type: Literal["mailchimp"]
    list: ListId
    tag_prefix: Prefix = "crm:"
    when_refused: Literal["archive", "keep"] = "archive"
    batch_from: Annotated[int | str, BeforeValidator(_batch_from)] = 100
    batch_seconds: int = Field(1800, ge=1, le=21_600)
    requests_per_second: float = Field(10, gt=0, le=100)


class HubSpotDestination(Tool):
    """A HubSpot portal; lists of Tangga's are static lists of contacts that begin with `list_prefix`.

    `key_property` is the property that holds the customer's id. `lifecycle_stages` maps names of rungs to stages;
    rungs that it does not name leave the stage alone. `requests_per_10_seconds` is what the portal's plan allows.
    """

    type: Literal["hubspot"]
    version: Version = "2026-09"
    key_property: Property = "tangga_customer_id"
    list_prefix: Prefix = "crm:"
    lifecycle_stages: dict[Text, Stage] = {}
    check_subscriptions: bool = True
    when_refused: Literal["unsubscribe", "keep"] = "unsubscribe"
    requests_per_10_seconds: int = Field(100, ge=2, le=250)

    @model_validator(mode="after")
    def _stages(self):
        unknown = sorted({stage for stage in self.lifecycle_stages.values() if stage.isalpha()} - {*STAGES, "other"})
        if unknown:
            raise ValueError(
                f"lifecycle_stages: '{unknown[0]}' is no stage; use {', '.join(STAGES)}, other, or the number of one "
                "of your own"
            )
        return self


class PythonDestination(Tool):
    """A destination of one's own: a Python file, relative to the folder of `tangga.yml`, with a model `Options`, which
    checks `options`, and a function `connect`; see docs/destinations.md."""

    type: Literal["python"]
    connection: ConnectionId | None = None
    file: Annotated[str, shaped(r".+\.py", "name a Python file, such as webhook.py")]
    options: dict[str, Any] = {}


def _with_type(given: Any) -> Any:
    return {"type": "files"} | given if isinstance(given, dict) else given


AnyDestination = Annotated[
    FilesDestination | MailchimpDestination | HubSpotDestination | PythonDestination,
    Field(discriminator="type"),
    BeforeValidator(_with_type),
]

"""`tangga.yml`, read and checked: the one file that a user edits.

`load(path)` gives a frozen `Settings`; whatever is wrong is said in one `SettingsError`, a line for
each fault, naming the key and what is allowed there.
"""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tangga.contracts import CONTRACTS
from tangga.settings_file import SettingsError, read_yaml
from tangga.settings_types import Country, Currency, DateFormat, Delimiter, Encoding, Name, Text, TimeZone

REPOSITORY = Path(__file__).resolve().parents[2]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Business(_Strict):
    """Whose data this is: calendar days, money and telephone numbers are read the way they do."""

    name: str
    time_zone: TimeZone
    currency: Currency
    country: Country


class Demo(_Strict):
    """The demo company: fills the inbox by itself before each landing."""

    seed: int = 7
    scale: float = Field(1.0, gt=0, le=10_000)
    start: date = date(2024, 11, 1)


class ColumnMapping(_Strict):
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


def _as_globs(given: Any) -> Any:
    return {"file": given} if isinstance(given, str) else given


class FileEntity(_Strict):
    """One contract entity, read from files.

    `path` is a glob below the source's `path`, or several named globs when `query` joins them.
    `{ds}` in it stands for the day of the run. `query` is a SELECT over the relation `file` (or over
    the named ones), all columns text; its output is what `columns` maps. Contract columns that are
    not mapped are taken from source columns of the same name.
    """

    path: Annotated[dict[Name, Text], BeforeValidator(_as_globs), Field(min_length=1)]
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    delimiter: Delimiter | None = None
    encoding: Encoding | None = None
    time_zone: TimeZone | None = None
    date_formats: list[DateFormat] = []
    load: Literal["snapshot", "daily"] = "snapshot"
    query: Text | None = None
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(_as_mapping)]] = {}
    min_rows: int = Field(1, ge=0)
    max_reject_share: float = Field(0.05, ge=0, le=1)

    @model_validator(mode="after")
    def _consistent(self):
        if set(self.path) != {"file"} and self.query is None:
            raise ValueError("named paths need a 'query' that joins them")
        if self.load == "daily" and not any("{ds}" in path for path in self.path.values()):
            raise ValueError("'load: daily' needs '{ds}' in 'path', where the day of the run goes")
        return self


class FileSource(_Strict):
    """Files in a folder. `namespace` says whose ids the rows carry; by default the source's own."""

    type: Literal["files"] = "files"
    path: Text
    namespace: Name | None = None
    time_zone: TimeZone | None = None
    encoding: Encoding = "utf-8"
    date_formats: list[DateFormat] = []
    entities: dict[str, FileEntity]

    @model_validator(mode="after")
    def _known_names(self):
        for entity, spec in self.entities.items():
            if entity not in CONTRACTS:
                raise ValueError(f"'{entity}' is not a landing contract; use one of {', '.join(CONTRACTS)}")
            unknown = set(spec.columns) - set(CONTRACTS[entity].column_names)
            if unknown:
                raise ValueError(
                    f"entities.{entity}.columns: {', '.join(sorted(unknown))} is no column of {entity}; "
                    f"use {', '.join(CONTRACTS[entity].column_names)}"
                )
        return self


class Rfm(_Strict):
    """`window_days` counts back from the as-of date; empty means all history."""

    binning: Literal["quantile", "fixed", "r_rfm"] = "quantile"
    scheme: Name = "standard_11"
    window_days: int | None = Field(None, gt=0)


class Identity(_Strict):
    """Addresses and numbers shared by more records than this do not make them one person."""

    max_records_per_value: int = Field(5, ge=2)


class Nps(_Strict):
    """The window of the current score; below the minimum number of answers no score is shown."""

    window_days: int = Field(90, gt=0)
    minimum_responses: int = Field(10, ge=1)


class CurrencyRules(_Strict):
    """A foreign amount is converted with the rate of its day, or of the days before it up to this age."""

    max_rate_age_days: int = Field(7, ge=0)


class Lifecycle(_Strict):
    """Where the rungs of the ladder begin."""

    engaged_days: int = Field(90, gt=0)
    majority_purchase_days: int = Field(4, ge=2)
    majority_gap_factor: float = Field(2.0, gt=0)
    sieve_ratio: float = Field(0.8, gt=0)
    sieve_min_full_price_orders: int = Field(2, ge=0)
    satisfaction_days: int = Field(365, gt=0)
    satisfied_csat: int = Field(4, ge=1, le=5)
    satisfied_nps: int = Field(7, ge=0, le=10)
    referral_days: int = Field(365, gt=0)


class Journey(_Strict):
    """A buyer is at risk, then gone, when they stay away that many times longer than they used to."""

    at_risk_gap_factor: float = Field(2.0, gt=0)
    churned_gap_factor: float = Field(3.0, gt=0)
    usual_gap_floor_days: int = Field(30, gt=0)
    usual_gap_cap_days: int = Field(365, gt=0)


class Audiences(_Strict):
    """Windows of the audiences, in days unless the name says hours."""

    welcome_days: int = Field(7, gt=0)
    cart_delay_hours: int = Field(4, ge=0)
    cart_days: int = Field(7, gt=0)
    birthday_days_ahead: int = Field(7, gt=0)
    first_birth_year: int = 1901
    second_purchase_from_days: int = Field(14, ge=0)
    second_purchase_to_days: int = Field(60, gt=0)
    recovery_days: int = Field(14, gt=0)
    full_price_from_rung: int = Field(5, ge=1, le=7)
    feedback_from_days: int = Field(7, ge=0)
    feedback_to_days: int = Field(30, gt=0)
    feedback_rest_days: int = Field(90, gt=0)
    sunset_days: int = Field(180, gt=0)


class Rules(_Strict):
    """The business rules that are single numbers; those that are tables live in dbt_project/seeds."""

    currency: CurrencyRules = CurrencyRules()
    identity: Identity = Identity()
    rfm: Rfm = Rfm()
    lifecycle: Lifecycle = Lifecycle()
    journey: Journey = Journey()
    nps: Nps = Nps()
    audiences: Audiences = Audiences()


class Reference(_Strict):
    """A company's own rule tables: CSV files that stand in for the seeds of the same name."""

    rfm_segments: str | None = None
    rfm_cutoffs: str | None = None
    exchange_rates: str | None = None
    discount_campaigns: str | None = None


class FilesDestination(_Strict):
    """Audience lists as CSV files, one an audience, under exports/<destination>/."""

    type: Literal["files"] = "files"


class Settings(_Strict):
    business: Business
    demo: Demo | None = None
    sources: dict[Name, FileSource] = Field(min_length=1)
    reference: Reference = Reference()
    rules: Rules = Rules()
    destinations: dict[Name, FilesDestination] = {}
    config_path: Path
    home: Path

    def resolve(self, path: str) -> Path:
        """A path from `tangga.yml`, absolute: `~` and `$TANGGA_HOME` stand for what they say, and
        relative paths count from the folder of the file."""
        expanded = Path(path.replace("$TANGGA_HOME", str(self.home))).expanduser()
        return expanded if expanded.is_absolute() else self.config_path.parent / expanded

    def yesterday(self, now: datetime | None = None) -> date:
        """The last whole day in the business's time zone: what a run is for unless told otherwise."""
        zone = ZoneInfo(self.business.time_zone)
        return ((now or datetime.now(zone)).astimezone(zone) - timedelta(days=1)).date()


def load(config: str | Path | None = None, home: str | Path | None = None) -> Settings:
    """Read `tangga.yml`.

    `config` defaults to $TANGGA_CONFIG, then to the repository's own; `home`, where runs write, to
    $TANGGA_HOME, then to `var/` beside the file. $TANGGA_DEMO_SCALE sets the demo company's size.
    Raises `SettingsError`.
    """
    path = Path(config or os.environ.get("TANGGA_CONFIG") or REPOSITORY / "tangga.yml").resolve()
    base = Path(home or os.environ.get("TANGGA_HOME") or path.parent / "var").resolve()
    raw = read_yaml(path)
    for key in {"config_path", "home"} & set(raw):
        raise SettingsError(f"{path}: {key}: {_MESSAGES['extra_forbidden']}")
    scale = os.environ.get("TANGGA_DEMO_SCALE")
    if scale and isinstance(raw.get("demo"), dict):
        raw["demo"] = {**raw["demo"], "scale": scale}
    try:
        return Settings.model_validate({**raw, "config_path": path, "home": base})
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(path, error))) from None


_MESSAGES = {
    "invalid_key": "is not a setting; check the spelling",
    "extra_forbidden": "is not a setting; check the spelling",
    "missing": "is missing",
    "string_type": "must be a text; put quotes around it",
    "string_too_short": "is empty",
    "dict_type": "needs a block of keys below it",
    "model_type": "needs a block of keys below it",
}


def _sentences(path: Path, error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "(top)"
        message = _MESSAGES.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        lines.append(f"{path}: {key}: {message}")
    return lines

"""`tangga.yml`, read and checked: the one file that a user edits.

`load(path)` gives a frozen `Settings`; whatever is wrong is said in one `SettingsError`, a line for
each fault, naming the key and what is allowed there.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from tangga.settings import faults, own_destinations, templates
from tangga.settings.campaigns import CampaignSettings
from tangga.settings.destinations import (
    AnyDestination,
    FilesDestination,
    HubSpotDestination,
    MailchimpDestination,
    PythonDestination,
)
from tangga.settings.entities import ColumnMapping, Deleted, Entity, FileEntity, RestEntity, SqlEntity
from tangga.settings.retention import Retention
from tangga.settings.rules import Rules
from tangga.settings.sources import REFUSALS, AnySource, FileSource, RestSource, Source, SqlSource
from tangga.settings.types import ConnectionId, Country, Currency, Language, Name, StoragePath, Strict, TimeZone
from tangga.settings.yaml_file import SettingsError, read_yaml

__all__ = [
    "REFUSALS",
    "REPOSITORY",
    "CampaignSettings",
    "ColumnMapping",
    "Deleted",
    "Demo",
    "Entity",
    "FileEntity",
    "FileSource",
    "FilesDestination",
    "HubSpotDestination",
    "MailchimpDestination",
    "Published",
    "PythonDestination",
    "RestEntity",
    "RestSource",
    "Rules",
    "Settings",
    "SettingsError",
    "Source",
    "SqlEntity",
    "SqlSource",
    "load",
]

REPOSITORY = Path(__file__).resolve().parents[3]
DEMO_TOOLS = REPOSITORY / "examples" / "demo_tools" / "destinations.yml"


class Business(Strict):
    """Whose data this is: calendar days, money and telephone numbers are read the way they do, and customers whose
    language is not known are written to in theirs."""

    name: str
    time_zone: TimeZone
    currency: Currency
    country: Country
    language: Language = "en"


class Demo(Strict):
    """The demo company: fills the inbox by itself before each landing."""

    seed: int = 7
    scale: float = Field(1.0, gt=0, le=10_000)
    start: date = date(2024, 11, 1)


class Reference(Strict):
    """A company's own rule tables: CSV files that stand in for the seeds of the same name; `links`, the records that it
    knows to be one person; and `suppressions`, the addresses that nobody is to be written at."""

    rfm_segments: str | None = None
    rfm_cutoffs: str | None = None
    exchange_rates: str | None = None
    discount_campaigns: str | None = None
    contact_costs: str | None = None
    links: str | None = None
    business_hours: str | None = None
    holidays: str | None = None
    suppressions: str | None = None


class Storage(Strict):
    """The object store that holds landing and rejects instead of the home."""

    path: StoragePath
    connection: ConnectionId | None = None


class Published(Strict):
    """What is published beside the two DuckDB files: the analysts' tables as `parquet`, or not."""

    parquet: bool = True


class LedgerSettings(Strict):
    """Where the ledger lies: the PostgreSQL of that connection, or without one a file in the home."""

    connection: ConnectionId | None = None


class Settings(Strict):
    business: Business
    demo: Demo | None = None
    sources: dict[Name, AnySource] = Field(min_length=1)
    storage: Storage | None = None
    reference: Reference = Reference()
    rules: Rules = Rules()
    destinations: dict[Name, AnyDestination] = {}
    ledger: LedgerSettings = LedgerSettings()
    published: Published = Published()
    retention: Retention = Retention()
    campaigns: CampaignSettings | None = None
    config_path: Path
    home: Path

    @property
    def gate_pages(self) -> Path:
        """The first page of what the gates found."""
        return self.home / "docs" / "gates" / "index.html"

    @property
    def warehouse_pages(self) -> Path:
        """What the tables and columns of the warehouse mean, in one page."""
        return self.home / "docs" / "warehouse" / "index.html"

    def resolve(self, path: str) -> Path:
        """A path from `tangga.yml`, absolute: `~` and `$TANGGA_HOME` stand for what they say, and
        relative paths count from the folder of the file."""
        expanded = Path(path.replace("$TANGGA_HOME", str(self.home))).expanduser()
        return expanded if expanded.is_absolute() else self.config_path.parent / expanded

    def begins(self, day: date) -> datetime:
        """The instant (UTC) at which a day begins where the business is."""
        return datetime.combine(day, time.min, ZoneInfo(self.business.time_zone)).astimezone(UTC)

    def ends(self, day: date) -> datetime:
        """The instant (UTC) at which a day is over where the business is."""
        return self.begins(day + timedelta(days=1))

    def yesterday(self, now: datetime | None = None) -> date:
        """The last whole day in the business's time zone: what a run is for unless told otherwise."""
        zone = ZoneInfo(self.business.time_zone)
        return ((now or datetime.now(zone)).astimezone(zone) - timedelta(days=1)).date()


def load(config: str | Path | None = None, home: str | Path | None = None) -> Settings:
    """Read `tangga.yml`.

    `config` defaults to $TANGGA_CONFIG, then to the repository's own; `home`, where runs write, to
    $TANGGA_HOME, then to `var/` beside the file. $TANGGA_DEMO_SCALE sets the demo company's size;
    with $TANGGA_DEMO_TOOLS lists go to the demo e-mail tools in place of real ones.
    Raises `SettingsError`.
    """
    path = Path(config or os.environ.get("TANGGA_CONFIG") or REPOSITORY / "tangga.yml").resolve()
    base = Path(home or os.environ.get("TANGGA_HOME") or path.parent / "var").resolve()
    raw = read_yaml(path)
    for key in {"config_path", "home"} & set(raw):
        raise SettingsError(f"{path}: {key}: {faults.UNKNOWN}")
    if os.environ.get("TANGGA_DEMO_TOOLS"):
        raw["destinations"] = _played_with(raw.get("destinations"))
    scale = os.environ.get("TANGGA_DEMO_SCALE")
    if scale and isinstance(raw.get("demo"), dict):
        raw["demo"] = {**raw["demo"], "scale": scale}
    if isinstance(raw.get("sources"), dict):
        raw["sources"] = {name: _filled(path, name, source) for name, source in raw["sources"].items()}
    try:
        settings = Settings.model_validate({**raw, "config_path": path, "home": base})
    except ValidationError as error:
        raise SettingsError("\n".join(faults.sentences(path, raw, error))) from None
    own_destinations.check(settings)
    return settings


def _played_with(given: Any) -> Any:
    """Destinations in which the demo e-mail tools stand in for all others but files."""
    if not isinstance(given, dict | None):
        return given
    files = {
        name: one
        for name, one in (given or {}).items()
        if not isinstance(one, dict) or one.get("type", "files") == "files"
    }
    return files | read_yaml(DEMO_TOOLS)["destinations"]


def _filled(path: Path, name: str, source: Any) -> Any:
    try:
        return templates.filled(source)
    except SettingsError as error:
        raise SettingsError(f"{path}: sources.{name}.template: {error}") from None

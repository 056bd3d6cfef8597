"""The business: its clocks and money, its rule tables, and what nobody supplies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import phonenumbers

from tangga import engine, reference
from tangga.contracts import CONTRACTS
from tangga.doctor.finding import Finding, Level
from tangga.settings import Settings, SettingsError, clocks

_NEEDED = {
    "consents": "nobody may be written to without one",
    "contacts": "people are known by their orders, events and answers only",
    "orders": "there are no buyers, no RFM and no rungs above prospect",
}
"""What it means when no source supplies an entity that most results rest on."""


def clocks_and_money(settings: Settings) -> Iterator[Finding]:
    """Whether country, time zone and currency can be right together."""
    known = settings.business
    if known.country not in phonenumbers.SUPPORTED_REGIONS:
        yield Finding(
            Level.FAULT, "country", f"'{known.country}' is no country; correct business.country, an ISO 3166 code"
        )
    elif clocks.is_kept_in(known.country, known.time_zone):
        yield Finding(Level.OK, "time zone", f"{known.time_zone}, as in {known.country}")
    else:
        zones = ", ".join(clocks.zones_of(known.country)[:3])
        yield Finding(
            Level.WARNING,
            "time zone",
            f"no clock in {known.country} shows the time of {known.time_zone}; was {zones} meant in "
            "business.time_zone? Days would begin at the wrong hour",
        )


def rule_tables(settings: Settings, day: date, workspace: Path) -> Iterator[Finding]:
    """Findings about the RFM scheme and every table that `reference:` may replace."""
    try:
        reference.check_scheme(settings)
        yield Finding(Level.OK, "RFM scheme", settings.rules.rfm.scheme)
    except SettingsError as error:
        yield Finding(Level.FAULT, "RFM scheme", _below(settings, error))
    with engine.scratch(settings, workspace) as con:
        for table in reference.TABLES:
            if not getattr(settings.reference, table) and not reference.path_of(settings, table).exists():
                continue  # one that only a company itself can have
            try:
                reference.create_table(con, settings, table)
            except SettingsError as error:
                yield Finding(Level.FAULT, table, _below(settings, error))
                continue
            (rows,) = con.execute(f"select count(*) from {table}").fetchone()
            yield Finding(Level.OK, table, f"{rows:,} rows, {_owner(settings, table)}")
            if table == "exchange_rates":
                yield from _rates(settings, con, day)


def _rates(settings: Settings, con, day: date) -> Iterator[Finding]:
    last = con.execute("select currency, max(rate_date) from exchange_rates group by all order by all").fetchall()
    old = [
        f"{currency} ({found})"
        for currency, found in last
        if (day - found).days > settings.rules.currency.max_rate_age_days and currency != settings.business.currency
    ]
    if old:
        yield Finding(
            Level.WARNING,
            "exchange_rates",
            f"the last rates of {', '.join(old)} are too old for {day}: orders in them would be rejected; "
            "name a newer table in reference.exchange_rates",
        )


def supply(settings: Settings) -> Iterator[Finding]:
    """What no source gives: results that rest on it stay empty."""
    given = {entity for source in settings.sources.values() for entity in source.entities}
    absent = [entity for entity in CONTRACTS if entity not in given]
    for entity in absent:
        if entity in _NEEDED:
            yield Finding(Level.WARNING, entity, f"no source gives them: {_NEEDED[entity]}; map them if you have them")
    rest = [entity for entity in absent if entity not in _NEEDED]
    if rest:
        yield Finding(Level.OK, "optional data", f"no source gives {', '.join(rest)}; what rests on them stays empty")
    if not settings.destinations:
        yield Finding(Level.WARNING, "destinations", "there is none: lists are made but go nowhere; add one")


def _owner(settings: Settings, table: str) -> str:
    return "your own" if getattr(settings.reference, table) else "Tangga's"


def _below(settings: Settings, error: SettingsError) -> str:
    return str(error).removeprefix(f"{settings.config_path}: ").splitlines()[0]

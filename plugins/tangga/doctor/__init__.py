"""`make doctor`: what a run would meet, found out without running it and without writing anything in the home.

`examine` looks at the settings, the rule tables, the home, the destinations, the connections and a few rows of every
source, and gives one `Finding` for each. Findings hold counts, names and places, never a value of a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tangga.contracts import CONTRACTS
from tangga.doctor import business, destinations, house, samples
from tangga.doctor.finding import Finding, Level
from tangga.settings import Settings

__all__ = ["SAMPLE_ROWS", "Finding", "Level", "examine"]

SAMPLE_ROWS = 1000

_DEMO_SCALE = 0.05


def examine(settings: Settings, day: date, workspace: Path, rows: int = SAMPLE_ROWS) -> Iterator[Finding]:
    """Everything that is known about a run for `day`, one finding after the other.

    `workspace` is a folder outside the home for whatever has to be written; `rows` is how many of each table
    or file are read, at least. Nothing that goes wrong ends it.
    """
    yield Finding(
        Level.OK, "settings", f"{settings.config_path}: {len(settings.sources)} sources, {_entities(settings)} entities"
    )
    yield from house.home(settings)
    yield from house.store(settings)
    if settings.demo is not None:
        settings, finding = _with_demo(settings, day, workspace)
        yield finding
    yield from business.clocks_and_money(settings)
    yield from business.rule_tables(settings, day, workspace)
    yield from business.supply(settings)
    yield from destinations.examine(settings)
    for name in settings.sources:
        yield from samples.source(settings, name, day, workspace, rows)


def _with_demo(settings: Settings, day: date, workspace: Path) -> tuple[Settings, Finding]:
    """The demo company fills its inbox when a run begins: here a small one lies in the workspace."""
    from tangga import demo

    small = settings.demo.model_copy(update={"scale": min(settings.demo.scale, _DEMO_SCALE)})
    moved = settings.model_copy(update={"home": workspace / "demo"})
    try:
        demo.write_inbox(moved.home / "inbox", moved.home / "demo_truth", day, small)
    except ValueError as error:
        return settings, Finding(Level.FAULT, "demo", f"the demo company cannot write its files: {error}")
    return moved, Finding(
        Level.OK,
        "demo",
        f"'make run' fills {settings.home / 'inbox'} by itself; a small sample of that is looked at here",
    )


def _entities(settings: Settings) -> int:
    return len({entity for source in settings.sources.values() for entity in source.entities} & set(CONTRACTS))

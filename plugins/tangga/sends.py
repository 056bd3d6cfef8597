"""What was handed to a destination on each day: `state/sends/`, see `daily_state`.

It is written when lists have been delivered, so that days on which nobody was written to use up no step and begin no
cooldown. What is withheld from holdouts is written with it: they are compared with those who got it on that day.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from tangga import daily_state, engine
from tangga.engine import literal
from tangga.settings import Settings

NAME = "sends"
COLUMNS = {
    "audience": "varchar",
    "customer_id": "varchar",
    "entry_key": "varchar",
    "step": "integer",
    "channel": "varchar",
    "template": "varchar",
    "test_group": "varchar",
    "as_of_date": "date",
}


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `registry.sends`: what was handed out on the days before a day. Raises `StateDamaged`."""
    found = []
    for kept in daily_state.days_before(settings, NAME, as_of):
        advice = (
            "what was sent on this day is incomplete, damaged or was changed; put the folder back from a copy, or move "
            "it away if people may be sent again what they got on that day."
        )
        found.append(daily_state.files_of(kept, [NAME], advice)[NAME])
    daily_state.create_view(con, NAME, COLUMNS, found)


def record(settings: Settings, day: date | str, messages: Path) -> None:
    """Keep the messages of a plan (a Parquet file) as those of a day, in place of what was kept of it before."""
    with engine.scratch(settings) as con:
        con.execute(f"create temp view messages as from read_parquet({literal(messages)})")
        daily_state.keep(daily_state.folder(settings, NAME, day), con, {NAME: ("messages", COLUMNS)})

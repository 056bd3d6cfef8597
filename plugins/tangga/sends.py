"""What was handed to a destination on each day: `state/sends/`, see `daily_state`.

It is written when lists have been delivered, so that days on which nobody was written to use up no step and begin no
cooldown. What is withheld from holdouts is written with it: they are compared with those who got it on that day. Who
says what was handed out is `activation.handed_out`, from the ledger.
"""

from __future__ import annotations

from datetime import date

import duckdb

from tangga import daily_state
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


_ADVICE = (
    "what was sent on this day is incomplete, damaged or was changed; put the folder back from a copy, or move it away "
    "if people may be sent again what they got on that day."
)


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `registry.sends`: what was handed out on the days before a day. Raises `StateDamaged`."""
    kept = daily_state.days_before(settings, NAME, as_of)
    found = [daily_state.files_of(day, [NAME], _ADVICE)[NAME] for day in kept]
    daily_state.create_view(con, NAME, COLUMNS, found)


def record(settings: Settings, day: date | str, con: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Keep messages (a relation of `con`) as those of a day, besides what was kept of it before."""
    daily_state.add(daily_state.folder(settings, NAME, day), con, NAME, relation, COLUMNS, _ADVICE)

"""Who was in which audience on each published day: `state/memberships/`, see `daily_state`.

A day is compared with the newest one before it; sizes and movements of all days before it are its history.
"""

from __future__ import annotations

from datetime import date

import duckdb

from tangga import daily_state, engine, warehouse
from tangga.engine import literal
from tangga.settings import Settings

NAME = "memberships"
TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "members": ("audience_members", {"audience": "varchar", "customer_id": "varchar", "as_of_date": "date"}),
    "sizes": (
        "audience_sizes",
        {
            "audience": "varchar",
            "channel": "varchar",
            "as_of_date": "date",
            "members": "integer",
            "excluded": "integer",
            "due": "integer",
        },
    ),
    "movements": (
        "audience_movements",
        {
            "audience": "varchar",
            "as_of_date": "date",
            "previous_date": "date",
            "n_entered": "integer",
            "n_left": "integer",
            "n_stayed": "integer",
        },
    ),
}
"""Table of the registry -> the model that it is made of, and its columns, which are sorted by in this order."""


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `registry.members` of the newest day before a day, and `sizes` and `movements` of all before it.

    Raises `daily_state.StateDamaged`.
    """
    found: dict[str, list] = {table: [] for table in TABLES}
    for kept in daily_state.days_before(settings, NAME, as_of):
        advice = (
            "the memberships of this day are incomplete, damaged or were changed; build and publish "
            f"{kept.name.removeprefix('ds=')} again, or move the folder away to do without its sizes."
        )
        for table, file in daily_state.files_of(kept, list(TABLES), advice).items():
            found[table].append(file)
    found["members"] = found["members"][-1:]
    for table, (_, columns) in TABLES.items():
        daily_state.create_view(con, table, columns, found[table])


def keep(settings: Settings, day: date) -> None:
    """Keep the memberships of the working file as those of a day, in place of what was kept of it before."""
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        tables = {}
        for table, (model, columns) in TABLES.items():
            con.execute(
                f"create temp view {table} as from working.audiences.{model} where as_of_date = {literal(str(day))}"
            )
            tables[table] = (table, columns)
        daily_state.keep(daily_state.folder(settings, NAME, day), con, tables)

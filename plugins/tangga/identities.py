"""The registry of customer ids: what each published day knew, so that an id stays from day to day.

It lies in `state/identities/`, see `daily_state`. A day is built on the newest registry before it, and each is whole:
which record had which id, every id that there ever was and what stands for it, every change, and the hashed addresses
that records have had.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from tangga import daily_state, engine, warehouse
from tangga.engine import literal
from tangga.settings import Settings

NAME = "identities"

TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "records": ("int_known_records", {"source": "varchar", "contact_id": "varchar", "customer_id": "varchar"}),
    "customer_ids": (
        "int_customer_ids",
        {
            "customer_id": "varchar",
            "source": "varchar",
            "contact_id": "varchar",
            "first_date": "date",
            "into_customer_id": "varchar",
        },
    ),
    "changes": (
        "int_identity_changes",
        {
            "change_date": "date",
            "change": "varchar",
            "from_customer_id": "varchar",
            "to_customer_id": "varchar",
            "n_records": "integer",
        },
    ),
    "addresses": ("int_known_addresses", {"source": "varchar", "contact_id": "varchar", "address_id": "varchar"}),
}
"""Table of the registry -> the model that it is made of, and its columns, which are sorted by in this order."""


def folder(settings: Settings, day: date | str) -> Path:
    return daily_state.folder(settings, NAME, day)


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `registry.<table>`: what was known before a day, or no rows with the right columns.

    Raises `StateDamaged`.
    """
    known = daily_state.days_before(settings, NAME, as_of)
    found = {}
    if known:
        day = known[-1].name.removeprefix("ds=")
        advice = (
            "the customer ids of this day are incomplete, damaged or were changed; build and publish "
            f"{day} again, or customers would get new ids."
        )
        found = daily_state.files_of(known[-1], list(TABLES), advice)
    for table, (_, columns) in TABLES.items():
        daily_state.create_view(con, table, columns, [found[table]] if found else [])


def keep(settings: Settings, day: date) -> None:
    """Keep the customer ids of the working file as those of a day, in place of what was kept of it before."""
    tables = {table: (f"working.intermediate.{model}", columns) for table, (model, columns) in TABLES.items()}
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        daily_state.keep(folder(settings, day), con, tables)

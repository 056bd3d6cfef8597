"""The working warehouse: a DuckDB file that one run builds and then throws away or publishes."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import duckdb
import psutil

from tangga import identities, landing, memberships, reference, sends, value
from tangga.activation import handed_out
from tangga.contracts import CONTRACTS
from tangga.landing import freshness
from tangga.settings import Settings

WORKING_FILE = "TANGGA_WORKING_FILE"
"""The environment variable that tells dbt, and by which its processes are known."""


def path(settings: Settings) -> Path:
    """The working file; nobody but the running build opens it."""
    return settings.home / "warehouse" / "working.duckdb"


def prepare(settings: Settings, as_of: date) -> dict[str, int]:
    """A fresh working file that sees the landing as of a day, what the days before it have left, and the company's own
    rule tables.

    Whatever an earlier run left behind, whole or broken, is thrown away. Returns rows per entity.
    """
    reference.check_scheme(settings)
    handed_out.catch_up(settings)
    file = path(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _end_orphans(file)
    for leftover in file.parent.glob(f"{file.name}*"):
        leftover.unlink()
    with duckdb.connect(str(file)) as con:
        landing.create_views(con, settings, as_of)
        freshness.create_table(con, settings, as_of)
        for kept in (identities, memberships, sends):
            kept.create_views(con, settings, as_of)
        value.create_tables(con)
        con.execute("create schema reference")
        for table, columns in reference.TABLES.items():
            if getattr(settings.reference, table):
                reference.create_table(con, settings, table, schema="reference")
            else:
                con.execute(f"create table reference.{table} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
        return {entity: con.execute(f"select count(*) from landing.{entity}").fetchone()[0] for entity in CONTRACTS}


def _end_orphans(file: Path) -> None:
    """End the dbt of a run that was killed: it would go on writing beside the new file."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(WORKING_FILE) == str(file):
                process.kill()
                process.wait(10)
        except (psutil.Error, OSError):
            continue

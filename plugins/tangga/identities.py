"""The registry of customer ids: what each published day knew, so that an id stays from day to day.

    state/identities/ds=<YYYY-MM-DD>/<table>-<checksum>.parquet
                                     manifest.json    (names the files that count)

A day is built on the newest registry before it, never on its own or a later one: a rerun, and a replay of a past day,
give the ids that they gave before. Each registry is whole: which record had which id, every id that there ever was
and what stands for it, every change, and the hashed addresses that records have had.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb

from tangga import engine, files, warehouse
from tangga.engine import literal
from tangga.settings import Settings

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

_DAY = re.compile(r"ds=\d{4}-\d\d-\d\d")


class RegistryDamaged(Exception):
    """The customer ids of an earlier day cannot be trusted: going on would give people new ids."""


def folder(settings: Settings, day: date | str) -> Path:
    return settings.home / "state" / "identities" / f"ds={day}"


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `registry.<table>`: what was known before a day, or no rows with the right columns.

    Raises `RegistryDamaged`.
    """
    days = (path for path in folder(settings, as_of).parent.glob("ds=*") if _DAY.fullmatch(path.name))
    known = sorted(path for path in days if path.name < f"ds={as_of}")
    found = _files(known[-1]) if known else {}
    con.execute("create schema if not exists registry")
    for table, (_, columns) in TABLES.items():
        rows = f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in columns.items())} where false"
        if table in found:
            rows = f"select {', '.join(columns)} from read_parquet({literal(found[table])}, hive_partitioning=false)"
        con.execute(f"create or replace view registry.{table} as {rows}")


def keep(settings: Settings, day: date) -> None:
    """Keep the customer ids of the working file as those of a day, in place of what was kept of it before."""
    target = folder(settings, day)
    made = target.with_name(f".{target.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True, mode=0o700)
    manifest = {}
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        for table, (model, columns) in TABLES.items():
            part, names = made / f".{table}.part", ", ".join(columns)
            con.execute(
                f"copy (select {names} from working.intermediate.{model} order by {names}) to {literal(part)} "
                "(format parquet, compression zstd)"
            )
            manifest[table] = files.sha256(part)
            files.replace(part, made / _name(table, manifest[table]))
    text = json.dumps(manifest, indent=2) + "\n"
    if not target.exists():  # at once with its manifest: a folder without one is taken for a damaged day
        files.write_atomically(made / "manifest.json", text)
        made.replace(target)
        return
    for file in made.glob("*.parquet"):
        files.replace(file, target / file.name)
    made.rmdir()
    files.write_atomically(target / "manifest.json", text)
    for old in target.glob("*.parquet"):
        if old.name not in {_name(*entry) for entry in manifest.items()}:
            old.unlink()


def _name(table: str, checksum: str) -> str:
    return f"{table}-{checksum[:16]}.parquet"


def _files(path: Path) -> dict[str, Path]:
    """Table -> file of a day's registry, as it was written. Raises `RegistryDamaged`."""
    manifest = files.read_json(path / "manifest.json") or {}
    found = {table: path / _name(table, str(manifest.get(table))) for table in TABLES}
    if not all(file.exists() and files.sha256(file) == manifest[table] for table, file in found.items()):
        raise RegistryDamaged(
            f"{path}: the customer ids of this day are incomplete, damaged or were changed; build and publish "
            f"{path.name.removeprefix('ds=')} again, or customers would get new ids."
        )
    return found

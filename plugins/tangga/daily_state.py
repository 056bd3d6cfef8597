"""What a day leaves for the days after it, as files.

    state/<name>/ds=<YYYY-MM-DD>/<table>-<checksum>.parquet
                                 manifest.json    (names the files that count)

A day is built on the days before it, never on its own or a later one: a rerun, and a replay of a past day, give what
they gave before. What is kept of a day is replaced as a whole, and one that is damaged is never done without.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from tangga import files
from tangga.engine import literal, parquet_list
from tangga.settings import Settings

SCHEMA = "registry"
"""Where a build sees what was kept: views, one a table."""

_DAY = re.compile(r"ds=\d{4}-\d\d-\d\d")

Columns = Mapping[str, str]
"""Name -> SQL type."""


class StateDamaged(Exception):
    """What was kept of an earlier day cannot be trusted; the message says what going on without it would do."""


def folder(settings: Settings, name: str, day: date | str) -> Path:
    return settings.home / "state" / name / f"ds={day}"


def days_before(settings: Settings, name: str, day: date) -> list[Path]:
    """The folders of what was kept of the days before a day, oldest first."""
    days = (path for path in folder(settings, name, day).parent.glob("ds=*") if _DAY.fullmatch(path.name))
    return sorted(path for path in days if path.name < f"ds={day}")


def files_of(kept: Path, tables: Sequence[str], advice: str) -> dict[str, Path]:
    """Table -> file of a day, as it was written. Raises `StateDamaged`, with `advice` as the end of its sentence."""
    manifest = files.read_json(kept / "manifest.json") or {}
    found = {table: kept / _name(table, str(manifest.get(table))) for table in tables}
    if not all(file.exists() and files.sha256(file) == manifest[table] for table, file in found.items()):
        raise StateDamaged(f"{kept}: {advice}")
    return found


def create_view(con: duckdb.DuckDBPyConnection, table: str, columns: Columns, found: Sequence[Path]) -> None:
    """Create `registry.<table>` of these files, or of no rows with the right columns."""
    rows = f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in columns.items())} where false"
    if found:
        rows = f"select {', '.join(columns)} from read_parquet({parquet_list(found)}, hive_partitioning=false)"
    con.execute(f"create schema if not exists {SCHEMA}")
    con.execute(f"create or replace view {SCHEMA}.{table} as {rows}")


def keep(target: Path, con: duckdb.DuckDBPyConnection, tables: Mapping[str, tuple[str, Columns]]) -> None:
    """Keep tables as those of a day, in place of what was kept of it before.

    `tables` gives for each name the relation of `con` and its columns, which the rows are sorted by in that order.
    Who keeps the same day at the same time, as two destinations may, waits.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(target.parent):
        _keep(target, con, tables)


def add(target: Path, con: duckdb.DuckDBPyConnection, table: str, relation: str, columns: Columns, advice: str) -> None:
    """Add the rows of a relation of `con` to what was kept of a day, each once. Raises `StateDamaged`."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(target.parent):
        names = ", ".join(columns)
        rows = f"select {names} from {relation}"
        if target.exists():
            before = files_of(target, [table], advice)[table]
            rows += f" union select {names} from read_parquet({literal(before)}, hive_partitioning=false)"
        con.execute(f"create or replace temp table _added as {rows}")
        _keep(target, con, {table: ("_added", columns)})


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _keep(target: Path, con: duckdb.DuckDBPyConnection, tables: Mapping[str, tuple[str, Columns]]) -> None:
    made = target.with_name(f".{target.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    manifest = {}
    for table, (relation, columns) in tables.items():
        part, names = made / f".{table}.part", ", ".join(columns)
        rows = f"select {names} from {relation} order by {names}"
        con.execute(f"copy ({rows}) to {literal(part)} (format parquet, compression zstd)")
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

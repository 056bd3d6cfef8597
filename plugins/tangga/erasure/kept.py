"""Taking a person out of what Tangga keeps between runs: `state/`, plans, and the files of lists."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb

from tangga import engine, files
from tangga.engine import literal
from tangga.erasure import rows
from tangga.erasure.blocked import address_id
from tangga.erasure.person import Person
from tangga.erasure.removed import Removed
from tangga.settings import Settings

DAILY = ("identities", "memberships", "sends")


def days(settings: Settings, person: Person, dry: bool) -> Removed:
    """Registry of customer ids, memberships, what was handed out: of every day. Sizes and movements stay."""
    removed = Removed()
    with engine.scratch(settings) as con:
        for name in DAILY:
            for day in sorted((settings.home / "state" / name).glob("ds=*")):
                removed += _day(con, day, person, dry)
            for left_over in () if dry else (settings.home / "state" / name).glob(".*.part/*.parquet"):
                left_over.unlink()
                removed += Removed(files=1)
    return removed


def _day(con: duckdb.DuckDBPyConnection, day: Path, person: Person, dry: bool) -> Removed:
    """The files of a day are called by their content: the manifest is switched when the new ones are there."""
    manifest, removed = files.read_json(day / "manifest.json") or {}, Removed()
    before = dict(manifest)
    rows.load(con, person, person.ids_on(day.name.removeprefix("ds=")))
    for table, checksum in before.items():
        file = day / f"{table}-{checksum[:16]}.parquet"
        part = day / f".{table}.part"
        found = without(con, file, part, dry)
        if found and not dry:
            manifest[table] = files.sha256(part)
            files.replace(part, day / f"{table}-{manifest[table][:16]}.parquet")
        removed += Removed(1 if found else 0, found)
    if dry:
        return removed
    if manifest != before:
        files.write_atomically(day / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    if manifest:
        known = {f"{table}-{checksum[:16]}.parquet" for table, checksum in manifest.items()}
        for old in (path for path in day.glob("*.parquet") if path.name not in known):
            old.unlink()
    return removed


def plans(settings: Settings, person: Person, dry: bool) -> Removed:
    """Every plan. One that was not delivered yet cannot be any more: it is not what was planned, or agreed to."""
    removed = Removed()
    base = settings.home / "state" / "plans"
    with engine.scratch(settings) as con:
        for file in sorted(base.rglob("*.parquet")):
            part = file.with_name(f".{file.name}.part")
            rows.load(con, person, person.ids_on(file.relative_to(base).parts[0][:10]))
            found = without(con, file, part, dry)
            if found and not dry:
                files.replace(part, file)
            removed += Removed(1 if found else 0, found)
    return removed


def exports(settings: Settings, person: Person, dry: bool) -> Removed:
    """The files of lists, in all formats, and what their manifests say of them."""
    removed = Removed()
    with engine.scratch(settings) as con:
        for destination in sorted(path for path in (settings.home / "exports").glob("*") if path.is_dir()):
            removed += _destination(con, destination, person, dry)
    return removed


def _destination(con: duckdb.DuckDBPyConnection, destination: Path, person: Person, dry: bool) -> Removed:
    manifest, removed = destination / "manifest.json", Removed()
    said = files.read_json(manifest) or {}
    ids, changed = person.ids_on(str(said.get("as_of_date"))), {}
    rows.load(con, person, ids)
    for file in sorted(path for path in destination.rglob("*") if path.suffix in (".csv", ".parquet", ".part")):
        part = file.with_name(f".{file.name}.erased")
        if file.suffix == ".parquet":
            found = without(con, file, part, dry)
        else:
            found = _lines_without(file, part, {*ids, *person.emails, *person.phones}, dry)
        if found and not dry:
            files.replace(part, file)
            changed[str(file.relative_to(destination))] = found
        removed += Removed(1 if found else 0, found)
    if said and not dry:  # also what a killed removal had not come to
        _tell(said, destination, changed)
        files.write_atomically(manifest, json.dumps(said, indent=2) + "\n")
    return removed


def _tell(said: Any, destination: Path, changed: dict[str, int]) -> None:
    """Let every entry of a manifest that names a file say its checksum, and how many rows it still has."""
    if isinstance(said, dict):
        file = said.get("file")
        if isinstance(file, str) and (destination / file).is_file() and "sha256" in said:
            now = files.sha256(destination / file)
            if now != said["sha256"]:
                said |= {"sha256": now, "rows": max(0, said.get("rows", 0) - changed.get(file, 0))}
    for value in said.values() if isinstance(said, dict) else said if isinstance(said, list) else ():
        _tell(value, destination, changed)


def suppressions(settings: Settings, person: Person, dry: bool) -> Removed:
    """What the company's own list held when it was last gone by, and the ledger's refusals: hashed addresses."""
    theirs = {address_id(value)[6:] for value in (*person.emails, *person.phones)}
    removed = Removed()
    for name, key in (("suppressions", "suppressed"), ("refusals", "refusals")):
        file = settings.home / "state" / f"{name}.json"
        said = files.read_json(file)
        left = [entry for entry in said[key] if entry[0].partition(":")[2] not in theirs] if said else []
        gone = len(said[key]) - len(left) if said else 0
        if gone and not dry:
            files.write_atomically(file, json.dumps(said | {key: left}, indent=0) + "\n")
        removed += Removed(1 if gone else 0, gone)
    return removed


def without(con: duckdb.DuckDBPyConnection, file: Path, part: Path, dry: bool) -> int:
    """Write a Parquet file without the rows of the person of `rows.load` to `part`, if it has some; returns how many.

    One connection serves many files: to open one takes longer than to look through most of them.
    """
    part.unlink(missing_ok=True)
    try:
        con.execute(f"create or replace temp view whole as from read_parquet({literal(file)}, hive_partitioning=false)")
    except duckdb.Error:  # what a killed run left of one, or damaged: whoever reads it says so
        return 0
    columns = [name for name, *_ in con.execute("describe whole").fetchall()]
    is_theirs = rows.condition(columns, "whole")
    found = con.execute(f"select count(*) from whole where {is_theirs}").fetchone()[0] if is_theirs else 0
    if found and not dry:
        query = f"select * from whole where not ({is_theirs})"
        con.execute(f"copy ({query}) to {literal(part)} (format parquet, compression zstd)")
    return found


def _lines_without(file: Path, part: Path, theirs: set[str], dry: bool) -> int:
    """Write a CSV file without the records that have one of these values in a cell; others keep their bytes."""
    text = file.read_bytes().decode()
    lines, kept, found, begin = list(io.StringIO(text, newline="")), [], 0, 0
    reader = csv.reader(lines)
    for record in reader:
        if theirs.isdisjoint(cell.lstrip("'").lower() for cell in record):
            kept += lines[begin : reader.line_num]
        else:
            found += 1
        begin = reader.line_num
    if found and not dry:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text("".join(kept), encoding="utf-8", newline="")
    return found

"""Taking a person out of what was published, of all versions, and of what a build has left.

Rows about the person go; the tables of figures (schema `metrics`, and sizes of audiences) stay as they were published:
nobody can be found in them. A version keeps its name and its place, so that pointers, plans and exports stay true.
Whoever has the file open keeps the one that was there.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import duckdb

from tangga import dbt, engine, files, marts_parquet, publish, warehouse
from tangga.engine import literal
from tangga.erasure import kept, rows
from tangga.erasure.person import Person
from tangga.erasure.removed import Removed
from tangga.settings import Settings


def versions(settings: Settings, person: Person, dry: bool) -> Removed:
    """Take a person's rows out of every published version; one without any is left alone. `dry` only counts."""
    removed = Removed()
    base = publish.folder(settings) / "versions"
    for left_over in () if dry else base.glob(".*.part"):
        shutil.rmtree(left_over)
        removed += Removed(files=1)
    for version in sorted(path for path in base.glob("*") if path.is_dir()):
        ids = {*person.ids_on(version.name[:10]), *_ids_in(settings, version, person)}
        with engine.scratch(settings) as con:
            rows.load(con, person, ids)
            for file in sorted((version / marts_parquet.NAME).glob("*/*.parquet")):
                removed += _rewrite_parquet(con, file, dry)
        for name in ("crm", "private"):
            removed += _rewrite(settings, version / f"{name}.duckdb", person, ids, dry)
        if not dry:
            _count(settings, version)
    return removed


def _count(settings: Settings, version: Path) -> None:
    """Let the manifest of a version say how many rows its tables have."""
    said = publish.read(version)
    if said is None:
        return
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(version / 'private.duckdb')} as version (read_only)")
        left = {t: con.execute(f"select count(*) from version.{t}").fetchone()[0] for t in said.rows}
    if left != said.rows:
        text = json.dumps(asdict(replace(said, rows=left)), indent=2) + "\n"
        files.write_atomically(version / "manifest.json", text)


def _ids_in(settings: Settings, version: Path, person: Person) -> list[str]:
    """The person's customer ids in a version, from its own records."""
    if not (version / "private.duckdb").exists():
        return []
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(version / 'private.duckdb')} as version (read_only)")
        rows.load(con, person, ())
        query = "from version.core.customer_identities semi join _person_records using (source, contact_id)"
        return [found for (found,) in con.execute(f"select distinct customer_id {query}").fetchall()]


def _rewrite(settings: Settings, file: Path, person: Person, ids: set[str], dry: bool) -> Removed:
    """Write a file anew without the person: what DuckDB deletes stays readable in the file until it is used again."""
    part = file.with_name(f".{file.name}.part")
    if not file.exists():
        return Removed()
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(file)} as old (read_only)")
        rows.load(con, person, ids)
        gone = {}
        for schema, table, columns in _tables(con):
            named = f"old.{schema}.{table}"
            is_theirs = None if schema == "metrics" else rows.condition(columns, named)
            found = con.execute(f"select count(*) from {named} where {is_theirs}").fetchone()[0] if is_theirs else 0
            if found:
                gone[f"{schema}.{table}"] = (is_theirs, found)
        total = Removed(1 if gone else 0, sum(found for _, found in gone.values()))
        if dry or not gone:
            return total
        part.unlink(missing_ok=True)
        con.execute(f"attach {literal(part)} as new")
        for schema, table, _ in _tables(con):
            where = f" where not ({gone[f'{schema}.{table}'][0]})" if f"{schema}.{table}" in gone else ""
            con.execute(f"create schema if not exists new.{schema}")
            con.execute(f"create table new.{schema}.{table} as select * from old.{schema}.{table}{where}")
        _copy_comments(con)
        con.execute("checkpoint new")
        con.execute("detach new")
    os.chmod(part, 0o400)
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    os.replace(part, file)
    return total


def _rewrite_parquet(con: duckdb.DuckDBPyConnection, file: Path, dry: bool) -> Removed:
    if file.parent.name == "metrics":
        return Removed()
    part = file.with_name(f".{file.name}.part")
    found = kept.without(con, file, part, dry)
    if found and not dry:
        os.chmod(part, 0o400)
        with part.open("rb") as handle:
            os.fsync(handle.fileno())
        os.replace(part, file)
    return Removed(1 if found else 0, found)


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, list[str]]]:
    return con.execute(
        "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = 'old' group by all order by all"
    ).fetchall()


def _copy_comments(con: duckdb.DuckDBPyConnection) -> None:
    old = "where database_name = 'old' and comment is not null"
    of_tables = f"select 'table', schema_name || '.' || table_name, comment from duckdb_tables() {old}"
    named = "schema_name || '.' || table_name || '.' || column_name"
    of_columns = f"select 'column', {named}, comment from duckdb_columns() {old}"
    for kind, name, comment in con.execute(f"{of_tables} union all {of_columns}").fetchall():
        con.execute(f"comment on {kind} new.{name} is {literal(comment)}")


def working(settings: Settings, dry: bool) -> Removed:
    """Throw the working file away: a build that is at work on it, and has read the person, cannot publish any more."""
    file = warehouse.path(settings)
    left = [path for path in file.parent.glob(f"{file.name}*") if path.is_file()]
    logs = dbt.target(settings) / "logs"
    written = [path for path in logs.rglob("*") if path.is_file()]  # DuckDB's errors may quote a row
    if not dry:
        shutil.rmtree(logs, ignore_errors=True)
        for path in left:
            path.unlink()
    return Removed(len(left) + len(written))

"""Publishing: the audited working file becomes an immutable version, and a pointer is switched to it.

    published/versions/<as-of>-<digest>/crm.duckdb       for analysts: no column marked `pii`
                                        private.duckdb   for the page and activation: everything
                                        manifest.json
    published/current -> versions/<...>; crm.duckdb and private.duckdb lead through it

One symbolic link is replaced, so that both files change at once. A version is named by what it holds:
the same content is the same version, and publishing it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from tangga import dbt, dictionary, engine, files, marts_parquet, warehouse
from tangga.dictionary import Entry
from tangga.engine import literal
from tangga.landing import freshness
from tangga.rules_version import rules_version
from tangga.settings import Settings


@dataclass(frozen=True)
class Table:
    """A public model: where it lies, its columns with what they mean, and which of them are personal."""

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    personal: frozenset[str]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Version:
    """A published version and where it came from. `rows` counts per table; `stale_sources` names those that had not
    come on the day, or lack earlier ones; `landing` has a checksum of what was read, per source and entity; `rules` is
    one of the rules."""

    version: str
    as_of_date: str
    code_version: str
    rows: dict[str, int]
    stale_sources: list[dict] = field(default_factory=list)
    landing: dict[str, str] = field(default_factory=dict)
    rules: str = ""


def folder(settings: Settings) -> Path:
    return settings.home / "published"


def current(settings: Settings) -> Version | None:
    """The version that the pointers lead to, None before the first."""
    return read(folder(settings) / "current")


def read(version: Path) -> Version | None:
    """What the folder of a version says of itself, None when it cannot be read."""
    said = files.read_json(version / "manifest.json")
    return Version(**said) if said else None


def changed_since(settings: Settings) -> list[str]:
    """A sentence when a build of the newest published day would read something else today, as after a backfill
    of the days before it; else nothing."""
    version = current(settings)
    if version is None:
        return []
    known = freshness.of_day(settings, date.fromisoformat(version.as_of_date))
    changed = [f"{row.entity} of {row.source}" for row in known if version.landing.get(row.key) != row.content]
    return [_build_again(version, changed)] if changed and version.landing else []


def _build_again(version: Version, changed: list[str]) -> str:
    return (
        f"{', '.join(changed)} landed anew since {version.as_of_date}, the newest day, was published; "
        "run crm_build for it again"
    )


def database(settings: Settings, name: str = "crm") -> Path:
    """The file of the current version: `crm` or `private`. Resolved, because DuckDB caches files by path."""
    return (folder(settings) / f"{name}.duckdb").resolve()


def publish(settings: Settings, as_of: date, code_version: str) -> Version:
    """Publish the working file as the state of a day.

    The pointer moves only forward: a past day gets its version, and readers keep the newest.
    """
    tables, words = public_tables(settings), dictionary.entries(settings)
    versions = folder(settings) / "versions"
    versions.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left_over in versions.glob(f".{as_of}*.part"):
        shutil.rmtree(left_over)
    part = versions / f".{as_of}.part"
    part.mkdir(mode=0o700)
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        con.execute("use working")
        _write(con, part, tables, words)
        stale, contents = _stale_sources(con), _contents(con)
        con.execute(f"attach {literal(part / 'private.duckdb')} as private (read_only)")
        con.execute("use private")  # facts may be views in the working file: from here on they are read, not computed
        rows = {table.full_name: _one(con, f"select count(*) from {table.full_name}") for table in tables}
        name, rules = f"{as_of}-{_digest(con, tables, words)}", rules_version(settings)
        version = Version(name, as_of.isoformat(), code_version, rows, stale, contents, rules)
        target = versions / version.version
        if not target.exists():
            files.write_atomically(part / "manifest.json", json.dumps(asdict(version), indent=2) + "\n")
            con.execute("use memory")
            con.execute("detach private")
            os.replace(part, target)
        elif (before := read(target)) is None or (before.landing, before.rules) != (contents, rules):
            # the same rows, from other files or by other rules
            files.write_atomically(target / "manifest.json", json.dumps(asdict(version), indent=2) + "\n")
    shutil.rmtree(part, ignore_errors=True)
    marts_parquet.write(settings, target)
    newest = current(settings)
    if newest is None or newest.as_of_date <= version.as_of_date:
        _point_to(settings, version)
    return version


def public_tables(settings: Settings) -> list[Table]:
    """The models that dbt's manifest calls public, in the order of their names."""
    manifest = json.loads((dbt.target(settings) / "manifest.json").read_text(encoding="utf-8"))
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["access"] == "public"
    ]
    return sorted(
        (
            Table(
                schema=node["schema"],
                name=node["name"],
                description=node["description"],
                columns={name: column["description"] for name, column in node["columns"].items()},
                personal=frozenset(
                    name for name, column in node["columns"].items() if column["config"]["meta"].get("pii")
                ),
            )
            for node in models
        ),
        key=lambda table: table.full_name,
    )


def _digest(con: duckdb.DuckDBPyConnection, tables: list[Table], words: list[Entry]) -> str:
    """A short name of the content: the same for the same rows and columns, in whatever order they lie, and what is said
    of them."""
    digest = hashlib.sha256(json.dumps([astuple(word) for word in words]).encode())
    for table in tables:
        columns = con.execute(f"describe {table.full_name}").fetchall()
        total = _one(con, f"select coalesce(sum(cast(hash(t) as hugeint)), 0) from {table.full_name} as t")
        digest.update(json.dumps([table.full_name, columns, str(total), sorted(table.personal)]).encode())
    return digest.hexdigest()[:12]


def _stale_sources(con: duckdb.DuckDBPyConnection) -> list[dict]:
    rows = con.execute(
        "select source, entity, last_landed_day, missing_days from working.landing.freshness "
        "where is_stale or missing_days is not null order by source, entity"
    ).fetchall()
    return [
        {
            "source": source,
            "entity": entity,
            "last_landed_day": last and last.isoformat(),
            "missing_days": missing.split(", ") if missing else [],
        }
        for source, entity, last, missing in rows
    ]


def _contents(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = "select source || '.' || entity, content from working.landing.freshness order by source, entity"
    return dict(con.execute(rows).fetchall())


def _write(con: duckdb.DuckDBPyConnection, folder: Path, tables: list[Table], words: list[Entry]) -> None:
    """Write both files from the tables of the database in use, with the words on them.

    Each table is written once, which is what publishing costs: `private.duckdb` begins as a copy of `crm.duckdb`, where
    tables with personal columns are then replaced. Never the other way round: what is dropped stays in a file."""
    crm, private = folder / "crm.duckdb", folder / "private.duckdb"
    hidden = {(table.full_name, column) for table in tables for column in table.personal}
    with _written(con, crm):
        for table in tables:
            _create(con, table, table.personal)
        dictionary.write(con, "published", [word for word in words if (word.table, word.column_name) not in hidden])
    shutil.copyfile(crm, private)
    with _written(con, private):
        personal = [table for table in tables if table.personal]
        for name in (dictionary.NAME, *(table.full_name for table in personal)):
            con.execute(f"drop table published.{name}")
        con.execute("checkpoint published")  # what comes in their place may lie there then
        for table in personal:
            _create(con, table, frozenset())
        dictionary.write(con, "published", words)
    for file in (crm, private):
        os.chmod(file, 0o400)


@contextmanager
def _written(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """The file as the database `published`, for writing; whole when it ends."""
    con.execute(f"attach {literal(file)} as published")
    yield
    con.execute("checkpoint published")
    con.execute("detach published")


def _create(con: duckdb.DuckDBPyConnection, table: Table, hidden: frozenset[str]) -> None:
    """Copy a table of the database in use without the hidden columns, sorted by all that are left.

    Facts go by customer, so that all that one of them did is read from a few places of the file."""
    first = ["customer_id"] if table.schema == "core" and "customer_id" in table.columns else []
    shown = [name for name in table.columns if name not in hidden]
    order = [*first, *(name for name in shown if name not in first)]
    columns = f"* exclude ({', '.join(sorted(hidden))})" if hidden else "*"
    name = f"published.{table.full_name}"
    con.execute(f"create schema if not exists published.{table.schema}")
    con.execute(f"create table {name} as select {columns} from {table.full_name} order by {', '.join(order)}")
    con.execute(f"comment on table {name} is {literal(table.description)}")
    for column in shown:
        con.execute(f"comment on column {name}.{column} is {literal(table.columns[column])}")


def _point_to(settings: Settings, version: Version) -> None:
    base = folder(settings)
    for name in ("crm.duckdb", "private.duckdb"):
        if not (base / name).is_symlink():
            (base / name).symlink_to(Path("current") / name)
    marts_parquet.link(base, base / "versions" / version.version)
    part = base / ".current.part"
    part.unlink(missing_ok=True)
    part.symlink_to(Path("versions") / version.version)
    os.replace(part, base / "current")


def _one(con: duckdb.DuckDBPyConnection, sql: str):
    return con.execute(sql).fetchone()[0]

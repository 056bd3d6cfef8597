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
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from tangga import dbt, engine, files, warehouse
from tangga.engine import literal
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
    """A published version and where it came from. `rows` counts per table."""

    version: str
    as_of_date: str
    code_version: str
    rows: dict[str, int]


def folder(settings: Settings) -> Path:
    return settings.home / "published"


def current(settings: Settings) -> Version | None:
    """The version that the pointers lead to, None before the first."""
    said = files.read_json(folder(settings) / "current" / "manifest.json")
    return Version(**said) if said else None


def database(settings: Settings, name: str = "crm") -> Path:
    """The file of the current version: `crm` or `private`. Resolved, because DuckDB caches files by path."""
    return (folder(settings) / f"{name}.duckdb").resolve()


def publish(settings: Settings, as_of: date, code_version: str) -> Version:
    """Publish the working file as the state of a day.

    The pointer moves only forward: a past day gets its version, and readers keep the newest.
    """
    tables = public_tables(settings)
    versions = folder(settings) / "versions"
    versions.mkdir(parents=True, exist_ok=True, mode=0o700)
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        con.execute("use working")
        rows = {table.full_name: _one(con, f"select count(*) from {table.full_name}") for table in tables}
        version = Version(f"{as_of}-{_digest(con, tables)}", as_of.isoformat(), code_version, rows)
        target = versions / version.version
        if not target.exists():
            part = versions / f".{version.version}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            _write(con, part / "private.duckdb", tables, hide_personal=False)
            _write(con, part / "crm.duckdb", tables, hide_personal=True)
            files.write_atomically(part / "manifest.json", json.dumps(asdict(version), indent=2) + "\n")
            os.replace(part, target)
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


def _digest(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> str:
    """A short name of the content: the same for the same rows and columns, in whatever order they lie."""
    digest = hashlib.sha256()
    for table in tables:
        columns = con.execute(f"describe {table.full_name}").fetchall()
        total = _one(con, f"select coalesce(sum(cast(hash(t) as hugeint)), 0) from {table.full_name} as t")
        digest.update(json.dumps([table.full_name, columns, str(total), sorted(table.personal)]).encode())
    return digest.hexdigest()[:12]


def _write(con: duckdb.DuckDBPyConnection, file: Path, tables: list[Table], *, hide_personal: bool) -> None:
    con.execute(f"attach {literal(file)} as published")
    for table in tables:
        hidden = sorted(table.personal) if hide_personal else []
        columns = f"* exclude ({', '.join(hidden)})" if hidden else "*"
        con.execute(f"create schema if not exists published.{table.schema}")
        name = f"published.{table.full_name}"
        con.execute(f"create table {name} as select {columns} from {table.full_name} order by all")
        con.execute(f"comment on table {name} is {literal(table.description)}")
        for column, meaning in table.columns.items():
            if column not in hidden:
                con.execute(f"comment on column {name}.{column} is {literal(meaning)}")
    con.execute("checkpoint published")
    con.execute("detach published")
    os.chmod(file, 0o400)


def _point_to(settings: Settings, version: Version) -> None:
    base = folder(settings)
    for name in ("crm.duckdb", "private.duckdb"):
        if not (base / name).is_symlink():
            (base / name).symlink_to(Path("current") / name)
    part = base / ".current.part"
    part.unlink(missing_ok=True)
    part.symlink_to(Path("versions") / version.version)
    os.replace(part, base / "current")


def _one(con: duckdb.DuckDBPyConnection, sql: str):
    return con.execute(sql).fetchone()[0]

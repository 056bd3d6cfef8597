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
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from tangga import dictionary, engine, files, marts_parquet, published_files, warehouse
from tangga.dictionary import Entry
from tangga.engine import literal
from tangga.landing import freshness
from tangga.rules_version import rules_version
from tangga.settings import Settings


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


class NoRoom(Exception):
    """The version could not be written for lack of disk or memory; the message says what to do."""


def publish(settings: Settings, as_of: date, code_version: str) -> Version:
    """Publish the working file as the state of a day. Raises `NoRoom`.

    The pointer moves only forward: a past day gets its version, and readers keep the newest.
    """
    try:
        return _publish(settings, as_of, code_version)
    except (OSError, duckdb.OperationalError) as error:
        is_memory = isinstance(error, duckdb.OutOfMemoryException)
        remedy = "give it more memory (TANGGA_MEMORY_LIMIT)" if is_memory else "see that the disk has room"
        raise NoRoom(
            f"{folder(settings)}: the version of {as_of} cannot be written ({type(error).__name__}), and what was "
            f"published before stays; {remedy}, and run crm_build again."
        ) from None


def _publish(settings: Settings, as_of: date, code_version: str) -> Version:
    tables, words = published_files.public_tables(settings), dictionary.entries(settings)
    versions = folder(settings) / "versions"
    versions.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left_over in versions.glob(f".{as_of}*.part"):
        shutil.rmtree(left_over)
    part = versions / f".{as_of}.part"
    part.mkdir(mode=0o700)
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working (read_only)")
        con.execute("use working")
        published_files.write(con, part, tables, words)
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


def _digest(con: duckdb.DuckDBPyConnection, tables: list[published_files.Table], words: list[Entry]) -> str:
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

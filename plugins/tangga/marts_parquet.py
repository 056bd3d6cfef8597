"""The published tables as Parquet, for tools that do not speak DuckDB.

    published/versions/<version>/parquet/<schema>/<table>.parquet
    published/parquet -> current/parquet

They are written from `crm.duckdb`, so they hold what analysts may see, in the same order; they belong to the version,
and come, change and go with it.
"""

from __future__ import annotations

import os
from pathlib import Path

from tangga import engine
from tangga.engine import literal
from tangga.settings import Settings

NAME = "parquet"


def write(settings: Settings, version: Path) -> None:
    """Write the files of a version, all in one step, unless they are there or the settings do not want them."""
    target = version / NAME
    if target.exists() or not settings.published.parquet:
        return
    part = version.with_name(f".{version.name}.{NAME}.part")  # what is left of it is swept like that of a version
    part.mkdir(mode=0o700)
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(version / 'crm.duckdb')} as crm (read_only)")
        tables = "select schema_name, table_name from duckdb_tables() where database_name = 'crm' order by all"
        for schema, table in con.execute(tables).fetchall():
            (part / schema).mkdir(exist_ok=True, mode=0o700)
            file = part / schema / f"{table}.parquet"
            options = "format parquet, compression zstd, parquet_version v2"
            con.execute(f"copy (from crm.{schema}.{table}) to {literal(file)} ({options})")
            os.chmod(file, 0o400)
    os.replace(part, target)


def link(base: Path, version: Path) -> None:
    """Let `published/parquet` lead through the version that is about to be the current one, if it has these files."""
    if not (version / NAME).exists():
        (base / NAME).unlink(missing_ok=True)
    elif not (base / NAME).is_symlink():
        (base / NAME).symlink_to(Path("current") / NAME)

"""DuckDB connections of the pipeline itself, with its memory and its scratch space bounded."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tangga.settings import Settings


def memory_limit() -> str:
    """How much memory DuckDB may take, as it writes sizes; $TANGGA_MEMORY_LIMIT overrides."""
    return os.environ.get("TANGGA_MEMORY_LIMIT", "1300MB")


@contextmanager
def scratch(settings: Settings, elsewhere: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory database that spills below the home, or `elsewhere`, and leaves nothing behind."""
    base = elsewhere or settings.home / "tmp"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=base) as spill:
        config = {"temp_directory": spill, "memory_limit": memory_limit(), "autoinstall_known_extensions": False}
        con = duckdb.connect(":memory:", config=config)
        try:
            con.execute("set timezone = 'UTC'; set enable_progress_bar = false")
            yield con
        finally:
            con.close()


def spill_folder(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder of a `scratch` connection: what is put there goes with it."""
    return Path(con.execute("select current_setting('temp_directory')").fetchone()[0])


def literal(value: str | Path) -> str:
    """A SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def parquet_list(paths: Iterable[Path]) -> str:
    """A SQL list of these files; a name with `*`, `?` or `[` is taken for the file, not for a pattern, as it exists."""
    return "[" + ", ".join(literal(path) for path in paths) + "]"

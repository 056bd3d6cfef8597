"""The published version, opened for reading: one connection as long as it is the newest, closed when it is not.

The file is named by its version and never written again, so that it can be held open; `published/private.duckdb` leads
to another one every day.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from tangga import publish, settings
from tangga.engine import literal
from tangga.settings import REPOSITORY, Settings

Value = TypeVar("Value")

MEMORY = "512MB"
"""How much DuckDB may take of the API server's: a page asks little at a time, and a file is read in parts."""


class NothingPublished(Exception):
    """There is no version yet."""


def company() -> Settings:
    """The settings, as `tangga.yml` says them now."""
    path = Path(os.environ.get("TANGGA_CONFIG") or REPOSITORY / "tangga.yml")
    return _loaded(path, os.environ.get("TANGGA_HOME"), path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _loaded(path: Path, home: str | None, changed_at: int) -> Settings:
    return settings.load(path, home)


class Open:
    """A version that is open. What is worked out of it once is kept as long as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = publish.read(folder)
        self.readers = 0
        self._kept: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        spill = company().home / "tmp"
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._con = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": str(spill)})
        self._con.execute(f"attach {literal(folder / 'private.duckdb')} as published (read_only)")
        self._con.execute("set enable_external_access = false")  # from here on no query reaches another file

    def rows(self, sql: str, parameters: list | dict | None = None) -> list[dict[str, Any]]:
        """The rows of a query, by the names of its columns."""
        with self.cursor() as cursor:
            found = cursor.execute(sql, parameters)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, sql: str, parameters: list | dict | None = None) -> dict[str, Any] | None:
        """The first row, None when there is none."""
        return next(iter(self.rows(sql, parameters)), None)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this thread's own."""
        cursor = self._con.cursor()
        try:
            cursor.execute("use published")
            yield cursor
        finally:
            cursor.close()

    def once(self, name: str, work_out: Callable[[Open], Value]) -> Value:
        """What `work_out` makes of this version, the first time it is asked for."""
        with self._locks[name]:
            if name not in self._kept:
                self._kept[name] = work_out(self)
            return self._kept[name]

    def close(self) -> None:
        self._con.close()


class Doorkeeper:
    """Holds the newest version open, and lets those go that nobody reads any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: Open | None = None

    @contextmanager
    def open(self) -> Iterator[Open]:
        """The newest version; it stays open until the reader is done. Raises `NothingPublished`."""
        opened = self.enter()
        try:
            yield opened
        finally:
            self.leave(opened)

    def enter(self) -> Open:
        """As `open`, for a reader who ends elsewhere and must `leave`."""
        folder = (publish.folder(company()) / "current").resolve()
        if not (folder / "private.duckdb").exists():
            raise NothingPublished
        with self._lock:
            if self._newest is None or self._newest.folder != folder:
                before, self._newest = self._newest, Open(folder)
                if before is not None and not before.readers:
                    before.close()
            self._newest.readers += 1
            return self._newest

    def leave(self, opened: Open) -> None:
        """Let go of a version."""
        with self._lock:
            opened.readers -= 1
            if opened is not self._newest and not opened.readers:
                opened.close()


DOOR = Doorkeeper()


def reading() -> Iterator[Open]:
    """For FastAPI's `Depends`: the newest version, as long as a request lasts."""
    with DOOR.open() as opened:
        yield opened

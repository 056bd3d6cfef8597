"""The published version, opened for reading: one connection as long as it is the newest, closed when it is not.

A file is never written again, so that it can be held open: `published/private.duckdb` leads to another one every day,
and an erasure puts another one in its place. A server watches for that, and gets it ready before it is shown.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from tangga import publish, settings
from tangga.engine import literal
from tangga.settings import REPOSITORY, Settings

_log = logging.getLogger(__name__)

Value = TypeVar("Value")
File = tuple[Path, int]
"""The folder of a version, and which file of that name lies there (its inode)."""

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
        self.file = file_in(folder)
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
        self._watcher: threading.Thread | None = None
        self._tried: File | None = None

    @contextmanager
    def open(self) -> Iterator[Open]:
        """The newest version; it stays open until the reader is done. Raises `NothingPublished`."""
        opened = self.enter()
        try:
            yield opened
        finally:
            self.leave(opened)

    def enter(self) -> Open:
        """As `open`, for a reader who ends elsewhere and must `leave`. Where somebody watches, a version is shown when
        it has been made ready, and the one before it until then."""
        file = newest()
        with self._lock:
            is_awaited = self._watcher is not None and self._watcher.is_alive() and self._tried != file
            if self._newest is None or (self._newest.file != file and not is_awaited):
                self._show(Open(file[0]))
            self._newest.readers += 1
            return self._newest

    @contextmanager
    def watching(self, make_ready: Callable[[Open], None], every: float = 1.0) -> Iterator[None]:
        """Look for another version so often, in seconds, and show it when `make_ready` is done with it."""
        over = threading.Event()
        self._watcher = threading.Thread(
            target=self._watch, args=(make_ready, every, over), name="tangga-newest", daemon=True
        )
        self._watcher.start()
        try:
            yield
        finally:
            over.set()

    def _watch(self, make_ready: Callable[[Open], None], every: float, over: threading.Event) -> None:
        while not over.is_set():
            # What goes wrong goes wrong again when somebody opens a page, who is told.
            with suppress(NothingPublished, settings.SettingsError):
                file = newest()
                if file != self._tried:
                    try:
                        self._renew(file, make_ready)
                    except Exception:
                        _log.exception("The newest version could not be made ready.")
                    self._tried = file
            over.wait(every)

    def _renew(self, file: File, make_ready: Callable[[Open], None]) -> None:
        opened = Open(file[0])
        with self._lock:
            if self._newest is None:
                self._show(opened)
        try:
            make_ready(opened)
        finally:
            with self._lock:
                if self._newest is not opened:
                    self._show(opened)

    def _show(self, opened: Open) -> None:
        before, self._newest = self._newest, opened
        if before is not None and not before.readers:
            before.close()

    def leave(self, opened: Open) -> None:
        """Let go of a version."""
        with self._lock:
            opened.readers -= 1
            if opened is not self._newest and not opened.readers:
                opened.close()


DOOR = Doorkeeper()


def newest() -> File:
    """The file that the pointer leads to. Raises `NothingPublished`."""
    return file_in((publish.folder(company()) / "current").resolve())


def file_in(folder: Path) -> File:
    """The file of a version. Raises `NothingPublished`."""
    try:
        return folder, (folder / "private.duckdb").stat().st_ino
    except FileNotFoundError:
        raise NothingPublished from None


def reading() -> Iterator[Open]:
    """For FastAPI's `Depends`: the newest version, as long as a request lasts."""
    with DOOR.open() as opened:
        yield opened

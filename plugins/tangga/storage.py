"""Where landing and rejects lie: below the home, or in the object store that `storage:` names.

A `Stored` is a place in that store, with as much of a `Path` as landing needs. An object is written in one step by
its store; no name of a half-written one is needed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tangga.settings import Settings, Storage
from tangga.sources import stores
from tangga.sources.records import SourceDown, SourceRefused
from tangga.sources.stores import Store


@dataclass(frozen=True)
class Stored:
    """A place below the store's folder. Methods raise FileNotFoundError for what is not there, and `SourceRefused` when
    the store cannot be asked, so that it never looks empty."""

    store: Store
    below: str = ""

    def __truediv__(self, name: str) -> Stored:
        return Stored(self.store, f"{self.below}/{name}" if self.below else name)

    def __str__(self) -> str:
        return f"{self.store.uri}/{self.below}"

    @property
    def name(self) -> str:
        return self.below.rpartition("/")[2]

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """The landing's own store must be there: that it is down says nothing of a source."""
        try:
            with self.store.told(str(self)):
                yield
        except SourceDown as down:
            raise SourceRefused(str(down)) from None

    @property
    def _key(self) -> str:
        return f"{self.store.root}/{self.below}"

    def relative_to(self, other: Stored) -> PurePosixPath:
        return PurePosixPath(self.below).relative_to(other.below)

    def iterdir(self) -> Iterator[Stored]:
        with self._asked():
            found = self.store.fs.ls(self._key, detail=False)
        return (self / key.rstrip("/").rpartition("/")[2] for key in found if key.rstrip("/") != self._key)

    def read_bytes(self) -> bytes:
        with self._asked():
            return self.store.fs.cat_file(self._key)

    def read_text(self, encoding: str) -> str:
        return self.read_bytes().decode(encoding)

    def write_text(self, text: str) -> None:
        """Leaves an object of the same text alone."""
        content = text.encode("utf-8")
        try:
            is_there = self.read_bytes() == content
        except FileNotFoundError:
            is_there = False
        if not is_there:
            with self._asked():
                self.store.fs.pipe_file(self._key, content)

    def put(self, file: Path) -> None:
        """Upload a file; leaves an object of the same bytes alone."""
        if not self._holds(file):
            with self._asked():
                self.store.fs.put_file(str(file), self._key)

    def _holds(self, file: Path) -> bool:
        try:
            with self._asked():
                if self.store.fs.info(self._key)["size"] != file.stat().st_size:
                    return False
                with self.store.fs.open(self._key, "rb") as there, file.open("rb") as here:
                    return hashlib.file_digest(there, "sha256").digest() == hashlib.file_digest(here, "sha256").digest()
        except FileNotFoundError:
            return False

    def fetch(self, file: Path) -> None:
        """Download to a new file, for its owner only."""
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        with self._asked():
            self.store.fs.get_file(self._key, str(file))

    def unlink(self) -> None:
        with self._asked():
            self.store.fs.rm_file(self._key)

    def modified(self) -> datetime:
        """When it was written (UTC)."""
        with self._asked():
            return self.store.fs.modified(self._key).astimezone(UTC)


def root(settings: Settings) -> Path | Stored:
    """What `landing/` and `rejects/` lie in. Raises `SourceRefused` when the store cannot be opened."""
    return settings.home if settings.storage is None else Stored(_opened(settings.storage, os.getpid()))


@lru_cache(maxsize=8)
def _opened(storage: Storage, process: int) -> Store:
    """Once a process: an open store does not survive a fork."""
    return stores.opened(storage.path, storage.connection)

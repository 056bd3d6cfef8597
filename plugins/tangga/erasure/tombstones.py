"""Tombstones: who must not come back, as keyed hashes in the ledger.

Landing asks for them whenever it reads a source, activation before it sends anything. Setting one waits until no
landing is at work: whatever lands either knows of it, or was there before and is taken out by the removal.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

from sqlalchemy import delete, select

from tangga.erasure import hashes
from tangga.erasure.blocked import Blocked
from tangga.erasure.tables import tombstones
from tangga.ledger import copies, database
from tangga.ledger.session import Session, now
from tangga.settings import Settings

Values = Sequence[tuple[str, tuple[str, ...]]]
"""Kind, and the parts of what is hashed, in their normal form."""


class Tombstones(Session):
    def put(self, erasure_id: str, digests: Iterable[tuple[str, str]]) -> None:
        rows = [{"kind": kind, "digest": digest, "erasure_id": erasure_id, "set_at": now()} for kind, digest in digests]
        with self._writing() as connection:
            for row in rows:
                self._put(connection, tombstones, [row], set_at=tombstones.c.set_at, erasure_id=tombstones.c.erasure_id)

    def all(self) -> frozenset[tuple[str, str]]:
        with self._reading() as connection:
            return frozenset(map(tuple, connection.execute(select(tombstones.c.kind, tombstones.c.digest))))

    def lift(self, erasure_id: str) -> int:
        with self._writing() as connection:
            return connection.execute(delete(tombstones).where(tombstones.c.erasure_id == erasure_id)).rowcount

    def erasures_of(self, digests: Sequence[tuple[str, str]]) -> list[str]:
        with self._reading() as connection:
            query = select(tombstones.c.erasure_id).where(tombstones.c.digest.in_([digest for _, digest in digests]))
            return sorted(set(connection.execute(query).scalars()))


def bury(settings: Settings, erasure_id: str, values: Values) -> None:
    """Set the tombstones of a person; setting them again changes nothing."""
    secret = hashes.make_key(settings)
    digests = [(kind, hashes.digest(secret, kind, *parts)) for kind, parts in values]
    with still(settings):
        with database.opened(settings) as engine:
            Tombstones(engine).put(erasure_id, digests)
        read(settings)  # which keeps them for landings while the ledger is down


def lift(settings: Settings, values: Values) -> int:
    """Let a person come back: the tombstones of every erasure that one of these values was part of. Returns how many
    were lifted."""
    if not _may_have_any(settings):
        return 0
    secret = hashes.key(settings)
    digests = [(kind, hashes.digest(secret, kind, *parts)) for kind, parts in values]
    with still(settings), database.opened(settings) as engine:
        kept = Tombstones(engine)
        return sum(kept.lift(erasure) for erasure in kept.erasures_of(digests))


@contextmanager
def held(settings: Settings) -> Iterator[Blocked | None]:
    """The tombstones, None when there are none; nobody sets one as long as this is open. Raises `KeyLost`."""
    with still(settings, fcntl.LOCK_SH):
        yield read(settings)


def read(settings: Settings) -> Blocked | None:
    """The tombstones of this moment, None when there are none. Raises `KeyLost`, and `LedgerDown` (see `copies`)."""
    if not _may_have_any(settings):
        return None
    found = frozenset((kind, digest) for kind, digest in copies.kept(settings, "tombstones", lambda: _all(settings)))
    return Blocked(hashes.key(settings), found) if found else None


def _all(settings: Settings) -> list[tuple[str, str]]:
    with database.opened(settings) as engine:
        return sorted(Tombstones(engine).all())


def erased(settings: Settings, addresses: Iterable[str]) -> set[str]:
    """Which of these e-mail addresses and telephone numbers, in their normal form, are of people who were erased."""
    found = read(settings)
    if found is None:
        return set()
    return {value for value in addresses if value and found.has("email" if "@" in value else "phone", value)}


def _may_have_any(settings: Settings) -> bool:
    """A cheap answer for homes in which nobody was ever erased: most landings need no ledger."""
    if settings.ledger.connection:
        return True
    file = database.path(settings)
    if not file.exists():
        return False
    with closing(sqlite3.connect(file, timeout=database.WAIT_SECONDS)) as session:
        has_table = session.execute("select 1 from sqlite_master where name = 'tombstones'").fetchone()
        return bool(has_table and session.execute("select 1 from tombstones limit 1").fetchone())


@contextmanager
def still(settings: Settings, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """While this is open nothing lands; with `LOCK_SH`, no tombstone is set."""
    file = settings.home / "state" / "tombstones.lock"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)

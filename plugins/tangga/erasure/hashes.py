"""Keyed hashes of what a person is known by: HMAC-SHA256, its key in a file of its own.

state/tombstones.key      32 bytes; whoever has not got it cannot try out addresses and numbers, of which there are
                          too few for a hash without a key to hide anything
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import duckdb

from tangga.settings import Settings

_BLOCK = 64
_SEPARATOR = "\x1f"
"""Between the parts of what is hashed; no landed key holds it."""


class KeyLost(Exception):
    """There are tombstones, and not the key that they were made with; the message says what to do."""


def file(settings: Settings) -> Path:
    return settings.home / "state" / "tombstones.key"


def key(settings: Settings) -> bytes:
    """The key of this home. Raises `KeyLost`."""
    try:
        found = file(settings).read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) != 32:
        raise KeyLost(
            f"{file(settings)}: is missing or damaged, so that nobody knows any more who asked to be forgotten; put it "
            "back from a copy."
        )
    return found


def make_key(settings: Settings) -> bytes:
    """The key of this home, made if there is none. Of two processes that make one, both get the same."""
    target = file(settings)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write(secrets.token_bytes(32))
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(draft, target)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return key(settings)


def joined(*parts: str) -> str:
    """What is hashed of a value: for an id the namespace that it counts in stands before it."""
    return _SEPARATOR.join(parts)


def digest(secret: bytes, *parts: str) -> str:
    return hmac.new(secret, joined(*parts).encode(), hashlib.sha256).hexdigest()


def create_macro(con: duckdb.DuckDBPyConnection, secret: bytes) -> None:
    """Create `keyed(text)` in a connection: the same as `digest`, over whole columns."""
    padded = secret.ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    hashed = f"unhex(sha256(unhex('{inner}') || encode(t)))"
    con.execute(f"create or replace temp macro keyed(t) as sha256(unhex('{outer}') || {hashed})")

"""One process at a time: a lock that the kernel frees when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 30


class Busy(Exception):
    """Somebody else is at it; the message says what to do."""


@contextmanager
def alone(file: Path, sentence: str, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold a lock file. Raises `Busy` with the sentence when another process does not let go of it in time."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at = time.monotonic() + patience_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise Busy(sentence) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)

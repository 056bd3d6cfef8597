"""Writing files so that nobody ever sees half of one, readable by their owner only."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from tangga.storage import Stored


def sha256(path: Path) -> str:
    """Checksum of a file's bytes, as hexadecimal text."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_json(path: Path | Stored) -> dict | None:
    """A small state file; None when it is not there or damaged, which is the same: it is made anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def replace(source: Path, target: Path) -> None:
    """Move a finished file into place in one step; leaves a target of the same bytes alone."""
    if target.exists() and sha256(target) == sha256(source):
        source.unlink()
        return
    source.chmod(0o600)
    with source.open("rb+") as handle:
        os.fsync(handle.fileno())
    source.replace(target)


def write_atomically(target: Path | Stored, text: str) -> None:
    """Write a text file in one step; leaves a target of the same text alone."""
    if isinstance(target, Stored):
        target.write_text(text)
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8", newline="")
    replace(part, target)

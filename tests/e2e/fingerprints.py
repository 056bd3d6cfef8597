"""What a run leaves in a home, in a form that can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_TELLS_OF_RUNS = ("ledger.sqlite", "plan.json")
"""The ledger has a line for every delivery, and a plan says what would change, which is nothing on a second run."""


def fingerprint(home: Path, areas: Iterable[str]) -> dict[str, str]:
    """Relative path -> checksum, or where a link leads; of everything in these areas that does not tell of runs."""
    found = {}
    for area in areas:
        for path in sorted((home / area).rglob("*")):
            name = str(path.relative_to(home))
            if path.is_symlink():
                found[name] = str(path.readlink())
            elif path.is_file() and path.name not in _TELLS_OF_RUNS:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found

"""How much was removed from a place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Removed:
    """Files that were changed or deleted, and rows that went out of them (0 where a file went as a whole)."""

    files: int = 0
    rows: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.files + other.files, self.rows + other.rows)

"""Rows per day as bars: where each one stands, in a picture of `WIDTH` by `HEIGHT`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HEIGHT = 28
_STEP = 7


class Bar(NamedTuple):
    day: str
    rows: int
    x: int
    height: float


def bars(rows_per_day: Sequence[tuple[str, int]]) -> list[Bar]:
    """A bar for each (day, rows), from left to right; the most rows fill the height, any row can be seen."""
    most = max([rows for _, rows in rows_per_day], default=0) or 1
    return [
        Bar(day, rows, number * _STEP, max(1.0, round(rows / most * HEIGHT, 1)) if rows else 0.0)
        for number, (day, rows) in enumerate(rows_per_day)
    ]

"""A call for many rows that fails for one of them: the call is split until that row is alone, and the rest arrives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from tangga.http import Denied

T = TypeVar("T")

SPLITTING = (400, 409, 413, 422)
"""Statuses that may be about one row. Others are about the call, however many rows it is for."""

MOST_ALONE = 25
"""So many rows may be refused one by one in a chunk; more of them mean that the call itself is not right."""


def isolated(
    rows: Sequence[T], send: Callable[[Sequence[T]], None], splitting: Collection[int] = SPLITTING
) -> list[tuple[T, Denied]]:
    """Send all rows, at best by one call; returns those that the tool refuses, each with what it says.

    Raises `Denied` for what is not about rows, and when rows are refused one after the other."""
    alone: list[tuple[T, Denied]] = []
    waiting = [rows] if rows else []
    while waiting:
        part = waiting.pop()
        try:
            send(part)
        except Denied as error:
            if error.status not in splitting:
                raise
            if len(part) > 1:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
                continue
            alone.append((part[0], error))
            if len(alone) > MOST_ALONE:
                raise
    return alone

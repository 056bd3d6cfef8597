"""The dirt of real files, in small amounts.

Dirt is added, never put in the place of something: each `Blemish` takes a few rows and writes a twin
of each beside it, spoilt in one way. So the story stays true, and what a good reader must do with a
twin (reject it, merge it, quarantine it) changes nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tangga.demo.draws import Draws
from tangga.demo.writing import Table, blocks, joined, put_lines, taken, whole_file


@dataclass(frozen=True)
class Blemish:
    """`share` of the rows get a twin, after `change` of its fields and `spoil` of its line.

    `comes_first`: the twin is written before the row it is like, as an older state of it.
    """

    name: str
    share: float
    change: Callable[[Table], Table] = dict
    spoil: Callable[[pa.Array], pa.Array] | None = None
    comes_first: bool = False


def setting(**values: str) -> Callable[[Table], Table]:
    """A change that sets fields to constants."""

    def change(table: Table) -> Table:
        n = len(next(iter(table.values())))
        return table | {name: pa.array([value] * n, pa.string()) for name, value in values.items()}

    return change


def changing(**functions: Callable[[pa.Array], pa.Array]) -> Callable[[Table], Table]:
    """A change that makes fields anew from what they were."""
    return lambda table: table | {name: function(table[name]) for name, function in functions.items()}


def prefixed(prefix: str) -> Callable[[pa.Array], pa.Array]:
    """For `changing`: put something before the text, so that an id is another's."""
    return lambda texts: joined(prefix, texts)


def years_ahead(texts: pa.Array) -> pa.Array:
    """For `changing`: the same time in the twenties to come, as a wrong clock or a slip gives."""
    return pc.if_else(pc.equal(texts, ""), texts, joined("204", pc.utf8_slice_codeunits(texts, 3)))


def extra_field(delimiter: str) -> Callable[[pa.Array], pa.Array]:
    """For `spoil`: a delimiter too many, with something behind it."""
    return lambda lines: joined(lines, delimiter, "oops")


def cut_off(lines: pa.Array) -> pa.Array:
    """For `spoil`: the line of a writer that was killed."""
    return pc.utf8_slice_codeunits(lines, 0, 40)


def write_lines(
    path: Path,
    draws: Draws,
    table: Table,
    keys: np.ndarray,
    render: Callable[[Table], pa.Array],
    blemishes: tuple[Blemish, ...] = (),
    header: str | None = None,
    encoding: str = "utf-8",
) -> int:
    """Write a table with its dirt; gives how many rows, the dirt included.

    `keys` are integers, one a row, that stay the same whatever else is in the table: by them it is
    decided which rows have a twin.
    """
    written = 0
    with whole_file(path) as file:
        if header is not None:
            put_lines(file, pa.array([header]), encoding)
        for place, block in blocks(table):
            lines, order = [render(block)], [np.arange(len(keys[place])) * 100 + 50]
            for position, blemish in enumerate(blemishes, start=1):
                rows = np.flatnonzero(draws.chance(f"dirt.{blemish.name}", blemish.share, keys[place]))
                twins = render(blemish.change(taken(block, rows)))
                lines.append(blemish.spoil(twins) if blemish.spoil else twins)
                order.append(rows * 100 + 50 + (-position if blemish.comes_first else position))
            by_place = np.argsort(np.concatenate(order), kind="stable")
            written += put_lines(file, pa.concat_arrays(lines).take(pa.array(by_place)), encoding)
    return written

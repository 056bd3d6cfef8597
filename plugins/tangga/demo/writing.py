"""From columns to files: text columns with Arrow, lines of CSV or JSON, written whole or not at all.

A `Table` is a dict of equally long Arrow string arrays, in the order of the file's columns. Lines are
put together a block at a time, so that memory stays bounded however large the file is.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tangga.demo.world import UTC_OFFSET

Table = dict[str, pa.Array]
BLOCK = 200_000  # rows
TEMPORARY = ".part"


def words(vocabulary: list[str], codes: np.ndarray) -> pa.Array:
    """The word that each code stands for; a negative code for nothing."""
    indices = pa.array(codes, mask=codes < 0)
    return pc.fill_null(pa.array(vocabulary, pa.string()).take(indices), "")


def numbers(values: np.ndarray) -> pa.Array:
    """Integers as text."""
    return pc.cast(pa.array(values.astype(np.int64)), pa.string())


def padded(values: np.ndarray, width: int, prefix: str = "") -> pa.Array:
    """Integers as text with leading zeros; a negative one for nothing."""
    text = joined(prefix, pc.utf8_lpad(numbers(values), width, "0"))
    return only_where(values >= 0, text)


def local_time(seconds: np.ndarray) -> pa.Array:
    """YYYY-MM-DD HH:MM:SS on Jakarta's clock."""
    return pc.cast(pa.array(seconds.astype(np.int64)).cast(pa.timestamp("s")), pa.string())


def utc_time(seconds: np.ndarray) -> pa.Array:
    """The same instants as YYYY-MM-DDTHH:MM:SSZ."""
    text = local_time(seconds - UTC_OFFSET)
    return joined(pc.binary_replace_slice(text, 10, 11, "T"), "Z")


def joined(*parts: pa.Array | str) -> pa.Array:
    """Arrays and constants put together, row by row."""
    return pc.binary_join_element_wise(*parts, "")


def only_where(mask: np.ndarray, texts: pa.Array | str) -> pa.Array:
    """`texts` where `mask` holds, else empty."""
    return pc.if_else(pa.array(mask), texts, "")


def taken(table: Table, rows: np.ndarray | pa.Array) -> Table:
    """Some rows of a table."""
    return {name: texts.take(pa.array(rows)) for name, texts in table.items()}


def csv_lines(delimiter: str) -> Callable[[Table], pa.Array]:
    """How to write rows as CSV: quoted where a field needs it, as RFC 4180 says."""

    def field(texts: pa.Array) -> pa.Array:
        needs = pc.match_substring_regex(texts, f'["{delimiter}\r\n]')
        if not pc.any(needs).as_py():
            return texts
        return pc.if_else(needs, joined('"', pc.replace_substring(texts, '"', '""'), '"'), texts)

    return lambda table: pc.binary_join_element_wise(*map(field, table.values()), delimiter)


def json_lines(table: Table) -> pa.Array:
    """Rows as JSON objects. Empty fields are null; a name that ends in `{}` holds JSON already."""
    parts: list[pa.Array | str] = []
    for position, (name, texts) in enumerate(table.items()):
        parts.append(("," if position else "{") + f'"{name.removesuffix("{}")}":')
        if name.endswith("{}"):
            parts.append(texts)
        else:
            parts.append(pc.if_else(pc.equal(texts, ""), "null", joined('"', texts, '"')))
    return joined(*parts, "}")


def blocks(table: Table) -> Iterator[tuple[slice, Table]]:
    """The table in pieces of `BLOCK` rows, with where each piece lies."""
    n = len(next(iter(table.values())))
    for first in range(0, n, BLOCK):
        yield slice(first, min(first + BLOCK, n)), {name: texts.slice(first, BLOCK) for name, texts in table.items()}


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that appears under its name only when it is complete; .gz is compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("wb") as raw:
        if path.suffix == ".gz":
            # No name and no time in the header: the same rows give the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as file:
                yield file
        else:
            yield raw
    temporary.replace(path)


def put_lines(file: IO[bytes], lines: pa.Array, encoding: str = "utf-8") -> int:
    """Append lines to a file; gives how many."""
    text = joined(lines, "\n")
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[[text.offset, text.offset + len(text)]] if len(text) else [0, 0]
    raw = memoryview(data)[bounds[0] : bounds[1]] if data is not None else b""
    file.write(raw if encoding == "utf-8" else bytes(raw).decode().encode(encoding))
    return len(lines)


def put_parquet(path: Path, table: pa.Table) -> int:
    """Write a Parquet file with fixed options; gives how many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + TEMPORARY)
    pq.write_table(table, temporary, compression="zstd", row_group_size=BLOCK, version="2.6", store_schema=False)
    temporary.replace(path)
    return table.num_rows

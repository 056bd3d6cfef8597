"""What every kind of source gives to landing: relations in DuckDB, and how their columns are called."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import duckdb
import pyarrow as pa

from tangga.settings import Entity, Settings, Source
from tangga.sources.records import BadRecords, SourceRefused

LINEAGE = ("_file", "_line")

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Marks:
    """How far an increasing id was read: `before` the day (and the days looked back on), and by the day's
    own partition, which a rerun reads once more. None where nothing was read."""

    before: int | None = None
    here: int | None = None


@dataclass(frozen=True)
class Reading:
    """What is asked of a source: one entity for one day, of which `sample` rows are enough when it is given."""

    settings: Settings
    name: str
    entity: str
    day: date
    marks: Marks = Marks()
    sample: int | None = None

    @property
    def source(self) -> Source:
        return self.settings.sources[self.name]

    @property
    def spec(self) -> Entity:
        return self.source.entities[self.entity]


@dataclass
class Loaded:
    """What was read.

    `tables` hold it, and can be dropped once they were read; `headers` are the folded column names of
    each file or table; `unread` names columns that were left where they are, because nothing maps them;
    `has_free_fields` is true when each record names its own fields, and so may lack one that none of today's needs;
    `bad` are the records left out; `mark` is how far an increasing id was read. `query` is still to be
    run over the relations; without one, what landing maps is the relation `file`.
    """

    tables: list[str] = field(default_factory=list)
    headers: dict[object, set[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    bad: BadRecords = field(default_factory=BadRecords)
    mark: int | None = None
    query: str | None = None
    has_free_fields: bool = False


def columns_of(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column names and DuckDB types of a relation."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}


def append(con: duckdb.DuckDBPyConnection, table: str, batch: pa.Table, known: set[str]) -> None:
    """Insert rows by column name. `known` are the table's columns, folded; new ones of the batch join it, as text."""
    for column in batch.column_names:
        if folded(column) not in known:
            con.execute(f"alter table {quoted(table)} add column {quoted(column)} varchar")
            known.add(folded(column))
    con.register("_batch", batch)
    con.execute(f"insert into {quoted(table)} by name select * from _batch")
    con.unregister("_batch")


@lru_cache(maxsize=4096)  # a line of JSON names its columns again and again
def folded(name: str) -> str:
    """A column's name as SQL compares it: without regard to the case of A to Z, and of these only."""
    return name.translate(_LOWER)


def quoted(name: str) -> str:
    """A SQL identifier, whatever the source calls its column."""
    return '"' + name.replace('"', '""') + '"'


def printable(names: list[str], most: int = 20) -> str:
    """Column names as messages have them; the keys of somebody's JSON can be anything, also an address."""
    plain = [name for name in names if re.fullmatch(r"[A-Za-z_][\w .-]{0,40}", name)]
    others = len(names) - len(plain[:most])
    return ", ".join(plain[:most] + ([f"{others} more"] if others else []))


def lacking(where: object, name: str, reader: str) -> SourceRefused:
    """The refusal of a source without the column `name`, which `reader` (entity.column) is read from."""
    return SourceRefused(
        f"{where}: has no column '{name}', which {reader} is read from; "
        "was it renamed? Correct 'columns' in tangga.yml or the source."
    )

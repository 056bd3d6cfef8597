"""Tables and queries of a SQL database as the relation that landing maps.

Only the columns that something maps are read, in batches, and inserted into DuckDB, which spills to disk
beyond its memory limit. Databases give rows in any order; `_line` is a row's place when all that was read
is sorted by the contract's key and then by every other column, so that the same rows are the same bytes.
`_file` is the table's name, or `query`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from tangga.contracts import CONTRACTS
from tangga.engine import literal
from tangga.settings import Settings, SqlEntity, SqlSource
from tangga.settings.types import table_parts
from tangga.sources import connections, mysql, postgres, sqlite
from tangga.sources.databases import Kind, Lost, Period
from tangga.sources.records import MAX_FIELD, BadRecord, BadRecords, SourceDown, SourceRefused
from tangga.sources.relations import LINEAGE, Loaded, Marks, Reading, folded, quoted
from tangga.sources.sql_columns import cursor_of, wanted_of

PAUSES = (1.0, 5.0)
"""Seconds to wait before the second and the third try, when the database cannot be reached."""


class Database(Protocol):
    """An open database. Its methods raise `SourceRefused`, or `Lost` when another try may help."""

    def quoted(self, name: str) -> str:
        """A name in the database's SQL, whatever it consists of."""

    def columns(self, relation: str) -> dict[str, tuple[Kind, str]]:
        """Column -> its kind and the name of its type there. KeyError never; a name twice is refused."""

    def value(self, column: str) -> str:
        """The SQL expression by which a column is read."""

    def within(self, column: str, period: Period) -> str:
        """The SQL condition that a row belongs to a period."""

    def read(self, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The rows of a query; records that cannot be used go to the `bad` that it was opened with."""


DATABASES = {
    "postgres": postgres.opened,
    "postgresql": postgres.opened,
    "mysql": mysql.opened,
    "mariadb": mysql.opened,
    "sqlite": sqlite.opened,
}
"""How a database is opened, by the type of its Airflow connection."""


@dataclass(frozen=True)
class _Place:
    """What is read, as messages and as rows name it."""

    where: str
    file: str


def load(con: duckdb.DuckDBPyConnection, reading: Reading) -> Loaded:
    """Fill the relation `file` from a table or a query. Raises `SourceRefused`, or `SourceDown` after some tries."""
    source: SqlSource = reading.source
    spec: SqlEntity = reading.spec
    place = _place(reading.name, source.connection, reading.entity, spec)
    connection = connections.resolve(source.connection)
    opened = DATABASES.get(connection.kind)
    if opened is None:
        raise SourceRefused(
            f"{place.where}: is a connection of type '{connection.kind}', which Tangga cannot read yet; "
            "use postgres, mysql, mariadb or sqlite, or deliver files."
        )
    zone = spec.time_zone or source.time_zone or reading.settings.business.time_zone
    period = _period(reading.settings, spec, reading.day, zone)
    pauses = PAUSES if reading.sample is None else ()  # who looks at a sample is not there to wait
    for pause in (*pauses, None):
        loaded = Loaded()
        try:
            with opened(connection, place.where, source.timeout_seconds, loaded.bad) as database:
                _read(con, database, place, reading, period, loaded)
            return loaded
        except Lost as lost:
            con.execute("drop view if exists file; drop table if exists _fetched")
            if pause is None:
                times = f", {len(pauses) + 1} times" if pauses else ""
                raise SourceDown(f"{place.where}: {lost}{times}; {lost.remedy}.") from None
            time.sleep(pause)
    raise AssertionError("unreachable")


def _place(source: str, connection: str, entity: str, spec: SqlEntity) -> _Place:
    if spec.table is None:
        return _Place(f"{source}, query of {entity} (connection '{connection}')", "query")
    return _Place(f"{source}, table {spec.table} (connection '{connection}')", ".".join(table_parts(spec.table)))


def _relation(database: Database, spec: SqlEntity, day: date) -> str:
    if spec.table is None:
        query = spec.query.replace("{ds}", day.isoformat()).strip().rstrip(";")
        return f"({query}\n) as _tangga"  # a comment at its end must not swallow the bracket
    return ".".join(map(database.quoted, table_parts(spec.table)))


def _period(settings: Settings, spec: SqlEntity, day: date, zone: str) -> Period | None:
    """The day and the days looked back on, from midnight to midnight in the business's zone."""
    if spec.load != "daily":
        return None
    first, after = day - timedelta(days=spec.look_back_days), day + timedelta(days=1)
    begin, end = settings.begins(first), settings.begins(after)
    return Period(first, after, begin, end, _naive(begin, zone), _naive(end, zone))


def _naive(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _read(
    con: duckdb.DuckDBPyConnection,
    database: Database,
    place: _Place,
    reading: Reading,
    period: Period | None,
    loaded: Loaded,
) -> None:
    spec, marks, relation = reading.spec, reading.marks, _relation(database, reading.spec, reading.day)
    columns = {name: kind for name, kind in database.columns(relation).items() if folded(name) not in LINEAGE}
    wanted = wanted_of(place.where, CONTRACTS[reading.entity], spec, columns)
    loaded.headers[place.where] = {folded(name) for name in columns}
    loaded.unread = [] if spec.query else [name for name in columns if name not in wanted and name != spec.cursor]
    read, condition = [*wanted], ""
    cursor = cursor_of(place.where, spec, columns) if period else None
    is_counter = cursor is not None and columns[cursor][0] is Kind.INTEGER
    if is_counter:
        condition = _beyond(database.quoted(cursor), marks)
        read += [] if cursor in wanted else [cursor]
    elif cursor is not None:
        condition = database.within(cursor, period)
    items = ", ".join(f"{database.value(name)} as {database.quoted(name)}" for name in read)
    query = f"select {items} from {relation}" + (f" where {condition}" if condition else "")
    query += f" limit {reading.sample}" if reading.sample else ""
    schema, batches = database.read(query)
    _insert(con, schema, _without_long_texts(batches, place.file, loaded.bad))
    loaded.tables.append("_fetched")
    loaded.bad.kept = sorted((replace(bad, file=place.file) for bad in loaded.bad.kept), key=lambda bad: bad.raw)
    if is_counter:
        [(last,)] = con.execute(f"select max(try_cast({quoted(cursor)} as hugeint)) from _fetched").fetchall()
        loaded.mark = max((mark for mark in (last, marks.before, marks.here) if mark is not None), default=None)
    order = ", ".join(map(quoted, wanted))
    con.execute(
        f"create temp view file as select {order}, {literal(place.file)} as _file, "
        f"row_number() over (order by {order}) as _line from _fetched"
    )


def _beyond(cursor: str, marks: Marks) -> str:
    """An id tells no day: new is what lies beyond the days before, up to what a first run of the day has read."""
    bounds = ((">", marks.before), ("<=", marks.here))
    return " and ".join(f"{cursor} {sign} {int(mark)}" for sign, mark in bounds if mark is not None)


def _insert(con: duckdb.DuckDBPyConnection, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    con.register("_batch", schema.empty_table())
    con.execute("create temp table _fetched as select * from _batch")
    con.unregister("_batch")
    for batch in batches:
        con.register("_batch", pa.Table.from_batches([batch]))
        con.execute("insert into _fetched select * from _batch")
        con.unregister("_batch")


def _without_long_texts(batches: Iterator[pa.RecordBatch], file: str, bad: BadRecords) -> Iterator[pa.RecordBatch]:
    """Leaves out rows with a text that is damage rather than data."""
    for batch in batches:
        is_long = None
        for column in batch.columns:
            if not pa.types.is_string(column.type) or not column.nbytes > MAX_FIELD:
                continue
            longer = pc.fill_null(pc.greater(pc.utf8_length(column), MAX_FIELD), False)
            is_long = longer if is_long is None else pc.or_(is_long, longer)
        if is_long is not None and pc.any(is_long).as_py():
            for row in batch.filter(is_long).to_pylist():
                raw = json.dumps(row, ensure_ascii=False, default=str)[:1000]
                bad.add(BadRecord(file, 0, f"the row has a field larger than {MAX_FIELD} characters", raw))
            batch = batch.filter(pc.invert(is_long))
        yield batch

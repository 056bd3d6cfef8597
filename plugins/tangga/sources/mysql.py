"""MySQL and MariaDB, through PyMySQL: rows arrive one by one, and go on as batches of bounded size.

The server writes every value as text, and so it is read: decimals and whole numbers stay exact, and a zero
date is a text that no contract takes for a time. Only binary floating point becomes a number.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import encoders
from pymysql.cursors import Cursor, SSCursor

from tangga.sources import mysql_entry, mysql_errors
from tangga.sources.connections import Connection
from tangga.sources.databases import Kind, Period
from tangga.sources.records import MAX_FIELD, BadRecord, BadRecords, SourceRefused

CHUNK_ROWS, BATCH_ROWS, BATCH_BYTES = 100, 10_000, 16 << 20

GRACE_SECONDS = 10
"""How much later than the server, which should give up by itself, this side does."""

_KINDS = {
    "TINY": Kind.INTEGER, "SHORT": Kind.INTEGER, "INT24": Kind.INTEGER, "LONG": Kind.INTEGER,
    "LONGLONG": Kind.INTEGER, "DECIMAL": Kind.NUMBER, "NEWDECIMAL": Kind.NUMBER, "FLOAT": Kind.NUMBER,
    "DOUBLE": Kind.NUMBER, "YEAR": Kind.NUMBER, "BIT": Kind.NUMBER, "DATE": Kind.TIME, "DATETIME": Kind.TIME,
    "TIMESTAMP": Kind.TIME, "TIME": Kind.OTHER, "JSON": Kind.OTHER, "GEOMETRY": Kind.OTHER, "BINARY": Kind.OTHER,
}  # fmt: skip
"""What is not here is text."""

_CALLED = {
    "TINY": "tinyint", "SHORT": "smallint", "INT24": "mediumint", "LONG": "int", "LONGLONG": "bigint",
    "NEWDECIMAL": "decimal", "VAR_STRING": "varchar", "STRING": "char", "BLOB": "text",
}  # fmt: skip
"""What people call the types that the protocol calls otherwise."""

_NAMES = {code: name for name, code in vars(FIELD_TYPE).items() if name.isupper() and name not in ("CHAR", "INTERVAL")}

_HELD_AS_BYTES = ("BLOB", "TINY_BLOB", "MEDIUM_BLOB", "LONG_BLOB", "STRING", "VAR_STRING", "VARCHAR")
_BINARY_CHARSET = 63


@contextmanager
def opened(connection: Connection, where: str, timeout_seconds: int, bad: BadRecords) -> Iterator[MySql]:
    """A session that can only read, and sees one state of the database. Raises `SourceRefused` or `Lost`."""
    session = mysql_entry.connect(connection, where, cursorclass=_Stream, use_unicode=False, conv=encoders)
    session._read_timeout = timeout_seconds + GRACE_SECONDS  # PyMySQL would have it the same for getting in
    database = MySql(session, where, timeout_seconds, bad)
    limit = f"max_execution_time = {timeout_seconds * 1000}"
    if "mariadb" in session.get_server_info().lower():
        limit = f"max_statement_time = {timeout_seconds}"
    try:
        for statement in (
            f"set session {limit}",
            f"set session net_write_timeout = {timeout_seconds}",  # or it hangs up on a reader that is slow for once
            "set session time_zone = '+00:00'",
            "set session transaction isolation level repeatable read",
            "start transaction with consistent snapshot, read only",
        ):
            database.run(statement)
        yield database
    finally:
        session.close()


class _Stream(SSCursor):
    """A cursor that streams, tells all about its columns, and does not read on to the end when it is dropped."""

    def __init__(self, connection):
        super().__init__(connection)
        self._result = None

    @property
    def fields(self) -> list:
        return self._result.fields

    def close(self) -> None:
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None

    __del__ = close


class MySql:
    """An open session; see `sql.Database`."""

    def __init__(self, session: pymysql.Connection, where: str, timeout_seconds: int, bad: BadRecords):
        self._session, self._where, self._timeout, self._bad = session, where, timeout_seconds, bad
        self._begun = time.monotonic()
        self._fields: dict = {}

    def run(self, statement: str) -> None:
        with self._explained(), self._session.cursor(Cursor) as cursor:
            cursor.execute(statement)

    def quoted(self, name: str) -> str:
        """By backticks: double quotes are for names only where `sql_mode` says so."""
        return "`" + name.replace("`", "``") + "`"

    def columns(self, relation: str) -> dict[str, tuple[Kind, str]]:
        with self._explained():
            cursor = self._session.cursor()
            cursor.execute(f"select * from {relation} limit 0")
            self._fields = {field.name: field for field in cursor.fields}
            cursor.fetchall()
        types = {name: _type(field) for name, field in self._fields.items()}
        return {
            name: (_KINDS.get(kind, Kind.TEXT), _CALLED.get(kind, kind.lower().replace("_", "")))
            for name, kind in types.items()
        }

    def value(self, column: str) -> str:
        name, field = self.quoted(column), self._fields[column]
        kind = _type(field)
        if kind == "FLOAT":  # is written with six digits, whatever it holds
            return f"({name} + 0e0)"
        if kind == "BIT":
            return f"({name} + 0)"
        if kind == "GEOMETRY":
            return f"concat(0x5c78, lower(hex({name})))"
        if kind == "BINARY":
            return f"concat(0x5c78, lower(hex(left({name}, {MAX_FIELD}))))"
        if (kind not in _KINDS or kind == "JSON") and field.length > MAX_FIELD:
            return f"left({name}, {MAX_FIELD + 1})"  # enough to see that it is too long
        return name

    def within(self, column: str, period: Period) -> str:
        begin, end = {
            "DATE": (period.first, period.after),
            "DATETIME": (period.naive_begin, period.naive_end),
            "TIMESTAMP": (period.begin.replace(tzinfo=None), period.end.replace(tzinfo=None)),
        }[_type(self._fields[column])]
        name = self.quoted(column)
        return f"{name} >= '{begin}' and {name} < '{end}'"

    def read(self, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        self._begun = time.monotonic()
        with self._explained():
            cursor = self._session.cursor()
            cursor.execute(query)
        types = {field.name: _type(field) for field in cursor.fields}
        floats = ("FLOAT", "DOUBLE")
        schema = pa.schema([(name, pa.float64() if kind in floats else pa.string()) for name, kind in types.items()])
        return schema, self._batches(cursor, schema, [kind == "TIMESTAMP" for kind in types.values()])

    def _batches(self, cursor: _Stream, schema: pa.Schema, is_instant: list[bool]) -> Iterator[pa.RecordBatch]:
        while rows := self._rows(cursor):
            arrays = self._texts(rows, len(schema))
            arrays = [
                pc.binary_join_element_wise(array, "+00:00", "") if instant else array
                for array, instant in zip(arrays, is_instant, strict=True)
            ]
            typed = [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)]
            yield pa.record_batch(typed, schema=schema)

    def _rows(self, cursor: _Stream) -> list[tuple[bytes | None, ...]]:
        rows, size = [], 0
        with self._explained():
            while len(rows) < BATCH_ROWS and size < BATCH_BYTES and (more := cursor.fetchmany(CHUNK_ROWS)):
                rows += more
                size += sum(len(value) for row in more for value in row if value)
        return rows

    def _texts(self, rows: list[tuple[bytes | None, ...]], width: int) -> list[pa.Array]:
        try:
            arrays = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            if not any(pc.any(pc.match_substring(array, "\0")).as_py() for array in arrays):
                return arrays
        except (pa.ArrowInvalid, UnicodeDecodeError):
            pass
        sound = [row for row in rows if not self._is_damaged(row)]
        return [pa.array([row[place] for row in sound], pa.string()) for place in range(width)]

    def _is_damaged(self, row: tuple[bytes | None, ...]) -> bool:
        fault = next(filter(None, map(_fault, row)), "")
        if fault:
            shown = [None if value is None or _fault(value) else value.decode() for value in row]
            self._bad.add(BadRecord(self._where, 0, f"the row has {fault}", json.dumps(shown)[:1000]))
        return bool(fault)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pymysql.Error, OSError) as error:
            is_late = time.monotonic() - self._begun >= self._timeout
            raise mysql_errors.on_reading(self._where, error, is_late) from None
        except RuntimeError:  # PyMySQL's answer to a server that asks for a file of this machine
            raise SourceRefused(f"{self._where}: the server misbehaves; see to it that it is yours.") from None


def _type(field) -> str:
    """The type of a column as the protocol calls it, `BINARY` if it holds bytes and not text."""
    kind = _NAMES.get(field.type_code, "TEXT")
    return "BINARY" if kind in _HELD_AS_BYTES and field.charsetnr == _BINARY_CHARSET else kind


def _fault(value: bytes | None) -> str:
    if value is None:
        return ""
    if b"\0" in value:
        return "a NUL byte"
    try:
        value.decode()
    except UnicodeDecodeError:
        return "bytes that are not utf-8"
    return ""

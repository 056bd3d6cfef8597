"""SQLite, through Python's own driver: its columns have no types that hold, so every value is read as text."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from tangga.sources.connections import Connection
from tangga.sources.databases import Kind, Lost, Period
from tangga.sources.records import BadRecord, BadRecords, SourceDown, SourceRefused
from tangga.sources.relations import quoted

BATCH_ROWS = 10_000


@contextmanager
def opened(connection: Connection, where: str, timeout_seconds: int, bad: BadRecords) -> Iterator[Sqlite]:
    """The file that the connection names (as its host or its schema), opened for reading only."""
    path = Path(connection.host or connection.database or "")
    if not path.is_absolute():
        raise SourceRefused(f"{where}: the connection names no file; give its absolute path as host in Airflow.")
    if not path.is_file():
        raise SourceDown(f"{where}: the file {path} is not there; put it there or correct the connection.")
    session = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        yield Sqlite(session, where, timeout_seconds, bad)
    finally:
        session.close()


class Sqlite:
    """An open file; see `sql.Database`."""

    def __init__(self, session: sqlite3.Connection, where: str, timeout_seconds: int, bad: BadRecords):
        self._session, self._where, self._bad = session, where, bad
        self._deadline = time.monotonic() + timeout_seconds
        session.text_factory = _decoded
        session.set_progress_handler(lambda: time.monotonic() > self._deadline, 100_000)

    def quoted(self, name: str) -> str:
        return quoted(name)

    def columns(self, relation: str) -> dict[str, tuple[Kind, str]]:
        with self._explained():
            described = self._session.execute(f"select * from {relation} limit 0").description
        names = [name for name, *_ in described]
        if len(set(names)) < len(names):
            raise SourceRefused(f"{self._where}: gives two columns the same name; rename one in its 'query'.")
        return dict.fromkeys(names, (Kind.ANY, "of no fixed type"))

    def value(self, column: str) -> str:
        return quoted(column)

    def within(self, column: str, period: Period) -> str:
        """Texts in ISO 8601, with an offset or as a clock shows them; SQLite itself puts them into one form.
        A number is none, or it would be taken for a Julian day."""
        name = f"case when typeof({quoted(column)}) = 'text' then {quoted(column)} end"
        begin, end = (moment.strftime("%Y-%m-%d %H:%M:%S") for moment in (period.begin, period.end))
        naive = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (period.naive_begin, period.naive_end)]
        days = [f"{day} 00:00:00" for day in (period.first, period.after)]
        return (
            f"case when {name} glob '*[Zz]' or {name} glob '*[0-9][+-][0-9][0-9]:[0-9][0-9]' "
            f"then datetime({name}) >= '{begin}' and datetime({name}) < '{end}' "
            f"when length({name}) = 10 then datetime({name}) >= '{days[0]}' and datetime({name}) < '{days[1]}' "
            f"else datetime({name}) >= '{naive[0]}' and datetime({name}) < '{naive[1]}' end"
        )

    def read(self, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        with self._explained():
            cursor = self._session.execute(query)
        schema = pa.schema([(name, pa.string()) for name, *_ in cursor.description])
        return schema, self._batches(cursor, schema)

    def _batches(self, cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        while True:
            with self._explained():
                rows = cursor.fetchmany(BATCH_ROWS)
            if not rows:
                return
            texts = [[_text(value) for value in row] for row in rows if not self._is_damaged(row)]
            columns = list(zip(*texts, strict=True)) or [[] for _ in schema]
            yield pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema)

    def _is_damaged(self, row: tuple) -> bool:
        faults = [_fault(value) for value in row]
        fault = next(filter(None, faults), "")
        if fault:
            raw = json.dumps([None if bad else _text(value) for value, bad in zip(row, faults, strict=True)])
            self._bad.add(BadRecord(self._where, 0, f"the row has {fault}", raw[:1000]))
        return bool(fault)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text or "busy" in text:
                raise Lost("the file is locked by somebody who writes to it") from None
            if "interrupted" in text:
                raise SourceRefused(
                    f"{self._where}: it took too long; raise 'timeout_seconds' in tangga.yml, or read less."
                ) from None
            if "no such table" in text:
                raise SourceRefused(
                    f"{self._where}: there is no such table; correct 'table' or 'query' in tangga.yml."
                ) from None
            if "not a database" in text or "malformed" in text:
                raise SourceRefused(f"{self._where}: the file is damaged or no SQLite database.") from None
            detail = text if isinstance(error, sqlite3.OperationalError) else type(error).__name__
            raise SourceRefused(f"{self._where}: cannot be run ({detail}); correct it in tangga.yml.") from None


def _decoded(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _Damaged(raw)


class _Damaged(bytes):
    """A text that is not UTF-8, told apart from a blob."""


def _fault(value: object) -> str:
    if isinstance(value, _Damaged):
        return "bytes that are not utf-8"
    return "a NUL byte" if isinstance(value, str) and "\0" in value else ""


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return "\\x" + value.hex() if isinstance(value, bytes) else str(value)

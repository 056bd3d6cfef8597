"""PostgreSQL, through ADBC: rows arrive as Arrow batches of bounded size, by its binary COPY.

No value goes into a query as a bound parameter, which would end the streaming; the only ones there are
dates, written as ISO literals. Messages of the server are never passed on, except about names: they
quote values.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from tangga.sources.connections import Connection
from tangga.sources.databases import Kind, Lost, Period
from tangga.sources.records import BadRecords, SourceRefused
from tangga.sources.relations import quoted

CONNECT_SECONDS = 10

_LIBPQ = (
    "host", "hostaddr", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword",
    "ssl_min_protocol_version", "channel_binding", "gssencmode", "krbsrvname", "connect_timeout", "keepalives",
    "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "target_session_attrs",
    "options", "passfile",
)  # fmt: skip
"""What an Airflow connection's extra may say to libpq; hooks of other tools keep options of their own there."""

_NATIVE = {
    "int2": Kind.INTEGER, "int4": Kind.INTEGER, "int8": Kind.INTEGER, "float4": Kind.NUMBER, "float8": Kind.NUMBER,
    "text": Kind.TEXT, "varchar": Kind.TEXT, "bpchar": Kind.TEXT, "name": Kind.TEXT,
    "bool": Kind.OTHER, "date": Kind.TIME, "timestamp": Kind.TIME, "timestamptz": Kind.TIME,
}  # fmt: skip
"""Types that Arrow, and then DuckDB, have as they are; all others are read as text."""

_FINITE = {"date": "9999-12-31", "timestamp": "9999-12-31", "timestamptz": "9999-12-31 00:00+00"}
"""What is read for an infinite time, which would overflow: a year that no contract takes for one."""

_REASONS = {
    "42P01": ("there is no such table", "correct 'table' or 'query' in tangga.yml, or grant usage of its schema"),
    "3F000": ("there is no such schema", "correct 'table' or 'query' in tangga.yml"),
    "42501": ("the connection's user may not read it", "grant select on it, and usage of its schema"),
    "57014": ("the database gave up, as it took too long", "raise 'timeout_seconds' in tangga.yml, or read less"),
}
_LOST = ("08", "57P", "53")
"""SQLSTATEs, or how they begin, of a connection that is gone or not to be had now."""


@contextmanager
def opened(connection: Connection, where: str, timeout_seconds: int, bad: BadRecords) -> Iterator[Postgres]:
    """A session that can only read. Raises `SourceRefused` or `Lost`."""
    from adbc_driver_postgresql import dbapi

    try:
        session = dbapi.connect(_conninfo(connection), autocommit=True)
    except dbapi.Error as error:
        raise _refused_entry(where, connection, str(error)) from None
    database = Postgres(session, where, timeout_seconds)
    try:
        for setting in (
            "default_transaction_read_only = on",
            f"statement_timeout = '{timeout_seconds}s'",
            "timezone = 'UTC'",
            "datestyle = 'ISO'",
            "intervalstyle = 'iso_8601'",
            "extra_float_digits = 1",
            "bytea_output = 'hex'",
        ):
            database.run(f"set {setting}")
        yield database
    finally:
        database.close()
        session.close()


class Postgres:
    """An open session; see `sql.Database`."""

    def __init__(self, session, where: str, timeout_seconds: int):
        self._session, self._where, self._timeout = session, where, timeout_seconds
        self._cursor = session.cursor()
        self._reader = None
        self._begun = time.monotonic()
        self._types: dict[str, str] = {}

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._cursor.close()

    def run(self, statement: str) -> None:
        with self._explained():
            self._cursor.execute(statement)

    def quoted(self, name: str) -> str:
        return quoted(name)

    def columns(self, relation: str) -> dict[str, tuple[Kind, str]]:
        with self._explained():
            schema = self._cursor.adbc_execute_schema(f"select * from {relation}")
        if len(set(schema.names)) < len(schema.names):
            raise SourceRefused(f"{self._where}: gives two columns the same name; rename one in its 'query'.")
        self._types = {field.name: _type(field) for field in schema}
        return {name: (_kind(kind), kind) for name, kind in self._types.items()}

    def value(self, column: str) -> str:
        name, kind = quoted(column), self._types[column]
        if kind in _FINITE:
            return f"case when isfinite({name}) then {name} when {name} is not null then {kind} '{_FINITE[kind]}' end"
        if kind in _NATIVE:
            return name
        if kind.endswith("[]"):
            return f"cast(to_json({name}) as text)"
        return f"cast(cast({name} as numeric) as text)" if kind == "money" else f"cast({name} as text)"

    def within(self, column: str, period: Period) -> str:
        kind = self._types[column]
        begin, end = {
            "date": (period.first, period.after),
            "timestamp": (period.naive_begin, period.naive_end),
            "timestamptz": (period.begin, period.end),
        }[kind]
        name = quoted(column)
        return f"{name} >= {kind} '{begin.isoformat()}' and {name} < {kind} '{end.isoformat()}'"

    def read(self, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        self._begun = time.monotonic()
        with self._explained():
            self._cursor.execute(query)
            self._reader = self._cursor.fetch_record_batch()
            return self._reader.schema, self._batches()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while True:
            with self._explained():
                try:
                    batch = self._reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the driver as sentences. A statement that fails while its rows arrive has no SQLSTATE."""
        from adbc_driver_postgresql import dbapi

        try:
            yield
        except (dbapi.Error, OSError, pa.ArrowException) as error:
            raise self._explain(error) from None

    def _explain(self, error: Exception) -> Exception:
        text, state = str(error), getattr(error, "sqlstate", None) or ""
        if "statement timeout" in text or time.monotonic() - self._begun >= self._timeout:
            state = "57014"
        if state.startswith(_LOST) or any(sign in text for sign in _GONE):
            return Lost("the database ended the connection")
        if state in _REASONS:
            reason, remedy = _REASONS[state]
            return SourceRefused(f"{self._where}: {reason}; {remedy}.")
        if state.startswith("42"):  # about names and syntax: what the settings say, not what the rows hold
            message = text.partition("ERROR:")[2].strip().splitlines() or ["its SQL is wrong"]
            return SourceRefused(f"{self._where}: cannot be run ({message[0]}); correct it in tangga.yml.")
        what = f"SQLSTATE {state}" if state else type(error).__name__
        return SourceRefused(
            f"{self._where}: the database fails on a value while it is read ({what}); run its query there to see which."
        )


_GONE = (
    "server closed the connection", "terminating connection", "connection not open", "no connection to the server",
    "could not receive data", "could not send data", "SSL SYSCALL", "shutting down",
)  # fmt: skip


_BUSY = ("starting up", "shutting down", "recovery", "too many", "remaining connection")


def _conninfo(connection: Connection) -> str:
    """libpq's keyword form, in which every value can be quoted."""
    options = {key: connection.extra[key] for key in _LIBPQ if connection.extra.get(key) not in (None, "")}
    given = {
        "host": connection.host,
        "port": connection.port,
        "dbname": connection.database,
        "user": connection.user,
        "password": connection.password,
    }
    given = (
        {"connect_timeout": CONNECT_SECONDS, "application_name": "tangga", "client_encoding": "UTF8"}
        | {key: value for key, value in (options | given).items() if value is not None}
        | ({"host": options["host"]} if connection.host is None and "host" in options else {})
    )
    escaped = {key: str(value).replace("\\", "\\\\").replace("'", "\\'") for key, value in given.items()}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())


def _refused_entry(where: str, connection: Connection, text: str) -> Exception:
    """Why there is no session. The server's own words, which name user and database, tell it best."""
    said = text.partition("FATAL:")[2].strip().splitlines()
    busy = any(
        sign in text for sign in ("starting up", "shutting down", "recovery", "too many", "remaining connection")
    )
    if said and not busy:
        detail = said[0].removesuffix(".")
        if connection.password and connection.password in detail:
            detail = "it does not say more that may be shown"
        return SourceRefused(
            f"{where}: the database refuses the connection ({detail}); correct user, password or database in Airflow."
        )
    detail = "it takes no more connections now" if said else text.splitlines()[0].rpartition(": ")[2]
    if connection.password and connection.password in detail:
        detail = "no answer"
    return Lost(f"the database cannot be reached ({detail})")


def _type(field: pa.Field) -> str:
    name = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
        return f"{name.removeprefix('_')}[]"
    return name or "of a type of its own"


def _kind(name: str) -> Kind:
    if name in ("numeric", "money"):
        return Kind.NUMBER
    if name.endswith("[]") or name in ("bytea", "time", "timetz", "interval", "json", "jsonb", "uuid"):
        return Kind.OTHER
    return _NATIVE.get(name, Kind.TEXT)

"""What the methods of the ledger share: transactions, upserts, and rows as Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

import pyarrow as pa
from sqlalchemy import Connection, Engine, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError

from tangga.ledger.database import LedgerDown, transaction

BATCH = 50_000
"""Rows of a batch that is read."""


def now() -> datetime:
    return datetime.now(UTC)


class Session:
    """A ledger's database. Every public method of what is built on it is one transaction."""

    def __init__(self, engine: Engine):
        self._engine = engine

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(), self._engine.connect() as connection, transaction(connection, writes=False):
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with explained(), self._engine.connect() as connection, transaction(connection, writes=True):
            yield connection

    def _rows(self, query: Select) -> list[dict]:
        with self._reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def _put(self, connection: Connection, table: Table, rows: Sequence[Mapping], **when_there) -> None:
        """Insert rows of the same columns; one whose key is there already gets their values instead, or those of
        `when_there` (expressions of the table), and is left alone if that is `{}` for all."""
        if not rows:
            return
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        key = [column.name for column in table.primary_key]
        changed = {name: statement.excluded[name] for name in rows[0] if name not in key} | when_there
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), list(rows))

    def _batches(self, query: Select, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches of bounded size."""
        with self._reading() as connection:
            for part in connection.execution_options(yield_per=BATCH).execute(query).partitions():
                columns = zip(*part, strict=True)
                yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


@contextmanager
def explained() -> Iterator[None]:
    """A database that goes away in the middle, or stays locked, is said without what its driver knows of it."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise LedgerDown(
            f"the ledger: does not answer any more ({type(error.orig).__name__}); see that its database is up and that "
            "nobody has it locked, then try again."
        ) from None


def batched(rows: Iterable, size: int = 500) -> Iterator[list]:
    """The rows in lists of bounded length: what one query is given."""
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part

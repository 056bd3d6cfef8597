"""Where the ledger lies: SQLite in the home, or PostgreSQL; brought up to date whenever it is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from tangga.settings import Settings
from tangga.sources import connections

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60
"""How long a transaction waits for another's."""

_LOCK = 7_240_117
"""Key of the advisory lock under which PostgreSQL is migrated."""


class LedgerDown(Exception):
    """The ledger cannot be opened; the message says why and what to do."""


def path(settings: Settings) -> Path:
    """The file of a SQLite ledger."""
    return settings.home / "state" / "ledger.sqlite"


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The database of the settings, with the tables as this version knows them.

    Raises `LedgerDown`, and `SourceRefused` when Airflow does not have the connection.
    """
    where = f"connection '{settings.ledger.connection}'" if settings.ledger.connection else str(path(settings))
    engine = _postgres(settings.ledger.connection) if settings.ledger.connection else _sqlite(path(settings))
    try:
        try:
            migrate(engine)
        except SQLAlchemyError as error:  # its text may hold the password, or a row
            raise LedgerDown(
                f"the ledger ({where}): cannot be opened ({type(getattr(error, 'orig', None) or error).__name__}); see "
                "that its database is up and its user may create tables, then try again."
            ) from None
        yield engine
    finally:
        engine.dispose()


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables up to a revision. Of two processes that do so at once, one waits."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection, transaction(connection, writes=True):
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@contextmanager
def transaction(connection, writes: bool) -> Iterator[None]:
    """One transaction. SQLite's has to say at once whether it writes: one that came to it only later would fail
    instead of waiting."""
    connection.info["begin"] = "begin immediate" if writes else "begin"
    with connection.begin():
        yield


def _sqlite(file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # before SQLite would make it readable by others
    engine = create_engine(
        URL.create("sqlite", database=str(file)), hide_parameters=True, connect_args={"timeout": WAIT_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _durable(session, record) -> None:
        session.isolation_level = None  # transactions are begun below, so that those of migrations are whole
        session.execute("pragma journal_mode = wal")  # who reads does not wait for who writes
        session.execute("pragma synchronous = full")  # acknowledged means on disk

    @event.listens_for(engine, "begin")
    def _begin(connection) -> None:
        connection.exec_driver_sql(connection.info.pop("begin", "begin immediate"))

    return engine


def _postgres(connection_id: str) -> Engine:
    connection = connections.resolve(connection_id)
    if connection.kind not in ("postgres", "postgresql"):
        raise LedgerDown(f"connection '{connection_id}': the ledger needs one of type Postgres; correct it in Airflow.")
    options = {name: str(connection.extra[name]) for name in _LIBPQ if connection.extra.get(name)}
    socket = {"host": connection.host} if (connection.host or "").startswith("/") else {}
    url = URL.create(
        "postgresql+psycopg",
        username=connection.user,
        password=connection.password,
        host=None if socket else connection.host,
        port=connection.port,
        database=connection.database,
        query=options | socket,
    )
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10})


_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "target_session_attrs", "options")
"""What the connection's extra may say to libpq."""

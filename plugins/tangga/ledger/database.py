"""Where the ledger lies: SQLite in the home, or PostgreSQL; brought up to date whenever it is opened to write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from tangga.settings import Settings
from tangga.sources import connections

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60
"""How long a transaction waits for another's."""
LOOK_SECONDS = 5
"""How long somebody who only looks waits: for a server, for a lock, for an answer."""

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
    engine = _postgres(settings.ledger.connection) if settings.ledger.connection else _sqlite(path(settings))
    try:
        try:
            migrate(engine)
        except SQLAlchemyError as error:
            raise LedgerDown(
                f"{_cannot_be_opened(settings, error)}; see that its database is up and its user may create tables, "
                "then try again."
            ) from None
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reading(settings: Settings) -> Iterator[Engine | None]:
    """The database for looking only, as it is: it is neither made nor migrated, and nobody who writes waits for who
    looks. None as long as nothing was ever kept in it.

    Raises `LedgerDown`, also when another version of Tangga has made its tables or it goes down meanwhile, and
    `SourceRefused` when Airflow does not have the connection.
    """
    if settings.ledger.connection:
        engine = _postgres(settings.ledger.connection, for_looking=True)
    elif path(settings).exists():
        engine = _sqlite_for_looking(path(settings))
    else:
        yield None
        return
    try:
        at = _revision(engine)
        if at not in (None, _head()):
            raise LedgerDown(
                f"the ledger ({_where(settings)}): its tables are of another version of Tangga; the next run of "
                "crm_activate brings them up to date."
            )
        yield engine if at else None
    except SQLAlchemyError as error:
        raise LedgerDown(
            f"{_cannot_be_opened(settings, error)}; see that its database is up, then try again."
        ) from None
    finally:
        engine.dispose()


def _where(settings: Settings) -> str:
    return f"connection '{settings.ledger.connection}'" if settings.ledger.connection else str(path(settings))


def _cannot_be_opened(settings: Settings, error: SQLAlchemyError) -> str:
    """Without its text, which may hold the password, or a row."""
    return f"the ledger ({_where(settings)}): cannot be opened ({type(getattr(error, 'orig', None) or error).__name__})"


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables up to a revision. Of two processes that do so at once, one waits."""
    from alembic import command

    if _revision(engine) == _head() and revision == "head":
        return  # which is how it is found nearly always: nobody waits for who writes
    config = _scripts()
    with engine.connect() as connection, transaction(connection, writes=True):
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _scripts():
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _revision(engine: Engine) -> str | None:
    """The one that the tables are at, None when there are none."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection, transaction(connection, writes=False):
        return MigrationContext.configure(connection).get_current_revision()


@cache
def _head() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_scripts()).get_current_head()


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

    event.listen(engine, "begin", _begin)
    return engine


def _sqlite_for_looking(file: Path) -> Engine:
    address = f"{file.absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        hide_parameters=True,
        poolclass=NullPool,
        creator=lambda: sqlite3.connect(address, uri=True, timeout=LOOK_SECONDS, isolation_level=None),
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection) -> None:
    connection.exec_driver_sql(connection.info.pop("begin", "begin immediate"))


def _postgres(connection_id: str, for_looking: bool = False) -> Engine:
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
    if for_looking:
        held = {"default_transaction_read_only": "on"}
        held |= dict.fromkeys(("statement_timeout", "lock_timeout"), f"{LOOK_SECONDS}s")
        said = [options.get("options", ""), *(f"-c {name}={value}" for name, value in held.items())]
        given = {"connect_timeout": LOOK_SECONDS, "options": " ".join(said).strip()}
        return create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=given)
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10})


_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "target_session_attrs", "options")
"""What the connection's extra may say to libpq."""

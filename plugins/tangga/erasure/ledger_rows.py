"""Taking a person out of the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlalchemy import ColumnElement, delete, or_, select, update

from tangga.erasure.person import Person
from tangga.erasure.removed import Removed
from tangga.ledger import database, tables
from tangga.ledger.session import Session
from tangga.settings import Settings

_OF_CUSTOMERS = (tables.contacts, tables.memberships)
_HELD = (*_OF_CUSTOMERS, tables.rejected_rows, tables.refusals)


class Forgetting(Session):
    def known(self, person: Person, destination: str) -> list[dict]:
        """What a destination knows them by: key, customer_id, address, remote_id."""
        contacts = tables.contacts
        columns = (contacts.c[name] for name in ("key", "customer_id", "address", "remote_id"))
        return self._rows(select(*columns).where(contacts.c.destination == destination, _is(contacts, person)))

    def forget(self, person: Person, destination: str) -> int:
        """Delete their rows of one destination; plans that were made before are void. Returns how many rows."""
        with self._writing() as connection:
            gone = sum(
                connection.execute(delete(table).where(table.c.destination == destination, _is(table, person))).rowcount
                for table in _HELD
            )
            if gone:
                destinations = tables.destinations
                mine = update(destinations).where(destinations.c.name == destination)
                connection.execute(mine.values(position=destinations.c.position + 1))
        return gone

    def names(self) -> list[str]:
        """Every destination that holds anybody, also those that the settings do not name any more."""
        with self._reading() as connection:
            return sorted(
                {name for table in _HELD for name in connection.execute(select(table.c.destination)).scalars()}
            )


def rows(settings: Settings, person: Person, destination: str) -> Removed:
    """Delete what the ledger knows of a person at one destination."""
    with database.opened(settings) as engine:
        gone = Forgetting(engine).forget(person, destination)
    _compact(settings)
    return Removed(1 if gone else 0, gone)


def _is(table, person: Person) -> ColumnElement[bool]:
    values = [*person.emails, *person.phones]
    ids = sorted({*person.customer_ids, *(found for known in person.known_as.values() for found in known)})
    wanted = {"key": [*values, *ids], "address": values, "customer_id": ids}
    return or_(*(table.c[name].in_(sought) for name, sought in wanted.items() if name in table.c))


def _compact(settings: Settings) -> None:
    """Deleted rows of SQLite stay readable in the file, and in the journal beside it, until it is written anew.
    PostgreSQL's own housekeeping (autovacuum) does so by itself."""
    file = database.path(settings)
    if settings.ledger.connection or not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=database.WAIT_SECONDS, isolation_level=None)) as session:
        session.execute("vacuum")
        session.execute("pragma wal_checkpoint(truncate)")

"""The ledger: what every destination has acknowledged, what it rejected, who said no there, and what was decided.

    state/ledger.sqlite    or the PostgreSQL that `ledger.connection` in tangga.yml names

It holds addresses, because whoever left the warehouse must still be taken off lists, and is its owner's only. Its times
are real instants: it is a log. Every method of `Ledger` is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tangga.ledger import database
from tangga.ledger.chunks import ChunkId, Chunks
from tangga.ledger.consent import Consent
from tangga.ledger.database import LedgerDown
from tangga.ledger.history import History
from tangga.ledger.known import Known
from tangga.ledger.looking import Looking
from tangga.ledger.runs import Runs
from tangga.settings import Settings

__all__ = ["ChunkId", "Ledger", "LedgerDown", "opened", "reading"]


class Ledger(Runs, Known, Chunks, Consent, History, Looking):
    """An open ledger; see `opened` and `reading`."""


@contextmanager
def opened(settings: Settings) -> Iterator[Ledger]:
    """The ledger of the settings, its tables as this version knows them. Raises `LedgerDown`, and `SourceRefused` when
    Airflow does not have its connection."""
    with database.opened(settings) as engine:
        yield Ledger(engine)


@contextmanager
def reading(settings: Settings) -> Iterator[Ledger | None]:
    """The ledger for looking only, None as long as nothing was ever kept in it: nothing is made, migrated or written,
    and no delivery waits. Raises as `opened` does, also when it goes down meanwhile."""
    with database.reading(settings) as engine:
        yield Ledger(engine) if engine else None

"""What landing and building ask of a ledger in PostgreSQL, kept in the home: they go on while it is down.

state/tombstones.json     keyed hashes of who was erased
state/refusals.json       who said no at a tool, as hashed addresses
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence

from tangga import files
from tangga.ledger.database import LedgerDown
from tangga.settings import Settings

log = logging.getLogger(__name__)


def kept(settings: Settings, name: str, read: Callable[[], Sequence[Sequence[str]]]) -> Sequence[Sequence[str]]:
    """What `read` finds in the ledger, or what it found when it was asked last, if the ledger is down now.

    Raises `LedgerDown` when it was never asked here, or lies in the home: a file that cannot be read is not down.
    """
    if not settings.ledger.connection:
        return read()
    file = settings.home / "state" / f"{name}.json"
    try:
        found = read()
    except LedgerDown as down:
        said = files.read_json(file)
        if said is None:
            raise
        log.warning("%s Until then the %s count that it knew last.", down, name)
        return said[name]
    files.write_atomically(file, json.dumps({name: [list(row) for row in found]}) + "\n")
    return found

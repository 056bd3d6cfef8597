"""What the tools told of people who do not want to be written to any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from sqlalchemy import select

from tangga.destinations.destination import Refusal
from tangga.landing import normalise
from tangga.ledger import tables
from tangga.ledger.session import Session, batched, now


class Consent(Session):
    def hear(self, destination: str, refusals: Iterable[Refusal], until: datetime | None = None) -> int:
        """Keep who said no at a tool, by the address as we write it; with `until`, that everything before it has been
        heard. Returns how many.

        Whoever was archived there because of a `stop` of ours has said so to us, and may say yes to us again."""
        heard_at, count = now(), 0
        refusals = (replace(found, address=normalise.email(found.address) or found.address) for found in refusals)
        refusals = self._but_for_our_own(destination, refusals)
        rows = (
            {
                "destination": destination,
                "address": refusal.address,
                "status": refusal.status,
                "changed_at": refusal.changed_at,
                "heard_at": heard_at,
            }
            for refusal in refusals
        )
        refused, destinations = tables.refusals, tables.destinations
        for part in batched(rows):
            with self._writing() as connection:
                self._put(connection, refused, part, heard_at=refused.c.heard_at)
            count += len(part)
        if until:
            with self._writing() as connection:
                row = {"name": destination, "mirrored_at": until, "position": 0}
                self._put(connection, destinations, [row], position=destinations.c.position)
        return count

    def _but_for_our_own(self, destination: str, refusals: Iterable[Refusal]) -> Iterator[Refusal]:
        contacts = tables.contacts
        for part in batched(refusals):
            archived = [refusal.address for refusal in part if refusal.status == "archived"]
            query = select(contacts.c.address).where(
                contacts.c.destination == destination,
                contacts.c.stopped_at.is_not(None),
                contacts.c.address.in_(archived),
            )
            stopped = set()
            if archived:
                with self._reading() as connection:
                    stopped = set(connection.execute(query).scalars())
            yield from (refusal for refusal in part if refusal.status != "archived" or refusal.address not in stopped)

    def refused(self, addresses: Sequence[str]) -> dict[str, str]:
        """Which of these addresses said no, at whichever destination, and how the tool called it."""
        refusals, found = tables.refusals, {}
        with self._reading() as connection:
            for part in batched(addresses):
                query = select(refusals.c.address, refusals.c.status).where(refusals.c.address.in_(part))
                found |= {
                    row.address: row.status for row in connection.execute(query.order_by(refusals.c.destination.desc()))
                }
        return found

    def refusals(self) -> Iterator[pa.RecordBatch]:
        """All of them: destination, address, status."""
        refusals, names = tables.refusals, ("destination", "address", "status")
        query = select(*(refusals.c[name] for name in names)).order_by(refusals.c.address, refusals.c.destination)
        return self._batches(query, pa.schema([(name, pa.string()) for name in names]))

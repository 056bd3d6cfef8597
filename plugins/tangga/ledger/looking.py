"""What people look at: how far plans have come at destinations, what was rejected, on which lists somebody is.

Each question is short, whatever the ledger holds: nobody who delivers waits for one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import func, select

from tangga.ledger import tables
from tangga.ledger.session import Session

RECENT = 200
MANY_WORDS = 50


@dataclass
class Tally:
    """How far a plan has come at a destination. `done` is how many chunks are acknowledged; `sent` and `acknowledged`
    are rows by (operation, list), those that the tool rejected among them; `refused` are rows by (kind, operation,
    list), kind being rejected or withheld."""

    done: int = 0
    sent: Counter = field(default_factory=Counter)
    acknowledged: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)

    @property
    def taken(self) -> int:
        """Rows that the destination has acknowledged and not rejected."""
        return self.acknowledged.total() - self.kind("rejected")

    def kind(self, kind: str) -> int:
        """Rows that were rejected, or withheld."""
        return sum(rows for (found, *_), rows in self.refused.items() if found == kind)


class Looking(Session):
    def destinations(self) -> dict[str, dict]:
        """Name -> what is known of a destination."""
        return {row["name"]: row for row in self._rows(select(tables.destinations))}

    def recent(self, plans: Collection[str] = ()) -> list[dict]:
        """The newest deliveries and those of these plans (their hashes), newest first."""
        deliveries = tables.deliveries
        newest = select(deliveries.c.id).order_by(deliveries.c.id.desc()).limit(RECENT)
        wanted = deliveries.c.id.in_(newest) | deliveries.c.plan_hash.in_(plans)
        return self._rows(select(deliveries).where(wanted).order_by(deliveries.c.id.desc()))

    def decisions(self, plans: Collection[str]) -> list[dict]:
        """What was decided about these plans, the latest first."""
        approvals = tables.approvals
        return self._rows(select(approvals).where(approvals.c.plan_hash.in_(plans)).order_by(approvals.c.id.desc()))

    def tallies(self, plans: Collection[str]) -> dict[tuple[str, str], Tally]:
        """(destination, plan) -> how far it has come there."""
        chunks, rejected, found = tables.chunks, tables.rejected_rows, defaultdict(Tally)
        place = (chunks.c.destination, chunks.c.plan_hash, chunks.c.state, chunks.c.operation, chunks.c.list_name)
        query = select(*place, func.sum(chunks.c.rows).label("rows"), func.count().label("chunks"))
        for row in self._rows(query.where(chunks.c.plan_hash.in_(plans)).group_by(*place)):
            tally = found[row["destination"], row["plan_hash"]]
            tally.sent[row["operation"], row["list_name"]] += row["rows"]
            if row["state"] == "acknowledged":
                tally.done += row["chunks"]
                tally.acknowledged[row["operation"], row["list_name"]] += row["rows"]
        kinds = (
            rejected.c.destination,
            rejected.c.plan_hash,
            rejected.c.kind,
            rejected.c.operation,
            rejected.c.list_name,
        )
        query = select(*kinds, func.count().label("rows"))
        for row in self._rows(query.where(rejected.c.plan_hash.in_(plans)).group_by(*kinds)):
            kind = (row["kind"], row["operation"], row["list_name"])
            found[row["destination"], row["plan_hash"]].refused[kind] += row["rows"]
        return dict(found)

    def words(self, destination: str, plan_hash: str) -> list[dict]:
        """Why rows of a plan were rejected or withheld: kind, operation, list_name, words, rows; the most first."""
        rejected = tables.rejected_rows
        columns = (rejected.c.kind, rejected.c.operation, rejected.c.list_name, rejected.c.words)
        query = select(*columns, func.count().label("rows")).where(*_of(destination, plan_hash)).group_by(*columns)
        return self._rows(query.order_by(func.count().desc(), *columns).limit(MANY_WORDS))

    def refused_rows(self, destination: str, plan_hash: str, limit: int, offset: int) -> list[dict]:
        """Rows that were rejected or withheld, each with whom it is about (customer_id, address) if that is known."""
        rejected, contacts = tables.rejected_rows, tables.contacts
        is_same = (contacts.c.destination == rejected.c.destination) & (contacts.c.key == rejected.c.key)
        query = select(rejected, contacts.c.customer_id, contacts.c.address).join_from(
            rejected, contacts, is_same, isouter=True
        )
        query = query.where(*_of(destination, plan_hash)).order_by(rejected.c.chunk, rejected.c.key)
        return self._rows(query.limit(limit).offset(offset))

    def of_customer(self, customer_id: str) -> tuple[list[dict], list[dict]]:
        """The lists that somebody is on (destination, list_name, since: null when nobody knows for certain), and where
        they are known (destination, stopped_at)."""
        memberships, contacts = tables.memberships, tables.contacts
        lists = select(memberships.c.destination, memberships.c.list_name, memberships.c.since)
        lists = lists.where(memberships.c.customer_id == customer_id)
        known = select(contacts.c.destination, contacts.c.stopped_at).where(contacts.c.customer_id == customer_id)
        return (
            self._rows(lists.order_by(memberships.c.destination, memberships.c.list_name)),
            self._rows(known.order_by(contacts.c.destination)),
        )


def _of(destination: str, plan_hash: str) -> tuple:
    rejected = tables.rejected_rows
    return (rejected.c.destination == destination, rejected.c.plan_hash == plan_hash)

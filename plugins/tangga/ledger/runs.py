"""Who may be delivered to, what was decided, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from tangga import alone
from tangga.destinations.destination import is_same_account
from tangga.ledger import tables
from tangga.ledger.session import Session, explained, now

Decision = Literal["approved", "rejected"]


class Runs(Session):
    def destination(self, name: str) -> dict:
        """What is known of a destination: account, released_at, released_by, mirrored_at, and its position, which grows
        with whatever is acknowledged. One that was never heard of has none of it, and position 0."""
        found = self._rows(select(tables.destinations).where(tables.destinations.c.name == name))
        return found[0] if found else dict.fromkeys(tables.destinations.c.keys()) | {"name": name, "position": 0}

    def names_of(self, account: str) -> list[str]:
        """By which names an account was released, and has people who are on its lists, maybe."""
        destinations, memberships = tables.destinations, tables.memberships
        query = select(destinations.c.name, destinations.c.account).where(
            destinations.c.name.in_(select(memberships.c.destination))
        )
        rows = self._rows(query.order_by(destinations.c.name))
        return [row["name"] for row in rows if is_same_account(row["account"], account)]

    def release(self, name: str, account: str, by: str) -> None:
        """A person says that this account is the right one. With another account than before, what the one before had
        acknowledged is forgotten: nobody is known in this one. So are lists of people whom nobody knows there: those
        of files that had this name before."""
        with self._writing() as connection:
            destination = tables.destinations
            before = connection.execute(select(destination.c.account).where(destination.c.name == name)).scalar()
            row = {"name": name, "account": account, "released_at": now(), "released_by": by, "position": 0}
            moved = before is not None and not is_same_account(before, account)
            if moved:
                row["mirrored_at"] = None
                for table in (tables.contacts, tables.memberships):
                    connection.execute(delete(table).where(table.c.destination == name))
            of_files = tables.memberships.c.key.not_in(
                select(tables.contacts.c.key).where(tables.contacts.c.destination == name)
            )
            mine = tables.memberships.c.destination == name
            gone = 0 if before else connection.execute(delete(tables.memberships).where(mine, of_files)).rowcount
            changed = int(moved or gone > 0)
            self._put(connection, destination, [row | {"position": changed}], position=destination.c.position + changed)

    def decide(
        self,
        plan_hash: str,
        destination: str,
        decision: Decision,
        by: str,
        reasons: Sequence[str],
        expires_at: datetime | None = None,
    ) -> None:
        """Keep what a person (or `limits`, when nobody had to be asked) decided about a plan, and how long it holds."""
        row = {
            "plan_hash": plan_hash,
            "destination": destination,
            "decision": decision,
            "decided_by": by,
            "decided_at": now(),
            "expires_at": expires_at,
            "reasons": list(reasons),
        }
        with self._writing() as connection:
            connection.execute(tables.approvals.insert(), [row])

    def decision(self, plan_hash: str, destination: str) -> dict | None:
        """The latest decision about a plan, None when nobody has decided. Whether it has expired is the reader's to
        say."""
        approvals = tables.approvals
        found = self._rows(
            select(approvals)
            .where(approvals.c.plan_hash == plan_hash, approvals.c.destination == destination)
            .order_by(approvals.c.id.desc())
            .limit(1)
        )
        return found[0] if found else None

    def begin_delivery(self, destination: str, plan_hash: str, plan_folder: Path, run_id: str, **lineage) -> int:
        """A delivery begins; returns its id. `lineage`: as_of_date, code_version, rules_hash, published_version, gate,
        approval. One that was running before must have been killed: only one at a time speaks to a destination."""
        deliveries = tables.deliveries
        row = {
            "destination": destination,
            "plan_hash": plan_hash,
            "plan_folder": str(plan_folder),
            "run_id": run_id,
            "began_at": now(),
            "state": "running",
            "counts": {},
            **lineage,
        }
        with self._writing() as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.destination == destination, deliveries.c.state == "running")
                .values(state="killed")
            )
            return connection.execute(deliveries.insert().values(row)).inserted_primary_key[0]

    def end_delivery(self, delivery: int, state: Literal["done", "failed"], counts: Mapping, words: str = "") -> None:
        """A delivery has come to its end. `words` say why it failed. When it is done, what the tool rejected of earlier
        plans is settled: it was taken, or rejected once more, or nobody asks for it any more."""
        deliveries, rejected = tables.deliveries, tables.rejected_rows
        with self._writing() as connection:
            destination, plan_hash = connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery)
                .values(state=state, counts=dict(counts), words=words or None, ended_at=now())
                .returning(deliveries.c.destination, deliveries.c.plan_hash)
            ).one()
            if state == "done":
                connection.execute(
                    update(rejected)
                    .where(
                        rejected.c.destination == destination,
                        rejected.c.plan_hash != plan_hash,
                        rejected.c.settled_at.is_(None),
                    )
                    .values(settled_at=now())
                )

    def deliveries(self, destination: str | None = None, limit: int = 100) -> list[dict]:
        """The run history, newest first."""
        query = select(tables.deliveries).order_by(tables.deliveries.c.id.desc()).limit(limit)
        return self._rows(query.where(tables.deliveries.c.destination == destination) if destination else query)

    def unrecorded(self) -> list[dict]:
        """Deliveries whose messages have not been kept for the next build yet, oldest first."""
        deliveries = tables.deliveries
        return self._rows(select(deliveries).where(deliveries.c.recorded_at.is_(None)).order_by(deliveries.c.id))

    def mark_recorded(self, delivery: int) -> None:
        with self._writing() as connection:
            deliveries = tables.deliveries
            connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(recorded_at=now()))

    @contextmanager
    def alone(self, destination: str, folder: Path, patience_seconds: float = alone.PATIENCE_SECONDS) -> Iterator[None]:
        """Nobody else speaks to a destination meanwhile: no other process of this machine, nor, with PostgreSQL, of any
        other. Raises `alone.Busy` when somebody does."""
        sentence = f"another delivery to {destination} is at work; wait until it has ended, then try again."
        with alone.alone(folder / f".{destination}.lock", sentence, patience_seconds):
            if self._engine.dialect.name != "postgresql":
                yield
                return
            key = int.from_bytes(hashlib.sha256(destination.encode()).digest()[:8], signed=True)
            with explained():
                connection = self._engine.connect()
            with connection:
                with explained():
                    is_mine = connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": key}).scalar()
                    connection.commit()
                if not is_mine:
                    raise alone.Busy(sentence)
                try:
                    yield
                finally:
                    with suppress(DBAPIError):  # which has let go of the lock then, too
                        connection.execute(text("select pg_advisory_unlock(:key)"), {"key": key})
                        connection.commit()

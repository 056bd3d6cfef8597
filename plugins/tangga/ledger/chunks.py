"""Chunks of plans: begun, acknowledged, and what each has made of the people and lists that a destination knows.

Before a chunk is sent, what it is about becomes uncertain (`fields_hash` or `since` is null): were the process killed
then, nobody would know whether the tool has done it, and the next plan asks for it again, be it to add or to remove.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, bindparam, delete, func, select, update

from tangga.destinations.destination import Receipt, Rejected
from tangga.ledger import tables
from tangga.ledger.session import Session, batched, now

STOPPED = ""
"""Stands for what a tool knows of somebody whom it has stopped: it is told anew should they come back."""


@dataclass(frozen=True)
class ChunkId:
    """A chunk of a plan. Numbers below zero are of what consent takes off besides the plan."""

    destination: str
    plan_hash: str
    number: int

    @property
    def key(self) -> str:
        """What a tool can tell by that it has had this chunk before."""
        return f"{self.destination}:{self.plan_hash[:16]}:{self.number}"


class Chunks(Session):
    def chunks(self, destination: str, plan_hash: str | None = None) -> list[dict]:
        """The chunks of a plan, or of all, that have been begun: in order, with their state."""
        chunks = tables.chunks
        query = select(chunks).where(chunks.c.destination == destination)
        query = query.where(chunks.c.plan_hash == plan_hash) if plan_hash else query
        return self._rows(query.order_by(chunks.c.sent_at, chunks.c.number))

    def begin_chunk(self, chunk: ChunkId, operation: str, list_name: str | None, rows: pa.Table) -> str | None:
        """A chunk is about to be sent. Returns what the tool called it when it was begun before."""
        people = rows.select(["key", "customer_id", "address", "fields_hash"]).to_pylist()
        begun = _columns(chunk) | {
            "operation": operation,
            "list_name": list_name,
            "rows": rows.num_rows,
            "state": "sent",
            "sent_at": now(),
        }
        with self._writing() as connection:
            resume = connection.execute(select(tables.chunks.c.remote_id).where(*_is(chunk))).scalar()
            self._put(connection, tables.chunks, [begun])
            if operation == "upsert":
                unknown = [_contact(chunk.destination, person) | {"fields_hash": None} for person in people]
                self._put(connection, tables.contacts, unknown)
            elif operation == "add":
                unknown = [_member(chunk.destination, list_name, person) | {"since": None} for person in people]
                self._put(connection, tables.memberships, unknown)
            elif operation == "remove":
                doubted = update(tables.memberships).values(since=None)
                _each_member(connection, doubted, chunk.destination, list_name, [person["key"] for person in people])
            elif operation == "stop":
                doubted = {"fields_hash": None, "stopped_at": now()}
                self._put(connection, tables.contacts, [_contact(chunk.destination, one) | doubted for one in people])
        return resume

    def remember(self, chunk: ChunkId, remote_id: str) -> None:
        """Keep what the tool calls a chunk while it works on it."""
        with self._writing() as connection:
            connection.execute(update(tables.chunks).where(*_is(chunk)).values(remote_id=remote_id))

    def acknowledge(
        self,
        chunk: ChunkId,
        operation: str,
        list_name: str | None,
        rows: pa.Table,
        receipt: Receipt,
        withheld: Sequence[Rejected] = (),
    ) -> None:
        """A chunk is done: whatever of its rows (key, customer_id, address, fields_hash) was not rejected is so at the
        tool from now on. `withheld` are those that were not sent to it any more, with why."""
        rejected = {row.key for row in receipt.rejected}
        taken = [row for row in rows.to_pylist() if row["key"] not in rejected]
        with self._writing() as connection:
            getattr(self, f"_{operation}")(connection, chunk.destination, list_name, taken, rejected)
            known = [
                {"_destination": chunk.destination, "_key": key, "_remote_id": remote_id}
                for key, remote_id in receipt.remote_ids.items()
            ]
            if known:
                connection.execute(_REMOTE_IDS, known)
                self._take_over(connection, chunk.destination, receipt.remote_ids)
            common = _columns(chunk) | {"operation": operation, "list_name": list_name, "at": now()}
            common = {name if name != "number" else "chunk": value for name, value in common.items()}
            refused = [("rejected", row) for row in receipt.rejected] + [("withheld", row) for row in withheld]
            said = [common | {"key": row.key, "kind": kind, "words": row.words} for kind, row in refused]
            self._put(connection, tables.rejected_rows, said)
            connection.execute(
                update(tables.chunks).where(*_is(chunk)).values(state="acknowledged", acknowledged_at=now())
            )
            destinations, row = tables.destinations, {"name": chunk.destination, "position": 1}
            self._put(connection, destinations, [row], position=destinations.c.position + 1)

    def at_work(self, destination: str, plan_hash: str) -> set[int]:
        """The chunks of a plan that the tool has a name for and has not acknowledged."""
        begun = (chunk for chunk in self.chunks(destination, plan_hash) if chunk["number"] >= 0)
        return {chunk["number"] for chunk in begun if chunk["state"] == "sent" and chunk["remote_id"]}

    def rejected(self, destination: str | None = None, plan_hash: str | None = None) -> list[dict]:
        """Rows that a tool rejected and that were withheld: of a plan, or those that nothing has settled yet."""
        rejected = tables.rejected_rows
        query = select(rejected).order_by(rejected.c.at, rejected.c.chunk, rejected.c.key)
        query = query.where(rejected.c.destination == destination) if destination else query
        is_open = rejected.c.settled_at.is_(None)
        return self._rows(query.where(rejected.c.plan_hash == plan_hash if plan_hash else is_open))

    def acknowledged(self, destination: str, plan_hash: str) -> int:
        """How many chunks of a plan are done."""
        chunks = tables.chunks
        with self._reading() as connection:
            query = select(func.count()).where(
                chunks.c.destination == destination,
                chunks.c.plan_hash == plan_hash,
                chunks.c.state == "acknowledged",
            )
            return connection.execute(query).scalar_one()

    def _take_over(self, connection: Connection, destination: str, remote_ids: Mapping[str, str]) -> None:
        """What the tool calls by one name is one person there. Whoever it was before is not known any more, and the
        lists that they were on are now those, maybe, of whoever it has become: somebody else got their address."""
        contacts, memberships = tables.contacts, tables.memberships
        now_of = {remote_id: key for key, remote_id in remote_ids.items()}
        taken = []
        for part in batched(sorted(now_of)):
            query = select(contacts.c.key, contacts.c.remote_id)
            held = query.where(contacts.c.destination == destination, contacts.c.remote_id.in_(part))
            taken += [(key, now_of[held_as]) for key, held_as in connection.execute(held) if key != now_of[held_as]]
        for before, key in taken:
            mine = (contacts.c.destination == destination, contacts.c.key == before)
            connection.execute(update(contacts).where(*mine).values(remote_id=None, fields_hash=None))
            mine = (memberships.c.destination == destination, memberships.c.key == before)
            names = connection.execute(select(memberships.c.list_name).where(*mine)).scalars()
            uncertain = [
                {"destination": destination, "list_name": name, "key": key, "fields_hash": None, "since": None}
                for name in names
            ]
            self._put(
                connection, memberships, uncertain, since=memberships.c.since, fields_hash=memberships.c.fields_hash
            )
            connection.execute(delete(memberships).where(*mine))

    def _remove(self, connection: Connection, destination: str, list_name: str, taken: list[dict], rejected) -> None:
        _delete_members(connection, destination, list_name, [row["key"] for row in taken])

    def _stop(self, connection: Connection, destination: str, list_name: None, taken: list[dict], rejected) -> None:
        certain = {"fields_hash": STOPPED, "stopped_at": now()}
        stopped = [_contact(destination, row) | certain for row in taken]
        self._put(connection, tables.contacts, stopped)

    def _upsert(self, connection: Connection, destination: str, list_name: None, taken: list[dict], rejected) -> None:
        said = {"stopped_at": None, "acknowledged_at": now()}
        known = [_contact(destination, row) | {"fields_hash": row["fields_hash"]} | said for row in taken]
        self._put(connection, tables.contacts, known)

    def _add(self, connection: Connection, destination: str, list_name: str, taken: list[dict], rejected) -> None:
        self._put(connection, tables.memberships, [_member(destination, list_name, row) for row in taken])
        _delete_members(connection, destination, list_name, rejected)
        # Somebody has deleted them there, maybe: they are told of anew, and put on their lists.
        for table, unknown in ((tables.contacts, "fields_hash"), (tables.memberships, "since")):
            doubted = update(table).where(table.c.destination == destination, table.c.key == bindparam("_key"))
            if rejected:
                connection.execute(doubted.values({unknown: None}), [{"_key": key} for key in sorted(rejected)])

    def _replace(self, connection: Connection, destination: str, list_name: str, taken: list[dict], rejected) -> None:
        memberships = tables.memberships
        mine = (memberships.c.destination == destination, memberships.c.list_name == list_name)
        left = {key for (key,) in connection.execute(select(memberships.c.key).where(*mine))}
        _delete_members(connection, destination, list_name, left - {row["key"] for row in taken})
        members = [_member(destination, list_name, row) for row in taken]
        self._put(connection, memberships, members, since=func.coalesce(memberships.c.since, now()))

    def _erase(self, connection: Connection, destination: str, list_name: None, taken: list[dict], rejected) -> None:
        for table in (tables.contacts, tables.memberships):
            gone = delete(table).where(table.c.destination == destination, table.c.key == bindparam("_key"))
            connection.execute(gone, [{"_key": row["key"]} for row in taken] or [{"_key": ""}])


def _columns(chunk: ChunkId) -> dict:
    return {"destination": chunk.destination, "plan_hash": chunk.plan_hash, "number": chunk.number}


def _is(chunk: ChunkId) -> list:
    return [tables.chunks.c[name] == value for name, value in _columns(chunk).items()]


def _contact(destination: str, row: dict) -> dict:
    return {name: row[name] for name in ("key", "customer_id", "address")} | {"destination": destination}


def _member(destination: str, list_name: str, row: dict) -> dict:
    of_row = {name: row[name] for name in ("key", "customer_id", "fields_hash")}
    return of_row | {"destination": destination, "list_name": list_name, "since": now()}


def _each_member(connection: Connection, statement, destination: str, list_name: str, keys) -> None:
    memberships = tables.memberships
    of_each = statement.where(
        memberships.c.destination == destination,
        memberships.c.list_name == list_name,
        memberships.c.key == bindparam("_key"),
    )
    if keys:
        connection.execute(of_each, [{"_key": key} for key in sorted(keys)])


def _delete_members(connection: Connection, destination: str, list_name: str, keys) -> None:
    _each_member(connection, delete(tables.memberships), destination, list_name, keys)


_REMOTE_IDS = (
    update(tables.contacts)
    .where(tables.contacts.c.destination == bindparam("_destination"), tables.contacts.c.key == bindparam("_key"))
    .values(remote_id=bindparam("_remote_id"))
)

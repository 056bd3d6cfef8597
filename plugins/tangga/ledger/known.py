"""Whom each destination knows, and who is on which list there: as acknowledged, or uncertain until the next plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import pyarrow as pa
from sqlalchemy import select

from tangga.landing import normalise
from tangga.ledger import tables
from tangga.ledger.session import Session, batched


class Known(Session):
    def contacts(self, destination: str) -> Iterator[pa.RecordBatch]:
        """Who is known there: key, customer_id, address, remote_id, fields_hash (null: uncertain), is_stopped (false
        also while that is uncertain)."""
        contacts = tables.contacts
        names = ("key", "customer_id", "address", "remote_id", "fields_hash")
        is_stopped = contacts.c.stopped_at.is_not(None) & contacts.c.fields_hash.is_not(None)
        query = select(*(contacts.c[name] for name in names), is_stopped)
        schema = pa.schema([*((name, pa.string()) for name in names), ("is_stopped", pa.bool_())])
        return self._batches(query.where(contacts.c.destination == destination), schema)

    def memberships(self, destination: str) -> Iterator[pa.RecordBatch]:
        """Who is on which list there: list_name, key, customer_id, fields_hash, is_certain."""
        memberships = tables.memberships
        names = ("list_name", "key", "customer_id", "fields_hash")
        query = select(*(memberships.c[name] for name in names), memberships.c.since.is_not(None))
        schema = pa.schema([*((name, pa.string()) for name in names), ("is_certain", pa.bool_())])
        return self._batches(query.where(memberships.c.destination == destination), schema)

    def list_names(self, destination: str) -> list[str]:
        """The lists that somebody is on there for certain. Others may not have been made yet: a delivery that is killed
        has noted who is to come onto a list before it makes the list."""
        memberships = tables.memberships
        query = select(memberships.c.list_name).where(
            memberships.c.destination == destination, memberships.c.since.is_not(None)
        )
        return [row["list_name"] for row in self._rows(query.distinct().order_by(memberships.c.list_name))]

    def remote_ids(self, destination: str, keys: Sequence[str]) -> dict[str, str]:
        """What the destination calls people, of those of whom it has said so."""
        contacts = tables.contacts
        query = select(contacts.c.key, contacts.c.remote_id).where(
            contacts.c.destination == destination, contacts.c.remote_id.is_not(None)
        )
        found = (row for part in batched(keys) for row in self._rows(query.where(contacts.c.key.in_(part))))
        return {row["key"]: row["remote_id"] for row in found}

    def members_of(self, destination: str, addresses: Collection[str]) -> list[dict]:
        """Who is on lists there, maybe, although one of these addresses is theirs, or a tool says that they said no:
        list_name, key, customer_id, address, remote_id."""
        contacts, memberships, refused = tables.contacts, tables.memberships, tables.refusals
        names = (contacts.c.key, contacts.c.customer_id, contacts.c.address, contacts.c.remote_id)
        is_same = (contacts.c.destination == memberships.c.destination) & (contacts.c.key == memberships.c.key)
        query = select(memberships.c.list_name, *names).join_from(memberships, contacts, is_same)
        query = query.where(memberships.c.destination == destination)
        said = self._rows(query.where(contacts.c.address.in_(select(refused.c.address))))
        return said + [
            row for part in batched(sorted(addresses)) for row in self._rows(query.where(contacts.c.address.in_(part)))
        ]

    def addresses(self, destination: str) -> list[str]:
        """The addresses of everybody who is on a list there, maybe."""
        contacts, memberships = tables.contacts, tables.memberships
        is_same = (contacts.c.destination == memberships.c.destination) & (contacts.c.key == memberships.c.key)
        query = select(contacts.c.address).distinct().join_from(memberships, contacts, is_same)
        with self._reading() as connection:
            query = query.where(memberships.c.destination == destination).order_by(contacts.c.address)
            return list(connection.execute(query).scalars())

    def suspect(self, destination: str, standing: Iterable[tuple[str, str]]) -> None:
        """Somebody else has put people on lists there, maybe: (list, address). Of whom that is known already nothing
        changes."""
        contacts, memberships = tables.contacts, tables.memberships
        for part in batched((name, normalise.email(address) or address) for name, address in standing):
            common = {"destination": destination, "customer_id": ""}
            people = [common | {"key": key, "address": key} for key in sorted({key for _, key in part})]
            members = [common | {"list_name": name, "key": key, "since": None} for name, key in sorted(set(part))]
            with self._writing() as connection:
                same = {column: contacts.c[column] for column in ("customer_id", "address")}
                self._put(connection, contacts, people, **same)
                same = {column: memberships.c[column] for column in ("customer_id", "since")}
                self._put(connection, memberships, members, **same)

"""The tables of the ledger. What an erasure keeps has tables of its own, in a module of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Instant(TypeDecorator):
    """An instant in UTC, in every database: SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Number = BigInteger().with_variant(Integer, "sqlite")

destinations = Table(
    "destinations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("account", Text, comment="the account that a person has released, as its owner knows it"),
    Column("released_at", Instant),
    Column("released_by", Text),
    Column("mirrored_at", Instant, comment="up to when its refusals have been heard"),
    Column("position", _Number, nullable=False, comment="grows with whatever is acknowledged: plans count from it"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("destination", Text, nullable=False, index=True),
    Column("plan_hash", Text, nullable=False, index=True),
    Column("plan_folder", Text, nullable=False),
    Column("as_of_date", Date, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("code_version", Text),
    Column("rules_hash", Text),
    Column("published_version", Text),
    Column("gate", Text, comment="what the outbound gate found: pass or warn"),
    Column("approval", Text, comment="whether a person was asked, and what they said"),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", Text, nullable=False, comment="running, done, failed, or killed"),
    Column("words", Text, comment="why it failed"),
    Column("counts", JSON, nullable=False),
    Column("recorded_at", Instant, comment="when what it handed out was kept for the next build (tangga.sends)"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("plan_hash", Text, primary_key=True),
    Column("number", Integer, primary_key=True, comment="of the plan; what consent takes off besides has -1, -2, ..."),
    Column("operation", Text, nullable=False),
    Column("list_name", Text),
    Column("rows", Integer, nullable=False),
    Column("remote_id", Text, comment="what the tool calls it while it works on it"),
    Column("state", Text, nullable=False, comment="sent, or acknowledged"),
    Column("sent_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
)

contacts = Table(
    "contacts",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("customer_id", Text),
    Column("address", Text),
    Column("remote_id", Text, comment="what the tool itself calls the person"),
    Column("fields_hash", Text, comment="of what the tool knows of them; null: nobody knows, ask again"),
    Column("stopped_at", Instant, comment="since when the tool is not to send them anything"),
    Column("acknowledged_at", Instant),
    Index("contacts_by_address", "address"),
    Index("contacts_by_customer", "customer_id"),
    Index("contacts_by_remote_id", "destination", "remote_id"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("list_name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("customer_id", Text),
    Column("fields_hash", Text, comment="of the person's row, where whole lists are held"),
    Column("since", Instant, comment="when it was acknowledged; null: nobody knows whether they are on it, ask again"),
    Index("memberships_by_customer", "customer_id"),
)

rejected_rows = Table(
    "rejected_rows",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("plan_hash", Text, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("operation", Text, nullable=False),
    Column("list_name", Text),
    Column("kind", Text, nullable=False, comment="rejected by the tool, or withheld: consent was gone"),
    Column("words", Text, nullable=False, comment="the tool's own, or why it was withheld"),
    Column("at", Instant, nullable=False),
    Column("settled_at", Instant, comment="when the tool took it after all, or nobody asks it to any more"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("status", Text, nullable=False, comment="in the tool's own word"),
    Column("changed_at", Instant),
    Column("heard_at", Instant, nullable=False),
    Index("refusals_by_address", "address"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("plan_hash", Text, nullable=False, index=True),
    Column("destination", Text, nullable=False),
    Column("decision", Text, nullable=False, comment="approved or rejected"),
    Column("decided_by", Text),
    Column("decided_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("reasons", JSON, nullable=False),
)

"""The tables of the ledger that erasures have: no personal data in any of them."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Table, Text

from tangga.ledger.tables import Instant, metadata

erasures = Table(
    "erasures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False, comment="asked, approved, done or rejected"),
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("done_at", Instant),
    Column("person", Text, comment="a keyed hash of what was given"),
    Column("removed", JSON, nullable=False, comment="place -> files and rows"),
    Column("destinations", JSON, nullable=False, comment="name -> when it acknowledged, null: open"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", Text, primary_key=True, comment="email, phone, record, order or anonymous"),
    Column("digest", Text, primary_key=True, comment="a keyed hash"),
    Column("erasure_id", Text, nullable=False, index=True),
    Column("set_at", Instant, nullable=False),
)

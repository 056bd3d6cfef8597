"""Erasures that were asked for, and what must not come back."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="asked, approved, done or rejected"),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("done_at", INSTANT),
        sa.Column("person", sa.Text(), comment="a keyed hash of what was given"),
        sa.Column("removed", sa.JSON(), nullable=False, comment="place -> files and rows"),
        sa.Column("destinations", sa.JSON(), nullable=False, comment="name -> when it acknowledged, null: open"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tombstones",
        sa.Column("kind", sa.Text(), nullable=False, comment="email, phone, record, order or anonymous"),
        sa.Column("digest", sa.Text(), nullable=False, comment="a keyed hash"),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "digest"),
    )
    op.create_index("ix_tombstones_erasure_id", "tombstones", ["erasure_id"])

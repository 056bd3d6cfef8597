"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", NUMBER, sa.Identity(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="approved or rejected"),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_approvals_plan_hash", "approvals", ["plan_hash"])
    op.create_table(
        "chunks",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="of the plan; what consent takes off besides has -1, -2, ...",
        ),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text()),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.Text(), comment="what the tool calls it while it works on it"),
        sa.Column("state", sa.Text(), nullable=False, comment="sent, or acknowledged"),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT),
        sa.PrimaryKeyConstraint("destination", "plan_hash", "number"),
    )
    op.create_table(
        "contacts",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("remote_id", sa.Text(), comment="what the tool itself calls the person"),
        sa.Column("fields_hash", sa.Text(), comment="of what the tool knows of them; null: nobody knows, ask again"),
        sa.Column("stopped_at", INSTANT, comment="since when the tool is not to send them anything"),
        sa.Column("acknowledged_at", INSTANT),
        sa.PrimaryKeyConstraint("destination", "key"),
    )
    op.create_index("contacts_by_address", "contacts", ["address"])
    op.create_index("contacts_by_customer", "contacts", ["customer_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", NUMBER, sa.Identity(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("plan_folder", sa.Text(), nullable=False),
        sa.Column("as_of_date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text()),
        sa.Column("rules_hash", sa.Text()),
        sa.Column("published_version", sa.Text()),
        sa.Column("gate", sa.Text(), comment="what the outbound gate found: pass or warn"),
        sa.Column("approval", sa.Text(), comment="whether a person was asked, and what they said"),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("state", sa.Text(), nullable=False, comment="running, done, failed, or killed"),
        sa.Column("words", sa.Text(), comment="why it failed"),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("recorded_at", INSTANT, comment="when what it handed out was kept for the next build (tangga.sends)"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deliveries_destination", "deliveries", ["destination"])
    op.create_index("ix_deliveries_plan_hash", "deliveries", ["plan_hash"])
    op.create_table(
        "destinations",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), comment="the account that a person has released, as its owner knows it"),
        sa.Column("released_at", INSTANT),
        sa.Column("released_by", sa.Text()),
        sa.Column("mirrored_at", INSTANT, comment="up to when its refusals have been heard"),
        sa.Column(
            "position", NUMBER, nullable=False, comment="grows with whatever is acknowledged: plans count from it"
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "memberships",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text()),
        sa.Column("fields_hash", sa.Text(), comment="of the person's row, where whole lists are held"),
        sa.Column(
            "since", INSTANT, comment="when it was acknowledged; null: nobody knows whether they are on it, ask again"
        ),
        sa.PrimaryKeyConstraint("destination", "list_name", "key"),
    )
    op.create_index("memberships_by_customer", "memberships", ["customer_id"])
    op.create_table(
        "refusals",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="in the tool's own word"),
        sa.Column("changed_at", INSTANT),
        sa.Column("heard_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("destination", "address"),
    )
    op.create_index("refusals_by_address", "refusals", ["address"])
    op.create_table(
        "rejected_rows",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False, comment="rejected by the tool, or withheld: consent was gone"),
        sa.Column("words", sa.Text(), nullable=False, comment="the tool's own, or why it was withheld"),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT, comment="when the tool took it after all, or nobody asks it to any more"),
        sa.PrimaryKeyConstraint("destination", "plan_hash", "chunk", "key"),
    )

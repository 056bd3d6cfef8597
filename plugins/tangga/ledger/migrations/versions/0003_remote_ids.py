"""Who is known at a destination under a name of its own."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("contacts_by_remote_id", "contacts", ["destination", "remote_id"])

"""A ledger in each kind of database."""

from __future__ import annotations

DATABASES = ("sqlite", "postgres")


def settings_of(inbox, database: str, connection_id: str = "ledger_db"):
    """A company whose ledger lies there; for `postgres`, let `connections.resolve` know the connection first."""
    block = {"ledger": {"connection": connection_id}} if database == "postgres" else {}
    return inbox.settings("orders", {"columns": {}}, **block)

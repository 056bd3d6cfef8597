"""What a delivery tells others of itself: counts, and what it was made from."""

from __future__ import annotations

from typing import Any

from tangga import ledger
from tangga.settings import Settings

_TOLD = ("destination", "plan_hash", "published_version", "code_version", "rules_hash", "gate", "run_id", "counts")


def last(settings: Settings, destination: str) -> dict[str, Any]:
    """Of the last delivery to a destination: day, plan, versions, what the gate found, whether somebody agreed, and
    counts. It names nobody: who agreed is in the ledger."""
    with ledger.opened(settings) as book:
        (row,) = book.deliveries(destination, limit=1)
    agreed = "approved" if row["approval"].startswith("approved") else row["approval"]
    return {name: row[name] for name in _TOLD} | {"as_of_date": row["as_of_date"].isoformat(), "approval": agreed}

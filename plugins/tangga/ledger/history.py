"""What the ledger may forget: how earlier deliveries went. What destinations have acknowledged stays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, delete, func, not_, or_, select

from tangga.ledger import tables
from tangga.ledger.session import Session


class History(Session):
    def forget(self, before: datetime, needed: Collection[str]) -> int:
        """Forget deliveries, their chunks, settled rejections and decisions from before an instant; returns how many
        rows went. The plans `needed` (their hashes), the last delivery of each destination and those whose messages
        have not been kept stay, with all that belongs to them, and so does whatever nobody has answered yet."""
        deliveries, chunks, rejected, approvals = (
            tables.deliveries,
            tables.chunks,
            tables.rejected_rows,
            tables.approvals,
        )
        last = select(func.max(deliveries.c.id)).group_by(deliveries.c.destination)
        with self._writing() as connection:
            kept = select(deliveries.c.plan_hash).where(
                or_(deliveries.c.id.in_(last), deliveries.c.recorded_at.is_(None))
            )
            hashes = {*needed, *connection.execute(kept).scalars()}
            old = (
                (deliveries, and_(deliveries.c.began_at < before, deliveries.c.state != "running")),
                (chunks, and_(chunks.c.sent_at < before, chunks.c.state == "acknowledged")),
                (rejected, and_(rejected.c.at < before, rejected.c.settled_at.is_not(None))),
                (approvals, approvals.c.decided_at < before),
            )
            return sum(
                connection.execute(delete(table).where(condition, not_(table.c.plan_hash.in_(hashes)))).rowcount
                for table, condition in old
            )

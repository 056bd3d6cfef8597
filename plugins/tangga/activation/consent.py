"""Consent as it stands right before something is sent: later than the build, and than the plan.

Asked are what is published, the company's own list of suppressed addresses, what the tools tell (kept in the ledger),
tombstones of people who were erased, consents and messages that have landed since, and, for lists that people leave by
ordering, the orders that have. Whoever any of them names is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from tangga import audiences, engine, publish, reference
from tangga.activation import landed, suppressions
from tangga.activation.changes import NOES
from tangga.activation.limits import STEP
from tangga.destinations.destination import Destination
from tangga.engine import literal, parquet_list
from tangga.erasure import tombstones
from tangga.ledger import Ledger
from tangga.settings import REFUSALS, Settings

SUPPRESSED, ERASED, ORDERED = "is on the company's own list", "was erased", "has ordered since"
SAID_NO = "has said no since"
REFUSED = "said no at a destination ({})"


class Consent(ExitStack):
    """Who may not be sent to one destination any more; to be closed."""

    def __init__(self, settings: Settings, planned: Mapping, book: Ledger, name: str, destination: Destination):
        super().__init__()
        self._settings, self._book, self._name, self._destination = settings, book, name, destination
        self._day = date.fromisoformat(planned["as_of_date"])
        self._version = publish.current(settings)
        self._con = self.enter_context(engine.scratch(settings))
        self._con.execute(f"attach {literal(publish.database(settings, 'private'))} as published (read_only)")
        # The plan of a delivery that was killed may be older than what is published.
        self._said_no = self._addresses(
            "select customer_id from published.customer.customer_contactability "
            f"where channel = 'email' and list_contains({list(NOES)}, reason)"
        )
        self._list_read: tuple | None = None
        self._suppressed: set[str] = set()
        self._has_ordered: set[str] = set()
        self._landed: dict[str, tuple] = {}
        self._left_by_ordering = _left_by_ordering(settings)

    def listen(self, addresses: Sequence[str] = ()) -> None:
        """Hear who said no at the tool since it was last heard, and of these addresses who did."""
        began, since = datetime.now(UTC), self._book.destination(self._name)["mirrored_at"]
        self._book.hear(self._name, self._destination.refusals(addresses, since), began)

    def gone(self, rows: pa.Table, list_name: str | None) -> dict[str, str]:
        """Key -> why it must not be sent, of rows (key, customer_id, address) that are about to be sent.

        Raises `ActivationRefused` when somebody's no has landed that nobody has looked at, `ListShrunk`, and
        `SettingsError` when the company's own list cannot be read.
        """
        if self._has_landed(*REFUSALS):
            landed.refuse_newer_refusals(self._settings, self._version)
        addresses = rows["address"].to_pylist()
        self.listen(addresses)
        refused, erased = self._book.refused(addresses), tombstones.erased(self._settings, addresses)
        suppressed = self.suppressed()
        ordered = self._ordered() if list_name in self._left_by_ordering else set()
        found = {}
        for row in rows.select(["key", "customer_id", "address"]).to_pylist():
            if row["address"] in erased:
                found[row["key"]] = ERASED
            elif row["address"] in suppressed:
                found[row["key"]] = SUPPRESSED
            elif row["address"] in self._said_no:
                found[row["key"]] = SAID_NO
            elif row["address"] in refused:
                found[row["key"]] = REFUSED.format(refused[row["address"]])
            elif row["address"] in ordered:
                found[row["key"]] = ORDERED
        return found

    def suppressed(self) -> set[str]:
        """The addresses of everybody whom the company's own list names at this moment."""
        path = reference.path_of(self._settings, "suppressions") if self._settings.reference.suppressions else None
        stamp = (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino) if path and path.exists() else ()
        if stamp != self._list_read:
            suppressions.load(self._con, self._settings)
            suppressions.keep(self._con, self._settings)
            silent = "select customer_id from silent where coalesce(channel, 'email') = 'email'"
            self._suppressed = self._addresses(silent)
            self._list_read = stamp
        return self._suppressed

    def _addresses(self, customers: str) -> set[str]:
        """Addresses of customers, whom a query gives."""
        query = "select distinct email from published.core.dim_customers where email is not null and customer_id in"
        return {address for (address,) in self._con.execute(f"{query} ({customers})").fetchall()}

    def _has_landed(self, *entities: str) -> bool:
        """Whether something of these has landed since this was asked last; true the first time."""
        stamp = landed.stamp(self._settings, entities)
        before, self._landed["".join(entities)] = self._landed.get("".join(entities)), stamp
        return stamp != before

    def _ordered(self) -> set[str]:
        """The addresses of who has ordered after the plan's day, in what has landed since the lists were computed."""
        if self._has_landed("orders"):
            paths = landed.unseen(self._settings, "orders", self._version)
            self._has_ordered = self._addresses(self._late(paths)) if paths else set()
        return self._has_ordered

    def _late(self, paths: Sequence[Path]) -> str:
        ends = self._settings.ends(self._day).strftime("%Y-%m-%d %H:%M:%S")
        orders = f"read_parquet({parquet_list(paths)}, union_by_name=true, hive_partitioning=false)"
        return f"""
            select identities.customer_id
            from {orders} as late
            inner join published.core.customer_identities as identities
                on late.namespace = identities.source and late.contact_id = identities.contact_id
            where late.ordered_at >= timestamp {literal(ends)} and not coalesce(late._is_deleted, false)
        """


def _left_by_ordering(settings: Settings) -> set[str]:
    """The lists of audiences, and of steps, that people leave by ordering."""
    found = set()
    for step in audiences.variables(settings)["campaign_steps"]:
        if step["exit"] == "ordered":
            found |= {step["audience"], f"{step['audience']}{STEP}{step['step']}"}
    return found

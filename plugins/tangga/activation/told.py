"""What the tools told of people who want no more mail, for the next build: `registry.refusals`."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from tangga import ledger
from tangga.activation import changes
from tangga.ledger import copies
from tangga.ledger.database import path as ledger_path
from tangga.settings import Settings

REASON = """
    case
        when regexp_matches(lower(status), 'complain|spam|abuse') then 'complained'
        when regexp_matches(lower(status), 'clean|bounce') then 'bounced'
        else 'unsubscribed'
    end
"""
"""What a tool's own word comes to; one that nobody knows is a no."""


def create_table(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create `registry.refusals` (address: hashed, reason), whenever they were heard: like a no that has landed after
    the day (docs/decisions/0006). Raises `LedgerDown` (see `copies`)."""
    con.execute("create table registry.refusals (address varchar, reason varchar)")
    if not settings.ledger.connection and not ledger_path(settings).exists():
        return
    rows = copies.kept(settings, "refusals", lambda: _heard(con, settings))
    if rows:
        addresses, reasons = zip(*rows, strict=True)
        con.register("_told", pa.table({"address": addresses, "reason": reasons}))
        con.execute("insert into registry.refusals from _told")
        con.unregister("_told")


def _heard(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[tuple[str, str]]:
    with ledger.opened(settings) as book:
        con.register("_heard", pa.RecordBatchReader.from_batches(changes.REFUSALS, book.refusals()))
        query = f"select distinct 'email:' || sha256(address), {REASON} from _heard order by all"
        found = con.execute(query).fetchall()
        con.unregister("_heard")
    return found

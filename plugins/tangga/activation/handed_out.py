"""Which messages of a plan were handed out: told from what a destination has acknowledged, and kept for the next build.

It is asked at the end of a delivery, and again before a build reads it, for deliveries that never came to their end: a
step that was sent, or may have been, is not sent a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tangga import engine, ledger, sends
from tangga.activation.limits import STEP
from tangga.engine import literal
from tangga.ledger import Ledger, LedgerDown
from tangga.ledger.database import path as ledger_path
from tangga.settings import Settings

log = logging.getLogger(__name__)

HANDED_OUT = f"""
    create temp table handed_out as
    with sent as (
        select changes.operation, changes.list_name, changes.address
        from changes
        anti join not_sent on changes.chunk = not_sent.chunk and changes.key = not_sent.key
        where changes.chunk in (select number from begun) and changes.operation in ('add', 'replace')
    )

    select distinct messages.*
    from messages
    inner join members on messages.audience = members.audience and messages.customer_id = members.customer_id
    inner join sent on members.email = sent.address and (
        (sent.operation = 'replace' and sent.list_name = messages.audience)
        or (
            sent.operation = 'add' and messages.channel = 'email'
            and sent.list_name = messages.audience || '{STEP}' || cast(messages.step as varchar)
        )
    )
    where messages.test_group = 'member'
"""


def record(settings: Settings, book: Ledger, delivery: Mapping, is_complete: bool) -> None:
    """Keep what a delivery (a row of the ledger) has handed out by now, and with it what is withheld from holdouts: of
    its audiences if it is complete, else of those that something was handed out of."""
    name, plan_hash, folder = delivery["destination"], delivery["plan_hash"], Path(delivery["plan_folder"])
    begun = [chunk["number"] for chunk in book.chunks(name, plan_hash)]
    missing = [(row["chunk"], row["key"]) for row in book.rejected(name, plan_hash)]
    wanted = "select audience from handed_out union all select list_name from changes where $is_complete"
    with engine.scratch(settings) as con:
        for file in ("members", "messages"):
            con.execute(f"create temp view {file} as from read_parquet({literal(folder / f'{file}.parquet')})")
        file = folder / "changes" / f"{name}.parquet"
        con.execute(f"create temp view changes as from read_parquet({literal(file)})")
        con.register("begun", pa.table({"number": pa.array(begun, pa.int64())}))
        not_sent = {
            "chunk": pa.array([c for c, _ in missing], pa.int64()),
            "key": pa.array([k for _, k in missing], pa.string()),
        }
        con.register("not_sent", pa.table(not_sent))
        con.execute(HANDED_OUT)
        con.execute(
            f"insert into handed_out select * from messages where test_group = 'holdout' and audience in ({wanted})",
            {"is_complete": is_complete},
        )
        if is_complete or con.execute("select count(*) from handed_out").fetchone()[0]:
            sends.record(settings, delivery["as_of_date"], con, "handed_out")


def mark(settings: Settings, name: str) -> Path:
    """A file that says that a delivery has begun, to be deleted when what it handed out is kept: as long as it lies
    there the ledger has to be asked."""
    file = settings.home / "state" / f".delivering-{name}"
    file.touch(mode=0o600)
    return file


def catch_up(settings: Settings) -> None:
    """Keep what was handed out by deliveries that never came to say so. Raises `StateDamaged`, and `LedgerDown` unless
    it lies in PostgreSQL and every delivery of this home has said so."""
    if not settings.ledger.connection and not ledger_path(settings).exists():
        return
    try:
        _catch_up(settings)
    except LedgerDown as down:
        if not settings.ledger.connection or any((settings.home / "state").glob(".delivering-*")):
            raise
        log.warning("%s", down)


def _catch_up(settings: Settings) -> None:
    with ledger.opened(settings) as book:
        for delivery in book.unrecorded():
            if (Path(delivery["plan_folder"]) / "plan.json").exists():
                record(settings, book, delivery, is_complete=False)
            if delivery["state"] != "running":
                book.mark_recorded(delivery["id"])

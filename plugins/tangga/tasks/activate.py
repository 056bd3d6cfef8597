"""The tasks of `crm_activate`: what should be on the lists, the gate before anything leaves, the deliveries."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from tangga.progress import note
from tangga.tasks.common import conclude, day_of, load

log = logging.getLogger(__name__)


def is_newest_day(dag_run=None) -> bool:
    """Whether the day is the newest published one. Lists of another day are never sent, so that a backfill
    of the past mails nobody; nor does one that fills an empty home, where each of its days is the newest.
    Until the hour of the daily run, the day before yesterday is the last that a schedule has asked for."""
    from tangga import publish

    settings, day = load(), day_of(dag_run)
    version = publish.current(settings)
    if version is None or version.as_of_date != day.isoformat():
        note(f"not sent: the newest published day is {version.as_of_date if version else 'none'}")
        return False
    if getattr(dag_run, "partition_key", None) and day < settings.yesterday() - timedelta(days=1):
        note(f"not sent: {day} is over; trigger crm_activate with it as as_of_date if its lists are wanted")
        return False
    return True


def plan(dag_run=None) -> str:
    """Freeze what should be sent; returns the plan's folder."""
    from tangga.activation import delivery, plan
    from tangga.erasure import requests

    settings = load()
    delivery.settle(settings)
    late = requests.overdue(settings)
    for sentence in late:
        log.warning("%s", sentence)
    folder = plan.make(settings, day_of(dag_run))
    planned = plan.read(folder)
    audiences, left_out = planned["audiences"], planned["left_out"]
    for sentence in dict.fromkeys(sentence for why in left_out.values() for sentence in why):
        log.warning("%s", sentence)
    said = [f"{len(audiences)} audiences, {sum(entry['rows'] for entry in audiences.values()):,} memberships"]
    said += [f"left out: {', '.join(left_out)}, whose campaign is not fit to be sent"] if left_out else []
    note("; ".join(said + late))
    return str(folder)


def outbound_gate(plan_folder: str) -> None:
    """Check the lists before anything leaves. Raises when they must not."""
    from expectations import outbound

    settings = load()
    conclude(settings, outbound.check(settings, Path(plan_folder)))


def list_destinations() -> list[str]:
    """The configured destinations."""
    return list(load().destinations)


def deliver(destination: str, plan_folder: str, dag_run=None, ti=None, outlet_events=None) -> dict[str, int]:
    """Deliver the plan to one destination, and keep in mind what was handed out; returns counts. The event of the
    asset tells what was delivered and where it came from."""
    from tangga.activation import delivery, lineage

    settings = load()
    done = delivery.deliver(settings, destination, Path(plan_folder), dag_run.run_id)
    for outlet in ti.task.outlets:
        outlet_events[outlet].extra = lineage.last(settings, destination)
    rows = ", ".join(f"{rows:,} rows to {operation}" for operation, rows in done.rows.items() if rows)
    left = f"; {done.rejected:,} rejected, {done.withheld:,} withheld" if done.rejected or done.withheld else ""
    note(f"{rows or 'nothing to do'}{left}")
    return done.counts

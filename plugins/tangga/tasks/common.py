"""What the tasks of all DAGs share: which day a run is for, and how a gate ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from tangga.progress import note


def load():
    """The settings; what reads them is imported when a task runs, so that parsing a DAG file stays quick."""
    from tangga import settings

    return settings.load()


def day_of(dag_run) -> date:
    """The day that a run is for: its partition, else what it was started with, else yesterday."""
    asked = getattr(dag_run, "partition_key", None) or (dag_run.conf or {}).get("as_of_date")
    settings = load()
    day = date.fromisoformat(asked) if asked else settings.yesterday()
    if day > settings.yesterday() + timedelta(days=1):
        raise ValueError(f"{day} has not begun in {settings.business.time_zone} yet; give a day that has, or none.")
    return day


def conclude(settings, results, remarks: Sequence[str] = ()) -> None:
    """Say what a gate found and write the page of it, then raise `GateStopped` if it lets something not through."""
    from expectations import checks, data_docs

    verdicts = [result.verdict for result in results]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in ("pass", "warn", "stop") if verdict in verdicts]
    note("; ".join([", ".join(counts), *remarks]))
    checks.raise_if_stopped(results, data_docs.show(settings, results))

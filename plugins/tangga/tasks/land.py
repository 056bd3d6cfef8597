"""The tasks of `crm_land`: the sources of the day, and the gate that lets them in."""

from __future__ import annotations

import logging

from tangga.progress import note
from tangga.tasks.common import conclude, day_of, load

log = logging.getLogger(__name__)


def fill_inbox(dag_run=None) -> None:
    """Let the demo company write the files of the day; does nothing for a real one."""
    settings, day = load(), day_of(dag_run)
    if settings.demo is None:
        note("your own sources")
        return
    from tangga import demo

    rows = demo.write_inbox(settings.home / "inbox", settings.home / "demo_truth", day, settings.demo)
    note(f"{sum(rows.values()):,} rows of the demo company")


def list_entities() -> list[dict[str, str]]:
    """Every entity of every source, as arguments of `land`."""
    settings = load()
    return [
        {"source": name, "entity": entity} for name, source in settings.sources.items() for entity in source.entities
    ]


def land(source: str, entity: str, dag_run=None, ti=None) -> dict[str, int]:
    """Land one entity of one source; returns its counts.

    A source that is still down at the last try fails the task, or is passed over if its settings say so.
    """
    from tangga import landing
    from tangga.landing import freshness
    from tangga.sources.records import SourceDown

    settings, day = load(), day_of(dag_run)
    try:
        manifest = landing.land(settings, source, entity, day)
    except SourceDown as down:
        if settings.sources[source].when_down == "stop" or not _is_last_try(ti):
            raise
        log.warning("%s", down)
        known = freshness.mark_missed(settings, source, entity, day)
        note("; ".join(known.sentences) or "source was down; the day had landed before")
        return {"rows": 0, "rejected": 0}
    erased = f", {manifest.erased:,} of erased people left out" if manifest.erased else ""
    note(f"{manifest.rows:,} rows, {manifest.rejected:,} rejected{erased}")
    return {"rows": manifest.rows, "rejected": manifest.rejected}


def _is_last_try(ti) -> bool:
    """Whether Airflow would not try again. `max_tries` counts the retries, `try_number` begins at 1."""
    return ti is None or ti.try_number > ti.max_tries


def inbound_gate(dag_run=None) -> None:
    """Let in what keeps its contract. Raises when a partition must not be built on."""
    from expectations import inbound
    from tangga.landing import freshness

    settings, day = load(), day_of(dag_run)
    results = inbound.check(settings, day)
    conclude(settings, results, [said for known in freshness.of_day(settings, day) for said in known.sentences])

"""What the tasks of the DAGs do, as plain functions: the DAG files only wire them.

Heavy libraries are imported inside, so that parsing a DAG file stays quick. Arguments and results go
through Airflow's database: they are names, counts and paths, never data.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tangga.progress import note


def _settings():
    from tangga import settings

    return settings.load()


def day_of(dag_run) -> date:
    """The day that a run is for: its partition, else what it was started with, else yesterday."""
    asked = getattr(dag_run, "partition_key", None) or (dag_run.conf or {}).get("as_of_date")
    settings = _settings()
    day = date.fromisoformat(asked) if asked else settings.yesterday()
    if day > settings.yesterday() + timedelta(days=1):
        raise ValueError(f"{day} has not begun in {settings.business.time_zone} yet; give a day that has, or none.")
    return day


def fill_inbox(dag_run=None) -> None:
    """Let the demo company write the files of the day; does nothing for a real one."""
    settings, day = _settings(), day_of(dag_run)
    if settings.demo is None:
        note("your own sources")
        return
    from tangga import demo

    rows = demo.write_inbox(settings.home / "inbox", settings.home / "demo_truth", day, settings.demo)
    note(f"{sum(rows.values()):,} rows of the demo company")


def list_entities() -> list[dict[str, str]]:
    """Every entity of every source, as arguments of `land`."""
    settings = _settings()
    return [
        {"source": name, "entity": entity} for name, source in settings.sources.items() for entity in source.entities
    ]


def land(source: str, entity: str, dag_run=None) -> dict[str, int]:
    """Land one entity of one source; returns its counts."""
    from tangga import landing

    manifest = landing.land(_settings(), source, entity, day_of(dag_run))
    note(f"{manifest.rows:,} rows, {manifest.rejected:,} rejected")
    return {"rows": manifest.rows, "rejected": manifest.rejected}


def inbound_gate(dag_run=None) -> None:
    """Let in what keeps its contract. Raises when a partition must not be built on."""
    from expectations import gate, inbound

    results = inbound.check(_settings(), day_of(dag_run))
    _note_verdicts(results)
    gate.raise_if_stopped(results)


def prepare_warehouse(dag_run=None) -> None:
    """A fresh working file that sees the landing as of the day."""
    from tangga import warehouse

    rows = warehouse.prepare(_settings(), day_of(dag_run))
    note(f"{sum(rows.values()):,} rows")


def build_layer(layer: str, dag_run=None) -> None:
    """Build and test one layer of the dbt project."""
    from tangga import dbt

    counts = dbt.build(_settings(), day_of(dag_run), layer)
    note(f"{counts.get('success', 0)} built, {counts.get('pass', 0)} tests passed")


def audit() -> None:
    """Check the finished marts before anybody sees them. Raises when they must not be published."""
    from expectations import gate, marts
    from tangga import warehouse

    settings = _settings()
    results = marts.check(settings, warehouse.path(settings))
    _note_verdicts(results)
    gate.raise_if_stopped(results)


def publish(dag_run=None) -> str:
    """Publish the working file; returns the version.

    The day's customer ids are kept first: whatever is published has ids that the next day knows.
    """
    from tangga import identities, publish
    from tangga.code_version import code_version

    settings, day = _settings(), day_of(dag_run)
    identities.keep(settings, day)
    version = publish.publish(settings, day, code_version())
    note(version.version)
    return version.version


def is_newest_day(dag_run=None) -> bool:
    """Whether the day is the newest published one. Lists of another day are never sent, so that a
    backfill of the past mails nobody."""
    from tangga import publish

    day, version = day_of(dag_run), publish.current(_settings())
    is_newest = version is not None and version.as_of_date == day.isoformat()
    if not is_newest:
        note(f"not sent: the newest published day is {version.as_of_date if version else 'none'}")
    return is_newest


def plan(dag_run=None) -> str:
    """Freeze what should be sent; returns the plan's folder."""
    from tangga.activation import plan

    folder = plan.make(_settings(), day_of(dag_run))
    audiences = plan.read(folder)["audiences"]
    note(f"{len(audiences)} audiences, {sum(entry['rows'] for entry in audiences.values()):,} memberships")
    return str(folder)


def outbound_gate(plan_folder: str) -> None:
    """Check the lists before anything leaves. Raises when they must not."""
    from expectations import gate, outbound

    results = outbound.check(_settings(), Path(plan_folder))
    _note_verdicts(results)
    gate.raise_if_stopped(results)


def list_destinations() -> list[str]:
    """The configured destinations."""
    return list(_settings().destinations)


def deliver(destination: str, plan_folder: str, dag_run=None) -> dict[str, int]:
    """Deliver the plan to one destination; returns counts."""
    from tangga.destinations import csv_files

    delivery = csv_files.deliver(_settings(), destination, Path(plan_folder), dag_run.run_id)
    note(f"{delivery.written} lists written, {delivery.unchanged} unchanged")
    return {"written": delivery.written, "unchanged": delivery.unchanged, "rows": delivery.rows}


def _note_verdicts(results) -> None:
    verdicts = [result.verdict for result in results]
    note(
        ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("pass", "warn", "stop") if verdict in verdicts)
    )

"""What the tasks of the DAGs do, as plain functions: the DAG files only wire them.

Heavy libraries are imported inside, so that parsing a DAG file stays quick. Arguments and results go
through Airflow's database: they are names, counts and paths, never data.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from tangga.progress import note

log = logging.getLogger(__name__)


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


def land(source: str, entity: str, dag_run=None, ti=None) -> dict[str, int]:
    """Land one entity of one source; returns its counts.

    A source that is still down at the last try fails the task, or is passed over if its settings say so.
    """
    from tangga import landing
    from tangga.landing import freshness
    from tangga.sources.records import SourceDown

    settings, day = _settings(), day_of(dag_run)
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

    settings, day = _settings(), day_of(dag_run)
    results = inbound.check(settings, day)
    _conclude(settings, results, [said for known in freshness.of_day(settings, day) for said in known.sentences])


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


def expect_value(dag_run=None) -> None:
    """What customers are expected to bring, if the rules ask for it."""
    from tangga import value

    note(value.expect(_settings(), day_of(dag_run)))


def audit() -> None:
    """Check the finished marts before anybody sees them. Raises when they must not be published."""
    from expectations import agreements, marts
    from tangga import warehouse

    settings = _settings()
    file = warehouse.path(settings)
    _conclude(settings, [*marts.check(settings, file), *agreements.check(settings, file)])


def publish(dag_run=None) -> str:
    """Publish the working file; returns the version.

    The day's customer ids and memberships are kept first: the next day knows whatever was published.
    """
    from tangga import identities, memberships, publish
    from tangga.code_version import code_version

    settings, day = _settings(), day_of(dag_run)
    identities.keep(settings, day)
    memberships.keep(settings, day)
    version = publish.publish(settings, day, code_version())
    note("; ".join([version.version, *publish.changed_since(settings)]))
    return version.version


def describe(dag_run=None) -> None:
    """Write the pages of the published warehouse. Never fails: whoever waits for the day does not wait for them."""
    from tangga import warehouse_pages

    note(str(warehouse_pages.show(_settings(), day_of(dag_run)) or "left as they are"))


def prune() -> None:
    """Let go of what is older than `retention` keeps. Never fails: what is published does not wait for it."""
    from expectations import data_docs
    from tangga import retention
    from tangga.alone import Busy
    from tangga.ledger import LedgerDown
    from tangga.sources.records import SourceRefused

    settings = _settings()
    try:
        gone = retention.prune(settings)
    except (OSError, LedgerDown, SourceRefused, Busy) as error:
        log.warning("Not all that is old is gone (%s); it goes with the next run.", error)
        note("not all that is old is gone")
        return
    if gone.get("gates"):
        data_docs.show(settings, [])
    note(", ".join(f"{count:,} of {area}" for area, count in gone.items()) or "nothing is too old")


def is_newest_day(dag_run=None) -> bool:
    """Whether the day is the newest published one. Lists of another day are never sent, so that a backfill
    of the past mails nobody; nor does one that fills an empty home, where each of its days is the newest.
    Until the hour of the daily run, the day before yesterday is the last that a schedule has asked for."""
    from tangga import publish

    settings, day = _settings(), day_of(dag_run)
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

    settings = _settings()
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

    settings = _settings()
    _conclude(settings, outbound.check(settings, Path(plan_folder)))


def list_destinations() -> list[str]:
    """The configured destinations."""
    return list(_settings().destinations)


def deliver(destination: str, plan_folder: str, dag_run=None) -> dict[str, int]:
    """Deliver the plan to one destination, and keep in mind what was handed out; returns counts."""
    from tangga.activation import delivery

    done = delivery.deliver(_settings(), destination, Path(plan_folder), dag_run.run_id)
    rows = ", ".join(f"{rows:,} rows to {operation}" for operation, rows in done.rows.items() if rows)
    left = f"; {done.rejected:,} rejected, {done.withheld:,} withheld" if done.rejected or done.withheld else ""
    note(f"{rows or 'nothing to do'}{left}")
    return done.counts


def take_erasure(dag_run=None) -> str:
    """The number of the request that a run is for. Raises when an address got past the form, after painting it over."""
    from tangga.erasure import requests, traces
    from tangga.erasure.person import IDENTIFIERS

    settings, conf = _settings(), dag_run.conf or {}
    if words := [str(conf[name]) for name in IDENTIFIERS if conf.get(name)]:
        traces.airflow_database(settings, words)
        traces.texts(settings, words)
        raise ValueError(
            "What the person is found by was given past the form of the UI, so that Airflow has kept it; it was "
            "painted over in this home's database and logs. Ask again by the form, or by 'make erase'."
        )
    row = requests.take(settings, str(conf.get("request")))
    note(f"{row['id']}: {row['reason']}; due {row['due_at']:%Y-%m-%d %H:%M} UTC")
    return row["id"]


def find_person(request: str) -> str:
    """Find whom a request is about; returns the question for whoever is to agree: counts only."""
    from tangga.erasure import steps

    settings = _settings()
    counts = steps.find(settings, request)
    note(
        f"{sum(each.rows for each in counts.values()):,} rows in {sum(each.files for each in counts.values()):,} files"
    )
    return steps.question(settings, request, counts)


def remove_person(request: str) -> list[str]:
    """Take the person out of every place of this home; returns the destinations that are still to forget them."""
    from tangga.erasure import steps

    settings = _settings()
    counts = steps.remove(settings, request)
    note(f"{sum(each.rows for each in counts.values()):,} rows removed")
    return steps.open_destinations(settings, request)


def forget_person(request: str, destination: str) -> int:
    """Let one destination forget the person; returns how many of its contacts it was asked to."""
    from tangga.erasure import steps

    asked = steps.forget(_settings(), request, destination)
    note(f"{asked} forgotten")
    return asked


def certify_erasure(request: str) -> str:
    """Certify what was done; returns the page's path. Raises when something of an approved erasure is open."""
    from tangga.erasure import requests, steps

    settings = _settings()
    page = steps.certify(settings, request)
    note(str(page))
    if requests.take(settings, request)["state"] == "approved":
        still = ", ".join(steps.open_destinations(settings, request)) or "its removal"
        raise ValueError(f"Erasure {request} is not done, open: {still}; trigger crm_erase with it as request. {page}")
    return str(page)


def _conclude(settings, results, remarks: Sequence[str] = ()) -> None:
    """Say what a gate found and write the page of it, then raise `GateStopped` if it lets something not through."""
    from expectations import checks, data_docs

    verdicts = [result.verdict for result in results]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in ("pass", "warn", "stop") if verdict in verdicts]
    note("; ".join([", ".join(counts), *remarks]))
    checks.raise_if_stopped(results, data_docs.show(settings, results))

"""The tasks of `crm_build`: the warehouse of the day, its audit, and what is published of it."""

from __future__ import annotations

import logging

from tangga.progress import note
from tangga.tasks.common import conclude, day_of, load

log = logging.getLogger(__name__)


def prepare_warehouse(dag_run=None) -> None:
    """A fresh working file that sees the landing as of the day."""
    from tangga import warehouse

    rows = warehouse.prepare(load(), day_of(dag_run))
    note(f"{sum(rows.values()):,} rows")


def build_layer(layer: str, dag_run=None) -> None:
    """Build and test one layer of the dbt project."""
    from tangga import dbt

    counts = dbt.build(load(), day_of(dag_run), layer)
    note(f"{counts.get('success', 0)} built, {counts.get('pass', 0)} tests passed")


def expect_value(dag_run=None) -> None:
    """What customers are expected to bring, if the rules ask for it."""
    from tangga import value

    note(value.expect(load(), day_of(dag_run)))


def audit() -> None:
    """Check the finished marts before anybody sees them. Raises when they must not be published."""
    from expectations import agreements, marts
    from tangga import warehouse

    settings = load()
    file = warehouse.path(settings)
    conclude(settings, [*marts.check(settings, file), *agreements.check(settings, file)])


def publish(dag_run=None) -> str:
    """Publish the working file; returns the version.

    The day's customer ids and memberships are kept first: the next day knows whatever was published.
    """
    from tangga import identities, memberships, publish
    from tangga.code_version import code_version

    settings, day = load(), day_of(dag_run)
    identities.keep(settings, day)
    memberships.keep(settings, day)
    version = publish.publish(settings, day, code_version())
    note("; ".join([version.version, *publish.changed_since(settings)]))
    return version.version


def describe(dag_run=None) -> None:
    """Write the pages of the published warehouse. Never fails: whoever waits for the day does not wait for them."""
    from tangga import warehouse_pages

    note(str(warehouse_pages.show(load(), day_of(dag_run)) or "left as they are"))


def prune() -> None:
    """Let go of what is older than `retention` keeps. Never fails: what is published does not wait for it."""
    from expectations import data_docs
    from tangga import retention
    from tangga.alone import Busy
    from tangga.ledger import LedgerDown
    from tangga.sources.records import SourceRefused

    settings = load()
    try:
        gone = retention.prune(settings)
    except (OSError, LedgerDown, SourceRefused, Busy) as error:
        log.warning("Not all that is old is gone (%s); it goes with the next run.", error)
        note("not all that is old is gone")
        return
    if gone.get("gates"):
        data_docs.show(settings, [])
    note(", ".join(f"{count:,} of {area}" for area, count in gone.items()) or "nothing is too old")

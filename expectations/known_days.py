"""Agreements of the marts with the day they are of: nothing in them is later, and nothing that was known is gone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from expectations.checks import Check, nothing_found
from tangga import publish
from tangga.settings import Settings

SCHEMAS = ("audiences", "core", "customer", "metrics")

MAY_BE_LATER = {
    "core.dim_customers": {"birth_date"},  # what people say of themselves
    "customer.customer_personalization": {"next_birthday"},
    "metrics.source_freshness": {"watermark"},  # what a source said of itself
}
"""Days and instants that are no facts of the business: table -> columns."""

ONLY_GROW = (
    "core.fct_consents",
    "core.fct_messages",
    "core.fct_orders",
    "core.fct_survey_responses",
    "core.fct_tickets",
)
"""Tables of what has happened, which does not unhappen."""


def as_of(database: Path) -> date | None:
    """The day that a DuckDB file was built for; None when it does not say."""
    if not database.exists():
        return None
    try:
        with duckdb.connect(str(database), read_only=True) as con:
            return con.execute("select max(as_of_date) from customer.customer_lifecycle").fetchone()[0]
    except duckdb.Error:
        return None


def checks(settings: Settings, database: Path, day: date | None) -> list[Check]:
    """One check for every table with days (DATE, of the business) or instants (TIMESTAMP, UTC): none is after the day.

    The columns are the file's own, so that a new table is asked without being named here. Nothing without a day.
    """
    if day is None:
        return []
    last = {"DATE": f"> date '{day}'", "TIMESTAMP": f">= timestamp '{settings.ends(day):%Y-%m-%d %H:%M:%S}'"}
    with duckdb.connect(str(database), read_only=True) as con:
        found = con.execute(
            "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
            f"where schema_name in {SCHEMAS} and data_type in {tuple(last)} order by 1, column_index"
        ).fetchall()
    later: dict[str, dict[str, str]] = {}
    for table, column, kind in found:
        if column not in MAY_BE_LATER.get(table, ()):
            later.setdefault(table, {})[column] = f"{column} {last[kind]}"
    return [
        nothing_found(
            "as_of",
            f"Nothing in {', '.join(columns)} of {table} is after the as-of date",
            f"select 1 from {table} where {' or '.join(columns.values())}",
        )
        for table, columns in later.items()
    ]


def no_fewer_rows(settings: Settings, day: date | None) -> list[Check]:
    """One warning for every table of what has happened that has fewer rows than on the newest published day before.

    Only days before count, and of several versions of a day the smallest, so that judging a day again gives the same
    verdict. Nothing when no day before is published.
    """
    before = _published_before(settings, day) if day else []
    return [
        nothing_found(
            "history",
            f"{table} has no fewer rows than on the published day before",
            f"select 1 where (select count(*) from {table}) < {min(rows.get(table, 0) for rows in before)}",
            "warn",
        )
        for table in (ONLY_GROW if before else ())
    ]


def _published_before(settings: Settings, day: date) -> list[dict[str, int]]:
    """Rows per table of each version of the newest published day before."""
    versions = publish.folder(settings) / "versions"
    days = {path: path.name[:10] for path in versions.glob("????-??-??-*") if path.name[:10] < day.isoformat()}
    newest = max(days.values(), default=None)
    found = [publish.read(path) for path, of_day in days.items() if of_day == newest]
    return [version.rows for version in found if version]

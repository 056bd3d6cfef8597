"""Great Expectations on DuckDB: queries and checks in, results out. No other module imports it.

It judges; this module only feeds it queries and keeps the answer as counts. Anything that could not be
judged is a result with an `error`.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from expectations.checks import Check, CheckResult, Place
from tangga import engine
from tangga.engine import literal
from tangga.settings import Settings

SAMPLES = 5
"""So many places of rows that break a check are kept."""

# Without these, duckdb-sqlalchemy's transactions make every metric of GX fail.
_ENGINE = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}
# Counts only: GX would otherwise keep a sample of the values that failed.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_SEVERITY = {"stop": "critical", "warn": "warning"}
_COUNTS = {
    "observed_value": "found",
    "unexpected_count": "unexpected",
    "missing_count": "missing",
    "element_count": "of",
}


@cache
def context() -> Any:
    """One ephemeral context a process: importing GX takes seconds, a suite takes a fraction of one."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when GX is imported
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    found = great_expectations.get_context(mode="ephemeral")
    found.variables.progress_bars = ProgressBarsConfig(globally=False)
    return found


@contextmanager
def source(settings: Settings, name: str, database: Path | None) -> Iterator[Any]:
    """A GX data source on an empty DuckDB in memory, `database` attached; gone afterwards.

    Attaching, instead of opening, lets another connection of this process hold the same file.
    """
    base = settings.home / "tmp"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=base) as spill, _silence():
        config = {"temp_directory": spill, "memory_limit": engine.memory_limit(), "autoinstall_known_extensions": False}
        kwargs = {**_ENGINE, "connect_args": {"config": config}}
        opened = context().data_sources.add_sql(name, connection_string="duckdb:///:memory:", kwargs=kwargs)
        try:
            if database is not None:
                # By the name that its views call it.
                _execute(opened, f'attach {literal(str(database))} as "{database.stem}" (read_only)')
                _execute(opened, f'use "{database.stem}"')
            yield opened
        finally:
            opened.get_execution_engine().close()
            opened.get_execution_engine().engine.dispose()
            opened.get_engine().dispose()
            context().data_sources.delete(name)


def evaluate(opened: Any, name: str, query: str, wanted: Sequence[Check]) -> list[CheckResult]:
    """The results of the checks of one query, in their order; errors of them all when it cannot be run."""
    try:
        return _validate(opened, name, query, wanted)
    except Exception as error:
        return [unevaluated(check, error) for check in wanted]


def unevaluated(check: Check, error: object) -> CheckResult:
    """The result of a check that could not be judged."""
    # What kind of error DuckDB met is safe to show, its text is not.
    kind = re.search(r"\(_duckdb\.(\w+)\)", str(error))
    name = kind[1] if kind else type(error).__name__ if isinstance(error, Exception) else "MetricError"
    return CheckResult(check.name, check.sentence, check.severity, False, {"error": name})


def _execute(opened: Any, sql: str) -> list[tuple]:
    """Run a statement on the one connection that the suite will use."""
    with opened.get_execution_engine().engine.connect() as con:
        result = con.exec_driver_sql(sql)
        return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def _silence() -> Iterator[None]:
    """No log of GX while it runs: of a query that fails it logs the statement and DuckDB's message, which may
    quote values, with several tracebacks; the result says all there is to say."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _validate(opened: Any, name: str, query: str, wanted: Sequence[Check]) -> list[CheckResult]:
    import great_expectations as gx

    # The number finds a result again: GX returns them in an order of its own.
    expectations = [
        getattr(gx.expectations, check.expectation)(
            **check.arguments, severity=_SEVERITY[check.severity], description=check.sentence, meta={"number": number}
        )
        for number, check in enumerate(wanted)
    ]
    # Behind a view: GX would take ':name' in a path or a text of the query for a parameter of its own.
    _execute(opened, f"create temp view {name} as {query}")
    asset = opened.add_query_asset(name=name, query=f"select * from {name}")
    batch = asset.get_batch(asset.build_batch_request())  # a batch definition would be saved, as YAML, for nothing
    suite = gx.ExpectationSuite(name=name, expectations=expectations)
    results = batch.validate(suite, result_format=_RESULT_FORMAT).results
    found = {result.expectation_config.meta["number"]: result for result in results}
    return [
        _judged(opened, check, found[number]) if number in found else unevaluated(check, LookupError())
        for number, check in enumerate(wanted)
    ]


def _judged(opened: Any, check: Check, result: Any) -> CheckResult:
    raised = result.exception_info or {}
    if raised.get("raised_exception") is not False:
        return unevaluated(check, raised)
    counts = {label: _number(result.result.get(name)) for name, label in _COUNTS.items()}
    observed: dict[str, Any] = {label: count for label, count in counts.items() if count is not None}
    missing = result.result.get("details", {}).get("mismatched", {}).get("missing")
    if missing and check.expectation == "ExpectTableColumnsToMatchSet":
        observed["missing_columns"] = ", ".join(missing)
    samples = () if result.success else _samples(opened, check)
    return CheckResult(check.name, check.sentence, check.severity, bool(result.success), observed, samples)


def _samples(opened: Any, check: Check) -> tuple[Place, ...]:
    """The first places of the rows that break a check; what the check says holds without them, too."""
    if not check.places:
        return ()
    query = f"select distinct _file, _line from ({check.places}) order by all nulls last limit {SAMPLES}"
    try:
        return tuple(Place(*row) for row in _execute(opened, query))
    except Exception:
        return ()


def _number(value: Any) -> int | float | None:
    """A count or share as it can be written as JSON; None for everything that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return int(value) if value == int(value) else round(float(value), 6)

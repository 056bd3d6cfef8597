"""How a suite of expectations runs, and what it says: pass, warn or stop.

Great Expectations judges; this module only feeds it queries and keeps the answer as counts. Anything
that could not be judged (a missing file or table, an expectation that raises, nothing to check) is a
stop. Nothing that leaves this module carries a value of a row: not the result, the log or the error.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tangga import engine, files
from tangga.landing.parsing import literal
from tangga.settings import Settings

Severity = Literal["critical", "warning"]
Verdict = Literal["pass", "warn", "stop"]

# Without these, duckdb-sqlalchemy's transactions make every metric of GX fail.
_ENGINE = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}
# Counts only: GX would otherwise keep a sample of the rows that failed.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_COUNTS = {
    "observed_value": "found",
    "unexpected_count": "unexpected",
    "missing_count": "missing",
    "element_count": "of",
}


class GateStopped(Exception):
    """A gate does not let the data through; the message has one sentence for each thing it stopped."""


@dataclass(frozen=True)
class Check:
    """One expectation: a sentence that is true when it holds, GX's class for it, and its arguments.

    `critical` stops when it fails, `warning` warns.
    """

    sentence: str
    expectation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    severity: Severity = "critical"


class CheckResult(NamedTuple):
    """What came of a check. `observed` holds GX's counts under short names (found, unexpected, missing,
    of), the names of `missing_columns`, or the kind of `error` when it could not be evaluated."""

    description: str
    severity: Severity
    success: bool
    observed: dict[str, Any]

    @property
    def stops(self) -> bool:
        return not self.success and (self.severity == "critical" or "error" in self.observed)

    def __str__(self) -> str:
        if "error" in self.observed:
            return f"'{self.description}' could not be evaluated ({self.observed['error']})"
        counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.observed.items())
        return f"'{self.description}' does not hold" + (f" ({counts})" if counts else "")


@dataclass(frozen=True)
class GateResult:
    """What a gate says of one thing. `where` is its place, `remedy` what to do when it is stopped."""

    name: str
    verdict: Verdict
    checks: tuple[CheckResult, ...]
    where: str = ""
    remedy: str = ""

    @property
    def failures(self) -> list[str]:
        """One phrase for each check that failed, those that stop first."""
        failed = [check for check in self.checks if not check.success]
        return [str(check) for check in sorted(failed, key=lambda check: not check.stops)]

    @property
    def sentence(self) -> str:
        """What was stopped, where, why, and what to do."""
        why = "; ".join(str(check) for check in self.checks if check.stops)
        return f"{self.name} ({self.where}) is stopped: {why}. {self.remedy}"


def unexpected_rows(sentence: str, query: str, severity: Severity = "critical") -> Check:
    """A check in SQL: it holds when `query` finds no row.

    `{batch}` stands for the rows checked. Names and texts that are not the program's own do not belong
    here, but into the query of the asset: GX reads braces and colons as parameters.
    """
    return Check(sentence, "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, severity)


def raise_if_stopped(results: Iterable[GateResult]) -> None:
    """Raise `GateStopped`, a sentence for each result that is stopped; return when there is none."""
    sentences = [result.sentence for result in results if result.verdict == "stop"]
    if sentences:
        raise GateStopped("\n".join(sentences))


def run(
    settings: Settings,
    door: str,
    day: date | str,
    name: str,
    assets: Mapping[str, Sequence[Check]],
    *,
    database: Path | None = None,
    where: str = "",
    remedy: str = "",
) -> GateResult:
    """Judge each query of `assets` by its checks, and keep the result as gates/<door>/<day>/<name>.json.

    Queries see `database` read-only, as the current catalog, when one is given. Never raises because
    of the data: what cannot be judged is a `stop`.
    """
    checks: list[CheckResult] = []
    # The import is not part of what is caught: without GX there is no gate at all, and that must fail.
    context = _context()
    try:
        with _source(context, settings, f"{door}.{name}", database) as source:
            for number, (query, wanted) in enumerate(assets.items()):
                checks += _evaluate(source, f"asset_{number}", query, wanted)
    except Exception as error:
        checks = [_unevaluated(check, error) for wanted in assets.values() for check in wanted]
    if not assets or not all(assets.values()):
        checks.append(CheckResult("There is something to check", "critical", False, {"found": 0}))
    result = GateResult(name, _verdict(checks), tuple(checks), where, remedy)
    # Neither the place nor the remedy: they name paths, and the same data is to give the same bytes.
    document = {"name": name, "verdict": result.verdict, "checks": [check._asdict() for check in checks]}
    path = settings.home / "gates" / door / str(day) / f"{name}.json"
    files.write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return result


def _verdict(checks: Sequence[CheckResult]) -> Verdict:
    if not checks or any(check.stops for check in checks):
        return "stop"
    return "pass" if all(check.success for check in checks) else "warn"


@cache
def _context() -> Any:
    """One ephemeral context a process: importing GX takes seconds, a suite takes a fraction of one."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when GX is imported
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@contextmanager
def _source(context: Any, settings: Settings, name: str, database: Path | None) -> Iterator[Any]:
    """A GX data source on an empty DuckDB in memory, `database` attached; gone afterwards.

    Attaching, instead of opening, lets another connection of this process hold the same file.
    """
    base = settings.home / "tmp"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=base) as spill, _silence():
        config = {"temp_directory": spill, "memory_limit": engine.memory_limit(), "autoinstall_known_extensions": False}
        kwargs = {**_ENGINE, "connect_args": {"config": config}}
        source = context.data_sources.add_sql(name, connection_string="duckdb:///:memory:", kwargs=kwargs)
        try:
            if database is not None:
                _execute(source, f"attach {literal(str(database))} as attached (read_only)")
                _execute(source, "use attached")
            yield source
        finally:
            source.get_execution_engine().close()
            source.get_execution_engine().engine.dispose()
            source.get_engine().dispose()
            context.data_sources.delete(name)


def _execute(source: Any, sql: str) -> None:
    """Run a statement on the one connection that the suite will use."""
    with source.get_execution_engine().engine.connect() as con:
        con.exec_driver_sql(sql)


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


def _evaluate(source: Any, name: str, query: str, wanted: Sequence[Check]) -> list[CheckResult]:
    """The results of the checks of one query, in their order; errors of them all when it cannot be run."""
    try:
        return _validate(source, name, query, wanted)
    except Exception as error:
        return [_unevaluated(check, error) for check in wanted]


def _validate(source: Any, name: str, query: str, wanted: Sequence[Check]) -> list[CheckResult]:
    import great_expectations as gx

    # The number finds a result again: GX returns them in an order of its own.
    expectations = [
        getattr(gx.expectations, check.expectation)(
            **check.arguments, severity=check.severity, description=check.sentence, meta={"number": number}
        )
        for number, check in enumerate(wanted)
    ]
    # Behind a view: GX would take ':name' in a path or a text of the query for a parameter of its own.
    _execute(source, f"create temp view {name} as {query}")
    asset = source.add_query_asset(name=name, query=f"select * from {name}")
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    suite = gx.ExpectationSuite(name=name, expectations=expectations)
    results = batch.validate(suite, result_format=_RESULT_FORMAT).results
    found = {result.expectation_config.meta["number"]: result for result in results}
    return [
        _judged(check, found[number]) if number in found else _unevaluated(check, LookupError())
        for number, check in enumerate(wanted)
    ]


def _judged(check: Check, result: Any) -> CheckResult:
    raised = result.exception_info or {}
    if raised.get("raised_exception") is not False:
        return _unevaluated(check, raised)
    counts = {label: _number(result.result.get(name)) for name, label in _COUNTS.items()}
    observed: dict[str, Any] = {label: count for label, count in counts.items() if count is not None}
    missing = result.result.get("details", {}).get("mismatched", {}).get("missing")
    if missing and check.expectation == "ExpectTableColumnsToMatchSet":
        observed["missing_columns"] = ", ".join(missing)
    return CheckResult(check.sentence, check.severity, bool(result.success), observed)


def _unevaluated(check: Check, error: object) -> CheckResult:
    # What kind of error DuckDB met is safe to show, its text is not.
    kind = re.search(r"\(_duckdb\.(\w+)\)", str(error))
    name = kind[1] if kind else type(error).__name__ if isinstance(error, Exception) else "MetricError"
    return CheckResult(check.sentence, check.severity, False, {"error": name})


def _number(value: Any) -> int | float | None:
    """A count or share as it can be written as JSON; None for everything that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return int(value) if value == int(value) else round(float(value), 6)

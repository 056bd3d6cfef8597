"""What a gate asks and what it answers: checks, their results, and pass, warn or stop.

Nothing here carries a value of a row: a result has counts, and of rows that break a check the places
where they come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

Severity = Literal["warn", "stop"]
Verdict = Literal["pass", "warn", "stop"]


class GateStopped(Exception):
    """A gate does not let the data through; the message has one sentence for each thing it stopped."""


@dataclass(frozen=True)
class Check:
    """One expectation: a short name that stays, a sentence that is true when it holds, GX's class for it, and
    its arguments.

    `severity` is what follows when it fails. `places` is a query for the `_file` and `_line` of the rows that
    break it, where rows can be named; `advice` is what else can be done when it stops.
    """

    name: str
    sentence: str
    expectation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    severity: Severity = "stop"
    places: str = ""
    advice: str = ""


class Place(NamedTuple):
    """Where a row came from: the source's file (or table), and the line in it."""

    file: str | None
    line: int | None


class CheckResult(NamedTuple):
    """What came of a check. `observed` holds GX's counts under short names (found, unexpected, missing,
    of), the names of `missing_columns`, or the kind of `error` when it could not be evaluated; `samples`
    the first places of rows that break it."""

    name: str
    description: str
    severity: Severity
    success: bool
    observed: dict[str, Any]
    samples: tuple[Place, ...] = ()

    @property
    def stops(self) -> bool:
        return not self.success and (self.severity == "stop" or "error" in self.observed)

    def __str__(self) -> str:
        if "error" in self.observed:
            return f"'{self.description}' could not be evaluated ({self.observed['error']})"
        counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.observed.items())
        return f"'{self.description}' does not hold" + (f" ({counts})" if counts else "")


@dataclass(frozen=True)
class GateResult:
    """What a gate says of one thing on a day. `where` is its place, `remedy` what to do when it is stopped."""

    day: str
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


def unexpected_rows(name: str, sentence: str, query: str, severity: Severity = "stop", places: str = "") -> Check:
    """A check in SQL: it holds when `query` finds no row.

    `{batch}` stands for the rows checked. Names and texts that are not the program's own do not belong
    here, but into the query of the asset: GX reads braces and colons as parameters.
    """
    return Check(name, sentence, "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, severity, places)


def nothing_found(name: str, sentence: str, query: str, severity: Severity = "stop") -> Check:
    """A check in SQL over tables of its own: it holds when `query` finds no row, whatever the rows checked are."""
    return unexpected_rows(name, sentence, f"select 1 from {{batch}} where exists ({query})", severity)


def verdict(checks: Iterable[CheckResult]) -> Verdict:
    """The worst of what the checks say; without any, nothing was judged."""
    checks = list(checks)
    if not checks or any(check.stops for check in checks):
        return "stop"
    return "pass" if all(check.success for check in checks) else "warn"


def raise_if_stopped(results: Iterable[GateResult], page: Path | None = None) -> None:
    """Raise `GateStopped`, a sentence for each result that is stopped; return when there is none.

    `page` is where a person can look at all that the gate found.
    """
    sentences = [result.sentence for result in results if result.verdict == "stop"]
    if sentences:
        raise GateStopped("\n".join([*sentences, *([f"All that the gate found: {page}"] if page else [])]))

"""The kept results of the gates, read back: what is damaged is shown as stopped, never left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations import gate
from expectations.checks import CheckResult, Place, Verdict
from tangga import files
from tangga.settings import Settings

DOORS = {
    "inbound": "Inbound: what was landed",
    "marts": "Audit: what was built",
    "outbound": "Outbound: what is to be sent",
}

_DAY = r"\d{4}-\d\d-\d\d|undated"
_WORST = ("stop", "warn", "pass")


@dataclass(frozen=True)
class Result:
    """What a gate said of one thing; `landed` holds the figures of a partition and its history."""

    name: str
    verdict: Verdict
    remedy: str = ""
    landed: dict[str, Any] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = ()

    @property
    def failed(self) -> list[CheckResult]:
        """Those that stop first."""
        return sorted((check for check in self.checks if not check.success), key=lambda check: not check.stops)

    def rows_per_day(self, day: str) -> list[tuple[str, int]]:
        """The history that a partition was compared with, and at the end the day itself."""
        before = [(past["ds"], past["rows"]) for past in self.landed["history"]]
        return [*before, (day, self.landed["rows"])]

    @property
    def held(self) -> list[CheckResult]:
        return [check for check in self.checks if check.success]


@dataclass(frozen=True)
class Door:
    """The results of one gate on one day, the worst first."""

    title: str
    results: tuple[Result, ...]

    @property
    def counts(self) -> list[tuple[Verdict, int]]:
        """How many results there are of each verdict, the worst first."""
        said = [result.verdict for result in self.results]
        return [(verdict, said.count(verdict)) for verdict in _WORST if verdict in said]


@dataclass(frozen=True)
class Day:
    name: str
    doors: dict[str, Door]

    def door(self, name: str) -> Door:
        return self.doors[name]


def days(settings: Settings) -> list[str]:
    """The days of which results are kept, the newest first."""
    folders = [path for door in DOORS for path in (gate.folder(settings) / door).glob("*") if path.is_dir()]
    found = {path.name for path in folders if re.fullmatch(_DAY, path.name)}
    return sorted(found, key=lambda day: (day != "undated", day), reverse=True)


def read_day(settings: Settings, day: str) -> Day:
    """All that the gates said on a day."""
    base = gate.folder(settings)
    return Day(
        day,
        {
            door: Door(title, _worst_first(_result(path) for path in (base / door / day).glob("*.json")))
            for door, title in DOORS.items()
        },
    )


def _worst_first(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(sorted(results, key=lambda result: (_WORST.index(result.verdict), result.name)))


def _result(path: Path) -> Result:
    said = files.read_json(path) or {}
    try:
        if said["verdict"] not in _WORST:
            raise ValueError
        checks = tuple(_check(check) for check in said["checks"])
        return Result(said["name"], said["verdict"], said.get("remedy", ""), _landed(said.get("landed")), checks)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Result(path.stem, "stop", "What the gate said cannot be read any more; let it judge the day again.")


def _check(said: dict[str, Any]) -> CheckResult:
    samples = tuple(Place(place["file"], place["line"]) for place in said.get("samples", []))
    severity = "stop" if said["severity"] in ("stop", "critical") else "warn"
    observed = dict(said["observed"])
    return CheckResult(said.get("name", ""), said["description"], severity, said["success"] is True, observed, samples)


def _landed(said: dict[str, Any] | None) -> dict[str, Any]:
    """The figures of a partition, each there and a number where it must be; none for what was not landed."""
    if not said:
        return {}
    history = [{"ds": str(day["ds"]), "rows": int(day["rows"])} for day in said["history"]]
    counts = {name: int(said[name]) for name in ("rows", "rejected", "repeated", "quarantined")}
    return counts | {
        "load": str(said["load"]),
        "watermark": said["watermark"] and str(said["watermark"]),
        "history": history,
    }

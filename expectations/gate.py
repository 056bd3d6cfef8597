"""How a suite of expectations runs, and what it says: pass, warn or stop.

Anything that could not be judged (a missing file or table, an expectation that raises, nothing to check)
is a stop. Nothing that leaves this module carries a value of a row: not the result, the log or the error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from expectations import checks as asked
from expectations import gx
from expectations.checks import Check, CheckResult, GateResult
from tangga import files
from tangga.settings import Settings


def folder(settings: Settings) -> Path:
    """Where results are kept: <door>/<day>/<name>.json."""
    return settings.home / "gates"


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
    landed: Mapping[str, Any] | None = None,
    known: Sequence[CheckResult] = (),
) -> GateResult:
    """Judge each query of `assets` by its checks, and keep the result as gates/<door>/<day>/<name>.json.

    Queries see `database` read-only, as the current catalog, when one is given. `landed` holds figures of
    what is judged, to be kept with the result; `known` are answers that are there without asking. Never raises
    because of the data: what cannot be judged is a `stop`.
    """
    results: list[CheckResult] = []
    flat = [check for wanted in assets.values() for check in wanted]
    # The import is not part of what is caught: without GX there is no gate at all, and that must fail.
    gx.context()
    try:
        with gx.source(settings, f"{door}.{name}", database) as source:
            for number, (query, wanted) in enumerate(assets.items()):
                results += gx.evaluate(source, f"asset_{number}", query, wanted)
    except Exception as error:
        results = [gx.unevaluated(check, error) for check in flat]
    results += known
    if not assets or not all(assets.values()):
        results.append(CheckResult("something", "There is something to check", "stop", False, {"found": 0}))
    advice = [check.advice for check, result in zip(flat, results, strict=False) if result.stops and check.advice]
    remedy = " ".join([remedy, *advice]).strip()
    result = GateResult(str(day), name, asked.verdict(results), tuple(results), where, remedy)
    _keep(folder(settings) / door / result.day / f"{name}.json", result, landed or {})
    return result


def _keep(path: Path, result: GateResult, landed: Mapping[str, Any]) -> None:
    checks = [check._asdict() | {"samples": [place._asdict() for place in check.samples]} for check in result.checks]
    # Not the place: it may be an absolute path, and the same data is to give the same bytes.
    document = {"name": result.name, "verdict": result.verdict}
    document |= {"remedy": result.remedy if result.verdict == "stop" else "", "landed": landed, "checks": checks}
    files.write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")

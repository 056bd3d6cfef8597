"""dbt as a subprocess: one process a layer, with the run's day and rules as its variables."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from tangga import audiences, engine, landing, warehouse
from tangga.settings import REPOSITORY, Settings

PROJECT = REPOSITORY / "dbt_project"

LAYERS = {
    "staging": "path:seeds path:models/staging",
    "intermediate": "path:models/intermediate",
    "marts": "path:models/marts",
    "audiences": "path:models/audiences",
}
"""Layer -> what dbt selects for it."""


class DbtFailed(Exception):
    """dbt could not build or a test of it failed; the message names the nodes."""


def variables(settings: Settings, as_of: date) -> dict:
    """Everything that models may know about the run: the day, the business, its rules and its audiences."""
    end = settings.begins(as_of + timedelta(days=1))
    return {
        "as_of_date": as_of.isoformat(),
        "as_of_end_utc": end.strftime("%Y-%m-%d %H:%M:%S"),
        "time_zone": settings.business.time_zone,
        "currency": settings.business.currency,
        "country": settings.business.country,
        "language": settings.business.language,
        "rules": settings.rules.model_dump(mode="json"),
        "unrepeated": landing.unrepeated(settings, as_of),
    } | audiences.variables(settings)


def environment(settings: Settings) -> dict[str, str]:
    """The environment that the profile reads, on top of this process's own."""
    return os.environ | {
        warehouse.WORKING_FILE: str(warehouse.path(settings)),
        "TANGGA_MEMORY_LIMIT": engine.memory_limit(),
        "DBT_TARGET_PATH": str(target(settings)),
        "DBT_LOG_PATH": str(target(settings) / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_USE_COLORS": "false",
    }


def target(settings: Settings) -> Path:
    """Where dbt leaves its manifest, results and logs."""
    return settings.home / "warehouse" / "dbt"


def run(settings: Settings, as_of: date, *arguments: str) -> str:
    """Run a dbt command on the working file; returns its output. Raises `DbtFailed`."""
    (target(settings) / "run_results.json").unlink(missing_ok=True)  # of an earlier command
    command = [
        *(str(Path(sys.executable).with_name("dbt")), *arguments),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--vars", json.dumps(variables(settings, as_of))),
    ]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=False)
    if done.returncode:
        raise DbtFailed(_what_failed(settings, done.stdout + done.stderr))
    return done.stdout


def build(settings: Settings, as_of: date, layer: str) -> dict[str, int]:
    """Build and test one layer. Returns how many nodes of it ended in which status."""
    run(settings, as_of, "build", "--select", *LAYERS[layer].split(), "--indirect-selection", "buildable", "--quiet")
    counts: dict[str, int] = {}
    for result in _results(settings):
        counts[result["status"]] = counts.get(result["status"], 0) + 1
    return counts


def _results(settings: Settings) -> list[dict]:
    file = target(settings) / "run_results.json"
    return json.loads(file.read_text(encoding="utf-8"))["results"] if file.exists() else []


def _what_failed(settings: Settings, output: str) -> str:
    """One sentence. Of an error its kind only: DuckDB's own text can quote somebody's data."""
    log = target(settings) / "logs" / "dbt.log"
    failed = [r for r in _results(settings) if r["status"] in ("error", "fail", "runtime error")]
    if not failed:
        # Nothing has read a row yet: this is about the project, and its words are needed to mend it.
        return f"dbt could not start: {' '.join(output.split())[-800:]} See {log}."
    names = "; ".join(
        f"{result['unique_id'].split('.', 2)[-1]}: "
        + (f"{result['failures']} rows fail" if result["status"] == "fail" else _kinds(result["message"] or ""))
        for result in failed[:5]
    )
    return f"dbt: {len(failed)} of its checks or models failed; {names}. See {log}."


def _kinds(message: str) -> str:
    """The kinds of error that a message names, such as "Runtime Error, Conversion Error"."""
    return ", ".join(dict.fromkeys(re.findall(r"\b[A-Z]\w+(?: [A-Z]\w+)? (?:Error|Exception)\b", message))) or "error"

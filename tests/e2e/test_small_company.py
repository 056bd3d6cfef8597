"""A plan that changes more than usual, from the run that waits to the person who agrees, through Airflow."""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tangga.settings import REPOSITORY
from tests.unit.inbox import BUSINESS

pytestmark = pytest.mark.e2e

FIRST, SECOND, THIRD = "2026-03-09", "2026-03-10", "2026-03-11"
LIST = "rung_2_prospect"


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def run(root: Path, day: str) -> str:
    done = python(root, "tangga.local.run", "--as-of", day, "--config", "tangga.yml", "--home", "home")
    log = (root / "home" / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout + log[-5000:]
    return done.stdout


def answer(root: Path, user: str, said: str, which: int) -> dict:
    done = python(root, "tests.e2e.answering", "home", "tangga.yml", user, said, str(which))
    assert "SAID " in done.stdout, done.stdout[-3000:] + done.stderr[-5000:]
    found = json.loads(done.stdout.split("SAID ", 1)[1].splitlines()[0])
    return found | {"log": done.stdout + done.stderr}


def write(root: Path, buyers: int) -> None:
    """140 people agreed to be written to; the first so many have ordered."""
    people = [f"p{number:03}" for number in range(140)]
    files = {
        "contacts": [("contact_id", "updated_at", "email"),
                     *((one, "2025-01-01T00:00:00Z", f"{one}@example.com") for one in people)],
        "consents": [("contact_id", "channel", "status", "status_at"),
                     *((one, "email", "granted", "2025-01-01T00:00:00Z") for one in people)],
        "orders": [("order_id", "contact_id", "ordered_at", "status", "currency", "total_amount"),
                   ("o", "somebody", "2025-06-01T00:00:00Z", "completed", "IDR", "1000"),
                   *((f"o-{one}", one, "2026-03-01T00:00:00Z", "completed", "IDR", "1000") for one in people[:buyers])],
    }  # fmt: skip
    (root / "inbox").mkdir(exist_ok=True)
    for name, rows in files.items():
        with (root / "inbox" / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows(rows)


def listed(root: Path) -> int:
    with (root / "home" / "exports" / "files" / f"{LIST}.csv").open(encoding="utf-8", newline="") as handle:
        return len(list(csv.DictReader(handle)))


def test_a_plan_beyond_its_limits_waits_for_a_person(tmp_path):
    entities = {name: {"path": f"{name}.csv"} for name in ("contacts", "consents", "orders")}
    config = {
        "business": BUSINESS,
        "sources": {
            "shop": {
                "path": "inbox",
                "entities": entities,
            }
        },
        "destinations": {"files": {"type": "files", "audiences": [LIST]}},
    }
    (tmp_path / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")

    write(tmp_path, buyers=0)
    assert "Waiting" not in run(tmp_path, FIRST), "the first lists go by themselves"
    assert listed(tmp_path) == 140

    write(tmp_path, buyers=60)
    said = run(tmp_path, SECOND)
    assert "Waiting for somebody to agree:\n  Send the lists of 2026-03-10 to files?\n" in said
    assert f"    - {LIST}: 60 of its 140 people would leave (42.9 %, and up to 20 % are usual)." in said
    assert listed(tmp_path) == 140

    write(tmp_path, buyers=70)  # while it waits, the next day is landed, built, and asks for itself
    said = run(tmp_path, THIRD)
    assert f"    - {LIST}: 70 of its 140 people would leave" in said
    assert f"as of {THIRD}" in said
    assert listed(tmp_path) == 140

    late = answer(tmp_path, "mark", "Approve", which=0)
    assert (late["code"], late["subject"]) == (200, f"Send the lists of {SECOND} to files?")
    assert (late["tasks"]["activate.approve"], late["tasks"]["activate.deliver"]) == ("failed", "upstream_failed")
    assert "mark agreed, and nothing is sent all the same" in late["log"]
    assert listed(tmp_path) == 140

    refused = answer(tmp_path, "vera", "Approve", which=0)
    assert refused["code"] == 403
    assert (refused["tasks"]["activate.approve"], refused["defaults"]) == ("awaiting_input", ["Reject"])

    agreed = answer(tmp_path, "mark", "Approve", which=0)
    assert (agreed["code"], agreed["subject"]) == (200, f"Send the lists of {THIRD} to files?")
    assert {agreed["tasks"][task] for task in ("activate.approve", "activate.deliver")} == {"success"}
    assert listed(tmp_path) == 70
    assert not re.search(r"p\d\d\d@", agreed["body"] + agreed["log"])

    manifest = json.loads((tmp_path / "home" / "exports" / "files" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["as_of_date"], manifest["gate"]) == (THIRD, "pass")
    assert manifest["approval"].startswith("approved by mark")
    with closing(sqlite3.connect(tmp_path / "home" / "state" / "ledger.sqlite")) as ledger:
        delivered = ledger.execute(
            "select as_of_date, state, gate, substr(approval, 1, 16), length(rules_hash) from deliveries order by id"
        ).fetchall()
        decided = ledger.execute("select decision, decided_by from approvals").fetchall()
        (sent,) = ledger.execute("select plan_hash from deliveries order by id desc limit 1").fetchone()
    assert delivered == [
        (FIRST, "done", "pass", "within limits", 12),
        (THIRD, "done", "pass", "approved by mark", 12),
    ]
    assert f"plan `{sent[:12]}`" in agreed["body"], "exactly the plan that was shown"
    assert decided == [("approved", "mark")]
    with closing(sqlite3.connect(tmp_path / "home" / "airflow" / "airflow.db")) as airflow:
        events = [json.loads(extra) for (extra,) in airflow.execute(
            "select asset_event.extra from asset_event join asset on asset.id = asset_event.asset_id "
            "where asset.name = 'tangga_delivered' order by asset_event.id"
        )]  # fmt: skip
    assert [(event["as_of_date"], event["destination"], event["approval"]) for event in events] == [
        (FIRST, "files", "within limits"),
        (THIRD, "files", "approved"),
    ]
    assert not re.search(r"@|mark", json.dumps(events))

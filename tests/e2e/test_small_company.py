"""A company with three files, through Airflow: its first day goes by itself, what cannot be trusted changes nothing,
and a plan that changes more than usual waits for a person. One home for all of it; the tests go through it in this
order."""

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

import duckdb
import pytest
import yaml

from tangga.settings import REPOSITORY
from tests.e2e.fingerprints import fingerprint
from tests.unit.inbox import BUSINESS

pytestmark = pytest.mark.e2e

FIRST, SECOND, THIRD = "2026-03-09", "2026-03-10", "2026-03-11"
LIST = "rung_2_prospect"
ORDERS = (
    "order_id,contact_id,ordered_at,status,currency,total_amount\n"
    "a,p000,2026-01-02,paid,IDR,1000\nb,somebody,2026-01-03,paid,IDR,500\n"
)


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


def run(root: Path, day: str, code: int = 0) -> str:
    done = python(root, "tangga.local.run", "--as-of", day, "--config", "tangga.yml", "--home", "home")
    log = (root / "home" / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
    assert done.returncode == code, done.stdout + log[-5000:]
    return done.stdout + done.stderr


def answer(root: Path, *answers: str) -> tuple[list[dict], str]:
    """Who answers what to the oldest run that waits; what came of each, and all that was said."""
    done = python(root, "tests.e2e.answering", "home", "tangga.yml", *answers)
    found = [json.loads(line[len("SAID ") :]) for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert len(found) == len(answers), done.stdout[-3000:] + done.stderr[-5000:]
    return found, done.stdout + done.stderr


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


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    """The company after its first day, before anybody has bought."""
    root = tmp_path_factory.mktemp("company")
    entities = {name: {"path": f"{name}.csv"} for name in ("contacts", "consents", "orders")}
    config = {
        "business": BUSINESS,
        "sources": {"shop": {"path": "inbox", "entities": entities}},
        "destinations": {"files": {"type": "files", "audiences": [LIST]}},
    }
    (root / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    write(root, buyers=0)
    assert "Waiting" not in run(root, FIRST), "the first lists go by themselves"
    assert listed(root) == 140
    return root


def test_a_buyer_in_no_contact_list_is_a_customer(company):
    published = company / "home" / "published" / "crm.duckdb"
    with duckdb.connect(str(published.resolve()), read_only=True) as con:
        found = con.sql(
            "select contact_id, is_listed, rung from core.customer_identities "
            "inner join customer.customer_lifecycle using (customer_id) order by 1"
        ).fetchall()
    assert (found[0], found[-1], len(found)) == (("p000", True, 2), ("somebody", False, 3), 141)


@pytest.mark.parametrize(
    ("orders", "said"),
    [
        (ORDERS.replace("total_amount", "sum"), "has no column"),
        ("", "0 bytes"),
        (ORDERS.replace("a,p000", '"a,p000'), "not closed"),
        (ORDERS.replace("1000", "1,5").replace("500", "NaN"), "max_reject_share"),
    ],
    ids=["renamed column", "empty file", "open quote", "all rows rejected"],
)
def test_a_source_that_cannot_be_trusted_changes_nothing_that_anybody_sees(company, orders, said):
    before = fingerprint(company / "home", ("published", "exports", "state"))
    assert before
    (company / "inbox" / "orders.csv").write_text(orders)
    output = run(company, SECOND, code=1)
    assert said in output
    assert "Traceback" not in output
    assert fingerprint(company / "home", ("published", "exports", "state")) == before


def test_a_plan_beyond_its_limits_waits_for_a_person(company):
    write(company, buyers=60)
    said = run(company, SECOND)
    assert "Waiting for somebody to agree:\n  Send the lists of 2026-03-10 to files?\n" in said
    assert f"    - {LIST}: 60 of its 140 people would leave (42.9 %, and up to 20 % are usual)." in said
    assert listed(company) == 140

    write(company, buyers=70)  # while it waits, the next day is landed, built, and asks for itself
    said = run(company, THIRD)
    assert f"    - {LIST}: 70 of its 140 people would leave" in said
    assert f"as of {THIRD}" in said
    assert listed(company) == 140

    (late, refused), said = answer(company, "mark:Approve", "vera:Approve")
    assert (late["code"], late["subject"]) == (200, f"Send the lists of {SECOND} to files?")
    assert (late["tasks"]["activate.approve"], late["tasks"]["activate.deliver"]) == ("failed", "upstream_failed")
    assert "mark agreed, and nothing is sent all the same" in said
    assert (refused["code"], refused["subject"]) == (403, f"Send the lists of {THIRD} to files?")
    assert (refused["tasks"]["activate.approve"], refused["defaults"]) == ("awaiting_input", ["Reject"])
    assert listed(company) == 140

    (agreed,), said = answer(company, "mark:Approve")
    assert (agreed["code"], agreed["subject"]) == (200, f"Send the lists of {THIRD} to files?")
    assert {agreed["tasks"][task] for task in ("activate.approve", "activate.deliver")} == {"success"}
    assert listed(company) == 70
    assert not re.search(r"p\d\d\d@", agreed["body"] + said)

    manifest = json.loads((company / "home" / "exports" / "files" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["as_of_date"], manifest["gate"]) == (THIRD, "pass")
    assert manifest["approval"].startswith("approved by mark")
    with closing(sqlite3.connect(company / "home" / "state" / "ledger.sqlite")) as ledger:
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
    with closing(sqlite3.connect(company / "home" / "airflow" / "airflow.db")) as airflow:
        events = [json.loads(extra) for (extra,) in airflow.execute(
            "select asset_event.extra from asset_event join asset on asset.id = asset_event.asset_id "
            "where asset.name = 'tangga_delivered' order by asset_event.id"
        )]  # fmt: skip
    assert [(event["as_of_date"], event["destination"], event["approval"]) for event in events] == [
        (FIRST, "files", "within limits"),
        (THIRD, "files", "approved"),
    ]
    assert not re.search(r"@|mark", json.dumps(events))

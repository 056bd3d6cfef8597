"""Somebody asks to be forgotten: by the form, through Airflow, after a day; the next day runs on the old files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tangga.erasure.blocked import address_id
from tangga.settings import REPOSITORY
from tests.unit.erasures import everything, found_in

pytestmark = pytest.mark.e2e

PATHS = f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"
FIRST, SECOND = "2026-05-20", "2026-05-21"
OWN = ("inbox", "demo_truth")
"""The company's own files, which nobody but the company may change."""


def python(home: Path, *arguments: str, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": PATHS, "TANGGA_DEMO_SCALE": "0.02"},
        input=said, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    log = home / "airflow" / "logs" / "run.log"
    assert done.returncode == 0, (
        done.stdout[-3000:] + done.stderr[-3000:] + (log.read_text()[-3000:] if log.exists() else "")
    )
    return done.stdout + done.stderr


def run(home: Path, day: str) -> str:
    return python(home, "tangga.local.run", "--as-of", day, "--home", str(home))


def asked(home: Path, query: str, name: str = "private") -> list[tuple]:
    with duckdb.connect(str((home / "published" / f"{name}.duckdb").resolve()), read_only=True) as con:
        return con.sql(query).fetchall()


def figures(home: Path) -> dict[str, list[tuple]]:
    tables = asked(home, "select table_name from duckdb_tables() where schema_name = 'metrics' order by 1", "crm")
    return {table: asked(home, f"from metrics.{table} order by all", "crm") for (table,) in tables}


def test_an_erased_person_stays_out_of_everything(tmp_path):
    home = tmp_path / "home"
    run(home, FIRST)
    listed = {
        line.split(",")[0] for line in (home / "exports/files/rung_4_repeat_customer.csv").read_text().splitlines()[1:]
    }
    customers = asked(
        home, "select email, phone, customer_id from core.dim_customers where phone is not null order by 1"
    )
    address, phone, customer = next(row for row in customers if row[0] in listed)
    contacts = asked(home, f"select contact_id from core.customer_identities where customer_id = '{customer}'")
    words, before = (address, phone, customer, address_id(address)[6:]), figures(home)
    known = found_in(home, words)
    assert {place for place, _ in known if place not in OWN} == {
        "landing",
        "published",
        "exports",
        "state",
        "warehouse",
    }

    output = python(home, "tests.e2e.erasing", str(home), "tangga.yml", said=address.upper())
    told = json.loads(output.split("SAID ", 1)[1].splitlines()[0])
    assert told["codes"] == [401, 403, 200, 400, 200]
    assert told["left"] == [0, 0, 1]
    assert set(told["conf"]) == {"request"}
    assert told["defaults"] == ["Reject"]
    assert set(told["tasks"].values()) == {"success"}
    assert [word for word in words if word in (output + json.dumps(told)).lower()] == []
    certificate = json.loads((home / "erasures" / told["conf"]["request"] / "certificate.json").read_text())
    assert (certificate["state"], certificate["decided_by"]) == ("done", "mark")
    assert {place for place, counts in certificate["removed"].items() if counts["files"]} == {
        "landing", "working file", "state of days", "plans", "published versions", "exports", "ledger",
    }  # fmt: skip
    assert set(certificate["destinations"]) == {"files"}
    assert {place for place, _ in found_in(home, words)} == {place for place, _ in known} & set(OWN)
    assert figures(home) == before

    printed = run(home, SECOND)
    assert [word for word in words if word in printed.lower()] == []
    assert {place for place, _ in found_in(home, words)} == {place for place, _ in known} & set(OWN)
    assert asked(home, "select count(*) from core.customer_identities") != [(0,)]
    left = asked(home, "select contact_id from core.customer_identities where source = 'shop' and is_listed")
    assert not {contact for (contact,) in contacts} & {contact for (contact,) in left}
    assert any(word.encode() in content for _, content in everything(home / "inbox") for word in (address, phone))

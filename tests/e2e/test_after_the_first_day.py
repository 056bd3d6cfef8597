"""The demo company's first day from files; the same from an object store, which holds the landing as well. Then
somebody asks to be forgotten, by the form, through Airflow; the next day runs on the old files. The tests go through it
in this order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from tangga.erasure.blocked import address_id
from tangga.settings import REPOSITORY
from tests.unit.erasures import everything, found_in
from tests.unit.object_store import KEY, SECRET

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2500)]

PATHS = f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"
FIRST, SECOND = "2026-05-20", "2026-05-21"
OWN = ("inbox", "demo_truth")
"""The company's own files, which nobody but the company may change."""


def python(home: Path, *arguments: str, said: str = "", **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": PATHS, "TANGGA_DEMO_SCALE": "0.02"} | variables,
        input=said, capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    log = home / "airflow" / "logs" / "run.log"
    assert done.returncode == 0, (
        done.stdout[-3000:] + done.stderr[-3000:] + (log.read_text()[-3000:] if log.exists() else "")
    )
    return done.stdout + done.stderr


def run(home: Path, day: str, *options: str, **variables: str) -> str:
    return python(home, "tangga.local.run", "--as-of", day, "--home", str(home), *options, **variables)


def asked(home: Path, query: str, name: str = "private") -> list[tuple]:
    with duckdb.connect(str((home / "published" / f"{name}.duckdb").resolve()), read_only=True) as con:
        return con.sql(query).fetchall()


def figures(home: Path) -> dict[str, list[tuple]]:
    tables = asked(home, "select table_name from duckdb_tables() where schema_name = 'metrics' order by 1", "crm")
    return {table: asked(home, f"from metrics.{table} order by all", "crm") for (table,) in tables}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """The company after its first day."""
    home = tmp_path_factory.mktemp("first") / "home"
    run(home, FIRST)
    return home


def in_a_store(home: Path, bucket) -> dict:
    """The repository's own configuration, with the inbox of that home and the landing in a bucket."""
    config = yaml.safe_load((REPOSITORY / "tangga.yml").read_text(encoding="utf-8"))
    del config["demo"]
    config["reference"] = {name: path.replace("$TANGGA_HOME", str(home)) for name, path in config["reference"].items()}
    for source in config["sources"].values():
        source["path"] = source["path"].replace("$TANGGA_HOME", f"s3://{bucket.name}")
        source["connection"] = "lake"
    return config | {"storage": {"path": f"s3://{bucket.name}/tangga", "connection": "lake"}}


def tables(home: Path, name: str) -> dict[str, list[tuple]]:
    found = asked(home, "select table_schema || '.' || table_name from information_schema.tables order by 1", name)
    return {table: asked(home, f"select * from {table} order by all", name) for (table,) in found}


def test_inbox_and_landing_in_a_store_publish_the_same_warehouse(home, bucket, tmp_path):
    for path in sorted((home / "inbox").rglob("*")):
        if path.is_file():
            bucket.put(path.relative_to(home).as_posix(), path.read_bytes())
    (tmp_path / "tangga.yml").write_text(yaml.safe_dump(in_a_store(home, bucket)), encoding="utf-8")
    there, config = tmp_path / "home", str(tmp_path / "tangga.yml")
    said = run(there, FIRST, "--config", config, AIRFLOW_CONN_LAKE=bucket.store.connection())
    said += (there / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")

    for name in ("crm", "private"):
        expected, found = tables(home, name), tables(there, name)
        assert len(expected) > 20
        assert set(found) == set(expected)
        assert {table for table in expected if found[table] != expected[table]} == set()
    assert (there / "published/current").resolve().name == (home / "published/current").resolve().name
    assert not (there / "landing").exists()
    assert not (there / "rejects").exists()
    landed = {key: content for key, (content, *_) in bucket.tree().items() if key.startswith("tangga/")}
    local = {
        f"tangga/{path.relative_to(home).as_posix()}": path.read_bytes()
        for area in ("landing", "rejects")
        for path in (home / area).rglob("*")
        if path.is_file()
    }
    assert landed == local
    assert sum(name.endswith(".parquet") for name in local) == 10
    assert f"s3://{bucket.name}/tangga/rejects/" in said
    for secret in (SECRET, KEY, "@example.com", "X-Amz-Signature"):
        assert secret not in said


def test_an_erased_person_stays_out_of_everything(home):
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

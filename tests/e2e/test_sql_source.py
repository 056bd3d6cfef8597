"""A company whose contacts lie in PostgreSQL, from the database to a published warehouse, through Airflow."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
import yaml

from tangga.settings import REPOSITORY
from tests.unit.inbox import BUSINESS
from tests.unit.postgres import SECRET
from tests.unit.test_doctor import command, tree

pytestmark = pytest.mark.e2e

DAY = "2026-03-10"


def run(root: Path, address: str) -> subprocess.CompletedProcess:
    command = ["-m", "tangga.local.run", "--as-of", DAY, "--config", "tangga.yml", "--home", "home"]
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env=os.environ
        | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}", "AIRFLOW_CONN_CRM_DB": address},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_contacts_come_from_postgresql_with_the_credentials_of_airflow(server, tmp_path):
    server.run(
        "create schema crm",
        "create table crm.people (id bigint, changed timestamptz, mail text, named text)",
        "insert into crm.people select i, timestamptz '2026-03-01' + i * interval '1 min', 'p' || i || '@example.com', "
        "'Ani ' || i from generate_series(1, 50) i",
        "grant usage on schema crm to careful",
        "grant select on crm.people to careful",
    )
    columns = {"contact_id": "id", "updated_at": "changed", "email": "mail", "first_name": "named"}
    source = {
        "type": "sql",
        "connection": "crm_db",
        "entities": {"contacts": {"table": "crm.people", "columns": columns}},
    }
    config = {"business": BUSINESS, "sources": {"crm": source}}
    (tmp_path / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    host = quote(server.socket, safe="")

    done = run(tmp_path, f"postgres://careful:{quote(SECRET, safe='')}@/postgres?host={host}")
    log = (tmp_path / "home" / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout + log[-3000:]
    assert re.search(r"land crm contacts +50 rows, 0 rejected", done.stdout)
    with duckdb.connect(tmp_path / "home" / "published" / "crm.duckdb", read_only=True) as warehouse:
        found = warehouse.execute("select count(*), min(source) from core.customer_identities").fetchone()
    assert found == (50, "crm")

    seen = done.stdout + log
    with closing(sqlite3.connect(tmp_path / "home" / "airflow" / "airflow.db")) as airflow, airflow:
        airflow.execute(
            "insert into connection (conn_id, conn_type, host, schema, login, is_encrypted, is_extra_encrypted) "
            "values ('in_airflow', 'postgres', ?, 'postgres', 'postgres', 0, 0)",
            [server.socket],
        )
    before = tree(tmp_path / "home")
    source["connection"] = "in_airflow"
    (tmp_path / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    looked = command("--config", tmp_path / "tangga.yml", "--home", tmp_path / "home")
    assert "ok      crm contacts: 50 rows read" in looked.stdout
    assert looked.returncode == 0
    assert tree(tmp_path / "home") == before
    source["connection"] = "crm_db"
    (tmp_path / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")

    failed = run(tmp_path, f"postgres://careful:Wr0ng-{quote(SECRET, safe='')}@/postgres?host={host}")
    log = (tmp_path / "home" / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
    assert failed.returncode == 1
    assert "crm, table crm.people (connection 'crm_db'): the database refuses the connection" in failed.stdout
    seen += failed.stdout + failed.stderr + log
    assert SECRET not in seen
    assert quote(SECRET, safe="") not in seen
    assert "@example.com" not in seen

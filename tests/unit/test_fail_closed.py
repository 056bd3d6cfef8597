"""When in doubt nothing is sent, nothing is built on, and nothing is given away: the doubts one by one."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import psutil
import pytest

from tangga import dbt, landing, reference, settings, warehouse
from tangga.activation import plan
from tangga.landing.normalise import hashed_id
from tangga.settings import REPOSITORY, SettingsError
from tangga.sources.records import SourceRefused
from tangga.tasks.common import day_of

DAY = date(2026, 3, 31)
COMPANY = """
business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources:
  shop:
    path: inbox
    entities:
      contacts: {path: contacts.csv}
      consents: {path: consents.csv}
"""


@pytest.fixture
def company(tmp_path):
    """A company with contacts and consents, landed and let in for a day."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "tangga.yml").write_text(COMPANY)
    (tmp_path / "inbox" / "contacts.csv").write_text("contact_id,updated_at\n1,2026-01-01\n")
    (tmp_path / "inbox" / "consents.csv").write_text(
        "contact_id,channel,status,status_at\n1,email,granted,2026-01-01\n"
    )
    found = settings.load(tmp_path / "tangga.yml", tmp_path / "var")
    for entity in ("contacts", "consents"):
        landing.record_verdict(found, landing.land(found, "shop", entity, DAY), "pass", [])
    return found


def partition(found, entity):
    return landing.folder(found, entity, "shop", DAY)


def test_no_consent_may_be_rejected_unless_somebody_allows_it(company, tmp_path):
    limits = {name: spec.max_reject_share for name, spec in company.sources["shop"].entities.items()}
    assert limits == {"contacts": 0.05, "consents": 0.0}
    (tmp_path / "tangga.yml").write_text(COMPANY.replace("consents.csv}", "consents.csv, max_reject_share: 0.2}"))
    assert settings.load(tmp_path / "tangga.yml").sources["shop"].entities["consents"].max_reject_share == 0.2


def test_what_was_changed_after_the_gate_is_not_built_on(company):
    file = partition(company, "consents") / landing.read_manifest(partition(company, "consents")).file
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SourceRefused, match="consents of shop for 2026-03-31 again"):
        warehouse.prepare(company, DAY)
    landing.record_verdict(company, landing.land(company, "shop", "consents", DAY), "pass", [])
    assert warehouse.prepare(company, DAY)["consents"] == 1


@pytest.mark.parametrize("name", ["manifest.json", "gate.json"])
@pytest.mark.parametrize("damage", [b"", b"{half", b"[]", b"\xff"])
def test_a_damaged_state_file_means_not_landed(company, name, damage):
    (partition(company, "contacts") / name).write_bytes(damage)
    assert landing.partitions(company, "contacts", DAY) == []
    assert len(landing.partitions(company, "consents", DAY)) == 1


def test_a_manifest_of_a_newer_tangga_can_be_read(company):
    path = partition(company, "contacts") / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"moon_phase": 0.5}))
    assert len(landing.partitions(company, "contacts", DAY)) == 1
    path.write_text(json.dumps({"moon_phase": 0.5}))
    assert landing.partitions(company, "contacts", DAY) == []


def test_nobody_is_written_to_without_the_consents_of_the_day(company, monkeypatch):
    today = SimpleNamespace(as_of_date="2026-04-01", version="v", code_version="abc")
    monkeypatch.setattr(plan.publish, "current", lambda _: today)
    with pytest.raises(plan.ActivationRefused, match="consents of shop for 2026-04-01"):
        plan.make(company, date(2026, 4, 1))


def test_a_day_that_has_not_begun_is_refused(company, monkeypatch):
    monkeypatch.setenv("TANGGA_CONFIG", str(company.config_path))
    today = company.yesterday() + timedelta(days=1)
    assert day_of(SimpleNamespace(partition_key=None, conf={"as_of_date": today.isoformat()})) == today
    tomorrow = (today + timedelta(days=1)).isoformat()
    for run in ({"partition_key": tomorrow, "conf": {}}, {"partition_key": None, "conf": {"as_of_date": tomorrow}}):
        with pytest.raises(ValueError, match="has not begun"):
            day_of(SimpleNamespace(**run))
    assert day_of(SimpleNamespace(partition_key=None, conf=None)) == company.yesterday()


@pytest.mark.parametrize("what", ["left over", "damaged", "half a write-ahead log"])
def test_whatever_an_earlier_run_has_left_is_thrown_away(company, what):
    file = warehouse.path(company)
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(file)) as con:
        con.execute("create table of_before as select 1 as a")
    if what == "damaged":
        file.write_bytes(file.read_bytes()[:5000] + b"\xff" * 5000)
    if what == "half a write-ahead log":
        file.with_name(f"{file.name}.wal").write_bytes(b"\x00half")
    assert warehouse.prepare(company, DAY)["consents"] == 1
    with duckdb.connect(str(file), read_only=True) as con:
        assert con.sql("select count(*) from duckdb_tables() where table_name = 'of_before'").fetchone() == (0,)
    assert {path.name for path in file.parent.glob(f"{file.name}*")} == {file.name}


def test_the_dbt_of_a_run_that_was_killed_is_ended_before_the_next(company):
    mark = {warehouse.WORKING_FILE: str(warehouse.path(company))}
    other = {warehouse.WORKING_FILE: str(warehouse.path(company)) + ".other"}
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    orphan, stranger = (subprocess.Popen(sleep, env=os.environ | env) for env in (mark, other))
    try:
        deadline = time.monotonic() + 10
        while psutil.Process(orphan.pid).environ().get(warehouse.WORKING_FILE) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        warehouse.prepare(company, DAY)
        assert orphan.poll() is not None
        assert stranger.poll() is None
    finally:
        orphan.kill()
        stranger.kill()


def test_what_dbt_says_is_told_without_values(company):
    dbt.target(company).mkdir(parents=True)
    message = "Runtime Error in model dim_customers\n  Conversion Error: Could not convert 'ani@example.com' to INT32"
    result = {"unique_id": "model.tangga.dim_customers", "status": "error", "message": message}
    (dbt.target(company) / "run_results.json").write_text(json.dumps({"results": [result]}))
    said = dbt._what_failed(company, "")
    assert "dim_customers: Runtime Error, Conversion Error" in said
    assert "ani@" not in said


def test_an_id_that_is_a_telephone_number_is_hashed_in_one_form():
    assert hashed_id("+62 812-3456-7890") == hashed_id("+6281234567890")
    assert re.fullmatch("phone:[0-9a-f]{64}", hashed_id("+6281234567890"))


@pytest.mark.parametrize("names", [("Größte", "Gr te"), ("Лучшие", "Новые"), ("A", "a")])
def test_segments_that_would_share_a_list_are_refused(tmp_path, names):
    rows = [f"own,{r},{f},{m},{names[m % 2]}" for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    (tmp_path / "own.csv").write_text("scheme,r,f,m,segment\n" + "\n".join(rows) + "\n")
    (tmp_path / "tangga.yml").write_text(COMPANY + "reference: {rfm_segments: own.csv}\nrules: {rfm: {scheme: own}}\n")
    with pytest.raises(SettingsError, match="of its own"):
        warehouse.prepare(settings.load(tmp_path / "tangga.yml"), DAY)


def test_a_scheme_that_nobody_has_is_refused(tmp_path):
    (tmp_path / "tangga.yml").write_text(COMPANY + "rules: {rfm: {scheme: mine}}\n")
    with pytest.raises(SettingsError, match="rf_grid_10, standard_11"):
        reference.check_scheme(settings.load(tmp_path / "tangga.yml"))


def test_the_python_of_the_readme_compiles():
    found = re.findall(r'python -c "\n(.*?)"\n', (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    assert ast.parse(found[0])

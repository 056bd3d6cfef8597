"""The environment keeps Airflow, dbt and Great Expectations inside Tangga's home."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tangga.local import airflow_home
from tangga.local.home_lock import HomeBusy, home_lock
from tangga.settings import REPOSITORY, Settings


def settings_in(home: Path) -> Settings:
    return Settings(
        business={"name": "Test", "time_zone": "Asia/Jakarta", "currency": "IDR", "country": "ID"},
        sources={"shop": {"path": "inbox", "entities": {"orders": {"path": "orders.csv"}}}},
        config_path=home / "tangga.yml",
        home=home,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def test_everything_that_is_written_is_under_the_home(settings):
    variables = airflow_home.environment(settings)
    written = {
        "AIRFLOW_HOME",
        "AIRFLOW_CONFIG",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY",
        "DBT_LOG_PATH",
    }
    assert all(Path(variables[name]).is_relative_to(settings.home / "airflow") for name in written)
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{settings.home}/airflow/airflow.db"
    assert variables["TANGGA_HOME"] == str(settings.home)
    assert variables["TANGGA_CONFIG"] == str(settings.config_path)
    assert variables["TANGGA_TIME_ZONE"] == "Asia/Jakarta"


def test_code_comes_from_the_repository(settings):
    variables = airflow_home.environment(settings)
    assert variables["AIRFLOW__CORE__DAGS_FOLDER"] == str(REPOSITORY / "dags")
    assert variables["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(REPOSITORY / "plugins")
    assert variables["PYTHONPATH"].split(os.pathsep)[:2] == [str(REPOSITORY / "plugins"), str(REPOSITORY)]
    assert variables["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_secrets_are_strong_private_and_stable(settings):
    first, second = airflow_home.environment(settings), airflow_home.environment(settings)
    assert first == second
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    assert len(first["AIRFLOW__API__SECRET_KEY"]) >= 64
    assert len(base64.urlsafe_b64decode(first["AIRFLOW__CORE__FERNET_KEY"])) == 32
    folder = airflow_home.folder(settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_secrets(settings):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: airflow_home.environment(settings), range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert [path.name for path in airflow_home.folder(settings).glob(".*")] == []


def test_every_user_has_a_login(settings):
    airflow_home.environment(settings)
    logins = airflow_home.logins(settings)
    assert set(logins) == {"admin", "mark", "vera"}
    assert len(set(logins.values())) == 3


def test_two_homes_share_nothing(tmp_path):
    ours = airflow_home.environment(settings_in(tmp_path / "a"), port=8081)
    theirs = airflow_home.environment(settings_in(tmp_path / "b"), port=8082)
    shared = {name for name in ours if ours[name] == theirs[name]}
    assert not shared & {
        "AIRFLOW_HOME",
        "AIRFLOW_CONFIG",
        "AIRFLOW__API__PORT",
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
        "DBT_LOG_PATH",
        "TANGGA_HOME",
    }


def test_the_server_listens_on_this_machine_only_and_knows_its_address(settings):
    variables = airflow_home.environment(settings, port=8099)
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert variables["AIRFLOW__API__PORT"] == "8099"
    assert variables["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8099"


def test_nothing_calls_home(settings):
    variables = airflow_home.environment(settings)
    assert variables["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "false"
    assert variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert variables["GX_ANALYTICS_ENABLED"] == "false"


def test_airflow_reads_the_environment(settings):
    """Names of settings change between versions of Airflow, and unknown ones are ignored in silence."""
    script = """
        from airflow.configuration import conf
        known = conf.configuration_description
        import os, json
        ours = [name.lower().split("__") for name in os.environ if name.startswith("AIRFLOW__")]
        print(json.dumps([[section, key] for _, section, key in ours
                          if key not in known.get(section, {}).get("options", {})]))
    """
    environment = os.environ | airflow_home.environment(settings)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True, check=True
    )
    # This Airflow has no telemetry to switch off; the switch stays for one that has it again.
    assert json.loads(done.stdout.splitlines()[-1]) == [["usage_data_collection", "enabled"]]


def test_activating_after_airflow_was_imported_is_refused(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow", sys)
    with pytest.raises(RuntimeError, match="already imported"):
        airflow_home.activate(settings)


def test_the_second_in_a_home_is_told_who_is_there(settings):
    up = "up http://127.0.0.1:8080"
    with home_lock(settings, up), pytest.raises(HomeBusy, match=r"Airflow is up in .* \(http://127.0.0.1:8080\)"):
        home_lock(settings, "run").__enter__()
    with home_lock(settings, "run"), pytest.raises(HomeBusy, match="'make run' is at work"):
        home_lock(settings, up).__enter__()
    with home_lock(settings, "run"):
        pass  # it is free again


def test_runs_that_were_killed_are_closed_and_waiting_ones_are_not(settings):
    airflow_home.environment(settings)
    with sqlite3.connect(airflow_home.database(settings)) as connection:
        connection.executescript("""
            create table dag_run (dag_id, run_id, state, triggered_by);
            create table task_instance (dag_id, run_id, task_id, state);
            insert into dag_run values ('crm_land', 'killed', 'running', 'TEST'),
                ('crm_activate', 'waiting', 'running', 'TEST'), ('crm_land', 'scheduled', 'running', 'TIMETABLE');
            insert into task_instance values ('crm_land', 'killed', 'extract', 'running'),
                ('crm_land', 'killed', 'inbox', 'success'), ('crm_activate', 'waiting', 'approve', 'awaiting_input'),
                ('crm_land', 'scheduled', 'extract', 'running');
        """)
    airflow_home.mark_database_current(settings)
    airflow_home.fail_abandoned_runs(settings)
    with sqlite3.connect(airflow_home.database(settings)) as connection:
        runs = dict(connection.execute("select run_id, state from dag_run"))
        tasks = {
            tuple(key): state for *key, state in connection.execute("select run_id, task_id, state from task_instance")
        }
    assert runs == {"killed": "failed", "waiting": "running", "scheduled": "running"}
    assert tasks["killed", "extract"] == "failed"
    assert tasks["killed", "inbox"] == "success"
    assert tasks["waiting", "approve"] == "awaiting_input"
    assert tasks["scheduled", "extract"] == "running"

"""`make up` and `make down` for real: four processes, the API with its logins, and nothing left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tangga.local import airflow_home
from tangga.settings import REPOSITORY, load

pytestmark = pytest.mark.e2e
DAGS = {"crm_land", "crm_build", "crm_activate"}


@dataclass
class Airflow:
    home: Path
    port: int

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "tangga.local.up", *arguments, "--home", str(self.home)],
            env=os.environ
            | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}", "TANGGA_DEMO_SCALE": "0.05"},
            capture_output=True,
            text=True,
            timeout=240,
        )

    def request(self, path: str, token: str | None = None, body: dict | None = None) -> tuple[int, dict]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {}

    def token(self, user: str) -> str:
        password = airflow_home.logins(load(home=self.home))[user]
        status, answer = self.request("/auth/token", body={"username": user, "password": password})
        assert status == 201
        return answer["access_token"]

    def runs(self, dag_id: str, token: str) -> list[dict]:
        """The runs of a DAG, in the order in which they began; those that wait last."""
        _, answer = self.request(f"/api/v2/dags/{dag_id}/dagRuns?limit=100", token)
        return sorted(answer.get("dag_runs", []), key=lambda run: run["start_date"] or "9")

    def await_runs(self, dag_id: str, number: int, token: str, seconds: float = 1200) -> list[dict]:
        """The runs of a DAG when so many of them have ended."""
        deadline = time.monotonic() + seconds
        while True:
            runs = self.runs(dag_id, token)
            if len(runs) >= number and all(run["state"] in ("success", "failed") for run in runs):
                return runs
            assert time.monotonic() < deadline, [(run["partition_key"], run["state"]) for run in runs]
            time.sleep(1)

    def processes(self) -> list[str]:
        """Every process that has this home in its environment or its arguments."""
        found = []
        for process in psutil.process_iter():
            try:
                known = [*process.cmdline(), *process.environ().values()]
                if process.status() != psutil.STATUS_ZOMBIE and any(str(self.home) in value for value in known):
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
            except (psutil.Error, OSError):
                continue
        return found


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Airflow(tmp_path_factory.mktemp("up") / "home", port)
    try:
        started = running.command("up", "--detach", "--port", str(port))
        assert started.returncode == 0, started.stdout + started.stderr
        assert f"http://127.0.0.1:{port}" in started.stdout
        yield running
    finally:
        running.command("down")


def test_all_four_are_healthy(airflow):
    status, health = airflow.request("/api/v2/monitor/health")
    assert status == 200
    assert {part: report["status"] for part, report in health.items()} == {
        "metadatabase": "healthy",
        "scheduler": "healthy",
        "triggerer": "healthy",
        "dag_processor": "healthy",
    }


def test_the_dags_are_there_and_unpaused(airflow):
    token, deadline = airflow.token("admin"), time.monotonic() + 60
    paused: dict[str, bool] = {}
    while not paused.keys() >= DAGS and time.monotonic() < deadline:
        time.sleep(0.5)
        paused = {dag["dag_id"]: dag["is_paused"] for dag in airflow.request("/api/v2/dags", token)[1]["dags"]}
    assert {dag_id: paused.get(dag_id) for dag_id in DAGS} == dict.fromkeys(DAGS, False)
    assert airflow.request("/api/v2/importErrors", token)[1]["import_errors"] == []


def test_nobody_gets_in_without_a_login(airflow):
    assert airflow.request("/api/v2/dags")[0] == 401
    assert airflow.request("/auth/token", body={"username": "admin", "password": "admin"})[0] == 401


def test_a_viewer_may_look_but_not_trigger(airflow):
    token = airflow.token("vera")
    assert airflow.request("/api/v2/dags", token)[0] == 200
    assert airflow.request("/api/v2/dags/crm_land/dagRuns", token, body={"logical_date": None})[0] == 403


def test_a_backfill_lands_and_builds_past_days_in_order_and_sends_none(airflow):
    """What the form of the UI sends: times of the day in UTC, one run at a time."""
    token = airflow.token("admin")
    [scheduled] = airflow.await_runs("crm_activate", 1, token)
    newest = date.fromisoformat(scheduled["partition_key"])
    past = [(newest - timedelta(days=days)).isoformat() for days in (3, 2)]
    form = {"dag_id": "crm_land", "from_date": f"{past[0]}T00:00:00Z", "to_date": f"{past[1]}T23:59:00Z"}
    form |= {"max_active_runs": 1, "run_backwards": False, "reprocess_behavior": "none", "dag_run_conf": {}}
    assert airflow.request("/api/v2/backfills", token, body=form)[0] == 200

    activated = airflow.await_runs("crm_activate", 3, token)
    landed, built = (airflow.await_runs(dag_id, 3, token) for dag_id in ("crm_land", "crm_build"))
    for runs in (landed, built, activated):
        assert [(run["partition_key"], run["state"]) for run in runs] == [
            (day, "success") for day in (newest.isoformat(), *past)
        ]
    for runs in (landed, built):
        assert [earlier["end_date"] <= later["start_date"] for earlier, later in pairwise(runs)] == [True, True]
    for run in activated[1:]:
        path = f"/api/v2/dags/crm_activate/dagRuns/{run['dag_run_id']}/taskInstances"
        states = {task["task_id"]: task["state"] for task in airflow.request(path, token)[1]["task_instances"]}
        assert {task for task, state in states.items() if state == "success"} == {"is_newest_day"}
    published = airflow.home / "published"
    assert {path.name[:10] for path in (published / "versions").iterdir()} == {newest.isoformat(), *past}
    assert (published / "current").readlink().name.startswith(newest.isoformat())
    delivered = json.loads((airflow.home / "exports" / "files" / "manifest.json").read_text(encoding="utf-8"))
    assert (delivered["as_of_date"], delivered["stale_sources"]) == (newest.isoformat(), [])


def test_a_second_one_in_the_same_home_is_refused(airflow):
    second = airflow.command("up", "--port", str(airflow.port))
    assert second.returncode == 3
    assert f"Airflow is up in {airflow.home} (http://127.0.0.1:{airflow.port})" in second.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence(airflow, tmp_path):
    other = Airflow(tmp_path / "home", airflow.port).command("up", "--port", str(airflow.port))
    assert other.returncode == 3
    assert other.stderr == f"Port {airflow.port} is in use by another program: choose another one with PORT=\n"


def test_down_leaves_no_process_also_when_the_parent_was_killed(airflow):
    """Last, for it ends what the others use."""
    state = json.loads((airflow.home / "airflow" / "up.json").read_text())
    psutil.Process(state["pid"]).kill()
    assert len(airflow.processes()) >= 4
    ended = airflow.command("down")
    assert ended.returncode == 0, ended.stderr
    assert airflow.processes() == []
    assert "Nothing is up" in airflow.command("down").stdout

"""A real `make up`: what it is told, its API, and its processes."""

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
from pathlib import Path

import psutil

from tangga.local import airflow_home
from tangga.settings import REPOSITORY, load

SCALE = "0.05"


def free_port() -> int:
    """One with three more above it: the page of the demo tools, and the tools."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        try:
            for number in range(port, port + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except (OSError, OverflowError):
            continue


@dataclass
class Airflow:
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        paths = {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"}
        return subprocess.run(
            [sys.executable, "-m", "tangga.local.up", *arguments, "--home", str(self.home)],
            env=os.environ | paths | {"TANGGA_DEMO_SCALE": SCALE, "TANGGA_DEMO_TOOLS": "1"},
            capture_output=True,
            text=True,
            timeout=240,
        )

    def password(self, user: str) -> str:
        return airflow_home.logins(load(home=self.home))[user]

    def request(self, path: str, token: str | None = None, body: dict | None = None) -> tuple[int, dict]:
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {}

    def token(self, user: str) -> str:
        status, answer = self.request("/auth/token", body={"username": user, "password": self.password(user)})
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

    def tasks(self, run: dict, token: str) -> dict[tuple[str, int], str | None]:
        """(task, its number when it is one of several) -> its state."""
        path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        found = self.request(path, token)[1].get("task_instances", [])
        return {(task["task_id"], task["map_index"]): task["state"] for task in found}

    def await_questions(self, token: str, seconds: float = 1200) -> None:
        """Until the first day's lists lie in files, and both e-mail tools wait for somebody."""
        deadline = time.monotonic() + seconds
        waiting = {"success": 1, "awaiting_input": 2}
        while True:
            states = {}
            for run in self.runs("crm_activate", token):
                assert run["state"] in ("queued", "running"), run
                states = self.tasks(run, token)
            asked = [state for (task, _), state in states.items() if task == "activate.approve"]
            is_asked = {state: asked.count(state) for state in asked} == waiting
            if is_asked and "success" in [state for (task, _), state in states.items() if task == "activate.deliver"]:
                return
            failed = [
                run for dag in ("crm_land", "crm_build") for run in self.runs(dag, token) if run["state"] == "failed"
            ]
            assert not failed, failed
            assert time.monotonic() < deadline, states
            time.sleep(2)

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

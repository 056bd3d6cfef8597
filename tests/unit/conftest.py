from __future__ import annotations

from collections.abc import Callable

import pytest

from tangga.sources import connections, http
from tangga.sources.connections import Connection
from tests.fakes.server import Fake
from tests.unit.apis import Api


@pytest.fixture
def api(inbox, monkeypatch) -> Callable[..., Api]:
    """`api(template, fake)`: read that tool, without waiting between tries."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))

    def use(template: str, fake: Fake, login: str | None = None, **own) -> Api:
        connection = Connection("tool_api", "http", host=fake.url, user=login, password=fake.token)
        monkeypatch.setattr(connections, "resolve", lambda _: connection)
        return Api(inbox, template, fake, own)

    return use

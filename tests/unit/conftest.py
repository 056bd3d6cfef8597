"""Companies in databases of their own (`crm` in PostgreSQL, `maria` in MariaDB, `lite` in SQLite), or behind an API."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tangga import http, ledger
from tangga.destinations import open_destination
from tangga.destinations.mailchimp import batches
from tangga.sources import connections, sql
from tangga.sources.connections import Connection
from tests.fakes.server import Fake
from tests.unit import activation
from tests.unit.activation import Company
from tests.unit.apis import Api
from tests.unit.at_tools import TOOLS, AtTool
from tests.unit.ledgers import DATABASES, settings_of
from tests.unit.shop import Shop
from tests.unit.tool import SETTINGS as TOOL
from tests.unit.tool import Tool


@pytest.fixture
def use(monkeypatch):
    """Let a connection be the one that Airflow knows."""

    def use(connection: Connection) -> Connection:
        monkeypatch.setattr(connections, "resolve", lambda connection_id: connection)
        return connection

    monkeypatch.setattr(sql, "PAUSES", (0.0, 0.0))
    return use


@pytest.fixture
def crm(inbox, server, use, request) -> Shop:
    database = f"crm_{abs(hash(request.node.nodeid))}"
    server.run(f"create database {database}")
    yield Shop(inbox, use(server.connection(database)), server)
    server.run(f"drop database {database} with (force)")


@pytest.fixture
def maria(inbox, mariadb, use, request) -> Shop:
    database = f"crm_{abs(hash(request.node.nodeid))}"
    mariadb.run(f"create database {database} character set utf8mb4", database=None)
    yield Shop(inbox, use(mariadb.connection(database)), mariadb)
    mariadb.run(f"drop database {database}", database=None)


@pytest.fixture
def lite(inbox, use, tmp_path) -> Shop:
    path = tmp_path / "crm data.db"
    sqlite3.connect(path).close()
    return Shop(inbox, use(Connection("crm_db", "sqlite", host=str(path))))


SHOPS = {"postgres": "crm", "mysql": "maria", "sqlite": "lite"}


@pytest.fixture(params=list(SHOPS))
def shop(request) -> Shop:
    """One company after the other, in every kind of database."""
    return request.getfixturevalue(SHOPS[request.param])


@pytest.fixture(params=["postgres", "mysql"])
def served(request) -> Shop:
    """Those whose database is a server, with types that hold."""
    return request.getfixturevalue(SHOPS[request.param])


@pytest.fixture(params=DATABASES)
def ledger_settings(inbox, request):
    """A company whose ledger lies in SQLite, then in PostgreSQL."""
    if request.param == "sqlite":
        yield settings_of(inbox, "sqlite")
        return
    server, use = request.getfixturevalue("server"), request.getfixturevalue("use")
    database = f"ledger_{abs(hash(request.node.nodeid))}"
    server.run(f"create database {database}")
    use(server.connection(database))
    yield settings_of(inbox, "postgres")
    server.run(f"drop database {database} with (force)")


@pytest.fixture
def tool(tmp_path, monkeypatch) -> Tool:
    """An e-mail tool of the tests' own, which is the destination `tool`."""
    made = Tool(tmp_path / "tool.sqlite")
    monkeypatch.setattr("tangga.destinations.mailchimp.connect", lambda spec, name: made)
    return made


@pytest.fixture
def company(inbox, monkeypatch, tool) -> Company:
    """A company with lists that go to the tool."""
    return activation.company(inbox, monkeypatch, destinations=TOOL)


@pytest.fixture(params=list(TOOLS))
def at_tool(request, inbox, monkeypatch, use) -> Iterator[AtTool]:
    """A company whose lists go to Mailchimp, then to HubSpot; nothing is done there that never may."""
    make, own, key = TOOLS[request.param]
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    monkeypatch.setattr(batches, "POLLS", (0.0, 0.0))
    with make() as fake:
        use(Connection("tool_api", "http", host=fake.url, password=key))
        spec = {"type": request.param, "connection": "tool_api"} | own
        company = activation.company(inbox, monkeypatch, destinations={"tool": spec})
        company.people = {name: f"{name}@shop-mail.com" for name in "abcdefgh"}
        company.lists = {"winback": set("abcd"), "birthday": set("de")}
        with ledger.opened(company.settings) as book, closing(open_destination(company.settings, "tool", {}, "")) as to:
            book.release("tool", to.account(), "dina")
        yield AtTool(company, fake, request.param)
        assert fake.effects.forbidden() == []


@pytest.fixture
def by_template(inbox, monkeypatch) -> Callable[..., Api]:
    """`by_template(name, fake)`: read that tool, without waiting between tries."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))

    def use(template: str, fake: Fake, login: str | None = None, **own) -> Api:
        connection = Connection("tool_api", "http", host=fake.url, user=login, password=fake.token)
        monkeypatch.setattr(connections, "resolve", lambda _: connection)
        return Api(inbox, template, fake, own)

    return use

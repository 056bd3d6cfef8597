"""A company whose data lie in a database: what each test of SQL sources begins with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import pytest

from tangga import landing
from tangga.settings import Settings
from tangga.sources.connections import Connection
from tangga.sources.records import SourceRefused
from tests.unit.inbox import DAY, Inbox, Landed
from tests.unit.mariadb import MariaDb
from tests.unit.postgres import SECRET, Server

CONTACTS = "create table contacts (contact_id text, updated_at timestamptz, first_name text)"
AT = "2026-03-01 10:00+00"
DAILY = {"load": "daily", "cursor": "updated_at", "min_rows": 0}


def contacts(*names: str, first: int = 1, at: str = AT) -> str:
    rows = ", ".join(f"('{number}', '{at}', '{name}')" for number, name in enumerate(names, start=first))
    return f"insert into contacts values {rows}"


@dataclass
class Shop:
    """A company whose data lie in a database of its own. `run` changes them, `land` lands them."""

    inbox: Inbox
    connection: Connection
    server: Server | MariaDb | None = None

    def run(self, *statements: str) -> None:
        if self.server:
            self.server.run(*statements, database=self.connection.database)
        else:
            with closing(sqlite3.connect(self.connection.host)) as session, session:
                for statement in statements:
                    session.execute(statement)

    def settings(self, entity: str = "contacts", spec: dict | None = None, **source) -> Settings:
        spec = {"table": entity} | (spec or {})
        if "query" in spec:
            del spec["table"]
        block = {"type": "sql", "connection": "crm_db", "entities": {entity: spec}} | source
        return self.inbox.settings(entity, sources={"crm": block})

    def land(self, entity: str = "contacts", spec: dict | None = None, day: date = DAY, **source) -> Landed:
        known = self.settings(entity, spec, **source)
        return Landed(known, landing.land(known, "crm", entity, day))

    def refused(self, entity: str = "contacts", spec: dict | None = None, **source) -> str:
        before = self.inbox.tree()
        with pytest.raises(SourceRefused) as error:
            self.land(entity, spec, **source)
        assert self.inbox.tree() == before
        message = str(error.value)
        assert "\n" not in message
        assert message.endswith(".")
        assert SECRET not in message
        return message

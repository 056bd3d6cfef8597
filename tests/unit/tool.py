"""An e-mail tool that keeps its state in a file of its own, so that it survives whoever is killed while speaking to it.

Each call is one transaction there, as it would be at a real one; what it was asked is kept in the order of asking.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from tangga.destinations.destination import Chunk, Receipt, Refusal, Rejected

SETTINGS = {"tool": {"type": "mailchimp", "connection": "tool_api", "list": "a1b2c3d4e5"}}


@dataclass
class Tool:
    """`people` are known by key (first name, or None once they were stopped), `members` are lists with their keys,
    `refused` addresses that said no there, `poison` keys that it does not take. `before` is called before each answer,
    `after` once it has done what was asked, before it says so."""

    file: Path
    identity: str = "address"
    sizes: dict = field(default_factory=lambda: {"remove": 3, "stop": 3, "upsert": 3, "add": 3})
    needs_release: bool = False
    poison: set = field(default_factory=set)
    refused: dict = field(default_factory=dict)
    before: Callable[[Chunk], None] = lambda chunk: None
    after: Callable[[Chunk], None] = lambda chunk: None
    name: str = "the list"

    def __post_init__(self):
        with self._session() as session:
            session.executescript(
                "create table if not exists people (key text primary key, name text, stopped int);"
                "create table if not exists members (list text, key text, primary key (list, key));"
                "create table if not exists asked (chunk text, operation text, list text, keys text);"
                "create table if not exists joined (list text, key text);"
            )

    def _session(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file)

    def account(self, lists=()) -> str:
        return self.name

    def refusals(self, addresses, since):
        return [Refusal(address, status) for address, status in self.refused.items()]

    def send(self, chunk: Chunk, resume, remember) -> Receipt:
        self.before(chunk)
        rejected, rows = [], chunk.rows.to_pylist()
        with self._session() as session:
            for row in rows:
                if row["key"] in self.poison:
                    rejected.append(Rejected(row["key"], "looks fake or invalid"))
                    continue
                self._do(session, chunk, row)
            if chunk.operation == "replace":
                session.execute("delete from members where list = ?", [chunk.list_name])
                session.executemany(
                    "insert into members values (?, ?)", [(chunk.list_name, row["key"]) for row in rows]
                )
            keys = json.dumps([row["key"] for row in rows])
            session.execute(
                "insert into asked values (?, ?, ?, ?)", [chunk.key, chunk.operation, chunk.list_name, keys]
            )
        self.after(chunk)
        return Receipt(rejected, {row["key"]: f"id-{row['key']}" for row in rows if chunk.operation == "upsert"})

    def _do(self, session, chunk: Chunk, row: dict) -> None:
        if chunk.operation == "upsert":
            session.execute("insert or replace into people values (?, ?, 0)", [row["key"], row["first_name"]])
        elif chunk.operation == "stop":
            session.execute("update people set stopped = 1 where key = ?", [row["key"]])
        elif chunk.operation == "remove":
            session.execute("delete from members where list = ? and key = ?", [chunk.list_name, row["key"]])
        elif chunk.operation == "add":
            has = session.execute("select 1 from people where key = ?", [row["key"]]).fetchone()
            assert has, "somebody unknown joins a list"
            if session.execute(
                "insert or ignore into members values (?, ?)", [chunk.list_name, row["key"]]
            ).rowcount:  # an automation begins when somebody joins
                session.execute("insert into joined values (?, ?)", [chunk.list_name, row["key"]])

    def close(self) -> None:
        """Nothing is open."""

    def members(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        with self._session() as session:
            for list_name, key in session.execute("select list, key from members"):
                found.setdefault(list_name, set()).add(key)
        return found

    @property
    def people(self) -> dict[str, str | None]:
        with self._session() as session:
            return {key: None if stopped else name for key, name, stopped in session.execute("select * from people")}

    @property
    def asked(self) -> list[tuple[str, str | None, tuple[str, ...]]]:
        with self._session() as session:
            rows = session.execute("select operation, list, keys from asked order by rowid").fetchall()
        return [(operation, list_name, tuple(json.loads(keys))) for operation, list_name, keys in rows]

    @property
    def joined(self) -> list[tuple[str, str]]:
        with self._session() as session:
            return sorted(session.execute("select list, key from joined").fetchall())


def install(tool: Tool, modules=sys.modules) -> None:
    """Let the destination of `SETTINGS` be this tool."""
    modules["tangga.destinations.mailchimp"] = SimpleNamespace(connect=lambda spec, name: tool)

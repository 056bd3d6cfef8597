"""The ledger, in SQLite and in PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import tangga.erasure.tables  # noqa: F401  (its tables are the ledger's, too)
from tangga import ledger
from tangga.destinations.destination import Receipt, Refusal, Rejected
from tangga.ledger import ChunkId, database, tables
from tangga.sources import connections
from tangga.sources.connections import Connection
from tests.unit.ledgers import settings_of


def people(*keys: str, fields_hash: str = "h") -> pa.Table:
    columns = {
        "key": keys,
        "customer_id": [f"c-{key}" for key in keys],
        "address": [f"{key}@example.com" for key in keys],
    }
    return pa.table(columns | {"fields_hash": [fields_hash] * len(keys)})


def members(book: ledger.Ledger, destination: str = "tool") -> set[tuple]:
    rows = [row for batch in book.memberships(destination) for row in batch.to_pylist()]
    return {(row["list_name"], row["key"], row["is_certain"]) for row in rows}


def known(book: ledger.Ledger, destination: str = "tool") -> dict:
    rows = [row for batch in book.contacts(destination) for row in batch.to_pylist()]
    return {row["key"]: (row["fields_hash"], row["remote_id"], row["is_stopped"]) for row in rows}


def deliver(book, number, operation, list_name, rows, receipt=None, plan="p1"):
    chunk = ChunkId("tool", plan, number)
    book.begin_chunk(chunk, operation, list_name, rows)
    book.acknowledge(chunk, operation, list_name, rows, receipt or Receipt())


def test_what_was_acknowledged_is_known(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "upsert", None, people("a", "b"), Receipt([Rejected("b", "no")], {"a": "r1"}))
        deliver(book, 1, "add", "winback", people("a", "b"), Receipt([Rejected("b", "who?")]))
        assert known(book) == {"a": ("h", "r1", False), "b": (None, None, False)}
        assert members(book) == {("winback", "a", True)}
        assert [(r["key"], r["words"]) for r in book.rejected("tool")] == [("b", "no"), ("b", "who?")]
        deliver(book, 2, "remove", "winback", people("a"))
        deliver(book, 3, "stop", None, people("a"))
        assert members(book) == set()
        assert known(book)["a"] == ("", "r1", True)
        assert book.destination("tool")["position"] == 4 == book.acknowledged("tool", "p1")
        deliver(book, 4, "erase", None, people("a"))
        assert set(known(book)) == {"b"}


def test_what_was_only_begun_is_uncertain(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "upsert", None, people("a"))
        deliver(book, 1, "add", "x", people("a"))
        assert book.begin_chunk(ChunkId("tool", "p1", 2), "remove", "x", people("a")) is None
        book.remember(ChunkId("tool", "p1", 2), "batch-7")
        assert book.begin_chunk(ChunkId("tool", "p1", 2), "remove", "x", people("a")) == "batch-7"
        book.begin_chunk(ChunkId("tool", "p1", 3), "upsert", None, people("a", fields_hash="h2"))
        book.begin_chunk(ChunkId("tool", "p1", 4), "add", "y", people("a"))
        assert members(book) == {("x", "a", False), ("y", "a", False)}
        assert known(book) == {"a": (None, None, False)}
        deliver(book, 5, "stop", None, people("b"))
        assert known(book)["b"] == ("", None, True)
        book.begin_chunk(ChunkId("tool", "p1", 6), "stop", None, people("a"))
        book.begin_chunk(ChunkId("tool", "p1", 7), "upsert", None, people("b"))
        assert known(book) == {"a": (None, None, False), "b": (None, None, False)}
        assert [(c["number"], c["state"]) for c in book.chunks("tool", "p1")][1:3] == [(1, "acknowledged"), (2, "sent")]


def test_a_whole_list_takes_the_place_of_the_one_before(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "replace", "x", people("a", "b"))
        deliver(book, 1, "replace", "y", people("a"))
        deliver(book, 2, "replace", "x", people("b", "c"))
        assert members(book) == {("x", "b", True), ("x", "c", True), ("y", "a", True)}


def test_who_said_no_stays_known(ledger_settings):
    at = datetime(2026, 5, 1, 3, tzinfo=UTC)
    with ledger.opened(ledger_settings) as book:
        book.hear("tool", [Refusal("a@example.com", "unsubscribed", at), Refusal("b@example.com", "cleaned")], at)
        book.hear("tool", [Refusal("a@example.com", "archived", at)])
        assert book.destination("tool")["mirrored_at"] == at
        assert book.refused(["a@example.com", "c@example.com"]) == {"a@example.com": "archived"}
        assert [b.num_rows for b in book.refusals()] == [2]


def test_whom_we_had_archived_has_not_said_no_there(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "upsert", None, people("a", "b", "c"))
        deliver(book, 1, "stop", None, people("a", "b"))
        said = {"a": "archived", "b": "unsubscribed", "c": "archived", "d": "archived"}
        book.hear("tool", [Refusal(f"{key}@example.com", status) for key, status in said.items()])
        assert book.refused([f"{key}@example.com" for key in said]) == {
            "b@example.com": "unsubscribed", "c@example.com": "archived", "d@example.com": "archived"
        }  # fmt: skip


def test_a_renamed_account_is_the_same(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        book.release("tool", "Toko, audience 'News' [a1b2c3d4e5]", "dina")
        deliver(book, 0, "add", "x", people("a"))
        book.release("tool", "Toko, audience 'Brief' [a1b2c3d4e5]", "dina")
        assert members(book) == {("x", "a", True)}
        book.release("tool", "Toko, audience 'Brief' [fffff00000]", "dina")
        assert members(book) == set()


def test_another_account_knows_nobody(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        book.release("tool", "list 1", "dina")
        deliver(book, 0, "add", "x", people("a"))
        book.release("tool", "list 1", "dina")
        assert len(members(book)) == 1 and book.destination("tool")["position"] == 1
        book.release("tool", "list 2", "dina")
        assert members(book) == set() and book.destination("tool")["position"] == 2
        assert book.destination("tool")["account"] == "list 2"


def test_a_delivery_that_never_ended_was_killed(ledger_settings, tmp_path):
    lineage = {"as_of_date": datetime(2026, 5, 1).date()}
    with ledger.opened(ledger_settings) as book:
        first = book.begin_delivery("tool", "p1", tmp_path, "run 1", **lineage)
        second = book.begin_delivery("tool", "p1", tmp_path, "run 2", **lineage)
        book.end_delivery(second, "done", {"added": 1})
        states = [(row["id"], row["state"], row["counts"]) for row in book.deliveries("tool")]
        assert states == [(second, "done", {"added": 1}), (first, "killed", {})]
        book.mark_recorded(first)
        assert [row["id"] for row in book.unrecorded()] == [second]


def test_the_latest_decision_counts(ledger_settings):
    until = datetime(2026, 5, 2, tzinfo=UTC)
    with ledger.opened(ledger_settings) as book:
        assert book.decision("p1", "tool") is None
        book.decide("p1", "tool", "rejected", "dina", ["grew by 80 %"])
        book.decide("p1", "tool", "approved", "dina", ["grew by 80 %"], until)
        found = book.decision("p1", "tool")
        assert (found["decision"], found["expires_at"], found["reasons"]) == ("approved", until, ["grew by 80 %"])


def revisions(settings) -> set[str]:
    """What alembic says of a ledger, and whether its tables are those of the code."""
    with database.opened(settings) as engine, engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        return set(MigrationContext.configure(connection).get_current_heads())


def test_a_ledger_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_holds(ledger_settings, monkeypatch):
    to_head, first = database.migrate, "0001"
    monkeypatch.setattr(database, "migrate", lambda engine: to_head(engine, first))
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "add", "x", people("a"))
        assert "tombstones" not in inspect(book._engine).get_table_names()
    monkeypatch.setattr(database, "migrate", to_head)
    (head,) = revisions(ledger_settings)
    assert head > first
    with ledger.opened(ledger_settings) as book:
        assert members(book) == {("x", "a", True)}


def test_processes_that_open_an_empty_ledger_at_once_wait_for_each_other(ledger_settings):
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            try:
                with ledger.opened(ledger_settings) as book:
                    deliver(book, number, "add", "x", people(f"k{number}"))
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    with ledger.opened(ledger_settings) as book:
        assert members(book) == {("x", f"k{number}", True) for number in range(4)}
        assert book.destination("tool")["position"] == 4


def test_a_ledger_in_a_file_is_its_owners_only(inbox):
    settings = settings_of(inbox, "sqlite")
    with ledger.opened(settings) as book:
        deliver(book, 0, "add", "x", people("a"))
        files = list((settings.home / "state").glob("ledger.sqlite*"))
        assert {file.name for file in files} == {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"}
        assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_a_ledger_that_stays_locked_is_said_in_one_sentence(inbox, monkeypatch):
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    settings = inbox.settings("orders", {"columns": {}})
    with ledger.opened(settings) as book, sqlite3.connect(database.path(settings)) as other:
        other.execute("begin immediate")
        with pytest.raises(ledger.LedgerDown, match=r"^the ledger: does not answer any more \(OperationalError\); see"):
            book.release("tool", "the list", "dina")
        other.rollback()
        book.release("tool", "the list", "dina")


@pytest.mark.parametrize("ledger_settings", ["postgres"], indirect=True)
def test_a_server_that_goes_down_while_somebody_delivers_is_said_in_one_sentence(ledger_settings):
    others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = %s"
    with (
        ledger.opened(ledger_settings) as book,
        pytest.raises(ledger.LedgerDown, match="does not answer any more"),
        book.alone("tool", ledger_settings.home / "state"),
        book._writing() as connection,
    ):
        found = connections.resolve("ledger_db")
        with psycopg.connect(host=found.host, port=found.port, user=found.user, password=found.password,
                             dbname=found.database) as other:  # fmt: skip
            other.execute(others, [found.database])
        connection.execute(text("select 1"))
    with ledger.opened(ledger_settings) as book, book.alone("tool", ledger_settings.home / "state"):
        assert book.destination("tool")["position"] == 0


@pytest.mark.parametrize("kind", ["mysql", "postgres"])
def test_a_ledger_that_cannot_be_opened_is_said_in_one_sentence(inbox, use, kind):
    use(Connection("ledger_db", kind, host="/nowhere", user="u", password="s3cret", database="d"))
    with pytest.raises(ledger.LedgerDown, match="'ledger_db'") as said, ledger.opened(settings_of(inbox, "postgres")):
        pass
    assert "s3cret" not in str(said.value)

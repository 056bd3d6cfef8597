"""Looking at the ledger: it is neither made nor changed, and nobody who delivers waits for who looks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import SQLAlchemyError

from tangga import ledger
from tangga.destinations.destination import Receipt, Rejected
from tangga.erasure import requests
from tangga.ledger import ChunkId, database, tables
from tangga.sources.connections import Connection
from tests.unit.ledgers import settings_of
from tests.unit.test_ledger import deliver, people


def test_where_nothing_was_ever_kept_there_is_nothing_and_nothing_is_made(ledger_settings):
    with ledger.reading(ledger_settings) as book:
        assert book is None
    assert requests.late(ledger_settings) == 0
    assert not (ledger_settings.home / "state").exists()


def test_how_far_a_plan_has_come(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        rejected = Receipt([Rejected("b", "looks fake")])
        deliver(book, 0, "upsert", None, people("a", "b"), rejected)
        deliver(book, 1, "add", "winback", people("a", "b", "c"))
        book.begin_chunk(ChunkId("tool", "p1", 2), "add", "birthday", people("d"))
        deliver(book, 0, "add", "winback", people("z"), plan="p2")
    with ledger.reading(ledger_settings) as book:
        tally = book.tallies([("tool", "p1")])["tool", "p1"]
        assert (tally.done, tally.taken, tally.kind("rejected"), tally.kind("withheld")) == (2, 4, 1, 0)
        assert tally.sent == {("upsert", None): 2, ("add", "winback"): 3, ("add", "birthday"): 1}
        assert tally.acknowledged == {("upsert", None): 2, ("add", "winback"): 3}
        assert [(row["words"], row["rows"]) for row in book.words("tool", "p1")] == [("looks fake", 1)]
        [row] = book.refused_rows("tool", "p1", 25, 0)
        assert (row["key"], row["customer_id"], row["address"]) == ("b", "c-b", "b@example.com")
        assert book.refused_rows("tool", "p1", 25, 1) == []


def test_the_lists_that_somebody_is_on(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "upsert", None, people("a", "b"))
        deliver(book, 1, "add", "winback", people("a"))
        deliver(book, 2, "stop", None, people("b"))
    with ledger.reading(ledger_settings) as book:
        lists, known = book.of_customer(["c-a"])
        assert [(row["destination"], row["list_name"], row["since"] is None) for row in lists] == [
            ("tool", "winback", False)
        ]
        assert [(row["destination"], row["stopped_at"]) for row in known] == [("tool", None)]
        assert book.of_customer(["c-b"])[1][0]["stopped_at"] is not None


def test_it_cannot_be_written_through(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "add", "x", people("a"))
    with (
        pytest.raises(ledger.LedgerDown),
        ledger.reading(ledger_settings) as book,
        book._reading() as connection,
    ):
        connection.execute(delete(tables.memberships))


def test_who_looks_and_who_delivers_do_not_wait_for_each_other(ledger_settings):
    with ledger.opened(ledger_settings) as book:
        deliver(book, 0, "add", "x", people("a"))
    with ledger.opened(ledger_settings) as book, ledger.reading(ledger_settings) as looking:
        began = time.monotonic()
        with book._writing() as writing:
            writing.execute(delete(tables.memberships))
            assert len(looking.of_customer(["c-a"])[0]) == 1, "what is not committed is not seen"
        with looking._reading() as reading:
            assert reading.execute(text("select count(*) from memberships")).scalar() == 0
            deliver(book, 1, "add", "y", people("a"))
        assert len(looking.of_customer(["c-a"])[0]) == 1
        assert time.monotonic() - began < database.LOOK_SECONDS


def test_a_ledger_of_another_version_is_left_as_it_is(ledger_settings, monkeypatch):
    to_head = database.migrate
    monkeypatch.setattr(database, "migrate", lambda engine: to_head(engine, "0001"))
    with ledger.opened(ledger_settings):
        pass
    for _ in range(2):
        with pytest.raises(ledger.LedgerDown, match="another version"), ledger.reading(ledger_settings):
            pass


def test_one_that_is_none_is_said_in_one_sentence(inbox):
    settings = settings_of(inbox, "sqlite")
    database.path(settings).parent.mkdir(parents=True)
    database.path(settings).write_bytes(b"no database at all" * 100)
    with pytest.raises(ledger.LedgerDown, match="cannot be opened"), ledger.reading(settings):
        pass


def test_a_server_that_does_not_answer_is_said_without_the_password(inbox, use):
    use(Connection("ledger_db", "postgres", host="127.0.0.1", port=9, user="u", password="s3cret", database="d"))
    with pytest.raises(ledger.LedgerDown, match="'ledger_db'") as said, ledger.reading(settings_of(inbox, "postgres")):
        pass
    assert "s3cret" not in str(said.value)


def test_one_that_goes_down_meanwhile_is_said_too(inbox):
    settings = settings_of(inbox, "sqlite")
    with ledger.opened(settings):
        pass
    with pytest.raises(ledger.LedgerDown), ledger.reading(settings):
        raise SQLAlchemyError("gone")


def test_how_many_erasures_are_late(ledger_settings):
    now = datetime.now(UTC)
    with database.opened(ledger_settings) as engine:
        kept = requests.Erasures(engine)
        for number, (state, hours) in enumerate((("asked", -1), ("approved", -1), ("done", -1), ("asked", 1))):
            row = {"id": f"20260520-0000000{number}", "reason": "request", "state": state, "asked_at": now}
            kept.add(row | {"due_at": now + timedelta(hours=hours)})
    assert requests.late(ledger_settings) == 2

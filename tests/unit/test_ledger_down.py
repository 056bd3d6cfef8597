"""PostgreSQL, in which the ledger lies, is down: nothing is sent, and the days go on landing and being built."""

from __future__ import annotations

import hashlib
import logging

import duckdb
import pytest

from tangga import ledger, warehouse
from tangga.activation import delivery
from tangga.contracts import CONTRACTS
from tangga.destinations.destination import Refusal
from tangga.erasure import steps
from tangga.ledger import LedgerDown
from tangga.sources.connections import Connection
from tests.unit import activation, erasures
from tests.unit import tool as tools
from tests.unit.erasures import ADDRESS, NEXT, OTHERS


@pytest.fixture
def database(server, use, request):
    """The connection of an empty database."""
    name = f"down_{abs(hash(request.node.nodeid))}"
    server.run(f"create database {name}")
    use(server.connection(name))
    yield server.connection(name)
    server.run(f"drop database {name} with (force)")


def break_down(use):
    use(Connection("crm_db", "postgres", host="127.0.0.1", port=9, user="u", password="secret", database="d"))


def test_days_land_without_who_was_erased(tmp_path, database, use, caplog):
    company = erasures.company(tmp_path, ledger={"connection": "crm_db"})
    company.land()
    company.erase()
    break_down(use)
    with caplog.at_level(logging.WARNING):
        company.land(NEXT)
    assert {entity: company.keys(entity, NEXT) for entity in CONTRACTS} == OTHERS
    assert "the tombstones count that it knew last" in caplog.text
    assert "secret" not in caplog.text


def test_what_was_never_asked_is_not_guessed(tmp_path, database, use):
    break_down(use)
    company = erasures.company(tmp_path, ledger={"connection": "crm_db"})
    with pytest.raises(LedgerDown):
        company.land()


def test_what_is_kept_of_it_forgets_a_person_too(tmp_path, database):
    company = erasures.company(tmp_path, ledger={"connection": "crm_db"})
    company.land()
    with ledger.opened(company.settings) as book:
        book.hear("tool", [Refusal(ADDRESS, "unsubscribed"), Refusal("budi@toko.example", "unsubscribed")])
    warehouse.prepare(company.settings, erasures.DAY)
    file = company.home / "state" / "refusals.json"
    theirs, others = (hashlib.sha256(address.encode()).hexdigest() for address in (ADDRESS, "budi@toko.example"))
    assert (theirs in file.read_text(), others in file.read_text()) == (True, True)
    request = company.ask()
    steps.find(company.settings, request)
    steps.decide(company.settings, request, True, "vera")
    steps.remove(company.settings, request)
    assert (theirs in file.read_text(), others in file.read_text()) == (False, True)


class TestBuilding:
    @pytest.fixture
    def company(self, inbox, monkeypatch, tool, database):
        made = activation.company(inbox, monkeypatch, destinations=tools.SETTINGS, ledger={"connection": "ledger_db"})
        made.lists = {"winback": {"a", "b"}}
        made.due = {("winback", "a"): 1}
        tool.refused = {"b@x.example": "cleaned"}
        return made

    def refusals(self, company):
        warehouse.prepare(company.settings, company.day)
        with duckdb.connect(str(warehouse.path(company.settings)), read_only=True) as con:
            return con.sql("from registry.refusals").fetchall()

    def test_it_goes_on_with_the_refusals_of_before_and_nothing_is_sent(self, company, tool, use):
        delivery.deliver(company.settings, "tool", company.plan(), "run 1")
        before = self.refusals(company)
        assert before == [(f"email:{hashlib.sha256(b'b@x.example').hexdigest()}", "bounced")]
        folder, asked = company.plan(), tool.asked
        break_down(use)
        assert self.refusals(company) == before
        with pytest.raises(LedgerDown):
            delivery.deliver(company.settings, "tool", folder, "run 2")
        assert tool.asked == asked

    def test_it_waits_to_hear_what_a_delivery_that_broke_has_handed_out(self, company, tool, use):
        """Else whoever was sent a step would be sent it once more."""

        def fail(chunk):
            raise KeyboardInterrupt

        tool.after = fail
        with pytest.raises(KeyboardInterrupt):
            delivery.deliver(company.settings, "tool", company.plan(), "run 1")
        self.refusals(company)
        break_down(use)
        with pytest.raises(LedgerDown):
            self.refusals(company)

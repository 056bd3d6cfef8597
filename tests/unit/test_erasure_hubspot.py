"""HubSpot forgets a person too: its contacts, whoever made them, its lists, and what the ledger knew of it."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from tangga import http, ledger
from tangga.contracts import CONTRACTS
from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.erasure import requests, steps
from tangga.ledger import ChunkId, tables
from tangga.sources.connections import Connection
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.unit import erasures, tools
from tests.unit.erasures import ADDRESS, NEXT, OTHERS, PHONE, found_in

WORDS = (ADDRESS, PHONE, "Anindita", "c-ani")


@pytest.fixture
def portal():
    with HubSpotPortal(requests=1000) as portal:
        yield portal
        assert portal.effects.of("blocklisted") == []


@pytest.fixture
def company(tmp_path, portal, use, monkeypatch):
    """Ani and Budi are known there and on a list, as the ledger knows."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    use(Connection("hubspot_api", "http", host=portal.url, password="pat-eu1-fake"))
    spec = {"type": "hubspot", "connection": "hubspot_api", "requests_per_10_seconds": 250}
    found = erasures.company(tmp_path, destinations={"portal": spec})
    found.land()
    found.keep_identities()
    people = [
        tools.person(number, key=f"c-{name}", customer_id=f"c-{name}", address=f"{name}@toko.example")
        for number, name in enumerate(("ani", "budi"))
    ]
    with ledger.opened(found.settings) as book, closing(open_destination(found.settings, "portal", {}, "")) as to:
        book.release("portal", to.account(), "dina")
        for number, (operation, list_name) in enumerate((("upsert", None), ("add", "winback"))):
            chunk = tools.chunk(operation, people, list_name)
            rows = chunk.rows.append_column("fields_hash", [["h"] * len(people)])
            begun = ChunkId("portal", "plan", number)
            book.begin_chunk(begun, operation, list_name, rows)
            book.acknowledge(begun, operation, list_name, rows, to.send(chunk, None, print))
    return found


def known(company) -> set[str]:
    with ledger.opened(company.settings) as book:
        return {row["key"] for table in (tables.contacts, tables.memberships) for row in book._rows(table.select())}


def addresses(portal) -> set[str]:
    return {contact["properties"]["email"] for contact in portal.contacts.values()}


def test_all_of_the_person_is_gone_and_cannot_come_back(company, portal):
    assert (known(company), portal.on("crm:winback")) == ({"c-ani", "c-budi"}, {ADDRESS, "budi@toko.example"})
    request = company.erase()
    assert (addresses(portal), portal.on("crm:winback")) == ({"budi@toko.example"}, {"budi@toko.example"})
    assert portal.effects.of("forgotten") == [ADDRESS]
    assert known(company) == {"c-budi"}
    assert requests.take(company.settings, request)["state"] == "done"
    company.land(NEXT)
    assert {entity: company.keys(entity, NEXT) for entity in CONTRACTS} == OTHERS
    assert found_in(company.home, WORDS) == {("landing", ADDRESS)}, "what a friend wrote is the friend's"
    with closing(open_destination(company.settings, "portal", {}, "")) as to:  # as if somebody sent them all the same
        said = tools.send(to, "upsert", [tools.person(1, key="c-ani", address=ADDRESS)])
    assert [row.key for row in said.rejected] == ["c-ani"]
    assert addresses(portal) == {"budi@toko.example"}


def test_no_address_stands_in_what_forgets(company, portal):
    """An address that is unknown there would be blocked, and one that is known would be kept in its logs."""
    company.erase()
    asked = [call for call in portal.asked if call.path.endswith("/gdpr-delete")]
    assert [set(json.loads(call.body)) for call in asked] == [{"objectId"}]


def test_who_has_another_key_there_is_found_by_the_address(company, portal):
    with ledger.opened(company.settings) as book, book._writing() as connection:
        for table in (tables.contacts, tables.memberships):
            connection.execute(table.delete().where(table.c.key == "c-ani"))
    company.erase()
    assert addresses(portal) == {"budi@toko.example"}


def test_a_portal_that_is_down_or_another_one_stays_open(company, portal):
    request = company.ask()
    steps.find(company.settings, request)
    steps.decide(company.settings, request, True, "vera")
    steps.remove(company.settings, request)
    portal.faults.mixture(1, 1.0, ("503",))
    with pytest.raises(DestinationDown) as down:
        steps.forget(company.settings, request, "portal")
    assert ADDRESS not in str(down.value)
    portal.faults.calm()
    with ledger.opened(company.settings) as book:
        ours = book.destination("portal")["account"]
        with book._writing() as connection:
            connection.execute(tables.destinations.update().values(account="HubSpot portal 4711 (app.hubspot.com)"))
        with pytest.raises(DestinationRefused, match="another account"):
            steps.forget(company.settings, request, "portal")
        with book._writing() as connection:
            connection.execute(tables.destinations.update().values(account=ours))
    assert steps.open_destinations(company.settings, request) == ["portal"]
    assert ADDRESS in addresses(portal)
    assert steps.forget(company.settings, request, "portal") > 0
    assert steps.open_destinations(company.settings, request) == []
    assert addresses(portal) == {"budi@toko.example"}

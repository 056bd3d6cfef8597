"""HubSpot as a destination, against a fake that keeps its state and says what really changed there."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest

from tangga import http
from tangga.destinations import hubspot
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.settings import HubSpotDestination
from tangga.sources.connections import Connection
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.limits import RollingWindow
from tests.unit.tools import by_customer, people, person, send, why

KEY = "tangga_customer_id"


@pytest.fixture
def portal():
    with HubSpotPortal(requests=1000) as portal:
        yield portal
        assert [effect for effect in portal.effects.forbidden() if effect.kind != "address_changed"] == []
        assert (portal.effects.of("blocklisted"), portal.effects.doubled("created")) == ([], {})
        assert portal.elsewhere.credentials == []
        assert portal.most_at_once <= 5


@pytest.fixture
def connect(portal, use, monkeypatch):
    """Open the destination; all are closed at the end."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    opened = []

    def connect(token: str = "pat-eu1-fake", **own):
        use(Connection("hubspot_api", "http", host=portal.url, password=token))
        said = {"connection": "hubspot_api"} | own
        opened.append(hubspot.connect(HubSpotDestination(type="hubspot", **said), "portal"))
        opened[-1]._api._client._gap = 0.0  # the portal's limit has a test of its own
        return opened[-1]

    yield connect
    for destination in opened:
        destination.close()


def rows(count: int, start: int = 1, **own) -> list[dict]:
    return by_customer(people(count, start, **own))


def known(rows: list[dict], receipt) -> list[dict]:
    """The rows as the ledger has them after a receipt."""
    return [row | {"remote_id": receipt.remote_ids.get(row["key"], row["remote_id"])} for row in rows]


# ---- contacts


def test_people_come_to_be_known(portal, connect):
    receipt = send(connect(), "upsert", rows(3))
    assert why(receipt) == {}
    contact = portal.contact("ani1@example.com")
    assert receipt.remote_ids == {row["key"]: portal.contact(row["address"])["id"] for row in rows(3)}
    assert {name: contact["properties"].get(name) for name in (
        KEY, "firstname", "lastname", "tangga_segment", "tangga_rung", "tangga_nps_group", "greeting_name",
        "tangga_language", "preferred_category", "recommended_product", "coupon_policy", "next_birthday",
        "lifecyclestage",
    )} == {
        KEY: "c00001", "firstname": "Ani", "lastname": "Wijaya", "tangga_segment": "Champions",
        "tangga_rung": "repeat customer", "tangga_nps_group": "promoter", "greeting_name": "Ani",
        "tangga_language": "id", "preferred_category": "Kopi", "recommended_product": "Kopi Gayo 200 g",
        "coupon_policy": "none", "next_birthday": "2026-08-17", "lifecyclestage": None,
    }  # fmt: skip
    assert portal.properties[KEY]["hasUniqueValue"]
    assert all(b"SUBSCRIBED" not in asked.body for asked in portal.asked)


def test_who_has_the_address_already_is_adopted(portal, connect):
    portal.add_contact("Ani1@example.com", crm_id="17", firstname="Own")
    other = portal.add_contact("old@example.com", hs_additional_emails="x@example.com;ani2@example.com")
    receipt = send(connect(), "upsert", rows(3))
    assert portal.effects.of("created") == ["ani3@example.com"]
    assert portal.contact("ani1@example.com")["properties"]["crm_id"] == "17"
    assert receipt.remote_ids["c00002"] == other["id"]
    assert other["properties"]["email"] == "old@example.com"


def test_who_is_known_is_written_by_one_call(portal, connect):
    destination, first = connect(), rows(100)
    first = known(first, send(destination, "upsert", first))
    assert send(destination, "upsert", [row | {"segment": "Lost"} for row in first]).calls == 1
    assert {contact["properties"]["tangga_segment"] for contact in portal.contacts.values()} == {"Lost"}
    assert len(portal.contacts) == 100


def test_what_is_unknown_is_emptied_only_where_it_is_ours(portal, connect):
    portal.add_contact("ani1@example.com", firstname="Own")
    destination = connect()
    send(destination, "upsert", rows(1, first_name=None))
    send(destination, "upsert", rows(1, first_name=None, recommended_product=None, next_birthday=None))
    properties = portal.contact("ani1@example.com")["properties"]
    assert (properties["firstname"], properties["recommended_product"]) == ("Own", None)


def test_an_address_that_changed(portal, connect):
    """The key is the customer's id: the contact follows, unless somebody else there has the address."""
    destination = connect()
    first = known(rows(2), send(destination, "upsert", rows(2)))
    receipt = send(destination, "upsert", [first[0] | {"address": "new@example.com"}])
    assert receipt.remote_ids == {"c00001": first[0]["remote_id"]}
    assert portal.contact("new@example.com")["id"] == first[0]["remote_id"]
    receipt = send(destination, "upsert", [first[0] | {"address": "ani2@example.com"}])
    assert why(receipt) == {"c00001": "Contact already exists. Existing ID: …"}
    assert len(portal.contacts) == 2


def test_two_customers_who_are_one_contact_there(portal, connect):
    one, two = rows(2)
    receipt = send(connect(), "upsert", [one, two | {"address": one["address"]}])
    assert len(portal.contacts) == 1
    assert why(receipt) == {"c00002": "Contact already exists. Existing ID: …"}


def test_a_contact_that_was_deleted_there_is_made_anew(portal, connect):
    destination = connect()
    first = known(rows(3), send(destination, "upsert", rows(3)))
    portal.remove(portal.contact("ani2@example.com"), "deleted", by="person")
    receipt = send(destination, "upsert", first)
    assert why(receipt) == {}
    assert receipt.remote_ids["c00002"] == portal.contact("ani2@example.com")["id"] != first[1]["remote_id"]


@pytest.mark.parametrize("multi_status", ["traced", "always", "never"])
def test_one_poison_row(portal, connect, multi_status):
    portal.multi_status = multi_status
    bad = rows(100)
    bad[76] |= {"address": "ani77@example"}
    receipt = send(connect(), "upsert", bad)
    assert why(receipt) == {"c00077": "Email address … is invalid"}
    assert len(portal.contacts) == 99
    assert receipt.calls <= 12 + 2 + 2 * 7


def test_half_of_the_rows_refused(portal, connect):
    """207: what is not among the results is not done, whatever the status says."""
    bad = [row | {"address": f"ani{number}@example"} if number % 2 else row for number, row in enumerate(rows(100), 1)]
    receipt = send(connect(), "upsert", bad)
    assert len(why(receipt)) == 50
    assert len(receipt.remote_ids) == len(portal.contacts) == 50


def test_row_after_row_refused_is_no_poison(portal, connect):
    destination = connect()
    send(destination, "upsert", rows(1))
    portal.faults.poison("@example.com", only=".*/batch/upsert")
    with pytest.raises(DestinationRefused, match="contacts cannot be written: answered 400.*One of the rows cannot be"):
        send(destination, "upsert", rows(100, 2))


def test_rows_of_which_nothing_is_said_are_not_done(portal, connect, monkeypatch):
    destination = connect()
    send(destination, "upsert", rows(1))
    monkeypatch.setattr(type(portal), "_batch", _silent_of(type(portal)._batch, "ani3@example.com"))
    assert why(send(destination, "upsert", rows(3, 2))) == {"c00003": "HubSpot does not say what came of it"}


def _silent_of(batch, address):
    import json

    from tests.fakes.server import answer

    def _batch(self, inputs, act, *more, **named):
        document = json.loads(batch(self, inputs, act, *more, **named).body)
        left = [one for one in document["results"] if one["properties"].get("email") != address]
        return answer(document | {"results": left})

    return _batch


def test_101_inputs_are_chunked(portal, connect):
    """100 is the tool's own limit: neither less nor more."""
    destination = connect()
    assert destination.sizes == {"remove": 10_000, "stop": 100, "upsert": 100, "add": 10_000, "erase": 100}
    assert why(send(destination, "upsert", rows(101))) == {}
    assert len(portal.contacts) == 101


# ---- lifecycle stages


STAGES = {"suspect": "subscriber", "prospect": "lead", "repeat customer": "customer"}


def test_stages_move_forward_and_back(portal, connect):
    destination = connect(lifecycle_stages=STAGES)
    first = known(rows(3), send(destination, "upsert", rows(3)))
    stage = lambda address: portal.contact(address)["properties"]["lifecyclestage"]  # noqa: E731
    assert stage("ani1@example.com") == "customer"
    back = [first[0] | {"rung": "prospect"}, first[1], first[2] | {"rung": "advocate"}]
    receipt = send(destination, "upsert", back)
    assert (why(receipt), receipt.calls) == ({}, 4)
    assert [stage(row["address"]) for row in first] == ["lead", "customer", "customer"]
    assert send(destination, "upsert", back).calls == 2


def test_stages_are_left_alone_unless_mapped(portal, connect):
    portal.add_contact("ani1@example.com", lifecyclestage="evangelist")
    send(connect(), "upsert", rows(1))
    assert portal.contact("ani1@example.com")["properties"]["lifecyclestage"] == "evangelist"


def test_a_rung_that_is_none(connect):
    with pytest.raises(DestinationRefused, match="'Prospect' is no rung; correct it in tangga.yml, use suspect, "):
        connect(lifecycle_stages={"Prospect": "lead"})


# ---- lists


def test_lists(portal, connect):
    destination = connect()
    first = known(rows(3), send(destination, "upsert", rows(3)))
    assert why(send(destination, "add", first, "winback:2")) == {}
    assert why(send(destination, "remove", first[:1], "winback:2")) == {}
    assert portal.on("crm:winback:2") == {"ani2@example.com", "ani3@example.com"}
    assert why(send(destination, "remove", first, "never_seen")) == {}
    assert portal.effects.of("list_created") == [""]


def test_ids_that_are_not_known_yet_are_found_by_the_key(portal, connect):
    destination = connect()
    named = send(destination, "upsert", rows(3)).remote_ids
    receipt = send(destination, "add", rows(5), "winback")
    assert why(receipt) == {"c00004": "is not known there", "c00005": "is not known there"}
    assert receipt.remote_ids == named
    assert why(send(destination, "remove", rows(5), "winback")) == {}
    assert portal.on("crm:winback") == set()


def test_a_contact_that_goes_by_another_id_now(portal, connect):
    destination = connect()
    first = known(rows(2), send(destination, "upsert", rows(2)))
    receipt = send(destination, "add", [first[0] | {"remote_id": "9999"}, first[1]], "winback")
    assert (why(receipt), receipt.remote_ids) == ({}, {"c00001": first[0]["remote_id"]})
    assert len(portal.on("crm:winback")) == 2


def test_foreign_lists_are_untouched(portal, connect):
    destination = connect()
    first = known(rows(2), send(destination, "upsert", rows(2)))
    portal.list_by_hand("winback", "ani1@example.com", "ani2@example.com")
    send(destination, "add", first[:1], "winback")
    send(destination, "remove", first, "winback")
    assert portal.on("winback") == {"ani1@example.com", "ani2@example.com"}


def test_a_dynamic_list_of_our_name(portal, connect):
    portal.add_list("crm:winback", "DYNAMIC", by="person")
    with pytest.raises(DestinationRefused, match="list 'crm:winback' is not a static one there; rename it"):
        send(connect(), "add", rows(1), "winback")


def test_a_poison_row_of_a_list(portal, connect):
    destination = connect()
    first = known(rows(50), send(destination, "upsert", rows(50)))
    portal.faults.poison(f'"{first[6]["remote_id"]}"', only="PUT .*")
    assert why(send(destination, "add", first, "winback")) == {"c00007": "One of the rows cannot be used"}
    assert len(portal.on("crm:winback")) == 49


# ---- consent and erasure


@pytest.mark.parametrize(("operation", "as_asked", "otherwise"), [("add", 300, 299), ("remove", 0, 1)])
def test_an_answer_without_anybody_is_looked_into(portal, connect, operation, as_asked, otherwise):
    """HubSpot says whom it has put on a list or taken off: of nobody perhaps nothing. So says a proxy."""
    destination = connect()
    first = known(rows(300), send(destination, "upsert", rows(300)))
    addresses = [row["address"] for row in first]
    portal.list_by_hand("crm:winback", *addresses[:as_asked])
    portal.list_by_hand("crm:birthday", *addresses[:otherwise])
    portal.faults.next(200, body=b"{}", times=2, only="PUT .*/memberships/.*")
    assert why(send(destination, operation, first, "winback")) == {}
    with pytest.raises(DestinationDown, match="does not say what came of a call that it answers"):
        send(destination, operation, first, "birthday")


def test_who_opted_out_is_told(portal, connect):
    for number in (3, 150):
        portal.leaves(f"ani{number}@example.com")
    addresses = [row["address"] for row in rows(201)]
    found = list(connect().refusals(addresses, None))
    assert {(refusal.address, refusal.status) for refusal in found} == {
        ("ani3@example.com", "unsubscribed"), ("ani150@example.com", "unsubscribed")
    }  # fmt: skip
    assert all(refusal.changed_at.tzinfo for refusal in found)
    assert len(portal.asked) == 3
    assert list(connect(check_subscriptions=False).refusals(addresses, None)) == []
    assert len(portal.asked) == 3


def test_consent_that_is_known_of_some_only_is_not_known(portal, connect):
    portal.faults.next(207, body=b'{"status": "COMPLETE", "results": [], "errors": [{"message": "?"}], "numErrors": 1}')
    with pytest.raises(DestinationDown, match="does not say of everybody whether they opted out"):
        list(connect().refusals(["ani1@example.com"], None))


def test_who_says_no_to_us_is_opted_out(portal, connect):
    send(connect(), "upsert", rows(3))
    destination = connect()
    assert why(send(destination, "stop", rows(2))) == {}
    assert why(send(destination, "stop", rows(2))) == {}
    assert portal.effects.of("unsubscribed") == ["ani1@example.com", "ani2@example.com"]
    assert "stop" not in connect(when_refused="keep").sizes


def test_erasure(portal, connect):
    destination = connect()
    first = known(rows(2), send(destination, "upsert", rows(2)))
    portal.add_contact("ani9@example.com")
    asked = [first[0], *rows(1, 9), *rows(1, 30)]
    assert why(send(destination, "erase", asked)) == {}
    assert why(send(destination, "erase", asked)) == {}
    assert portal.effects.of("forgotten") == ["ani1@example.com", "ani9@example.com"]
    assert len(portal.contacts) == 1
    assert set(why(send(destination, "upsert", rows(1)))) == {"c00001"}
    assert all(b"@" not in asked.body for asked in portal.asked if asked.path.endswith("/gdpr-delete"))


def test_erasure_where_nothing_of_ours_is(portal, connect):
    portal.add_contact("ani1@example.com")
    assert why(send(connect(), "erase", rows(2))) == {}
    assert portal.effects.of("forgotten") == ["ani1@example.com"]


# ---- the account


def test_the_account(portal, connect):
    destination = connect()
    assert destination.account() == "HubSpot portal 20240101 (app-eu1.hubspot.com)"
    assert (destination.identity, destination.needs_release) == ("customer_id", True)
    assert list(portal.effects) == []


@pytest.mark.parametrize(
    "own, change, said",
    [
        ({"token": "wrong"}, None, "answered 401 (it does not accept the credentials); correct the connection in"),
        ({"version": "2031-03"}, None, "the portal cannot be read: answered 404 (there is no such address)"),
        ({}, lambda portal: portal.scopes.discard("crm.schemas.contacts.write"),
         "answered 403 (the credentials may not do this); let them there, or correct the connection in Airflow (it "
         "says: This app hasn't been granted all required scopes"),
        ({}, lambda portal: portal.scopes.discard("communication_preferences.read"), "answered 403"),
        ({}, lambda portal: portal.add_property(KEY), f"property '{KEY}' does not have unique values there"),
        ({}, lambda portal: portal.add_property("tangga_rung", "number", "number"),
         "property 'tangga_rung' is of the type 'number' there, not 'string'; rename it"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_used(portal, connect, own, change, said):
    if change:
        change(portal)
    with pytest.raises(DestinationRefused) as error:
        connect(**own).account()
    assert str(error.value).startswith("portal (connection 'hubspot_api'): ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_was_deleted_there_is_told(portal, connect):
    destination = connect()
    first = known(rows(2), send(destination, "upsert", rows(2)))
    send(destination, "add", first, "winback")
    assert connect().account(["winback"])
    portal.drop_list("crm:winback")
    with pytest.raises(DestinationRefused, match="list 'crm:winback' was deleted or renamed there, with people on it"):
        connect().account(["winback"])
    with pytest.raises(DestinationRefused, match="list 'crm:winback' cannot be changed: answered 404"):
        send(destination, "add", first, "winback")
    portal.drop_property("tangga_rung")
    with pytest.raises(DestinationRefused, match="property 'tangga_rung' was deleted there, or is new in Tangga"):
        connect().account(["winback"])
    said = why(send(destination, "upsert", first))
    assert said == dict.fromkeys(("c00001", "c00002"), 'Property \\"tangga_rung\\" does not exist')


# ---- what goes wrong on the way


FAULTS = {
    "storm": lambda faults: faults.storm(seed=3, share=0.4),
    "html": lambda faults: [faults.html(after=after) for after in (0, 2, 3)],
    "dropped": lambda faults: [faults.drop(after=2) for _ in range(4)],
    "cut off after it was done": lambda faults: [faults.cut(after=after) for after in (3, 2, 2, 0, 3)],
    "silent after it was done": lambda faults: [faults.silent(after=1, only="P.*(batch|lists).*") for _ in range(3)],
    "broken off": lambda faults: [faults.truncated(after=1) for _ in range(5)],
    "500 with {}": lambda faults: faults.next(500, times=3, after=2, body=b"{}"),
    "too many": lambda faults: faults.next(429, times=2, after=3, headers={"Retry-After": "1"}),
    "late": lambda faults: faults.slow(3, after=3),
    "anything": lambda faults: faults.mixture(seed=5, share=0.3, kinds=("429", "503", "500", "html", "drop", "cut")),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_passes_is_waited_for_and_done_once(portal, connect, fault):
    portal.add_contact("ani1@example.com")
    portal.add_contact("ani2@example.com")
    fault(portal.faults)
    for _ in range(20):  # runs, as a ledger that acknowledged nothing would ask for
        try:
            destination = connect(timeout_seconds=1)
            said = [
                why(send(destination, "stop", rows(1))),
                why(send(destination, "upsert", rows(8, 2))),
                why(send(destination, "add", rows(6, 4), "winback")),
                why(send(destination, "remove", rows(1, 4), "winback")),
            ]
            break
        except DestinationDown:
            continue
    assert said == [{}, {}, {}, {}]
    assert portal.faults.met != []
    assert portal.on("crm:winback") == {f"ani{n}@example.com" for n in range(5, 10)}
    assert sorted(portal.effects.of("created")) == [f"ani{n}@example.com" for n in range(3, 10)]
    assert portal.effects.of("unsubscribed") == ["ani1@example.com"]
    for kind in ("left", "property_created", "list_created"):
        assert portal.effects.doubled(kind) == {}


@pytest.mark.parametrize("call", ["account", "upsert"])
def test_the_token_does_not_follow_a_redirect(portal, connect, call):
    destination = connect()
    send(destination, "upsert", rows(1))
    portal.faults.redirect(f"http://localhost:{portal.elsewhere.port}/")
    with pytest.raises(DestinationRefused, match="another host or scheme|a redirect"):
        destination.account() if call == "account" else send(destination, "upsert", rows(1))
    assert portal.elsewhere.asked == []


def test_a_token_that_is_taken_away_in_the_middle_stops_at_once(portal, connect):
    destination = connect()
    send(destination, "upsert", rows(2))
    portal.scopes.clear()
    before = len(portal.asked)
    with pytest.raises(DestinationRefused, match="answered 403"):
        send(destination, "upsert", rows(60))
    assert len(portal.asked) == before + 1


def test_the_portals_limit_is_kept(use):
    with HubSpotPortal() as portal:
        portal.window = RollingWindow(20, 1.0)
        use(Connection("hubspot_api", "http", host=portal.url, password="pat-eu1-fake"))
        settings = HubSpotDestination(type="hubspot", connection="hubspot_api", requests_per_10_seconds=200)
        with closing(hubspot.connect(settings, "portal")) as destination:
            list(destination.refusals([f"ani{number}@example.com" for number in range(6000)], None))
        statuses = [asked.status for asked in portal.asked]
        assert (statuses.count(200), statuses.count(429) <= 5) == (60, True)  # a busy machine is late, then hurries


# ---- what is told, and figures


def test_nothing_personal_is_told(portal, connect, caplog):
    caplog.set_level(logging.DEBUG)
    portal.add_contact("ani2@example.com")
    bad = [person(1, key="c00001", address="ani1@example", last_name="x" * 10), *rows(2, 2)]
    receipt = send(connect(), "upsert", bad)
    assert why(receipt) == {"c00001": "Email address … is invalid"}
    told = [caplog.text, repr(receipt.rejected)]
    assert not any(part in text for text in told for part in ("ani1", "Wijaya", "pat-eu1"))


def test_calls_for_a_thousand_people(portal, connect):
    """The least for new people is two calls a hundred (who has the address, then the writing) and one for the list."""
    destination = connect()
    destination.account()
    everybody, first = [], 0
    for start in range(1, 1001, 100):
        receipt = send(destination, "upsert", rows(100, start))
        first += receipt.calls
        everybody += known(rows(100, start), receipt)
    made = len(portal.effects.of("property_created"))
    added = send(destination, "add", everybody, "winback").calls
    changed = [row | {"segment": "Lost"} for row in everybody]
    again = sum(send(destination, "upsert", changed[start : start + 100]).calls for start in range(0, 1000, 100))
    assert len(portal.on("crm:winback")) == 1000
    assert (first - made, added, again) == (20, 3, 10)

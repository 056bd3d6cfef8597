"""Mailchimp as a destination, against a fake that keeps its state and says what really changed there."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tangga import http
from tangga.destinations import mailchimp
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.destinations.mailchimp import batches
from tangga.settings import MailchimpDestination
from tangga.sources.connections import Connection
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.unit.tools import Memory, chunk, people, person, send, why

OURS = {"SEGMENT", "RUNG", "NPS", "GREETING", "LANGUAGE", "CATEGORY", "PRODUCT", "COUPON", "BIRTHDAY"}


@pytest.fixture
def tool():
    with MailchimpAccount() as account:
        yield account
        assert account.effects.forbidden() == []
        assert account.elsewhere.credentials == []
        assert account.most_at_once <= 5


@pytest.fixture
def connect(tool, use, monkeypatch):
    """Open the destination; all are closed at the end."""
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    monkeypatch.setattr(batches, "POLLS", (0.0, 0.0))
    opened = []

    def connect(key: str = KEY, host: str | None = None, **own):
        use(Connection("mailchimp_api", "http", host=host or tool.url, password=key))
        said = {"connection": "mailchimp_api", "list": tool.list_id, "requests_per_second": 100} | own
        settings = MailchimpDestination(type="mailchimp", **said)
        opened.append(mailchimp.connect(settings, "newsletter"))
        return opened[-1]

    yield connect
    for destination in opened:
        destination.close()


WAYS = {"call by call": "never", "as a batch": 2}
each_way = pytest.mark.parametrize("batch_from", WAYS.values(), ids=WAYS)


def writes(tool) -> list:
    return [asked for asked in tool.asked if asked.method != "GET"]


def subscribed(tool) -> set[str]:
    return {member["email_address"] for member in tool.members.values() if member["status"] == "subscribed"}


# ---- members


@each_way
def test_people_come_to_be_known(tool, connect, batch_from):
    tool.add_member("ani1@example.com", merge_fields={"LNAME": "Old"})
    tool.add_member("ani2@example.com", status="unsubscribed")
    receipt = send(connect(batch_from=batch_from), "upsert", people(4))
    assert why(receipt) == {"ani2@example.com": "is 'unsubscribed' there"}
    assert receipt.calls == len(tool.asked) + len(tool.elsewhere.asked) - (batch_from == 2)
    assert subscribed(tool) == {"ani1@example.com", "ani3@example.com", "ani4@example.com"}
    assert tool.member("ani2@example.com")["status"] == "unsubscribed"
    assert {tag: tool.member("ani1@example.com")["merge_fields"][tag] for tag in (*OURS, "FNAME", "LNAME")} == {
        "FNAME": "Ani", "LNAME": "Wijaya", "SEGMENT": "Champions", "RUNG": "repeat customer", "NPS": "promoter",
        "GREETING": "Ani", "LANGUAGE": "id", "CATEGORY": "Kopi", "PRODUCT": "Kopi Gayo 200 g", "COUPON": "none",
        "BIRTHDAY": "08/17",
    }  # fmt: skip
    assert set(tool.effects.of("merge_field_created")) == {""}
    assert all(b'"status":' not in asked.body and b'\\"status\\":' not in asked.body for asked in tool.asked)


def test_what_is_unknown_is_emptied_only_where_it_is_ours(tool, connect):
    tool.add_member("ani1@example.com", merge_fields={"FNAME": "Own", "BIRTHDAY": "01/02", "PRODUCT": "Teh"})
    nothing = {"first_name": None, "next_birthday": None, "recommended_product": None}
    assert why(send(connect(), "upsert", [person(1, **nothing)])) == {}
    known = tool.member("ani1@example.com")["merge_fields"]
    assert (known["FNAME"], known["BIRTHDAY"], known["PRODUCT"]) == ("Own", "01/02", "")


def test_a_field_that_the_company_requires_keeps_nobody_out(tool, connect):
    tool.add_merge_field("SHOESIZE", "number", required=True)
    assert why(send(connect(), "upsert", people(1))) == {}


@each_way
def test_one_poison_row(tool, connect, batch_from):
    tool.block("ani7@example.com", "looks fake or invalid, please enter a real email address.")
    receipt = send(connect(batch_from=batch_from), "upsert", people(60))
    assert why(receipt) == {"ani7@example.com": "… looks fake or invalid, please enter a real email address"}
    assert len(subscribed(tool)) == 59


def test_a_batch_that_is_not_taken_because_of_one_row(tool, connect):
    tool.faults.poison("ani7@example.com", only="P.*")
    assert why(send(connect(batch_from=2), "upsert", people(20))) == {
        "ani7@example.com": "One of the rows cannot be used"
    }
    assert len(subscribed(tool)) == 19


@each_way
def test_who_was_forgotten_there_stays_so(tool, connect, batch_from):
    tool.add_member("ani1@example.com")
    destination = connect(batch_from=batch_from)
    assert why(send(destination, "erase", people(2))) == {}
    assert tool.effects.of("forgotten") == ["ani1@example.com"]
    words = "… was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list"
    assert why(send(destination, "upsert", people(2))) == {"ani1@example.com": words}


@each_way
@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived"])
def test_nobody_who_left_is_subscribed_again(tool, connect, batch_from, status):
    tool.add_member("ani1@example.com")
    tool.leaves("ani1@example.com", status)
    destination = connect(batch_from=batch_from)
    assert why(send(destination, "upsert", people(2))) == {"ani1@example.com": f"is '{status}' there"}
    assert set(why(send(destination, "add", people(2), "winback"))) == {"ani1@example.com"}
    assert tool.member("ani1@example.com")["status"] == status


@each_way
def test_who_says_no_to_us_is_archived(tool, connect, batch_from):
    for row in people(3):
        tool.add_member(row["address"])
    tool.leaves("ani3@example.com", "archived")
    destination = connect(batch_from=batch_from)
    assert why(send(destination, "stop", people(4))) == {}
    assert why(send(destination, "stop", people(4))) == {}
    assert tool.effects.of("archived") == ["ani1@example.com", "ani2@example.com"]
    assert tool.effects.of("forgotten") == []


def test_who_says_no_to_us_may_be_kept(connect):
    assert set(connect().sizes) == {"remove", "stop", "upsert", "add", "erase"}
    assert set(connect(when_refused="keep").sizes) == {"remove", "upsert", "add", "erase"}


# ---- tags


def test_lists_are_tags(tool, connect):
    destination = connect()
    send(destination, "upsert", people(3))
    assert why(send(destination, "add", people(3), "winback:2")) == {}
    assert why(send(destination, "remove", people(1), "winback:2")) == {}
    assert tool.on("crm:winback:2") == {"ani2@example.com", "ani3@example.com"}


def test_who_is_silently_ignored_is_found(tool, connect):
    destination = connect()
    send(destination, "upsert", people(30))
    assert why(send(destination, "add", people(32), "winback")) == {
        "ani31@example.com": "is not known there", "ani32@example.com": "is not known there"
    }  # fmt: skip
    before = len(tool.asked)
    assert set(why(send(destination, "add", people(50), "winback"))) == {f"ani{n}@example.com" for n in range(31, 51)}
    assert len(tool.asked) - before == 2  # one look at all who have the tag, not one at each of fifty
    assert tool.effects.doubled("joined") == {}


def test_errors_within_a_success(tool, connect):
    destination = connect()
    send(destination, "upsert", people(3))
    tool.leaves("ani2@example.com")
    assert why(send(destination, "add", people(3), "winback")) == {
        "ani2@example.com": "The email address is not subscribed to the list."
    }
    assert tool.on("crm:winback") == {"ani1@example.com", "ani3@example.com"}


def test_one_poison_row_of_500(tool, connect):
    destination = connect()
    send(destination, "upsert", people(500))
    tool.faults.poison('"ani77@example.com"', only="POST .*/segments/.*")
    receipt = send(destination, "add", people(500), "winback")
    assert why(receipt) == {"ani77@example.com": "One of the rows cannot be used"}
    assert len(tool.on("crm:winback")) == 499
    assert receipt.calls <= 2 + 2 * 9 + 1


def test_row_after_row_refused_is_no_poison(tool, connect):
    destination = connect()
    send(destination, "upsert", people(100))
    tool.faults.poison("@example.com", only="POST .*/segments/.*")
    with pytest.raises(DestinationRefused, match="tag 'crm:winback' cannot be changed: answered 400"):
        send(destination, "add", people(100), "winback")


def test_foreign_tags_are_untouched(tool, connect):
    for row in people(3):
        tool.add_member(row["address"])
    tool.tag_by_hand("vip", "ani1@example.com")
    tool.tag_by_hand("winback", "ani1@example.com", "ani2@example.com")
    destination = connect()
    send(destination, "upsert", people(3))
    send(destination, "add", people(1), "winback")
    send(destination, "remove", people(3), "winback")
    send(destination, "remove", people(3), "vip")
    assert (tool.on("vip"), tool.on("winback")) == ({"ani1@example.com"}, {"ani1@example.com", "ani2@example.com"})
    assert tool.effects.of("tag_created") == [""]


@pytest.mark.parametrize("operation, size", [("add", 500), ("remove", 500), ("upsert", 1000), ("stop", 1000)])
def test_sizes_are_what_the_tool_takes_at_once(tool, connect, operation, size):
    """501 members need two chunks: the size is the tool's own, neither less nor more."""
    destination = connect()
    assert destination.sizes[operation] == size
    for row in people(size):
        tool.add_member(row["address"])
    assert why(send(destination, operation, people(size), "winback" if operation in ("add", "remove") else None)) == {}
    if operation == "add":
        assert len(tool.on("crm:winback")) == size
        with pytest.raises(http.Denied, match="answered 400"):
            destination._tags._change("winback", tool.tags["crm:winback"]["id"], members_to_add=["a@b.com"] * 501)


# ---- batches


def test_a_batch_that_never_finishes_is_resumed_by_its_id(tool, connect):
    tool.stuck, memory = True, Memory()
    with pytest.raises(DestinationDown, match="Mailchimp has not finished a batch in 1 seconds; the next run waits"):
        send(connect(batch_from=2, batch_seconds=1), "upsert", people(5), memory=memory)
    tool.finish_batches()
    posted = len(writes(tool))
    assert why(send(connect(batch_from=2), "upsert", people(5), memory=memory)) == {}
    assert len(memory.kept) == 1
    assert len(writes(tool)) == posted
    assert tool.effects.doubled("created") == {}


def test_a_batch_that_is_forgotten_is_made_anew(tool, connect):
    memory = Memory()
    memory.kept.append("b000000000")
    assert why(send(connect(batch_from=2), "upsert", people(5), memory=memory)) == {}
    assert len(memory.kept) == 2
    assert len(subscribed(tool)) == 5


def test_a_resumed_batch_without_a_person_of_the_chunk(tool, connect):
    """Consent was read again in between, or a row has changed its place."""
    memory = Memory()
    send(connect(batch_from=2), "upsert", people(5), memory=memory)
    posted = len(writes(tool))
    assert why(send(connect(batch_from=2), "upsert", list(reversed(people(4, 3))), memory=memory)) == {}
    assert len(subscribed(tool)) == 6
    assert [asked.method for asked in writes(tool)[posted:]] == ["PUT"]


def test_the_batch_is_remembered_before_it_is_waited_for(tool, connect):
    memory, seen = Memory(), []
    tool.faults.when("GET /3.0/batches/.*", lambda: seen.append(memory.last))
    send(connect(batch_from=2), "upsert", people(5), memory=memory)
    assert seen == memory.kept != []


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b\x08broken"])
def test_results_that_cannot_be_read(tool, connect, content, monkeypatch):
    monkeypatch.setattr(type(tool), "_archive", lambda self, batch: content or b" ")
    memory = Memory()
    with pytest.raises(DestinationDown, match="what came of a batch cannot be read; the next run reads it again"):
        send(connect(batch_from=2), "upsert", people(5), memory=memory)
    monkeypatch.undo()
    assert why(send(connect(batch_from=2), "upsert", people(5), memory=memory)) == {}
    assert len(memory.kept) == 1


@pytest.mark.parametrize("status", [403, 408, 429, 500, 503])
def test_an_operation_that_failed_for_a_while_is_done_again(tool, connect, monkeypatch, status):
    ask, turn = type(tool)._ask, iter(range(100))

    def busy(self, operation):
        response = ask(self, operation)
        response.status_code = status if next(turn) == 2 else response.status_code
        return response

    monkeypatch.setattr(type(tool), "_ask", busy)
    assert why(send(connect(batch_from=2), "upsert", people(5))) == {}
    assert [asked.method for asked in writes(tool)].count("PUT") == 1


# ---- the account


def test_the_account(tool, connect):
    destination = connect()
    assert destination.account() == "Toko Tangga, audience 'Pelanggan' [a1b2c3d4e5]"
    assert (destination.identity, destination.needs_release) == ("address", True)
    assert writes(tool) == []


@pytest.mark.parametrize(
    "own, said",
    [
        ({"key": "wrong-us6"},
         "answered 401 (it does not accept the credentials); correct the connection in Airflow (it says: Your API key "
         "may be invalid, or you've attempted to access the wrong"),
        ({"list": "fffff00000"}, "audience 'fffff00000' cannot be read: answered 404 (there is no such address)"),
        ({"host": "http://example.com"}, "would send its secret over plain http"),
        ({"host": "ftp://x"}, "is at no address of an API"),
        ({"key": "kéy-us6"}, ""),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_used(connect, own, said):
    with pytest.raises(DestinationRefused) as error:
        connect(**own).account()
    assert said in str(error.value)
    assert str(error.value).startswith("newsletter (connection 'mailchimp_api'): ")
    assert own.get("key", "wrong-us6") not in str(error.value)


def test_the_wrong_data_centre(tool, connect):
    tool.data_centre = "us21"
    with pytest.raises(DestinationRefused, match="attempted to access the wrong datacenter"):
        connect().account()
    assert len(tool.asked) == 1


def test_the_data_centre_is_the_end_of_the_key(use):
    settings = MailchimpDestination(type="mailchimp", connection="mailchimp_api", list="a1b2c3d4e5")
    use(Connection("mailchimp_api", "http", password=KEY))
    with closing(mailchimp.connect(settings, "newsletter")) as destination:
        assert destination._api.base == "https://us6.api.mailchimp.com"
    use(Connection("mailchimp_api", "http", password="no-centre-here"))
    with pytest.raises(DestinationRefused, match="does not end like a key of Mailchimp's"):
        mailchimp.connect(settings, "newsletter")
    use(Connection("mailchimp_api", "http"))
    with pytest.raises(DestinationRefused, match="has no password"):
        mailchimp.connect(settings, "newsletter")


def test_what_was_deleted_there_is_told(tool, connect):
    send(connect(), "upsert", people(3))
    send(connect(), "add", people(3), "winback")
    assert connect().account(["winback"])
    tool.drop_tag("crm:winback")
    with pytest.raises(DestinationRefused, match="tag 'crm:winback' was deleted or renamed there, with people on it"):
        connect().account(["winback"])
    tool.drop_field("RUNG")
    with pytest.raises(DestinationRefused, match="merge field 'RUNG' was deleted there, or is new in Tangga"):
        connect().account(["winback"])


@each_way
@pytest.mark.parametrize("unknown", ["ignore", "refuse"])
def test_a_field_that_is_deleted_in_the_middle(tool, connect, batch_from, unknown):
    destination = connect(batch_from=batch_from)
    send(destination, "upsert", people(1))
    tool.drop_field("RUNG")
    tool.unknown_fields = unknown
    if unknown == "ignore":
        with pytest.raises(DestinationRefused, match="merge field 'RUNG' was deleted there"):
            send(destination, "upsert", people(3, 2))
    else:
        assert set(why(send(destination, "upsert", people(3, 2))).values()) == {
            "Your merge fields were invalid; RUNG: This merge field does not exist"
        }


@each_way
def test_an_audience_that_is_deleted_in_the_middle(tool, connect, batch_from):
    destination = connect(batch_from=batch_from)
    send(destination, "upsert", people(3))
    send(destination, "add", people(3), "winback")
    tool.list_deleted = True
    for operation, list_name in (("upsert", None), ("add", "winback"), ("remove", "winback")):
        with pytest.raises(DestinationRefused):
            send(destination, operation, people(3), list_name)


def test_a_tag_that_is_deleted_in_the_middle(tool, connect):
    destination = connect()
    send(destination, "upsert", people(3))
    send(destination, "add", people(2), "winback")
    tool.drop_tag("crm:winback")
    with pytest.raises(DestinationRefused, match="tag 'crm:winback' cannot be changed: answered 404"):
        send(destination, "add", people(3), "winback")


def test_a_field_of_another_type(tool, connect):
    tool.add_merge_field("RUNG", "number")
    with pytest.raises(
        DestinationRefused, match="'RUNG' is of the type 'number' there; make it one of the type 'text'"
    ):
        connect().account()


def test_no_room_for_another_field(tool, connect):
    tool.max_merge_fields = 6
    with pytest.raises(DestinationRefused, match="merge field '.*' cannot be made.*has the maximum number"):
        send(connect(), "upsert", people(1))


# ---- what goes wrong on the way


def deliver(destination, memory: Memory) -> list[dict[str, str]]:
    """A small delivery: what is said of whom in each of its chunks."""
    return [
        why(send(destination, "remove", people(2), "winback")),
        why(send(destination, "stop", people(1), memory=Memory())),
        why(send(destination, "upsert", people(8, 2), memory=memory)),
        why(send(destination, "add", people(6, 4), "winback")),
    ]


FAULTS = {
    "storm": lambda faults: faults.storm(seed=3, share=0.4),
    "html": lambda faults: [faults.html(after=after) for after in (0, 2, 3)],
    "dropped": lambda faults: [faults.drop(after=2) for _ in range(4)],
    "cut off after it was done": lambda faults: [faults.cut(after=after) for after in (3, 2, 2, 0, 3)],
    "silent after it was done": lambda faults: [faults.silent(after=2, only=only) for only in ("P.*", "D.*", "P.*")],
    "broken off": lambda faults: [faults.truncated(after=1) for _ in range(5)],
    "500 with {}": lambda faults: faults.next(500, times=3, after=2, body=b"{}"),
    "late": lambda faults: faults.slow(3, after=3),
    "anything": lambda faults: faults.mixture(seed=5, share=0.3, kinds=("429", "503", "500", "html", "drop", "cut")),
}


@each_way
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_passes_is_waited_for_and_done_once(tool, connect, batch_from, fault):
    for row in people(2):
        tool.add_member(row["address"])
    tool.join(tool.member("ani1@example.com"), tool.tag("crm:winback"))
    fault(tool.faults)
    for _ in range(20):  # runs, as a ledger that acknowledged nothing would ask for
        try:
            said = deliver(connect(batch_from=batch_from, timeout_seconds=1), Memory())
            break
        except DestinationDown:
            continue
    assert said == [{}, {}, {}, {}]
    assert tool.faults.met != []
    assert subscribed(tool) == {f"ani{n}@example.com" for n in range(2, 10)}
    assert tool.on("crm:winback") == {f"ani{n}@example.com" for n in range(4, 10)}
    for kind in ("created", "joined", "left", "archived", "merge_field_created", "tag_created"):
        assert tool.effects.doubled(kind) == {}


@pytest.mark.parametrize(
    "fault, said",
    [
        (lambda faults: faults.next(429, times=99), "answered 429, 5 times; try again later"),
        (lambda faults: faults.next(503, times=99), "answered 503, 5 times; try again later"),
        (lambda faults: faults.mixture(1, 1.0, ("html",)), "answered 200 with something else than JSON, 5 times; look"),
        (
            lambda faults: faults.mixture(1, 1.0, ("silent",)),
            "did not answer in time, 2 times, and 'deadline_seconds' leaves",
        ),
    ],
)
def test_what_does_not_pass_is_down(tool, connect, fault, said):
    fault(tool.faults)
    began = datetime.now(UTC)
    with pytest.raises(DestinationDown, match=said):
        connect(timeout_seconds=1, deadline_seconds=2).account()
    assert (datetime.now(UTC) - began).total_seconds() < 4


def test_a_key_that_is_taken_away_in_the_middle_stops_at_once(tool, connect):
    destination = connect(batch_from="never")
    send(destination, "upsert", people(2))
    tool.allowed = False
    before = len(tool.asked)
    with pytest.raises(DestinationRefused, match="answered 403 .*You are not permitted"):
        send(destination, "upsert", people(60))
    assert len(tool.asked) - before <= 10


@pytest.mark.parametrize("call", ["account", "upsert"])
def test_the_key_does_not_follow_a_redirect(tool, connect, call):
    destination = connect()
    send(destination, "upsert", people(1))
    tool.faults.redirect(f"http://localhost:{tool.elsewhere.port}/3.0/")
    with pytest.raises(DestinationRefused, match="another host or scheme|a redirect"):
        destination.account() if call == "account" else send(destination, "upsert", people(1))
    assert tool.elsewhere.asked == []


# ---- refusals


def test_refusals(tool, connect):
    for number, status in enumerate(("subscribed", "unsubscribed", "cleaned", "archived", "pending"), start=1):
        tool.add_member(f"Ani{number}@Example.com", status, at=f"2026-03-0{number}T00:00:00+00:00")
    found = {refusal.address: refusal.status for refusal in connect().refusals([], None)}
    assert found == {
        "ani2@example.com": "unsubscribed", "ani3@example.com": "cleaned", "ani4@example.com": "archived"
    }  # fmt: skip
    since = datetime(2026, 3, 4, 12, tzinfo=UTC)
    (later,) = connect().refusals([], since)
    assert (later.address, later.changed_at) == ("ani4@example.com", datetime(2026, 3, 4, tzinfo=UTC))
    ahead_by_hours = connect().refusals([], datetime(2026, 3, 3, 23, tzinfo=UTC))
    assert [refusal.status for refusal in ahead_by_hours] == ["cleaned", "archived"]


def test_refusals_are_read_to_their_end(tool, connect):
    for number in range(2100):
        tool.add_member(f"ani{number}@example.com", "unsubscribed")
    assert len({refusal.address for refusal in connect().refusals([], None)}) == 2100
    assert len(tool.asked) == 5


def test_refusals_that_change_while_they_are_read(tool, connect):
    for number in range(1001):
        tool.add_member(f"ani{number}@example.com", "unsubscribed")
    back = lambda: tool.set_status(tool.member("ani5@example.com"), "subscribed", by="person")  # noqa: E731
    tool.faults.when("GET .*/members", back, after=1)
    found = {refusal.address for refusal in connect().refusals([], None)}
    assert found >= {f"ani{number}@example.com" for number in range(1001) if number != 5}


# ---- what is told


def test_nothing_personal_is_told(tool, connect, caplog):
    caplog.set_level(logging.DEBUG)
    tool.block(
        "ani1@example.com", "of Wijaya, c00001 (tel. +62 812 3456 789), see https://x.example/?id=ani1 is blocked"
    )
    destination = connect(batch_from=2)
    receipt = send(destination, "upsert", people(3))
    assert why(receipt) == {"ani1@example.com": "… of …, … (tel. …), see … is blocked"}
    send(destination, "add", people(3), "winback")
    told = [caplog.text, repr(chunk("upsert", people(3)))]
    assert not any(part in text for text in told for part in ("ani", "Wijaya", KEY, "X-Amz", "response.tar"))


# ---- figures


def test_five_calls_at_once(tool, connect):
    tool.faults.latency = 0.1
    send(connect(batch_from="never"), "upsert", people(20))
    assert tool.most_at_once == 5


def test_calls_for_a_thousand_people(tool, connect):
    """The least: a batch and its results, and two chunks of 500 for the tag."""
    destination = connect()
    destination.account()
    first = send(destination, "upsert", people(1000)).calls
    added = sum(send(destination, "add", people(500, start), "winback").calls for start in (1, 501))
    again = send(destination, "upsert", people(1000, segment="Lost")).calls
    assert len(tool.on("crm:winback")) == 1000
    assert (first, added, again) == (1 + tool.polls + 8, 2 + 2, 1 + tool.polls)

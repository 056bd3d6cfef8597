"""Plans brought to Mailchimp and HubSpot, from what is published to what is on their lists."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest

from tangga import ledger
from tangga.activation import approval, changes, delivery, plan
from tangga.activation.sending import RowsRejected
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.ledger import database, tables
from tests.fakes.faults import HTML
from tests.unit.at_tools import CALLS, at


def test_lists_arrive_and_change(at_tool):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("de"))
    effects = len(tool.effects)
    assert at_tool.deliver().chunks == 0
    assert len(tool.effects) == effects
    company.lists = {"winback": set("bcf"), "birthday": set("e")}
    done = at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("bcf"), at("e"))
    assert dict(done.rows) == {"remove": 3, "upsert": 1, "add": 1}
    assert tool.effects.doubled("created") == {}


@pytest.mark.parametrize("is_wanted", [True, False], ids=["wanted still", "not wanted any more"])
def test_a_list_that_a_killed_delivery_has_not_made_yet_was_not_deleted(at_tool, is_wanted):
    company, tool = at_tool.company, at_tool.tool
    company.lists = {"winback": set("abcd")}
    at_tool.deliver()
    company.lists["birthday"] = set("de")
    folder = company.plan()
    entry = plan.read(folder)["destinations"]["tool"]
    begun = []
    with ledger.opened(company.settings) as book:
        for part in changes.parts(folder, "tool", entry):
            if part.operation == "add":
                book.begin_chunk(ledger.ChunkId("tool", entry["hash"], part.number), "add", part.list_name, part.rows)
                begun.append(part.list_name)
    assert begun == ["birthday"]
    if not is_wanted:
        company.lists["birthday"] = set()
    assert approval.question(company.settings, "tool", company.plan()) is None
    assert delivery.let_go(company.settings, "tool", company.made()) == 0
    at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("de") if is_wanted else set())
    assert at_tool.deliver().chunks == 0


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "list",
            "'crm:birthday' was deleted or renamed there, with people on it; .*, or delete the rows",
        ),
        (
            "field",
            "'(RUNG|tangga_rung)' was deleted there, or is new in Tangga; (add it there|restore it, or make)",
        ),
    ],
)
def test_what_somebody_has_deleted_there_is_said_before_anything_is_sent(at_tool, what, said):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    if what == "list":
        (tool.drop_tag if at_tool.kind == "mailchimp" else tool.drop_list)("crm:birthday", by="person")
    else:
        tool.drop_field("RUNG") if at_tool.kind == "mailchimp" else tool.drop_property("tangga_rung")
    company.lists["winback"].add("f")
    effects = len(tool.effects)
    with pytest.raises(DestinationRefused, match=said):
        at_tool.deliver()
    assert len(tool.effects) == effects
    if what == "list":  # what it says to do helps
        with database.opened(company.settings) as engine, engine.begin() as connection:
            connection.execute(tables.memberships.delete().where(tables.memberships.c.list_name == "birthday"))
        at_tool.deliver()
        assert at_tool.on() == {"winback": at("abcdf"), "birthday": at("de")}


def test_who_says_no_there_comes_off(at_tool):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    tool.leaves("b@shop-mail.com")
    company.lists = {"winback": set("abcdf"), "birthday": set("bde")}
    at_tool.deliver()
    at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("acdf"), at("de"))


@pytest.mark.parametrize("written", ["Ani@Bücher.example", "ANI@XN--BCHER-KVA.EXAMPLE"])
def test_who_said_no_there_in_other_letters_is_not_subscribed(at_tool, written):
    company, tool = at_tool.company, at_tool.tool
    (tool.add_member if at_tool.kind == "mailchimp" else tool.add_contact)(written)
    tool.leaves(written)
    company.people["a"] = "ani@xn--bcher-kva.example"
    done = at_tool.deliver()
    assert (tool.on("crm:winback"), done.withheld) == (at("bcd"), 2)
    assert len(tool.effects.of("created")) == 4


@pytest.mark.parametrize("at_tool", ["mailchimp"], indirect=True)
def test_who_was_imported_by_hand_before_comes_off(at_tool):
    company, tool = at_tool.company, at_tool.tool
    stranger = "stranger@shop-mail.com"
    for name, addresses in (("crm:winback", [*sorted(at("ag")), stranger]), ("crm:winback:1", [stranger]),
                            ("crm:vip", [stranger])):  # fmt: skip
        for address in addresses:
            tool.join(tool.member(address) or tool.add_member(address), tool.tag(name, by="person"), by="person")
    company.reasons = {"g": "consent revoked"}
    at_tool.deliver()
    assert tool.on("crm:winback") == at("abcdg") | {stranger}, "what the plan did not say is not done"
    at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:winback:1")) == (at("abcd"), set())
    assert tool.on("crm:vip") == {stranger}, "no audience's"
    assert tool.effects.of("archived") == ["g@shop-mail.com"]
    assert at_tool.deliver().chunks == 0


def test_who_says_no_to_us_is_stopped(at_tool):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    company.reasons, company.lists = {"a": "consent revoked"}, {"winback": set("bcd"), "birthday": set("de")}
    at_tool.deliver()
    assert tool.on("crm:winback") == at("bcd")
    assert tool.effects.of("archived" if at_tool.kind == "mailchimp" else "unsubscribed") == ["a@shop-mail.com"]


@pytest.mark.parametrize("at_tool", ["mailchimp"], indirect=True)
def test_who_was_archived_by_a_delivery_that_was_killed_then_has_not_said_no_there(at_tool, monkeypatch):
    """They may say yes to us again, which a no at a tool would not allow anywhere."""
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    company.reasons, company.lists = {"a": "consent revoked"}, {"winback": set("bcd"), "birthday": set("de")}
    acknowledge = ledger.Ledger.acknowledge

    def die(book, chunk, operation, *rest):
        if operation == "stop":
            raise KeyboardInterrupt
        acknowledge(book, chunk, operation, *rest)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ledger.Ledger, "acknowledge", die)
        at_tool.deliver()
    assert tool.effects.of("archived") == ["a@shop-mail.com"]
    at_tool.deliver()
    assert tool.effects.of("archived") == ["a@shop-mail.com"]
    with ledger.opened(company.settings) as book:
        assert book.refused(["a@shop-mail.com"]) == {}
    assert at_tool.deliver().chunks == 0


def test_an_address_that_is_somebody_elses_now(at_tool):
    """At HubSpot the contact with the address becomes theirs; who had it before is somebody new there. They are told in
    different chunks."""
    company, tool = at_tool.company, at_tool.tool
    others = [f"m{number:03}" for number in range(100)]
    company.people = {name: f"{name}@shop-mail.com" for name in (*others, "zed")}
    company.lists = {"advocates": set(others[:50]), "birthday": set(others[50:]), "winback": {"zed"}}
    at_tool.deliver()
    company.people |= {"zed": "zed.new@shop-mail.com", "abe": "zed@shop-mail.com"}
    company.names = dict.fromkeys(others, "Ani")
    company.lists["advocates"] = {*others[1:50], "abe"}
    at_tool.deliver()
    at_tool.deliver()  # what was taken over is put right by the next plan
    assert tool.on("crm:winback") == {"zed.new@shop-mail.com"}
    assert tool.on("crm:advocates") == {company.people[name] for name in company.lists["advocates"]}
    assert at_tool.deliver().chunks == 0


@pytest.mark.parametrize("call", CALLS["mailchimp"])
def test_a_call_that_is_done_and_never_answered_has_no_second_effect(at_tool, call):
    company, tool, only = at_tool.company, at_tool.tool, at_tool.call(call)
    at_tool.set(timeout_seconds=1)
    tool.automate("crm:winback", "crm:birthday")
    tool.faults.silent(only=only)
    at_tool.deliver()
    tool.faults.silent(only=only)
    company.reasons, company.lists = {"d": "consent revoked"}, {"winback": set("abcf"), "birthday": set("ef")}
    assert (at_tool.deliver().rejected, at_tool.rejected()) == (0, {})
    assert "silent" in tool.faults.met
    assert at_tool.on() == {"winback": at("abcf"), "birthday": at("ef")}
    assert {kind for kind in {one.kind for one in tool.effects} if tool.effects.doubled(kind)} == set()
    assert sorted(tool.effects.of("automation", "crm:winback")) == sorted(at("abcdf"))


ANSWERS = {
    "429 without a word": ({"status": 429}, "answered 429, 5 times; try again later"),
    "503 without a word": ({"status": 503}, "answered 503, 5 times; try again later"),
    "500 with {}": ({"status": 500, "body": b"{}"}, "answered 500, 5 times; try again later"),
    "403 without a word": ({"status": 403}, "answered 403, 5 times; try again later, or let the credentials"),
    "200 without a word": ({"status": 200}, "answered 200 with something else than JSON, 5 times; look what stands"),
    "a page for people": ({"status": 200, "body": HTML}, "answered 200 with something else than JSON, 5 times; look"),
    "204": ({"status": 204}, "does not say"),
    "200 with {}": ({"status": 200, "body": b"{}"}, "does not say|without its id"),
    "nothing": (None, "did not answer in time, . times, and 'deadline_seconds' leaves no time to wait; try again"),
}


@pytest.mark.parametrize(
    ("call", "answer"), [*(("a list is changed", answer) for answer in ANSWERS), ("people are written", "200 with {}")]
)
def test_what_is_no_answer_is_no_success(at_tool, call, answer):
    tool, (fault, said) = at_tool.tool, ANSWERS[answer]
    at_tool.set(timeout_seconds=1, deadline_seconds=3)
    if fault:
        tool.faults.next(times=99, only=at_tool.call(call), **fault)
    else:
        for _ in range(9):
            tool.faults.slow(5, only=at_tool.call(call))
    folder, began = at_tool.company.plan(), time.monotonic()
    with pytest.raises(DestinationDown, match=said) as error:
        at_tool.deliver(folder)
    assert time.monotonic() - began < 3 + 4, "the deadline of one call, and what all others take"
    assert str(error.value).startswith("tool (connection 'tool_api'): ") and "@" not in str(error.value)
    assert (at_tool.last()["state"], at_tool.last()["words"]) == ("failed", str(error.value))
    tool.faults.calm()
    at_tool.deliver(folder)
    assert at_tool.on() == {"winback": at("abcd"), "birthday": at("de")}


def refuse_one(at_tool) -> str:
    """`b` is not taken, by an answer of success: 200 with errors[], or 207; how the tool says so."""
    company, tool = at_tool.company, at_tool.tool
    if at_tool.kind == "mailchimp":
        at_tool.knows("b")
        tool.faults.when(at_tool.call("a list is changed"), lambda: tool.leaves("b@shop-mail.com"), after=1)
        return "The email address is not subscribed to the list."
    company.people["b"] = "b@shop-mail"
    return "Email address … is invalid"


@pytest.mark.parametrize(("share", "is_much"), [(0.05, True), (0.5, False)])
def test_rows_that_are_refused_by_an_answer_of_success_are_kept_with_its_words(at_tool, share, is_much):
    words = refuse_one(at_tool)
    at_tool.allow(max_rejected_share=share)
    if is_much:
        with pytest.raises(RowsRejected, match="tool: the tool rejected 1 of .* rows, and took the others; the ledger"):
            at_tool.deliver()
    else:
        assert at_tool.deliver().rejected == 1
    assert at_tool.on() == {"winback": at("acd"), "birthday": at("de")}
    ((address, said),) = at_tool.rejected().items()
    assert address[0] == "b" and words in said
    assert at_tool.last()["state"] == ("failed" if is_much else "done")


@pytest.mark.parametrize(
    ("at_tool", "count", "only", "rows"),
    [
        ("mailchimp", 501, "POST", lambda body: len(body.get("members_to_add", ()))),
        ("mailchimp", 1001, "POST", lambda body: len(body.get("operations", ()))),
        ("hubspot", 101, "POST", lambda body: len(body["inputs"]) if "objectWriteTraceId" in str(body) else 0),
    ],
    indirect=["at_tool"],
    ids=["501 members", "1001 operations", "101 inputs"],
)
def test_more_than_the_tool_takes_at_once_goes_in_chunks(at_tool, count, only, rows):
    company, names = at_tool.company, [f"m{number:04}" for number in range(count)]
    company.people = {name: f"{name}@shop-mail.com" for name in names}
    company.lists = {"winback": set(names)}
    at_tool.allow(growth_rows=count)
    at_tool.deliver()
    assert at_tool.on() == {"winback": set(company.people.values())}
    sent = [rows(json.loads(asked.body)) for asked in at_tool.tool.asked if asked.method == only and asked.body]
    most = {501: 500, 1001: 1000, 101: 100}[count]
    assert [size for size in sent if size] == ([most, 1] if count != 1001 else [1000])
    assert at_tool.deliver().chunks == 0


@pytest.mark.parametrize("at_tool", ["mailchimp"], indirect=True)
@pytest.mark.parametrize("is_same_plan", [True, False], ids=["the same plan again", "a new plan"])
def test_a_batch_that_never_finishes_is_resumed_by_its_id_by_the_next_run(at_tool, is_same_plan):
    company, tool = at_tool.company, at_tool.tool
    at_tool.set(batch_seconds=1)
    folder, tool.stuck = company.plan(), True
    with pytest.raises(DestinationDown, match="has not finished a batch in 1 seconds; the next run waits for the same"):
        at_tool.deliver(folder)
    assert at_tool.on() == {}
    tool.stuck = False
    if not is_same_plan:
        delivery.settle(company.settings)
        company.lists["winback"] = set("abc")
        folder = company.plan()
    at_tool.deliver(folder)
    assert at_tool.on() == {"winback": at("abcd" if is_same_plan else "abc"), "birthday": at("de")}
    assert [asked.path for asked in tool.asked if asked.method == "POST"].count("/3.0/batches") == 1
    assert sorted(tool.effects.of("created")) == sorted(at("abcde"))


def test_credentials_that_are_taken_away_in_the_middle_stop_it_at_once(at_tool):
    tool, secret = at_tool.tool, at_tool.tool.token
    tool.faults.when(at_tool.call("a list is changed"), tool._lock)
    folder = at_tool.company.plan()
    with pytest.raises(DestinationRefused, match=r"answered 401 .*; correct the connection in Airflow"):
        at_tool.deliver(folder)
    assert [asked.status for asked in tool.asked].count(401) == 1
    tool.token = secret
    at_tool.deliver(folder)
    assert at_tool.on() == {"winback": at("abcd"), "birthday": at("de")}


@pytest.mark.parametrize("at_tool", ["hubspot"], indirect=True)
def test_who_was_deleted_there_by_hand_is_made_anew_when_they_join_a_list(at_tool):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    tool.remove(tool.contact("a@shop-mail.com"), "deleted")
    company.lists["birthday"].add("a")
    with pytest.raises(RowsRejected):
        at_tool.deliver()
    at_tool.deliver()
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("ade"))
    assert at_tool.deliver().chunks == 0


@pytest.mark.parametrize("at_tool", ["hubspot"], indirect=True)
def test_two_customers_with_one_contact_do_not_take_it_from_each_other(at_tool):
    company, tool = at_tool.company, at_tool.tool
    tool.add_contact("b@shop-mail.com", hs_additional_emails="a@shop-mail.com")
    company.lists = {"winback": set("acd"), "birthday": set("be")}
    effects = []
    for _ in range(6):
        with suppress(RowsRejected):
            at_tool.deliver()
        effects.append(len(tool.effects))
    assert len(set(effects[-3:])) == 1, "every day somebody leaves a list and joins it anew"
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("cd"), at("be"))
    with ledger.opened(company.settings) as book:
        assert {(row["key"], row["operation"]) for row in book.rejected("tool")} >= {("a", "upsert")}


@pytest.mark.parametrize("seed", range(4))
def test_it_converges_whatever_happens_on_the_way(at_tool, seed):
    company, tool = at_tool.company, at_tool.tool
    kinds = ("429", "503", "500", "html", "drop", "cut", "truncated")
    for lists in ({"winback": set("abcd"), "birthday": set("de")}, {"winback": set("bcf"), "birthday": set("eg")}):
        company.lists = lists
        tool.faults.mixture(seed, 0.5, kinds)
        for _ in range(30):
            try:
                at_tool.deliver()
                break
            except DestinationDown:
                continue
        tool.faults.calm()
        at_tool.deliver()
        assert {name: tool.on(f"crm:{name}") for name in lists} == {name: at(who) for name, who in lists.items()}
    assert tool.effects.doubled("created") == {}

"""Bringing a plan to a tool, chunk by chunk."""

from __future__ import annotations

import hashlib
import os
from datetime import date, datetime
from functools import partial

import duckdb
import pytest

from tangga import alone, landing, ledger, sends, warehouse
from tangga.activation import delivery, handed_out
from tangga.activation.landed import ActivationRefused
from tangga.activation.sending import RowsRejected
from tangga.destinations.destination import DestinationDown
from tangga.erasure import tombstones
from tangga.settings import FilesDestination
from tests.unit.activation import DAY


def at(*names):
    return {f"{name}@x.example" for name in names}


def deliver(company, folder=None):
    return delivery.deliver(company.settings, "tool", folder or company.plan(), "run 1")


def rejected(company):
    with ledger.opened(company.settings) as book:
        return {(row["operation"], row["key"], row["kind"], row["words"]) for row in book.rejected("tool")}


def handed(company, day=date(2030, 1, 1)):
    with duckdb.connect() as con:
        sends.create_views(con, company.settings, day)
        columns = "audience, customer_id, step, test_group, as_of_date"
        return con.sql(f"select {columns} from registry.sends order by all").fetchall()


@pytest.fixture
def company(company):
    company.lists = {"winback": set("abcd"), "birthday": set("de"), "rfm_lost": set("abcdefgh")}
    return company


def test_the_tool_comes_to_know_everybody_once(company, tool):
    company.due = {("winback", "b"): 2}
    done = deliver(company)
    assert tool.members() == {"winback": at(*"abcd"), "birthday": at(*"de"), "winback:2": at("b")}
    assert set(tool.people) == at(*"abcde")
    assert dict(done.rows) == {"upsert": 5, "add": 7}
    asked = tool.asked
    again = deliver(company)
    assert (tool.asked, dict(again.rows), again.chunks) == (asked, {}, 0)
    with ledger.opened(company.settings) as book:
        assert [(row["state"], row["approval"]) for row in book.deliveries("tool")] == [("done", "within limits")] * 2


def test_the_same_plan_again_sends_nothing(company, tool):
    folder = company.plan()
    deliver(company, folder)
    asked = tool.asked
    again = deliver(company, folder)
    assert (tool.asked, again.chunks, again.done_before) == (asked, 0, len(asked))


@pytest.mark.parametrize("file", ["members.parquet", "messages.parquet", "changes/tool.parquet"])
def test_a_plan_that_was_changed_is_refused(company, tool, file):
    folder = company.plan()
    with (folder / file).open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(ActivationRefused, match="changed after it was made"):
        deliver(company, folder)
    assert tool.asked == []


@pytest.mark.parametrize("changed", [{"audiences": ("birthday",)}, {"when_refused": "keep"}, {"list": "f00000000d"}])
def test_a_plan_for_a_destination_that_is_set_up_otherwise_now_is_void(company, tool, changed):
    folder = company.plan()
    slower = company.settings.destinations["tool"].model_copy(update={"requests_per_second": 1.0})
    company.settings = company.settings.model_copy(update={"destinations": {"tool": slower}})
    delivery.deliver(company.settings, "tool", folder, "run 1")
    company.lists, company.reasons = {"winback": set()}, {"a": "consent revoked"}
    folder, asked = company.plan(), tool.asked
    spec = slower.model_copy(update=changed)
    company.settings = company.settings.model_copy(update={"destinations": {"tool": spec}})
    for work in (delivery.let_go, partial(delivery.deliver, run_id="run 2")):
        with pytest.raises(ActivationRefused, match="its settings in tangga.yml were changed since"):
            work(company.settings, "tool", folder)
    assert tool.asked == asked
    company.settings = company.settings.model_copy(update={"destinations": {}})
    with pytest.raises(ActivationRefused, match="not a destination of both"):
        delivery.deliver(company.settings, "tool", folder, "run 3")


@pytest.mark.parametrize(
    ("what", "by"), [('"basis": 0', '"basis": 1'), ('"emptied": []', '"emptied": ["x"]'), ('"settings":', '"x":')]
)
def test_a_plan_whose_words_were_changed_is_refused(company, tool, what, by):
    folder = company.plan()
    said = (folder / "plan.json").read_text()
    assert what in said
    (folder / "plan.json").write_text(said.replace(what, by))
    with pytest.raises(ActivationRefused, match="changed after it was made"):
        deliver(company, folder)


def test_an_older_plan_is_void_once_a_newer_one_was_delivered(company, tool):
    older = company.plan()
    company.lists["winback"] = set("ab")
    company.publish("v1")
    newer = company.made()
    deliver(company, newer)
    with pytest.raises(ActivationRefused, match="crm_activate again"):
        deliver(company, older)
    assert tool.members()["winback"] == at(*"ab")


def test_only_the_released_account_is_sent_to(company, tool):
    tool.needs_release = True
    folder = company.plan()
    with pytest.raises(ActivationRefused, match="nobody has released"):
        deliver(company, folder)
    with ledger.opened(company.settings) as book:
        book.release("tool", tool.name, "dina")
    deliver(company, folder)
    tool.name = "another list"
    with pytest.raises(ActivationRefused, match="another list"):
        deliver(company, company.plan())


def test_rows_that_the_tool_rejects_stay_due_and_too_many_fail_the_delivery(company, tool):
    tool.poison = at("b")
    with pytest.raises(RowsRejected, match="rejected 1 of 10 rows"):
        deliver(company)
    assert tool.members() == {"winback": at(*"acd"), "birthday": at(*"de")}
    assert rejected(company) == {
        ("upsert", "b@x.example", "rejected", "looks fake or invalid"),
        ("add", "b@x.example", "withheld", "the tool did not take the person"),
    }
    rules = company.settings.rules
    activation = rules.activation.model_copy(update={"max_rejected_share": 1.0})
    rules = rules.model_copy(update={"activation": activation})
    company.settings = company.settings.model_copy(update={"rules": rules})
    done = deliver(company)
    assert (done.rejected, done.withheld, dict(done.rows)) == (1, 1, {"upsert": 0, "add": 0})
    tool.poison = set()
    assert dict(deliver(company).rows) == {"upsert": 1, "add": 1}
    assert tool.members()["winback"] == at(*"abcd")
    assert rejected(company) == set()


def suppress(company, *addresses):
    """The company's own list, which names these."""
    file = company.settings.config_path.parent / "suppressed.csv"
    file.write_text("\n".join(["address,channel", *(f"{address}," for address in addresses), ""]))
    reference = company.settings.reference.model_copy(update={"suppressions": "suppressed.csv"})
    company.settings = company.settings.model_copy(update={"reference": reference})


@pytest.mark.parametrize("how", ["at the tool", "on the company's own list"])
def test_whoever_says_no_between_two_chunks_is_not_sent_and_comes_off_the_lists(company, tool, how):
    suppress(company)
    company.lists = {"birthday": set("abcd")}
    deliver(company)
    company.lists = {"birthday": set("abcd"), "winback": set("abcde")}

    def say_no(chunk):
        if chunk.operation == "upsert":  # the next are those who join
            if how == "at the tool":
                tool.refused = dict.fromkeys(at("a", "e"), "unsubscribed")
            else:
                suppress(company, *at("a", "e"))

    tool.after = say_no
    done = deliver(company)
    assert done.withheld == 2
    assert tool.members() == {"birthday": at(*"bcd"), "winback": at(*"bcd")}
    words = {row[3] for row in rejected(company) if row[2] == "withheld"}
    assert words == {{"at the tool": "said no at a destination (unsubscribed)"}.get(how, f"is {how}")}
    tool.after = lambda chunk: None
    asked = tool.asked
    deliver(company)
    stopped = [] if how == "at the tool" else [("stop", None, tuple(sorted(at("a", "e"))))]
    assert tool.asked == asked + stopped


def test_who_said_no_after_the_plan_comes_off_before_anybody_is_added(company, tool):
    deliver(company)
    company.lists["winback"] = set("abcdf")
    folder = company.plan()
    tool.refused = dict.fromkeys(at("d"), "cleaned")
    before = len(tool.asked)
    deliver(company, folder)
    assert tool.asked[before:] == [
        ("remove", "birthday", ("d@x.example",)), ("remove", "winback", ("d@x.example",)),
        ("upsert", None, ("f@x.example",)), ("add", "winback", ("f@x.example",)),
    ]  # fmt: skip


def test_who_was_erased_after_the_plan_is_not_sent(company, tool):
    folder = company.plan()
    tombstones.bury(company.settings, "20260520-1", [("email", ("a@x.example",))])
    deliver(company, folder)
    assert (tool.members()["winback"], set(tool.people)) == (at(*"bcd"), at(*"bcde"))
    assert {row[3] for row in rejected(company)} == {"was erased"}


def test_consents_that_land_in_the_middle_stop_the_delivery(company, tool, inbox):
    """Somebody's no may be in them that no build has seen."""
    folder = company.plan()
    company.settings = company.settings.model_copy(update={"sources": inbox.settings("consents").sources})
    inbox.put("consents.csv", "contact_id,channel,status,status_at\na,email,revoked,2026-05-21 09:00\n")

    def land(chunk):
        landed = landing.land(company.settings, "shop", "consents", date(2026, 5, 21))
        landing.record_verdict(company.settings, landed, "pass", [])

    tool.after = land
    with pytest.raises(ActivationRefused, match="The consents of shop for 2026-05-21 have landed"):
        deliver(company, folder)
    assert [operation for operation, _, _ in tool.asked] == ["upsert"]


def test_who_has_ordered_since_the_plan_is_not_reminded(company, tool, inbox):
    company.lists = {"cart_abandonment": set("ab"), "birthday": set("ab")}
    company.due = {("cart_abandonment", "a"): 1, ("cart_abandonment", "b"): 1}
    folder = company.plan()
    orders = "order_id,contact_id,ordered_at,status,currency,total_amount\n1,a,2026-05-21 09:00,paid,IDR,5\n"
    inbox.put("orders.csv", orders)
    landed = landing.land(company.settings, "shop", "orders", date(2026, 5, 21))
    landing.record_verdict(company.settings, landed, "pass", [])
    done = deliver(company, folder)
    assert tool.members() == {"cart_abandonment": at("b"), "cart_abandonment:1": at("b"), "birthday": at("a", "b")}
    assert done.withheld == 2
    assert handed(company) == [("cart_abandonment", "b", 1, "member", DAY)]


def test_one_at_a_time_speaks_to_a_destination(company, tool):
    folder = company.plan()
    with ledger.opened(company.settings) as book, book.alone("tool", company.settings.home / "state"):
        child = os.fork()
        if not child:
            ledger.Ledger.alone.__wrapped__.__defaults__ = (0.2,)
            try:
                deliver(company, folder)
            except alone.Busy as busy:
                os._exit(7 if "another delivery to tool is at work" in str(busy) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert tool.asked == []


def test_two_deliveries_at_once_send_everything_once(company, tool):
    folder = company.plan()
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            deliver(company, folder)
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert len(tool.asked) == len(set(tool.asked))
    assert tool.members() == {"winback": at(*"abcd"), "birthday": at(*"de")}


def test_what_was_handed_out_is_told_from_what_was_acknowledged(company, tool):
    company.due = {("winback", "a"): 1, ("winback", "b"): 1, ("birthday", "d"): 1}
    company.held_out = {("winback", "h"): 1}
    tool.poison = at("b")
    with pytest.raises(RowsRejected):
        deliver(company)
    told = [("birthday", "d", 1, "member", DAY), ("winback", "a", 1, "member", DAY)]
    told.append(("winback", "h", 1, "holdout", DAY))
    assert handed(company) == told
    tool.poison = set()  # the second plan of the day adds to the first
    deliver(company)
    assert handed(company) == sorted([*told, ("winback", "b", 1, "member", DAY)])


def test_a_delivery_that_broke_is_recorded_before_the_next_build(company, tool):
    company.due = {("winback", "a"): 1, ("birthday", "d"): 1}
    company.held_out = {("winback", "h"): 1, ("birthday", "g"): 1}

    def fail(chunk):
        if chunk.list_name == "winback":
            raise DestinationDown("tool: does not answer; try later.")

    tool.before = fail
    with pytest.raises(DestinationDown):
        deliver(company)
    assert handed(company) == []
    warehouse.prepare(company.settings, DAY)
    told = [("birthday", "d", 1, "member", DAY), ("birthday", "g", 1, "holdout", DAY)]
    assert handed(company) == told
    handed_out.catch_up(company.settings)
    assert handed(company) == told
    with ledger.opened(company.settings) as book:
        assert [(row["state"], row["words"]) for row in book.deliveries("tool")] == [
            ("failed", "tool: does not answer; try later.")
        ]
        assert book.unrecorded() == []


def test_what_a_tool_was_working_on_is_brought_to_its_end_before_the_next_plan(company, tool):
    resumed, send = [], tool.send

    def slow(chunk, resume, remember):
        resumed.append((chunk.operation, resume))
        if resume is None and chunk.operation == "upsert":
            remember("batch 7")
            raise DestinationDown("tool: batch 7 goes on; later.")
        return send(chunk, resume, remember)

    tool.send = slow
    with pytest.raises(DestinationDown):
        deliver(company)
    delivery.settle(company.settings)
    assert resumed == [("upsert", None), ("upsert", "batch 7")]
    assert set(tool.people) == at(*"abc")
    delivery.settle(company.settings)
    assert len(resumed) == 2


def test_who_has_said_no_since_is_not_brought_there_by_what_a_tool_was_working_on(company, tool):
    """It may have forgotten what it was working on, so that all of it is done anew."""
    send = tool.send

    def lost(chunk, resume, remember):
        if resume is None and chunk.operation == "upsert":
            remember("batch 7")
            raise DestinationDown("tool: batch 7 goes on; later.")
        return send(chunk, resume, remember)

    tool.send = lost
    with pytest.raises(DestinationDown):
        deliver(company)
    company.lists["winback"], company.reasons = set("bc"), {"a": "consent revoked"}
    folder = company.plan()
    delivery.settle(company.settings)
    assert set(tool.people) == at(*"bc")
    tool.send = send
    with pytest.raises(ActivationRefused, match="crm_activate again"):
        deliver(company, folder)
    deliver(company)
    assert tool.members()["winback"] == at(*"bc")


def test_lists_of_files_are_whole(company):
    folder = company.settings.home / "exports" / "files"
    company.settings = company.settings.model_copy(update={"destinations": {"files": FilesDestination()}})
    made = company.plan()
    delivery.deliver(company.settings, "files", made, "run 1")
    assert {path.name for path in folder.glob("*.csv")} == {"winback.csv", "birthday.csv", "rfm_lost.csv"}
    (folder / "winback.csv").unlink()
    delivery.deliver(company.settings, "files", made, "run 2")
    assert len((folder / "winback.csv").read_text().splitlines()) == 5
    assert company.made() == made
    company.lists = {"birthday": {"d"}}
    delivery.deliver(company.settings, "files", company.plan(), "run 3")
    assert [len((folder / f"{name}.csv").read_text().splitlines()) for name in ("winback", "birthday")] == [1, 2]


def test_what_is_said_of_a_failure_holds_no_personal_data(company, tool):
    def fail(chunk):
        raise ValueError("a@x.example is odd")

    tool.before = fail
    with pytest.raises(ValueError):
        deliver(company)
    with ledger.opened(company.settings) as book:
        assert [row["words"] for row in book.deliveries("tool")] == ["ValueError"]


def test_refusals_are_heard_from_where_they_were_heard_last(company, tool):
    heard = []
    tool.refusals = lambda addresses, since: heard.append((set(addresses), since)) or []
    deliver(company)
    assert heard[0] == (set(), None)
    assert [addresses for addresses, _ in heard[1:3]] == [at(*"abc"), at(*"de")]
    assert all(isinstance(since, datetime) for _, since in heard[1:])
    assert [since for _, since in heard[1:]] == sorted(since for _, since in heard[1:])


@pytest.mark.parametrize(
    ("status", "reason"),
    [("unsubscribed", "unsubscribed"), ("cleaned", "bounced"), ("archived", "unsubscribed"),
     ("Complained", "complained"), ("a new word", "unsubscribed")],
)  # fmt: skip
def test_the_next_build_knows_who_said_no_at_the_tool(company, tool, status, reason):
    tool.refused = dict.fromkeys(at("a"), status)
    deliver(company)
    assert tool.members()["winback"] == at(*"bcd")
    warehouse.prepare(company.settings, DAY)
    with duckdb.connect(str(warehouse.path(company.settings)), read_only=True) as con:
        known = con.sql("from registry.refusals").fetchall()
    assert known == [(f"email:{hashlib.sha256(b'a@x.example').hexdigest()}", reason)]

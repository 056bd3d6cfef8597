"""What differs between the lists as they should be and what was acknowledged."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangga import ledger
from tangga.activation import changes, lists, plan
from tangga.destinations.destination import Receipt, Refusal
from tangga.ledger import ChunkId
from tests.unit.activation import MEMBERS, MESSAGES
from tests.unit.activation import company as company_of
from tests.unit.tool import SETTINGS


def at(*names):
    return tuple(f"{name}@x.example" for name in names)


def parts(folder, name="tool"):
    entry = plan.read(folder)["destinations"][name]
    return [
        (part.operation, part.list_name, tuple(part.rows["key"].to_pylist()))
        for part in changes.parts(folder, name, entry)
    ]


def counts(folder, list_name):
    found = plan.read(folder)["destinations"]["tool"]["lists"][list_name]
    return tuple(found[key] for key in ("before", "added", "removed", "updated", "unchanged", "after"))


def acknowledge(company, folder):
    """As if the tool had done all that a plan asks for."""
    entry = plan.read(folder)["destinations"]["tool"]
    with ledger.opened(company.settings) as book:
        for part in changes.parts(folder, "tool", entry):
            chunk = ChunkId("tool", entry["hash"], part.number)
            book.begin_chunk(chunk, part.operation, part.list_name, part.rows)
            book.acknowledge(chunk, part.operation, part.list_name, part.rows, Receipt())


def test_the_first_plan_tells_of_everybody_and_the_next_of_nothing(company):
    company.lists = {"winback": {"a", "b"}, "rfm_lost": {"b", "c"}}
    company.due = {("winback", "b"): 2}
    folder = company.plan()
    assert parts(folder) == [
        ("upsert", None, at("a", "b")), ("add", "winback", at("a", "b")), ("add", "winback:2", at("b")),
    ]  # fmt: skip
    assert counts(folder, "winback") == (0, 2, 0, 0, 0, 2)
    assert set(plan.read(folder)["destinations"]["tool"]["lists"]) == {"winback", "winback:2"}
    assert company.made() == folder
    acknowledge(company, folder)
    again = company.plan()
    assert parts(again) == []
    assert counts(again, "winback") == (2, 0, 0, 0, 2, 2)


def test_removals_come_first_and_only_what_differs_is_told(company):
    company.lists = {"winback": {"a", "b"}, "birthday": {"c"}}
    acknowledge(company, company.plan())
    company.lists = {"winback": {"b", "c", "d"}, "rfm_lost": {"a"}}
    company.names = {"a": "Ani", "b": "Budi"}
    company.reasons = {"c": "no consent"}
    folder = company.plan()
    assert parts(folder) == [
        ("remove", "birthday", at("c")), ("remove", "winback", at("a")),
        ("upsert", None, at("a", "b", "d")), ("add", "winback", at("c", "d")),
    ]  # fmt: skip
    assert counts(folder, "winback") == (2, 2, 1, 0, 1, 3)
    assert plan.read(folder)["destinations"]["tool"]["people"] == {
        "before": 3, "added": 1, "removed": 0, "updated": 2, "unchanged": 1, "after": 4,
    }  # fmt: skip


def test_families_are_lists_only_where_they_are_asked_for(company):
    company.lists = {"winback": {"a"}, "rfm_lost": {"b"}, "rung_2_prospect": {"c"}}
    spec = company.settings.destinations["tool"].model_copy(update={"audiences": ("rfm_segments",)})
    company.settings = company.settings.model_copy(update={"destinations": {"tool": spec}})
    assert parts(company.plan()) == [("upsert", None, at("b")), ("add", "rfm_lost", at("b"))]


def test_who_said_no_is_stopped_unless_the_tool_told_us(company):
    company.lists = {"winback": {"a", "b", "c"}}
    acknowledge(company, company.plan())
    company.lists, company.reasons = (
        {"winback": set()},
        {"a": "consent revoked", "b": "no consent", "c": "unsubscribed"},
    )
    with ledger.opened(company.settings) as book:
        book.hear("tool", [Refusal(at("c")[0], "unsubscribed")])
    folder = company.plan()
    assert parts(folder) == [  # who said no goes first, whoever has to agree to the rest
        ("remove", "winback", at("a", "c")), ("stop", None, at("a")), ("remove", "winback", at("b")),
    ]  # fmt: skip
    said = plan.read(folder)["destinations"]["tool"]
    assert (said["noes"], said["lists"]["winback"]["said_no"], said["lists"]["winback"]["removed"]) == (2, 2, 3)
    acknowledge(company, folder)
    assert parts(company.plan()) == []
    company.lists, company.reasons = {"winback": {"a", "c"}}, {}  # who agrees again is told of again
    assert parts(company.plan()) == [("upsert", None, at("a")), ("add", "winback", at("a"))]


@pytest.mark.parametrize(("identity", "known_as"), [("address", "a@x.example"), ("customer_id", "a")])
def test_who_says_no_under_another_address_is_stopped_at_the_one_before(company, tool, identity, known_as):
    tool.identity = identity
    company.lists = {"winback": {"a"}}
    acknowledge(company, company.plan())
    company.people |= {"a": "new@x.example"}
    company.lists, company.reasons = {"winback": set()}, {"a": "consent revoked"}
    company.publish()
    assert parts(company.made()) == [("remove", "winback", (known_as,)), ("stop", None, (known_as,))]
    company.people |= {"b": "a@x.example"}  # who has the address now has not said no
    company.publish()
    assert parts(company.made()) == [("remove", "winback", (known_as,))]


def test_who_was_merged_and_says_no_is_stopped_under_both_ids(company, tool):
    tool.identity = "customer_id"
    company.lists = {"winback": {"a", "b"}}
    acknowledge(company, company.plan())
    del company.people["a"]
    company.merged = {"a": "b"}
    company.lists, company.reasons = {"winback": set()}, {"b": "consent revoked"}
    folder = company.plan()
    assert parts(folder) == [("remove", "winback", ("a", "b")), ("stop", None, ("a", "b"))]
    company.people["c"] = at("a")[0]  # who has the address of the retired one now has not said no
    assert parts(company.plan()) == [
        ("remove", "winback", ("b",)), ("stop", None, ("b",)), ("remove", "winback", ("a",)),
    ]  # fmt: skip


def test_two_customers_with_one_address_are_one_person(company, tool):
    company.people |= {"b": at("a")[0]}
    company.lists = {"winback": {"b", "c"}, "birthday": {"a", "b"}}
    assert parts(company.plan()) == [
        ("upsert", None, at("a", "c")), ("add", "birthday", at("a")), ("add", "winback", at("a", "c")),
    ]  # fmt: skip
    tool.identity = "customer_id"
    assert parts(company.plan())[1:] == [("add", "birthday", ("a",)), ("add", "winback", ("a", "c"))]


def test_who_has_another_address_stays_the_same_person(company, tool):
    tool.identity, company.lists = "customer_id", {"winback": {"a", "b"}}
    acknowledge(company, company.plan())
    company.people |= {"a": "new@x.example", "h": at("a")[0]}
    company.lists = {"winback": {"a", "b", "h"}}
    assert parts(company.plan()) == [("upsert", None, ("a", "h")), ("add", "winback", ("h",))]


def test_a_step_is_of_a_day(company):
    company.lists, company.due = {"winback": {"a"}}, {("winback", "a"): 1}
    acknowledge(company, company.plan())
    assert parts(company.plan()) == []
    company.day = date(2026, 5, 21)
    assert parts(company.plan()) == [("remove", "winback:1", at("a")), ("add", "winback:1", at("a"))]
    company.due = {}
    assert parts(company.plan()) == [("remove", "winback:1", at("a"))]


def test_an_audience_that_is_left_out_gains_nobody_and_loses_only_who_is_not_in_it(company, monkeypatch):
    company.lists = {"winback": {"a", "b"}, "birthday": {"c"}}
    acknowledge(company, company.plan())
    company.lists = {"winback": {"b", "d"}, "birthday": {"c"}}
    monkeypatch.setattr(plan.lint, "refused", lambda _: {"winback": ["is broken."]})
    folder = company.plan()
    assert parts(folder) == [("remove", "winback", at("a"))]
    assert counts(folder, "winback") == (2, 0, 1, 0, 1, 1)


def test_nobody_leaves_a_step_because_its_campaign_is_left_out_for_a_while(company, monkeypatch):
    """They would join it anew, and be sent it again, once the campaign is fit again on that day."""
    company.lists, company.due = {"winback": {"a", "b"}}, {("winback", "a"): 1, ("winback", "b"): 1}
    acknowledge(company, company.plan())
    company.lists, company.due = {"winback": {"b"}}, {("winback", "b"): 1}
    with monkeypatch.context() as patched:
        patched.setattr(plan.lint, "refused", lambda _: {"winback": ["is broken."]})
        folder = company.plan()
        assert parts(folder) == [("remove", "winback", at("a")), ("remove", "winback:1", at("a"))]
        acknowledge(company, folder)
    assert parts(company.made()) == []
    company.day, company.due = date(2026, 5, 21), {}
    assert parts(company.plan()) == [("remove", "winback:1", at("b"))]


def test_an_audience_that_is_left_out_and_not_for_the_destination_any_more_leaves_it(company, monkeypatch):
    company.lists = {"winback": {"a", "b"}, "birthday": {"c"}}
    acknowledge(company, company.plan())
    monkeypatch.setattr(plan.lint, "refused", lambda _: {"winback": ["is broken."]})
    spec = company.settings.destinations["tool"].model_copy(update={"audiences": ("birthday",)})
    company.settings = company.settings.model_copy(update={"destinations": {"tool": spec}})
    assert parts(company.plan()) == [("remove", "winback", at("a", "b"))]


@pytest.mark.parametrize(("rows", "chunks"), [(1, [1]), (4, [4]), (5, [4, 1]), (9, [4, 4, 1])])
def test_chunks_hold_what_the_destination_takes_at_once(company, tool, rows, chunks):
    tool.sizes |= {"upsert": 4, "add": 100}
    company.people = {f"{number:03}": f"{number:03}@x.example" for number in range(rows)}
    company.lists = {"winback": set(company.people)}
    assert [len(keys) for _, _, keys in parts(company.plan())] == [*chunks, rows]


def test_many_chunks_are_read_as_they_were_cut(company, tool):
    tool.sizes = {"upsert": 700, "add": 501}
    company.people = {f"{number:06}": f"{number:06}@x.example" for number in range(120_001)}
    company.lists = {"winback": set(company.people)}
    found = parts(company.plan())
    assert [len(keys) for _, _, keys in found] == [700] * 171 + [301] + [501] * 239 + [262]
    assert [key for operation, _, keys in found if operation == "add" for key in keys] == sorted(
        company.people.values()
    )


PEOPLE, LISTS = st.sampled_from("abcdef"), st.sampled_from(["x", "y"])
STATE = st.sets(st.tuples(LISTS, PEOPLE))
KNOWN = st.dictionaries(PEOPLE, st.sampled_from(["old", "new", None]))


@settings(deadline=None, max_examples=60)
@given(
    desired=STATE, certain=STATE, uncertain=STATE, known=st.dictionaries(PEOPLE, st.sampled_from(["old", "new", None]))
)
def test_applying_the_changes_gives_what_is_desired_and_no_change_is_too_much(desired, certain, uncertain, known):
    uncertain = uncertain - certain
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as published; create schema published.core")
        con.execute("create table published.core.dim_customers (customer_id varchar, email varchar)")
        con.executemany("insert into published.core.dim_customers values (?, ?)", [[name, name] for name in "abcdef"])
        con.execute(f"create table listed ({MEMBERS}, fields_hash varchar); create table messages ({MESSAGES})")
        con.execute(
            "create table kept (audience varchar, email varchar); create table refusing (key varchar, is_news boolean)"
        )
        con.execute("create table wanted as select unnest(['x', 'y']) as audience")
        rows = [(audience, name, name, "new") for audience, name in sorted(desired)]
        if rows:
            con.executemany("insert into listed (audience, customer_id, email, fields_hash) values (?, ?, ?, ?)", rows)
        people = [{"key": key, "customer_id": key, "address": key, "remote_id": None, "fields_hash": found,
                   "is_stopped": False} for key, found in known.items()]  # fmt: skip
        members = [{"list_name": name, "key": key, "customer_id": key, "fields_hash": None,
                    "is_certain": (name, key) in certain} for name, key in sorted(certain | uncertain)]  # fmt: skip
        for table, found, schema in (("people", people, changes.PEOPLE), ("lists", members, changes.MEMBERSHIPS)):
            con.register("_rows", pa.Table.from_pylist(found, schema))
            con.execute(f"create table acknowledged_{table} as from _rows")
        con.execute(lists.LISTS.format(identity="email"))
        found = con.execute("select operation, list_name, key from changes").fetchall()
    assert len(found) == len(set(found))
    removed = {(name, key) for operation, name, key in found if operation == "remove"}
    added = {(name, key) for operation, name, key in found if operation == "add"}
    told = {key for operation, _, key in found if operation == "upsert"}
    for begun in (certain, certain | uncertain):  # whatever became of what nobody knows
        assert (begun - removed) | added == desired
    assert (removed, added) == ((certain | uncertain) - desired, desired - certain)
    assert told == {key for _, key in desired if known.get(key) != "new"}


@pytest.mark.parametrize("names", [("files", "tool"), ("tool", "files")])
def test_destinations_of_both_kinds_are_planned_together(inbox, monkeypatch, tool, names):
    kinds = {"files": {"type": "files"}, **SETTINGS}
    made = company_of(inbox, monkeypatch, destinations={name: kinds[name] for name in names})
    made.people, made.lists = {"a": "a@x.example"}, {"winback": {"a"}}
    folder = made.plan()
    assert parts(folder, "tool") == [("upsert", None, at("a")), ("add", "winback", at("a"))]
    assert parts(folder, "files") == [("replace", "winback", ("a",))]

"""Plans brought to Mailchimp and HubSpot, from what is published to what is on their lists."""

from __future__ import annotations

import pytest

from tangga import ledger
from tangga.activation import approval, changes, delivery, plan
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tests.unit.at_tools import at


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


def test_a_list_that_somebody_has_deleted_there_is_said_before_anything_is_sent(at_tool):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    (tool.drop_tag if at_tool.kind == "mailchimp" else tool.drop_list)("crm:birthday", by="person")
    company.lists["winback"].add("f")
    effects = len(tool.effects)
    with pytest.raises(DestinationRefused, match="'crm:birthday' was deleted or renamed there, with people on it"):
        at_tool.deliver()
    assert len(tool.effects) == effects


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

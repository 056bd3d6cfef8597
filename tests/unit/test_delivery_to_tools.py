"""Plans brought to Mailchimp and HubSpot, from what is published to what is on their lists."""

from __future__ import annotations

from contextlib import closing, suppress
from types import SimpleNamespace

import pytest

from tangga import http, ledger
from tangga.activation import approval, changes, delivery, plan
from tangga.activation.sending import RowsRejected
from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.destinations.mailchimp import batches
from tangga.sources.connections import Connection
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.unit.activation import company as company_of

TOOLS = {
    "mailchimp": (MailchimpAccount, {"list": "a1b2c3d4e5", "requests_per_second": 100, "batch_from": 3}, KEY),
    "hubspot": (lambda: HubSpotPortal(requests=1000), {"requests_per_10_seconds": 250}, "pat-eu1-fake"),
}


@pytest.fixture(params=list(TOOLS))
def at_tool(request, inbox, monkeypatch, use):
    """A company and the tool that its lists go to, released by a person."""
    make, own, key = TOOLS[request.param]
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    monkeypatch.setattr(batches, "POLLS", (0.0, 0.0))
    with make() as tool:
        use(Connection("tool_api", "http", host=tool.url, password=key))
        spec = {"type": request.param, "connection": "tool_api"} | own
        company = company_of(inbox, monkeypatch, destinations={"tool": spec})
        company.people = {name: f"{name}@shop-mail.com" for name in "abcdefgh"}
        company.lists = {"winback": set("abcd"), "birthday": set("de")}
        with ledger.opened(company.settings) as book, closing(open_destination(company.settings, "tool", {}, "")) as to:
            book.release("tool", to.account(), "dina")
        yield SimpleNamespace(company=company, tool=tool, kind=request.param)
        assert tool.effects.forbidden() == []


def at(names: str) -> set[str]:
    return {f"{name}@shop-mail.com" for name in names}


def deliver(at_tool):
    return delivery.deliver(at_tool.company.settings, "tool", at_tool.company.plan(), "run 1")


def test_lists_arrive_and_change(at_tool):
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("de"))
    effects = len(tool.effects)
    assert deliver(at_tool).chunks == 0
    assert len(tool.effects) == effects
    company.lists = {"winback": set("bcf"), "birthday": set("e")}
    done = deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("bcf"), at("e"))
    assert dict(done.rows) == {"remove": 3, "upsert": 1, "add": 1}
    assert tool.effects.doubled("created") == {}


@pytest.mark.parametrize("is_wanted", [True, False], ids=["wanted still", "not wanted any more"])
def test_a_list_that_a_killed_delivery_has_not_made_yet_was_not_deleted(at_tool, is_wanted):
    company, tool = at_tool.company, at_tool.tool
    company.lists = {"winback": set("abcd")}
    deliver(at_tool)
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
    deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("de") if is_wanted else set())
    assert deliver(at_tool).chunks == 0


def test_a_list_that_somebody_has_deleted_there_is_said_before_anything_is_sent(at_tool):
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    (tool.drop_tag if at_tool.kind == "mailchimp" else tool.drop_list)("crm:birthday", by="person")
    company.lists["winback"].add("f")
    effects = len(tool.effects)
    with pytest.raises(DestinationRefused, match="'crm:birthday' was deleted or renamed there, with people on it"):
        deliver(at_tool)
    assert len(tool.effects) == effects


def test_who_says_no_there_comes_off(at_tool):
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    tool.leaves("b@shop-mail.com")
    company.lists = {"winback": set("abcdf"), "birthday": set("bde")}
    deliver(at_tool)
    deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("acdf"), at("de"))


@pytest.mark.parametrize("written", ["Ani@Bücher.example", "ANI@XN--BCHER-KVA.EXAMPLE"])
def test_who_said_no_there_in_other_letters_is_not_subscribed(at_tool, written):
    company, tool = at_tool.company, at_tool.tool
    (tool.add_member if at_tool.kind == "mailchimp" else tool.add_contact)(written)
    tool.leaves(written)
    company.people["a"] = "ani@xn--bcher-kva.example"
    done = deliver(at_tool)
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
    deliver(at_tool)
    assert tool.on("crm:winback") == at("abcdg") | {stranger}, "what the plan did not say is not done"
    deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:winback:1")) == (at("abcd"), set())
    assert tool.on("crm:vip") == {stranger}, "no audience's"
    assert tool.effects.of("archived") == ["g@shop-mail.com"]
    assert deliver(at_tool).chunks == 0


def test_who_says_no_to_us_is_stopped(at_tool):
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    company.reasons, company.lists = {"a": "consent revoked"}, {"winback": set("bcd"), "birthday": set("de")}
    deliver(at_tool)
    assert tool.on("crm:winback") == at("bcd")
    assert tool.effects.of("archived" if at_tool.kind == "mailchimp" else "unsubscribed") == ["a@shop-mail.com"]


@pytest.mark.parametrize("at_tool", ["mailchimp"], indirect=True)
def test_who_was_archived_by_a_delivery_that_was_killed_then_has_not_said_no_there(at_tool, monkeypatch):
    """They may say yes to us again, which a no at a tool would not allow anywhere."""
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    company.reasons, company.lists = {"a": "consent revoked"}, {"winback": set("bcd"), "birthday": set("de")}
    acknowledge = ledger.Ledger.acknowledge

    def die(book, chunk, operation, *rest):
        if operation == "stop":
            raise KeyboardInterrupt
        acknowledge(book, chunk, operation, *rest)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ledger.Ledger, "acknowledge", die)
        deliver(at_tool)
    assert tool.effects.of("archived") == ["a@shop-mail.com"]
    deliver(at_tool)
    assert tool.effects.of("archived") == ["a@shop-mail.com"]
    with ledger.opened(company.settings) as book:
        assert book.refused(["a@shop-mail.com"]) == {}
    assert deliver(at_tool).chunks == 0


def test_an_address_that_is_somebody_elses_now(at_tool):
    """At HubSpot the contact with the address becomes theirs; who had it before is somebody new there. They are told in
    different chunks."""
    company, tool = at_tool.company, at_tool.tool
    others = [f"m{number:03}" for number in range(100)]
    company.people = {name: f"{name}@shop-mail.com" for name in (*others, "zed")}
    company.lists = {"advocates": set(others[:50]), "birthday": set(others[50:]), "winback": {"zed"}}
    deliver(at_tool)
    company.people |= {"zed": "zed.new@shop-mail.com", "abe": "zed@shop-mail.com"}
    company.names = dict.fromkeys(others, "Ani")
    company.lists["advocates"] = {*others[1:50], "abe"}
    deliver(at_tool)
    deliver(at_tool)  # what was taken over is put right by the next plan
    assert tool.on("crm:winback") == {"zed.new@shop-mail.com"}
    assert tool.on("crm:advocates") == {company.people[name] for name in company.lists["advocates"]}
    assert deliver(at_tool).chunks == 0


@pytest.mark.parametrize("at_tool", ["hubspot"], indirect=True)
def test_who_was_deleted_there_by_hand_is_made_anew_when_they_join_a_list(at_tool):
    company, tool = at_tool.company, at_tool.tool
    deliver(at_tool)
    tool.remove(tool.contact("a@shop-mail.com"), "deleted")
    company.lists["birthday"].add("a")
    with pytest.raises(RowsRejected):
        deliver(at_tool)
    deliver(at_tool)
    assert (tool.on("crm:winback"), tool.on("crm:birthday")) == (at("abcd"), at("ade"))
    assert deliver(at_tool).chunks == 0


@pytest.mark.parametrize("at_tool", ["hubspot"], indirect=True)
def test_two_customers_with_one_contact_do_not_take_it_from_each_other(at_tool):
    company, tool = at_tool.company, at_tool.tool
    tool.add_contact("b@shop-mail.com", hs_additional_emails="a@shop-mail.com")
    company.lists = {"winback": set("acd"), "birthday": set("be")}
    effects = []
    for _ in range(6):
        with suppress(RowsRejected):
            deliver(at_tool)
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
                deliver(at_tool)
                break
            except DestinationDown:
                continue
        tool.faults.calm()
        deliver(at_tool)
        assert {name: tool.on(f"crm:{name}") for name in lists} == {name: at(who) for name, who in lists.items()}
    assert tool.effects.doubled("created") == {}

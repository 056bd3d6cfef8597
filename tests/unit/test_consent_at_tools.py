"""Consent, at Mailchimp and HubSpot: whoever has said no is not written to, whenever and wherever they said it."""

from __future__ import annotations

from datetime import date

import pytest

from tangga import landing
from tangga.activation.landed import ActivationRefused
from tangga.activation.suppressions import ListShrunk
from tangga.destinations.destination import DestinationDown
from tangga.erasure import tombstones
from tangga.settings import SettingsError
from tests.unit.at_tools import at

STATUSES = ("unsubscribed", "cleaned", "archived")
STOPPED = {"mailchimp": "archived", "hubspot": "unsubscribed"}


@pytest.fixture
def at_tool(at_tool, inbox):
    """The same with a company's own list, which names nobody yet."""
    at_tool.suppressions = inbox.put("suppressions.csv", "address,channel\n")
    company = at_tool.company
    reference = company.settings.reference.model_copy(update={"suppressions": str(at_tool.suppressions)})
    company.settings = company.settings.model_copy(update={"reference": reference})
    return at_tool


def suppress(at_tool, names: str) -> None:
    with at_tool.suppressions.open("a") as file:
        file.writelines(f"{address},\n" for address in sorted(at(names)))


def leave(at_tool, names: str) -> None:
    """They say no at the tool."""
    for address in sorted(at(names)):
        at_tool.tool.leaves(address)


def erase(at_tool, names: str) -> None:
    tombstones.bury(at_tool.company.settings, "20260520-1", [("email", tuple(sorted(at(names))))])


def land(at_tool, inbox, entity: str, content: str) -> None:
    """Something of the next day lands, and is let in."""
    inbox.put(f"{entity}.csv", content)
    landed = landing.land(at_tool.company.settings, "shop", entity, date(2026, 5, 21))
    landing.record_verdict(at_tool.company.settings, landed, "pass", [])


WAYS = {
    "at the tool": (leave, "said no at a destination (unsubscribed)"),
    "on the company's own list": (suppress, "is on the company's own list"),
    "by asking to be forgotten": (erase, "was erased"),
}
each_way = pytest.mark.parametrize("way", WAYS)


# ---- who has left there


@pytest.mark.parametrize(
    ("at_tool", "status"), [*(("mailchimp", status) for status in STATUSES), ("hubspot", "unsubscribed")],
    indirect=["at_tool"],
)  # fmt: skip
def test_who_left_there_is_not_brought_back(at_tool, status):
    tool = at_tool.tool
    at_tool.knows("ab")
    said = {"status": status} if at_tool.kind == "mailchimp" else {}
    tool.leaves("a@shop-mail.com", **said)
    for _ in range(2):
        at_tool.deliver()
        assert at_tool.on() == {"winback": at("bcd"), "birthday": at("de")}
    if at_tool.kind == "mailchimp":
        assert tool.member("a@shop-mail.com")["status"] == status
        assert all(b'"status":' not in asked.body and rb"\"status\":" not in asked.body for asked in tool.asked)
    else:
        assert set(tool.opted_out) == at("a")


# ---- who says no while it is computed and sent


@each_way
@pytest.mark.parametrize("moment", ["before the first call", "between two lists"])
def test_who_says_no_after_the_plan_was_made_is_dropped(at_tool, way, moment):
    say, words = WAYS[way]
    at_tool.knows("d")
    folder = at_tool.company.plan()
    if moment == "before the first call":
        say(at_tool, "d")
    else:
        at_tool.tool.faults.when(at_tool.call("a list is changed"), lambda: say(at_tool, "d"), committed=True)
    at_tool.deliver(folder)
    assert at_tool.on()["winback"] == at("abc")
    if moment == "before the first call" or way != "by asking to be forgotten":  # these are taken off by `crm_erase`
        assert at_tool.on()["birthday"] == at("e")
    assert at_tool.rejected() == {"d@shop-mail.com": {words}}
    at_tool.deliver()
    assert at_tool.on()["winback"] == at("abc")
    assert sum(at_tool.deliver().rows.values()) == 0, "also when an old file names them still"


@pytest.mark.parametrize("moment", ["before the first call", "between two lists"])
def test_consents_that_land_after_the_plan_was_made_stop_it(at_tool, inbox, moment):
    company = at_tool.company
    folder = company.plan()
    company.settings = company.settings.model_copy(update={"sources": inbox.settings("consents").sources})
    said = "contact_id,channel,status,status_at\na,email,revoked,2026-05-21 09:00\n"
    if moment == "before the first call":
        land(at_tool, inbox, "consents", said)
    else:
        at_tool.tool.faults.when(
            at_tool.call("a list is changed"), lambda: land(at_tool, inbox, "consents", said), committed=True
        )
    with pytest.raises(ActivationRefused, match="The consents of shop for 2026-05-21 have landed.*activate the newest"):
        at_tool.deliver(folder)
    assert at_tool.on() == ({} if moment == "before the first call" else {"birthday": at("de")})


def test_who_has_ordered_since_the_plan_was_made_is_not_reminded_of_the_cart(at_tool, inbox):
    company = at_tool.company
    company.lists = {"cart_abandonment": set("ab"), "birthday": set("ab")}
    company.due = {("cart_abandonment", "a"): 1, ("cart_abandonment", "b"): 1}
    folder = company.plan()
    orders = "order_id,contact_id,ordered_at,status,currency,total_amount\n1,a,2026-05-21 09:00,paid,IDR,5\n"
    land(at_tool, inbox, "orders", orders)
    at_tool.deliver(folder)
    assert at_tool.on() == {"cart_abandonment": at("b"), "cart_abandonment:1": at("b"), "birthday": at("ab")}
    assert at_tool.rejected() == {"a@shop-mail.com": {"has ordered since"}}


# ---- who says no after it was sent


@pytest.mark.parametrize("way", ["at the tool", "on the company's own list", "to the company"])
def test_who_says_no_after_it_was_sent_is_removed_by_the_next_run(at_tool, way):
    company, tool = at_tool.company, at_tool.tool
    at_tool.deliver()
    if way == "to the company":
        company.reasons, company.lists = {"d": "consent revoked"}, {"winback": set("abc"), "birthday": {"e"}}
    else:
        WAYS[way][0](at_tool, "d")
    at_tool.deliver()
    assert at_tool.on() == {"winback": at("abc"), "birthday": at("e")}
    at_tool.deliver()
    stopped = [] if way == "at the tool" else ["d@shop-mail.com"]  # who left there has stopped it there
    assert tool.effects.of(STOPPED[at_tool.kind]) == stopped
    assert at_tool.deliver().chunks == 0


def test_a_conflict_of_two_who_share_an_address_is_a_no(at_tool):
    """Also when nobody has asked the other: the tool knows one person."""
    company = at_tool.company
    company.people["b"] = company.people["a"]
    company.lists = {"winback": set("bc"), "birthday": set("de")}
    at_tool.deliver()
    assert at_tool.on() == {"winback": at("ac"), "birthday": at("de")}
    company.reasons = {"a": "consent revoked"}
    company.lists = {"winback": set("c"), "birthday": set("de")}
    at_tool.deliver()
    assert at_tool.on() == {"winback": at("c"), "birthday": at("de")}
    assert at_tool.tool.effects.of(STOPPED[at_tool.kind]) == ["a@shop-mail.com"]


# ---- who has said no is not known


def lose(at_tool, inbox) -> None:
    at_tool.suppressions.unlink()


def shorten(at_tool, inbox) -> None:
    at_tool.suppressions.write_text("address,channel\n")


def garble(at_tool, inbox) -> None:
    at_tool.suppressions.write_text("who\nh@shop-mail.com\n")


def keep_silent(at_tool, inbox) -> None:
    first = 2 if at_tool.kind == "hubspot" else 0  # these ask whether one may ask
    at_tool.tool.faults.next(503, times=9, after=first, only=at_tool.call("who said no is asked"))


def lack_a_day(at_tool, inbox) -> None:
    company = at_tool.company
    company.settings = company.settings.model_copy(update={"sources": inbox.settings("consents").sources})


UNKNOWN = {
    "the company's list is gone": (lose, SettingsError, "does not exist; put it there, or correct"),
    "the company's list has lost somebody": (shorten, ListShrunk, "are not on it any more.*put them back"),
    "the company's list cannot be read": (garble, SettingsError, "has no column address, channel; it needs"),
    "the tool does not say": (keep_silent, DestinationDown, "answered 503.*try again later"),
    "the consents of the day have not come": (lack_a_day, ActivationRefused, "consents of shop for 2026-05-20.*land"),
}


@pytest.mark.parametrize("harm", UNKNOWN)
def test_where_nobody_knows_who_said_no_nothing_is_sent(at_tool, inbox, harm):
    company, tool = at_tool.company, at_tool.tool
    suppress(at_tool, "h")
    at_tool.deliver()
    on, effects = at_tool.on(), len(tool.effects)
    company.lists = {"winback": set("abcdf"), "birthday": set("deg")}
    break_it, error, said = UNKNOWN[harm]
    made = company.plan() if break_it is not lack_a_day else None
    break_it(at_tool, inbox)
    with pytest.raises(error, match=said) as refused:
        at_tool.deliver(made)
    assert (at_tool.on(), len(tool.effects)) == (on, effects)
    assert "@" not in str(refused.value) and "\n" not in str(refused.value)
    if break_it is not lack_a_day:  # of which no plan is made
        assert (at_tool.last()["state"], at_tool.last()["words"]) == ("failed", str(refused.value))

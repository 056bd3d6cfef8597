"""What goes wrong with the process that delivers to Mailchimp and HubSpot: it is killed, there are two, the gate has
stopped the plan, a yes is too old. Whatever happens, nothing is sent twice, and nothing that may not be."""

from __future__ import annotations

import itertools
import os
import re
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tangga import alone, ledger
from tangga.activation import approval, delivery
from tangga.activation.landed import ActivationRefused
from tests.unit.at_tools import at
from tests.unit.killing import ended, in_a_process

# ---- killed


def kill_at_a_call(at_tool, number: int, committed: bool) -> int:
    """Begin a delivery that is killed at its n-th call that writes: before the tool does it, or before it says so."""
    child = []
    at_tool.tool.faults.when(
        "(POST|PUT|DELETE) (?!.*/read$)", lambda: os.kill(child[0], signal.SIGKILL), after=number, committed=committed
    )
    child.append(in_a_process(at_tool.deliver))
    return child[0]


def kill_before_the_ledger(at_tool, number: int) -> int:
    """Begin a delivery that is killed when the tool has answered its n-th chunk, and the ledger does not know yet."""
    answered = itertools.count()

    def deliver():
        write = ledger.Ledger.acknowledge

        def acknowledge(*arguments):
            if next(answered) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*arguments)

        ledger.Ledger.acknowledge = acknowledge
        at_tool.deliver()

    return in_a_process(deliver)


MOMENTS = {
    "before the tool does it": lambda at_tool, number: kill_at_a_call(at_tool, number, committed=False),
    "before the tool answers": lambda at_tool, number: kill_at_a_call(at_tool, number, committed=True),
    "before the ledger knows": kill_before_the_ledger,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_around_each_call_and_run_again_it_converges(at_tool, moment):
    company, tool = at_tool.company, at_tool.tool
    tool.automate("crm:winback", "crm:birthday")
    at_tool.deliver()
    company.lists = {"winback": set("bcdf"), "birthday": set("deg")}
    company.reasons, company.names = {"a": "consent revoked"}, {"b": "Budi"}
    kills, number, position = 0, 0, at_tool.position()
    while ended(MOMENTS[moment](at_tool, number)) != 0:
        kills += 1
        tool.faults.calm()
        if at_tool.kind == "mailchimp":
            tool.finish_batches()
        delivery.settle(company.settings)
        number = (
            number + 1 if at_tool.position() == position else 1
        )  # on from what is acknowledged, one after the other
        position = at_tool.position()
    tool.faults.calm()
    assert kills >= 4
    assert at_tool.on() == {"winback": at("bcdf"), "birthday": at("deg")}
    assert {kind for kind in {one.kind for one in tool.effects} if tool.effects.doubled(kind)} == set()
    assert sorted(tool.effects.of("automation", "crm:winback")) == sorted(at("abcdf"))
    assert at_tool.deliver().chunks == 0


# ---- two at once


def test_of_two_at_once_the_second_waits_and_sends_nothing_twice(at_tool):
    folder = at_tool.company.plan()
    at_tool.tool.faults.latency = 0.02
    children = [in_a_process(lambda: at_tool.deliver(folder)) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    assert at_tool.on() == {"winback": at("abcd"), "birthday": at("de")}
    asked = [f"{one.method} {one.path}" for one in at_tool.tool.asked]
    for call, times in (("people are written", 1), ("a list is changed", 2)):
        assert len([line for line in asked if re.match(at_tool.call(call), line)]) == times


def test_who_has_waited_too_long_for_another_says_so(at_tool, monkeypatch):
    folder, asked = at_tool.company.plan(), len(at_tool.tool.asked)
    monkeypatch.setattr(ledger.Ledger.alone.__wrapped__, "__defaults__", (0.2,))
    state = at_tool.company.settings.home / "state"
    with (
        ledger.opened(at_tool.company.settings) as book,
        book.alone("tool", state),
        pytest.raises(alone.Busy, match="another delivery to tool is at work"),
    ):
        at_tool.deliver(folder)
    assert len(at_tool.tool.asked) == asked


# ---- what may not be sent


def refuses(at_tool, folder, said: str) -> None:
    """Nothing of this plan is sent, however it is started, and the tool is not even asked."""
    asked = [one for one in at_tool.tool.asked if one.method != "GET"]
    with pytest.raises(ActivationRefused, match=said) as refused:
        at_tool.deliver(folder)
    assert [one for one in at_tool.tool.asked if one.method != "GET"] == asked
    assert "@" not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("stop", "has stopped this plan.*see .*make a new plan"),
        (None, "has not judged this plan.*clear 'outbound_gate'"),
    ],
)
def test_what_the_gate_has_not_let_through_is_not_sent(at_tool, verdict, said):
    at_tool.company.publish()
    refuses(at_tool, at_tool.company.made(verdict), said)
    assert at_tool.on() == {}


@pytest.fixture
def asked(at_tool):
    """A plan that is beyond its limits, and what is asked about it."""
    at_tool.allow(growth_rows=2)
    folder = at_tool.company.plan()
    question = approval.question(at_tool.company.settings, "tool", folder)
    assert question.reasons == ("winback: a new list of 4 people.",)
    refuses(at_tool, folder, "beyond its limits, and nobody has agreed to it.*Clear 'approve'")
    return folder, question


def decide(at_tool, folder, question, approved: bool = True) -> None:
    approval.decide(at_tool.company.settings, "tool", folder, question, approved=approved, by="mark")


def test_a_yes_is_for_the_plan_that_was_shown(at_tool, asked):
    folder, question = asked
    decide(at_tool, folder, question)
    at_tool.company.lists["winback"].add("f")
    at_tool.company.publish()
    other = at_tool.company.made()
    again = approval.question(at_tool.company.settings, "tool", other)
    assert (again.plan_hash != question.plan_hash, again.reasons) == (True, ("winback: a new list of 5 people.",))
    refuses(at_tool, other, "nobody has agreed to it")
    refuses(at_tool, folder, "not what is published now; make a new plan")
    decide(at_tool, other, again)
    at_tool.deliver(other)
    assert at_tool.on() == {"winback": at("abcdf"), "birthday": at("de")}


def test_a_yes_that_has_expired_is_asked_for_again(at_tool, asked):
    folder, question = asked
    with ledger.opened(at_tool.company.settings) as book:
        late = datetime.now(UTC) - timedelta(minutes=1)
        book.decide(question.plan_hash, "tool", "approved", "mark", question.reasons, late)
    refuses(at_tool, folder, "what mark agreed to has expired.*Clear 'approve' of this run to be asked")
    assert approval.question(at_tool.company.settings, "tool", folder) == question
    decide(at_tool, folder, question)
    at_tool.deliver(folder)
    assert at_tool.on() == {"winback": at("abcd"), "birthday": at("de")}


def test_a_no_sends_nothing(at_tool, asked):
    folder, question = asked
    decide(at_tool, folder, question, approved=False)
    refuses(at_tool, folder, "mark has rejected it")
    assert at_tool.on() == {}

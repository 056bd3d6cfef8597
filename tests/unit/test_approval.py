"""When somebody is asked about a plan, and what a yes is good for."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tangga import ledger
from tangga.activation import approval, delivery, plan
from tangga.destinations.destination import DestinationRefused
from tangga.settings import FilesDestination
from tests.unit import tool as tools
from tests.unit.activation import company as company_of

RULES = {"activation": {"growth_rows": 2, "approval_hours": 6}}


@pytest.fixture
def company(inbox, monkeypatch, tool):
    found = company_of(inbox, monkeypatch, destinations=tools.SETTINGS, rules=RULES)
    found.people = {name: f"{name}@secret.example" for name in ("ani", "budi", "cici", "dodi")}
    found.names = {"ani": "Nyai"}
    found.lists = {"winback": {"ani", "budi", "cici"}}
    return found


def ask(company, folder):
    return approval.question(company.settings, "tool", folder)


def required(company, folder):
    with ledger.opened(company.settings) as book:
        return approval.required(company.settings, book, "tool", plan.read(folder))


def answer(company, folder, asked, approved=True):
    approval.decide(company.settings, "tool", folder, asked, approved=approved, by="mark")


def test_within_limits_nobody_is_asked(company):
    company.lists = {"winback": {"ani", "budi"}}
    folder = company.plan()
    assert ask(company, folder) is None
    assert required(company, folder) == "within limits"


def test_the_question_has_counts_and_hash_and_names_nobody(company):
    folder = company.plan()
    asked = ask(company, folder)
    assert asked.reasons == ("winback: a new list of 3 people.",)
    assert asked.plan_hash == plan.read(folder)["destinations"]["tool"]["hash"]
    assert asked.subject == "Send the lists of 2026-05-20 to tool?"
    for part in (f"`{asked.plan_hash[:12]}`", "- winback: a new list of 3 people.", "| winback | 0 | 3 | 0 | 3 |",
                 "3 contacts are new or updated", "6 hours"):  # fmt: skip
        assert part in asked.body
    assert not re.search("secret.example|Nyai|ani|budi", asked.subject + asked.body)
    assert ask(company, folder) == asked, "asked again, Airflow shows what it showed first"


def test_a_yes_lets_exactly_this_plan_go(company):
    folder = company.plan()
    with pytest.raises(plan.ActivationRefused, match="nobody has agreed to it: winback: a new list of 3"):
        required(company, folder)
    answer(company, folder, ask(company, folder))
    assert required(company, folder).startswith("approved by mark at ")
    assert ask(company, folder) is None

    company.lists["winback"].add("dodi")
    other = company.plan()
    assert other != folder
    assert ask(company, other).reasons == ("winback: a new list of 4 people.",)
    with pytest.raises(plan.ActivationRefused, match="nobody has agreed"):
        required(company, other)


def test_a_no_stays_one_until_somebody_is_asked_again(company):
    folder = company.plan()
    answer(company, folder, ask(company, folder), approved=False)
    with pytest.raises(plan.ActivationRefused, match="mark has rejected it"):
        required(company, folder)
    answer(company, folder, ask(company, folder))
    assert required(company, folder).startswith("approved by mark")
    with ledger.opened(company.settings) as book:
        said = book.decision(plan.read(folder)["destinations"]["tool"]["hash"], "tool")
    assert said["reasons"] == ["winback: a new list of 3 people."]
    assert timedelta(hours=5) < said["expires_at"] - datetime.now(UTC) <= timedelta(hours=6)


@pytest.mark.parametrize(("minutes", "holds"), [(5, True), (-5, False), (None, False)])
def test_a_yes_holds_for_a_time(company, minutes, holds):
    folder = company.plan()
    asked = ask(company, folder)
    until = minutes and datetime.now(UTC) + timedelta(minutes=minutes)
    with ledger.opened(company.settings) as book:
        book.decide(asked.plan_hash, "tool", "approved", "mark", asked.reasons, until)
    assert (ask(company, folder) is None) == holds
    if not holds:
        with pytest.raises(plan.ActivationRefused, match="what mark agreed to has expired"):
            required(company, folder)


def test_a_yes_to_a_plan_that_is_overtaken_is_none(company):
    folder = company.plan()
    asked = ask(company, folder)
    company.publish()
    with pytest.raises(
        plan.ActivationRefused, match="mark agreed, and nothing is sent all the same: .* make a new plan"
    ):
        answer(company, folder, asked)
    with pytest.raises(plan.ActivationRefused, match="nobody has agreed"):
        required(company, folder)


def test_a_yes_to_another_plan_than_lies_there_is_none(company):
    folder = company.plan()
    asked = ask(company, folder)
    company.lists["winback"].add("dodi")
    with pytest.raises(plan.ActivationRefused, match="mark agreed to another plan"):
        answer(company, company.plan(), asked)


def test_a_plan_file_that_was_changed_asks_nobody(company):
    folder = company.plan()
    planned = plan.read(folder)
    planned["destinations"]["tool"]["lists"]["winback"]["added"] = 1
    planned["destinations"]["tool"]["lists"]["winback"]["after"] = 1
    (folder / "plan.json").write_text(json.dumps(planned))
    with pytest.raises(plan.ActivationRefused, match="changed after it was made"):
        ask(company, folder)


class TestWhoSaidNo:
    """They leave at once; only the rest of a plan waits for anybody."""

    @pytest.fixture
    def company(self, company):
        company.lists = {"winback": {"ani", "budi"}}
        delivery.deliver(company.settings, "tool", company.plan(), "run 1")
        company.people |= {name: f"{name}@secret.example" for name in ("emma", "feri", "gita")}
        company.lists, company.reasons = {"winback": {"ani", "emma", "feri", "gita"}}, {"budi": "consent revoked"}
        return company

    def test_they_leave_while_the_rest_waits_and_nothing_is_sent_twice(self, company, tool):
        folder, before = company.plan(), len(tool.asked)
        asked = ask(company, folder)
        assert asked.reasons == ("winback: would grow from 1 to 4 people (by 300 %, and up to 50 % are usual).",), (
            "those who said no make no room for others"
        )
        assert "1 of those who leave said no" in asked.body
        assert delivery.let_go(company.settings, "tool", folder) == 2
        budi = ("budi@secret.example",)
        assert tool.asked[before:] == [("remove", "winback", budi), ("stop", None, budi)]
        assert delivery.let_go(company.settings, "tool", folder) == 0
        answer(company, folder, asked)
        delivery.deliver(company.settings, "tool", folder, "run 2")
        assert {operation for operation, _, _ in tool.asked[before + 2 :]} == {"upsert", "add"}
        assert tool.members()["winback"] == {company.people[name] for name in ("ani", "emma", "feri", "gita")}

    def test_more_of_them_than_is_usual_leave_and_are_stopped_once_somebody_agrees(self, company, tool):
        """As after a wrong file of consents: not every tool takes back that somebody was stopped."""
        activation = company.settings.rules.activation.model_copy(update={"stopped_rows": 0, "max_stopped_share": 0.4})
        rules = company.settings.rules.model_copy(update={"activation": activation})
        company.settings = company.settings.model_copy(update={"rules": rules})
        company.lists = {"winback": {"ani"}}
        folder, before, budi = company.plan(), len(tool.asked), ("budi@secret.example",)
        asked = ask(company, folder)
        assert asked.reasons == (
            "1 of the 2 contacts there would be stopped (50 %, and up to 40 % are usual), which not every tool takes "
            "back: see that they did say no.",
        )
        assert delivery.let_go(company.settings, "tool", folder) == 1
        assert tool.asked[before:] == [("remove", "winback", budi)]
        with pytest.raises(plan.ActivationRefused, match="nobody has agreed to it: 1 of the 2"):
            delivery.deliver(company.settings, "tool", folder, "run 2")
        answer(company, folder, asked)
        delivery.deliver(company.settings, "tool", folder, "run 3")
        assert tool.asked[before:] == [("remove", "winback", budi), ("stop", None, budi)]

    def test_who_says_no_at_the_tool_while_somebody_thinks_about_it_leaves_too(self, company, tool):
        folder = company.plan()
        tool.refused = {"ani@secret.example": "unsubscribed"}
        delivery.let_go(company.settings, "tool", folder)
        assert tool.members() == {}

    def test_nobody_is_asked_about_them(self, company):
        rules = company.settings.rules
        activation = rules.activation.model_copy(update={"removal_rows": 0, "emptied_rows": 0})
        rules = rules.model_copy(update={"activation": activation})
        company.settings = company.settings.model_copy(update={"rules": rules})
        company.lists, company.reasons = {"winback": set()}, {"budi": "consent revoked", "ani": "unsubscribed"}
        assert ask(company, company.plan()) is None
        company.reasons = {"budi": "consent revoked", "ani": "no consent"}
        assert ask(company, company.plan()).reasons == ("winback: would be empty, after 1 people.",)

    def test_to_another_account_nothing_is_said(self, company, tool):
        folder, before = company.plan(), tool.asked
        tool.needs_release, tool.name = True, "somebody else's list"
        assert delivery.let_go(company.settings, "tool", folder) == 0
        assert tool.asked == before

    def test_a_plan_that_says_so_of_others_is_refused(self, company, tool):
        folder = company.plan()
        planned, before = plan.read(folder), tool.asked
        planned["destinations"]["tool"]["noes"] = 9
        (folder / "plan.json").write_text(json.dumps(planned))
        with pytest.raises(plan.ActivationRefused, match="changed after it was made"):
            delivery.let_go(company.settings, "tool", folder)
        assert tool.asked == before


class TestFirstConnection:
    @pytest.fixture
    def company(self, company, tool):
        tool.needs_release = True
        company.lists = {"winback": {"ani"}}
        return company

    def test_the_account_is_released_by_a_yes(self, company):
        folder = company.plan()
        asked = ask(company, folder)
        assert asked.account == "the list"
        assert asked.reasons == ("Nothing was ever sent to this account (the list): see that it is the right one.",)
        assert "account **the list**" in asked.body
        answer(company, folder, asked)
        with ledger.opened(company.settings) as book:
            known = book.destination("tool")
        assert (known["account"], known["released_by"]) == ("the list", "mark")
        company.lists = {"winback": {"ani", "budi"}}
        assert ask(company, company.plan()) is None, "another plan within limits, to the account that is known"

    def test_a_no_releases_nothing(self, company):
        folder = company.plan()
        answer(company, folder, ask(company, folder), approved=False)
        assert ask(company, folder).account == "the list"

    def test_a_destination_that_is_called_otherwise_is_refused(self, company, tool):
        folder = company.plan()
        answer(company, folder, ask(company, folder))
        delivery.deliver(company.settings, "tool", folder, "run")
        spec = company.settings.destinations["tool"]
        company.settings = company.settings.model_copy(update={"destinations": {"mailer": spec}})
        company.lists = {"winback": {"budi"}}
        folder, before = company.plan(), tool.asked
        with pytest.raises(plan.ActivationRefused, match="Call it 'tool' again"):
            approval.question(company.settings, "mailer", folder)
        with pytest.raises(plan.ActivationRefused, match="nobody has released"):
            delivery.deliver(company.settings, "mailer", folder, "run")
        assert tool.asked == before

    def test_another_account_is_another_first_connection(self, company, tool):
        folder = company.plan()
        answer(company, folder, ask(company, folder))
        tool.name = "somebody else's list"
        company.lists = {"winback": {"budi"}}
        assert ask(company, company.plan()).account == "somebody else's list"

    def test_a_yes_that_comes_after_another_account_was_delivered_to_does_not_forget_that_one(self, company, tool):
        older = company.plan()
        asked = ask(company, older)
        tool.name = "the right list"
        folder = company.made()
        answer(company, folder, ask(company, folder))
        delivery.deliver(company.settings, "tool", folder, "run")
        with pytest.raises(
            plan.ActivationRefused, match="mark agreed, .*delivered to another account .the right list."
        ):
            answer(company, older, asked)
        with ledger.opened(company.settings) as book:
            assert (book.destination("tool")["account"], book.list_names("tool")) == ("the right list", ["winback"])

    def test_files_that_had_the_name_before_put_nobody_on_a_list_there(self, company, tool):
        files = company.settings.model_copy(update={"destinations": {"tool": FilesDestination()}})
        connected, company.settings = company.settings, files
        delivery.deliver(files, "tool", company.plan(), "run 1")
        company.settings = connected
        folder = company.made()
        answer(company, folder, ask(company, folder))
        with pytest.raises(plan.ActivationRefused, match="another account was released"):
            delivery.deliver(connected, "tool", folder, "run 2")  # it thought that they were on the list
        delivery.deliver(connected, "tool", company.made(), "run 3")
        assert tool.members() == {"winback": {company.people["ani"]}}
        assert delivery.deliver(connected, "tool", company.made(), "run 4").chunks == 0


def test_a_destination_that_cannot_be_used_asks_nobody(company, monkeypatch):
    def refuse(*_):
        raise DestinationRefused("tool: its key was revoked; make a new one.")

    monkeypatch.setattr(sys.modules["tangga.destinations.mailchimp"], "connect", refuse)
    with pytest.raises(DestinationRefused, match="its key was revoked"):
        ask(company, company.plan())


@pytest.mark.parametrize(("verdict", "said"), [("stop", "has stopped this plan"), (None, "has not judged this plan")])
def test_a_plan_that_the_gate_has_not_let_through_is_not_sent(company, tool, verdict, said):
    """Also when somebody has marked the gate's task as successful by hand, or calls the delivery past it."""
    company.lists = {"winback": {"ani"}}
    company.publish()
    with pytest.raises(plan.ActivationRefused, match=f"The outbound gate {said}"):
        delivery.deliver(company.settings, "tool", company.made(verdict), "run")
    assert tool.asked == []


def test_a_delivery_says_what_the_gate_found(company):
    company.lists = {"winback": {"ani"}}
    company.publish()
    delivery.deliver(company.settings, "tool", company.made("warn"), "run")
    with ledger.opened(company.settings) as book:
        assert book.deliveries("tool")[0]["gate"] == "warn"

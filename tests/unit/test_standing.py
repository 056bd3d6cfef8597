"""What has become of a plan: told from real plans, deliveries and decisions."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

from tangga import ledger
from tangga.activation import delivery, plan, standing
from tangga.destinations.destination import DestinationDown
from tangga.ledger import Ledger
from tests.unit.activation import DAY


def stand(company) -> list[standing.Standing]:
    with ledger.reading(company.settings) as book:
        return standing.everything(company.settings, book)


def states(company) -> list[tuple[str, str]]:
    return [(one.state, one.why) for one in stand(company)]


def decide(company, folder, decision, by="mark", hours=24):
    entry = plan.read(folder)["destinations"]["tool"]
    with ledger.opened(company.settings) as book:
        book.decide(entry["hash"], "tool", decision, by, ["grew"], datetime.now(UTC) + timedelta(hours=hours))


def judge(company, folder, verdict, *failed):
    planned = plan.read(folder)
    file = company.settings.home / "gates" / "outbound" / str(DAY) / f"plan.{planned['hash'][:16]}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    checks = [{"description": said, "success": said not in failed} for said in ("nobody twice", *failed)]
    file.write_text(json.dumps({"verdict": verdict, "checks": checks}))


@pytest.fixture
def company(company):
    company.lists = {"winback": set("abc"), "birthday": set("d")}
    return company


def test_before_anything_was_planned(company):
    assert stand(company) == []


def test_planned_then_sent(company, tool):
    tool.poison = {"c@x.example"}
    company.due = {("winback", "b"): 2}
    company.publish()
    folder = company.made(verdict=None)
    [one] = stand(company)
    assert (one.state, one.why, one.counts) == ("planned", "", standing.Counts(add=5, remove=0, update=4))
    assert (one.destination, one.as_of_date, one.folder, one.delivery, one.gate) == (
        "tool", DAY, folder.name, None, None
    )  # fmt: skip
    judge(company, folder, "warn")
    with pytest.raises(delivery.RowsRejected):
        delivery.deliver(company.settings, "tool", folder, "run 1")
    [one] = stand(company)
    assert one.state == "failed"
    assert one.why.startswith("tool: the tool rejected 1 of 8 rows")
    assert (one.gate, one.tally.taken, one.tally.kind("rejected"), one.tally.kind("withheld")) == ("warn", 7, 1, 1)
    assert one.lineage == {"code_version": "abc", "published_version": "v1", "rules": ""}
    tool.poison = set()
    company.lists["winback"].add("e")
    delivery.deliver(company.settings, "tool", company.plan(), "run 2")
    assert [state for state, _ in states(company)] == ["sent", "failed"]


@pytest.mark.parametrize(
    ("by", "why"), [("mark", "mark said no."), ("nobody", "Nobody answered in time.")], ids=["a person", "nobody"]
)
def test_refused(company, by, why):
    decide(company, company.plan(), "rejected", by)
    assert states(company) == [("rejected", why)]


def test_agreed_to_and_then_too_late(company):
    folder = company.plan()
    decide(company, folder, "approved")
    assert states(company) == [("planned", "mark agreed.")]
    decide(company, folder, "approved", hours=-1)
    assert states(company) == [("void", "What mark agreed to has expired.")]


def test_stopped_by_the_gate(company):
    judge(company, company.plan(), "stop", "nobody is written to who said no")
    assert states(company) == [("stopped", "It does not hold that nobody is written to who said no.")]


def test_void_once_something_newer_is_published(company):
    company.plan()
    company.publish()
    [(state, why)] = states(company)
    assert (state, why.split(";")[0]) == ("void", "Something newer was published or delivered since")


def test_void_once_something_else_was_delivered_there(company):
    older = company.plan()
    company.lists["winback"].add("e")
    delivery.deliver(company.settings, "tool", company.plan(), "run 1")
    said = plan.read(older)
    said["published_version"] = "v2"  # as if both had been made of what is published now
    (older / "plan.json").write_text(json.dumps(said))
    assert {state for state, _ in states(company)} == {"sent", "void"}


def test_a_destination_that_went_down_failed_and_one_at_work_is_running(company, tool):
    def down(chunk):
        raise DestinationDown("tool: does not answer; try later.")

    tool.before = down
    folder = company.plan()
    with pytest.raises(DestinationDown):
        delivery.deliver(company.settings, "tool", folder, "run 1")
    assert states(company) == [("failed", "tool: does not answer; try later.")]
    tool.before = lambda chunk: seen.append(states(company))
    seen: list = []
    delivery.deliver(company.settings, "tool", folder, "run 2")
    assert {state for [(state, _)] in seen} == {"running"}
    assert [state for state, _ in states(company)] == ["sent"]


def test_a_destination_that_cannot_be_used_failed_and_says_why(company, monkeypatch):
    def refused(*_):
        raise plan.DestinationRefused("tool: there is no such list; correct it.")

    monkeypatch.setattr(plan, "open_destination", refused)
    company.plan()
    assert states(company) == [("failed", "tool: there is no such list; correct it.")]


def test_a_delivery_whose_plan_retention_let_go_of_is_known_still(company):
    folder = company.plan()
    delivery.deliver(company.settings, "tool", folder, "run 1")
    before = stand(company)[0]
    shutil.rmtree(folder)
    [one] = stand(company)
    assert (one.state, one.folder, one.as_of_date) == ("sent", folder.name, date(2026, 5, 20))
    assert (one.tally, one.counts, one.entry) == (before.tally, None, None)


def test_a_damaged_plan_holds_up_no_page(company):
    (company.plan() / "plan.json").write_text('{"as_of')
    assert stand(company) == []


def test_it_asks_as_much_of_a_long_history_as_of_a_short_one(company, monkeypatch):
    for number in range(3):
        company.lists["winback"] = set("abcdefgh"[: 3 + number])
        delivery.deliver(company.settings, "tool", company.plan(), f"run {number}")
    asked: list = []
    rows = Ledger._rows
    monkeypatch.setattr(Ledger, "_rows", lambda book, query: asked.append(query) or rows(book, query))
    assert len(stand(company)) == 3
    assert len(asked) == 5

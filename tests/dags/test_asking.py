"""What the operator does in Airflow with each answer, and with none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tangga import ledger
from tangga.activation import delivery, plan
from tangga.settings import REPOSITORY
from tests.unit.activation import company as company_of
from tests.unit.inbox import Inbox
from tests.unit.tool import SETTINGS, Tool


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    root = tmp_path_factory.mktemp("asking")
    with pytest.MonkeyPatch.context() as patched:
        company = company_of(Inbox(root), patched, destinations={"files": {"type": "files"}})
        company.people = {f"c{n}": f"c{n}@secret.example" for n in range(200)}
        company.lists = {"rung_2_prospect": set(company.people)}
        delivery.deliver(company.settings, "files", company.plan(), "first")
        company.lists = {"rung_2_prospect": {f"c{n}" for n in range(139)}}
        other = company.plan()
        company.lists = {"rung_2_prospect": {f"c{n}" for n in range(140)}}
        company.publish()
        asked = company.made()
        # The other plan is of the same version: only its lists are other ones.
        said = plan.read(other) | {"published_version": plan.read(asked)["published_version"]}
        (other / "plan.json").write_text(json.dumps(said))
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.asking", str(company.settings.home), str(company.settings.config_path),
         str(asked), str(other)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert "STORY " in done.stdout, done.stdout[-3000:] + done.stderr[-6000:]
    with ledger.opened(company.settings) as book:
        decisions = [(row["decision"], row["decided_by"]) for row in _decisions(book)]
    found = json.loads(done.stdout.split("STORY ", 1)[1].splitlines()[0])
    return found | {"decisions": decisions, "log": done.stdout + done.stderr}


def _decisions(book) -> list[dict]:
    from sqlalchemy import select

    from tangga.ledger import tables

    return book._rows(select(tables.approvals).order_by(tables.approvals.c.id))


def test_it_waits_and_says_why(story):
    (question,) = story["waiting"]
    assert question.splitlines() == [
        "  Send the lists of 2026-05-20 to files?",
        "    - rung_2_prospect: 60 of its 200 people would leave (30 %, and up to 20 % are usual).",
    ]
    assert story["steps"]["asked"][:2] == ["awaiting_input", None]


@pytest.mark.parametrize(
    ("step", "approve", "deliver"),
    [
        ("rejected", "skipped", "skipped"),  # and not "success", after which Airflow would deliver
        ("asked again", "awaiting_input", None),
        ("out of time", "skipped", "skipped"),
        ("another plan", "failed", "upstream_failed"),
        ("approved", "success", "success"),
        ("approved before", "success", "success"),  # nobody is asked twice about one plan
    ],
)
def test_what_follows(story, step, approve, deliver):
    assert story["steps"][step][:2] == [approve, deliver]


def test_nobody_agrees_to_a_question_that_is_not_shown(story):
    """Airflow keeps what a cleared task has asked first."""
    assert len({(subject, body) for _, _, subject, body in story["steps"].values()}) == 1
    assert "The plan for files is another than this task has asked about before" in story["log"]


def test_whoever_decided_is_kept(story):
    assert story["decisions"] == [("rejected", "mark"), ("rejected", "nobody"), ("approved", "mark")]


def test_it_says_nothing_of_persons(story):
    assert "secret.example" not in story["log"]


def test_who_said_no_leaves_before_anybody_is_asked(tmp_path, monkeypatch):
    from tangga.operators.approval import PlanApproval

    tool = Tool(tmp_path / "tool.sqlite")
    monkeypatch.setattr("tangga.destinations.mailchimp.connect", lambda spec, name: tool)
    company = company_of(Inbox(tmp_path), monkeypatch, destinations=SETTINGS)
    company.lists = {"winback": {"a", "b"}}
    delivery.deliver(company.settings, "tool", company.plan(), "first")
    company.people |= {f"c{n}": f"c{n}@secret.example" for n in range(60)}
    company.lists, company.reasons = {"winback": set(company.people) - {"a"}}, {"a": "consent revoked"}
    approve = PlanApproval(task_id="approve", destination="tool", plan_folder=str(company.plan()))
    monkeypatch.setenv("TANGGA_CONFIG", str(company.settings.config_path))
    monkeypatch.setenv("TANGGA_HOME", str(company.settings.home))
    with pytest.raises(KeyError):  # there is no Airflow here to ask anybody
        approve.execute({})
    assert tool.members() == {"winback": {"b@x.example"}}
    assert tool.people == {"a@x.example": None, "b@x.example": "b"}

"""The `zendesk` template, through landing, against an account with tickets."""

from __future__ import annotations

import pytest

from tests.fakes.zendesk import Zendesk
from tests.unit.apis import faults, utc
from tests.unit.inbox import DAY

OPENED = "2026-03-10T03:00:00Z"
REPLIED = "2026-03-10T03:10:20Z"
SOLVED = "2026-03-10T08:00:00Z"
LONG_AGO = "2026-01-10T03:00:00Z"


@pytest.fixture
def desk():
    with Zendesk(max_page=3, requests=10_000) as desk:
        yield desk


@pytest.fixture
def zendesk(desk, by_template):
    return by_template("zendesk", desk, login=desk.login)


def test_tickets_land_with_who_asked_and_what_became_of_it(desk, zendesk):
    agent = desk.add_user("agent@shop.example", role="agent")
    ani, nobody = desk.add_user("Ani+help@example.com", name="Ani 🎉 O'Brien"), desk.add_user(None)
    new = desk.add_ticket(ani, OPENED)
    answered = desk.add_ticket(nobody, OPENED, type="question", via={"channel": "web"}, assignee_id=agent["id"])
    desk.reply(answered, REPLIED)
    solved = desk.add_ticket(ani, OPENED, type="problem", satisfaction_rating={"score": "good"})
    desk.reply(solved, REPLIED)
    desk.solve(solved, SOLVED, reopens=2)
    reopened = desk.add_ticket(ani, OPENED, type="incident", satisfaction_rating={"score": "bad", "comment": "slow"})
    desk.solve(reopened, SOLVED, reopens=1)
    desk.change(reopened, "2026-03-10T09:00:00Z", status="open")
    deleted = desk.add_ticket(ani, OPENED)
    desk.change(deleted, SOLVED, status="deleted")
    found = zendesk.land("tickets")
    columns = "ticket_id", "contact_id", "email", "kind", "channel", "first_replied_at", "resolved_at"
    address = "ani+help@example.com"
    assert sorted(found.rows(*columns, "reopened_count", "csat_score")) == [
        (str(new["id"]), str(ani["id"]), address, "question", "email", None, None, 0, None),
        (str(answered["id"]), str(nobody["id"]), None, "question", "web", utc(REPLIED), None, 0, None),
        (str(solved["id"]), str(ani["id"]), address, "complaint", "email", utc(REPLIED), utc(SOLVED), 2, 5),
        (str(reopened["id"]), str(ani["id"]), address, "complaint", "email", None, None, 1, 1),
    ]
    assert set(found.column("opened_at")) == {utc(OPENED)}
    assert found.rejects == []
    assert len(desk.asked) == 2


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "problem"}, "complaint"),
        ({"type": "incident"}, "complaint"),
        ({"type": "question"}, "question"),
        ({"type": "task"}, "request"),
        ({}, "question"),
        ({"type": "question", "tags": ["vip", "complaint"]}, "complaint"),
        ({"type": "problem", "tags": ["question", "request"]}, "request"),
    ],
)
def test_what_somebody_wanted_is_in_type_and_tags(desk, zendesk, fields, kind):
    desk.add_ticket(desk.add_user("ani@example.com"), OPENED, **fields)
    assert zendesk.land("tickets").column("kind") == [kind]


def test_the_company_may_use_types_and_forms_otherwise(desk, zendesk):
    desk.add_ticket(desk.add_user("ani@example.com"), OPENED, type="task", ticket_form_id=360001)
    own = {"kind": {"map": {"task": "complaint"}}, "topic": {"column": "form", "map": {"360001": "delivery"}}}
    assert zendesk.land("tickets", spec={"columns": own}).rows("kind", "topic") == [("complaint", "delivery")]


def test_a_type_that_nobody_knows_is_rejected(desk, zendesk):
    desk.add_ticket(desk.add_user("ani@example.com"), OPENED, type="wish")
    found = zendesk.land("tickets")
    assert [reason for _, _, reason in found.rejects] == ["kind is not one of question, request, complaint"]


@faults
def test_faults_amid_the_pages_change_nothing(desk, zendesk, fault):
    ani = desk.add_user("ani@example.com")
    ids = {str(desk.add_ticket(ani, f"2026-03-10T03:0{minute}:00Z")["id"]) for minute in range(8)}
    fault(desk)
    assert set(zendesk.land("tickets").column("ticket_id")) == ids


def test_a_day_begins_where_the_look_back_does(desk, zendesk):
    ani = desk.add_user("ani@example.com")
    desk.add_ticket(ani, LONG_AGO)
    old = desk.add_ticket(ani, LONG_AGO)
    desk.reply(old, "2026-03-09T03:00:00Z")
    assert zendesk.land("tickets").column("ticket_id") == [str(old["id"])]
    assert zendesk.land("tickets", spec={"look_back_days": 0}).manifest.rows == 0
    assert zendesk.land("tickets", DAY.replace(day=15)).manifest.rows == 0


def test_a_stranger_is_refused(desk, by_template):
    assert "401" in by_template("zendesk", desk, login="agent@shop.example").refused("tickets")

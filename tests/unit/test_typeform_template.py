"""The `typeform` template, through landing, against a form with answers."""

from __future__ import annotations

import pytest

from tangga.landing.normalise import hashed_id
from tests.fakes.typeform import Typeform, said
from tests.unit.apis import faults, utc

ANSWERED = "2026-03-10T05:30:00Z"


@pytest.fixture
def tool():
    with Typeform(max_page=2, bucket=10_000) as tool:
        yield tool


@pytest.fixture
def form(tool):
    return tool.add_form("After delivery", "u6nXL7")


@pytest.fixture
def typeform(tool, by_template):
    return by_template("typeform", tool, settings={"form_id": "u6nXL7"})


def test_answers_land_question_by_question(tool, form, typeform):
    known = tool.respond(
        form, ANSWERED, said("likely", "nps", 10), said("stars", "rating", 4), said("why", "long_text", "Fast 🎉"),
        hidden={"contact_id": "000123", "order_id": "A-007", "touchpoint": "delivery", "email": ""},
    )  # fmt: skip
    likely = said("likely", "opinion_scale", 0)
    by_mail = tool.respond(form, ANSWERED, likely, said("who", "email", "Ani+s@X.com"), hidden={"email": ""})
    by_link = tool.respond(form, ANSWERED, said("likely", "nps", 7), hidden={"email": "budi@example.com"})
    unknown = tool.respond(form, ANSWERED, said("likely", "nps", 8), said("name", "short_text", "Cici"))
    tool.respond(form, ANSWERED, said("likely", "nps", 9), kind="partial")
    tool.respond(form, ANSWERED, said("age", "number", 30))
    tool.respond(form, ANSWERED)
    found = typeform.land("survey_responses")
    columns = "response_id", "contact_id", "email", "kind", "score", "comment", "touchpoint", "order_id"

    def number(response: dict, place: int = 0) -> str:
        return f"{response['token']}:{response['answers'][place]['field']['id']}"

    assert sorted(found.rows(*columns)) == sorted([
        (number(known), "000123", None, "nps", 10, "Fast 🎉", "delivery", "A-007"),
        (number(known, 1), "000123", None, "csat", 4, "Fast 🎉", "delivery", "A-007"),
        (number(by_mail), None, "ani+s@x.com", "nps", 0, None, None, None),
        (number(by_link), None, "budi@example.com", "nps", 7, None, None, None),
        (number(unknown), None, None, "nps", 8, None, None, None),
    ])  # fmt: skip
    assert set(found.rows("survey", "answered_at")) == {("typeform", utc(ANSWERED))}
    assert found.rejects == []
    assert [asked.query.get("before") for asked in tool.asked][0] is None
    assert len(tool.asked) == 4


def test_an_address_as_contact_id_is_kept_as_a_hash(tool, form, typeform):
    tool.respond(form, ANSWERED, said("likely", "nps", 9), hidden={"contact_id": "ani@example.com"})
    assert typeform.land("survey_responses").column("contact_id") == [hashed_id("ani@example.com")]


def test_scores_of_another_scale_are_rejected(tool, form, typeform):
    tool.respond(form, ANSWERED, said("stars", "rating", 9))
    found = typeform.land("survey_responses")
    assert [reason for _, _, reason in found.rejects] == ["score is outside 1 to 5 for csat"]


def test_the_company_names_its_survey_and_its_questions(tool, form, typeform):
    tool.respond(form, ANSWERED, said("effort", "opinion_scale", 6))
    own = {"survey": {"value": "after delivery"}, "kind": {"map": {"opinion_scale": "ces"}}}
    assert typeform.land("survey_responses", spec={"columns": own}).rows("survey", "kind", "score") == [
        ("after delivery", "ces", 6)
    ]


@faults
def test_faults_amid_the_pages_change_nothing(tool, form, typeform, fault):
    expected = {tool.respond(form, ANSWERED, said("likely", "nps", score))["token"] for score in range(7)}
    fault(tool)
    landed = typeform.land("survey_responses").column("response_id")
    assert sorted(number.split(":")[0] for number in landed) == sorted(expected)


def test_a_day_is_what_was_answered_in_it(tool, form, typeform):
    edges = ("2026-03-09T16:59:59Z", "2026-03-09T17:00:00Z", "2026-03-10T16:59:59Z", "2026-03-10T17:00:01Z")
    for score, at in enumerate(edges):
        tool.respond(form, at, said("likely", "nps", score))
    assert sorted(typeform.land("survey_responses", spec={"look_back_days": 0}).column("score")) == [1, 2]
    assert sorted(typeform.land("survey_responses").column("score")) == [0, 1, 2]


def test_a_form_that_is_not_there_is_refused(tool, form, typeform):
    assert "404" in typeform.refused("survey_responses", settings={"form_id": "nothing"})

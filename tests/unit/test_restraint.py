"""The door out, and the messages of a plan: each rule is broken once and seen to stop."""

from __future__ import annotations

import pytest

from expectations import outbound
from tests.unit.gates import errors, failing, make_plan, make_settings, verdicts

COLUMNS = "audience, customer_id, entry_key, step, channel, template, test_group, as_of_date"
MAY = "from (values ('a', 'email', true, null), ('b', 'email', true, null), ('h', 'email', true, null))"
"""Of winback h is held out: the sha256 of winback::h begins with 15, that of winback::a with b4."""

SAME = "The messages of the plan are those that are due to its members"
ONE = "Nobody is sent more than one message on a channel"
CAP = "Nobody is sent more than the cap of the channel"
ONCE = "Nobody is sent a step twice"
QUIET = "Nothing is sent on a quiet day"
HELD_OUT = "Nobody who is held out is a member or is sent a message"
CONSENT = "Everybody may be contacted through the channel of their message"
IS_CONTACTABLE = "Every member may be contacted through the channel"


def members(*rows: tuple) -> str:
    """Of (audience, customer, step, is_due); a step that is none is null."""
    listed = ", ".join(
        f"('{audience}', '{customer}', 'email', 'new', 'k', '{customer}@example.com', '+62811', 'id', {step}::int, "
        f"{due})"
        for audience, customer, step, due in rows
    )
    names = "audience, customer_id, channel, why, entry_key, email, phone, language, step, is_due"
    return f"select * from (values {listed}) as t({names})"


def messages(*rows: tuple) -> str:
    """Of (audience, customer, step, group)."""
    listed = ", ".join(
        f"('{audience}', '{customer}', 'k', {step}::int, 'email', null::varchar, '{group}', date '2024-02-01')"
        for audience, customer, step, group in rows
    )
    return f"select * from (values {listed}) as t({COLUMNS})"


TWO = {
    "members": members(("winback", "a", 1, True), ("winback", "b", 2, False)),
    "messages": messages(("winback", "a", 1, "member"), ("winback", "h", 1, "holdout")),
    "planned": {"winback": ("email", 2)},
    "said": MAY,
}


HELLO = TWO["messages"].replace("null::varchar", "'hello'")


def judged(tmp_path, rules: str = "{}", **changed):
    config = make_settings(tmp_path, rules=rules)
    results = outbound.check(config, make_plan(config, **(TWO | changed)))
    assert errors(results) == set()
    return failing(results), verdicts(results)


def pressure(messages: int, channel: str = "email") -> str:
    return f"insert into customer.customer_pressure values ('a', '{channel}', {messages})"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"published": [pressure(2)]},
        {"published": [pressure(9, "sms")]},
        {
            "published": [
                "insert into core.fct_sends values ('winback', 'a', 'k', 2, null), ('winback', 'a', 'other', 1, null)"
            ]
        },
        {"messages": HELLO, "published": ["insert into core.fct_sends values ('winback', 'a', 'k', 1, 'other')"]},
        {"rules": "{pressure: {quiet_weekdays: [4, 6], quiet_dates: [2024-02-01, 2024-02-03]}}"},
        {"rules": "{caps: {email: 4}}", "published": [pressure(3)]},
    ],
)
def test_a_plan_with_restraint_passes(tmp_path, given):
    assert judged(tmp_path, **given) == (set(), {"pass"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"published": [pressure(3)]}, {CAP}),
        ({"rules": "{caps: {email: 0}}"}, {CAP}),
        ({"published": ["insert into core.fct_sends values ('winback', 'a', 'k', 1, 'gone')"]}, {ONCE}),
        (
            {"messages": HELLO, "published": ["insert into core.fct_sends values ('winback', 'a', 'k', 2, 'hello')"]},
            {ONCE},
        ),
        ({"rules": "{pressure: {quiet_weekdays: [5]}}"}, {QUIET}),
        ({"rules": "{pressure: {quiet_dates: [2024-02-02]}}"}, {QUIET}),
        ({"messages": messages(("winback", "a", 2, "member"))}, {SAME}),
        ({"messages": messages(("winback", "a", 1, "holdout"))}, {SAME}),
        ({"messages": messages(("winback", "a", 1, "member"), ("welcome", "b", 1, "member"))}, {SAME}),
        ({"members": members(("winback", "a", 1, True), ("winback", "b", 2, True))}, {SAME}),
        (
            {
                "members": members(("winback", "a", 1, True), ("welcome", "a", 1, True)),
                "messages": messages(("winback", "a", 1, "member"), ("welcome", "a", 1, "member")),
                "planned": {"winback": ("email", 1), "welcome": ("email", 1)},
            },
            {ONE},
        ),
        ({"members": members(("winback", "a", 1, True), ("winback", "h", 2, False))}, {HELD_OUT}),
        ({"messages": messages(("winback", "a", 1, "member"), ("winback", "h", 1, "member"))}, {SAME, HELD_OUT}),
        (
            {"said": "from (values ('a', 'email', false, 'bounced'), ('b', 'email', true, null))"},
            {CONSENT, IS_CONTACTABLE},
        ),
    ],
)
def test_every_rule_of_restraint_stops_when_it_is_broken(tmp_path, given, expected):
    assert judged(tmp_path, **given) == (expected, {"stop"})


def test_a_customer_of_a_list_is_not_held_out(tmp_path):
    given = {"members": members(("gold", "h", "null", False)), "planned": {"gold": ("email", 1)}}
    assert judged(tmp_path, **given, messages=messages(("winback", "h", 1, "holdout"))) == (set(), {"pass"})


@pytest.mark.parametrize(("table", "broken"), [("customer.customer_pressure", CAP), ("core.fct_sends", ONCE)])
def test_without_what_was_sent_before_nothing_goes_out(tmp_path, table, broken):
    config = make_settings(tmp_path)
    results = outbound.check(config, make_plan(config, **TWO, published=[f"drop table {table}"]))
    assert (errors(results), verdicts(results)) == ({broken}, {"stop"})

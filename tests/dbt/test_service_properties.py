"""CSAT, CES and business minutes: the SQL that dbt compiles, against `tests/reference`, on random data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.dbt.harness import AS_OF, Compiled
from tests.reference.service import Hours, Score, business_minutes, ces, csat

ROUNDS = hypothesis_settings(max_examples=60, deadline=None)

Answer = tuple[str | None, str, int, int | None]
"""customer, survey, day of the month, score"""


def answers(highest: int) -> st.SearchStrategy[list[Answer]]:
    return st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from("abcdefghijklmnop")),
            st.sampled_from(["yearly", "after delivery"]),
            st.integers(1, 30),
            st.one_of(st.none(), st.integers(1, highest)),
        ),
        max_size=60,
    )


def check(compiled: Compiled, kind: str, given: list[Answer], reference: Callable[[Iterable], Score | None]) -> None:
    """Every period of everybody holds the latest answers of each customer and survey, all of them of June."""
    compiled.fill("int_feedback_answers", [
        {
            "given_in": "survey",
            "source": "shop",
            "response_id": f"{number:03}",
            "customer_id": customer,
            "kind": kind,
            "survey": survey,
            "answered_at": datetime(2026, 6, day),
            "answer_date": date(2026, 6, day),
            "score": score,
        }
        for number, (customer, survey, day, score) in enumerate(given)
    ])  # fmt: skip
    compiled.put("int_feedback_periods")
    latest: dict[tuple, tuple] = {}
    for number, (customer, survey, day, score) in enumerate(given):
        who = (customer or number, survey)
        if score is not None and (day, number) >= latest.get(who, (0, 0))[:2]:
            latest[who] = (day, number, score)
    found = {row["period_grain"]: row for row in compiled.run(kind) if row["dimension"] == "all"}
    assert set(found) == ({"all", "window", "month"} if latest else set())
    expected = reference(score for *_, score in latest.values())
    for row in found.values():
        assert row["n_responses"] == len(latest)
        shown = (row[kind], row["ci_low"], row["ci_high"])
        if len(latest) < 10:
            assert shown == (None, None, None)
        else:
            assert [float(value) for value in shown] == pytest.approx(
                [expected.score, expected.ci_low, expected.ci_high], abs={"csat": 0.0001, "ces": 0.01}[kind]
            )
            assert row.get("satisfied", 0) == expected.satisfied


class TestSatisfaction:
    @ROUNDS
    @given(given=answers(5))
    def test_csat(self, compiled, given):
        check(compiled, "csat", given, csat)

    @ROUNDS
    @given(given=answers(7))
    def test_ces(self, compiled, given):
        check(compiled, "ces", given, ces)

    @pytest.mark.parametrize("n", [10, 11, 30, 1000])
    def test_ces_of_few_and_many(self, compiled, n):
        check(compiled, "ces", [(None, "yearly", 1, 1 + number * number % 7) for number in range(n)], ces)


def opening_hours() -> st.SearchStrategy[list[Hours]]:
    """Up to two openings on some weekdays; no hour that the clocks skip or show twice begins or ends one."""
    quarter = st.sampled_from([time(hour, minute) for hour in range(4, 24) for minute in (0, 15, 59)])
    whole_day = st.just(((time(0), None),))
    split = st.lists(quarter, min_size=2, max_size=4, unique=True).map(sorted).map(_pairs)
    evening = quarter.map(lambda opens: ((opens, None),))
    week = st.dictionaries(st.integers(1, 7), st.one_of(whole_day, split, evening), min_size=1)
    return week.map(lambda days: [Hours(day, *opening) for day in sorted(days) for opening in days[day]])


def _pairs(times: list[time]) -> tuple[tuple[time, time], ...]:
    return tuple(zip(times[::2], times[1::2], strict=False))


ZONES = {"Asia/Jakarta": date(2026, 6, 29), "Europe/Berlin": date(2026, 3, 31), "America/New_York": date(2026, 11, 3)}
"""Zone -> the as-of date: days after the clocks changed there, where they do."""


class TestBusinessMinutes:
    @ROUNDS
    @given(
        zone=st.sampled_from(sorted(ZONES)),
        hours=opening_hours(),
        closed=st.sets(st.integers(0, 7), max_size=2),
        tickets=st.lists(
            st.tuples(st.integers(0, 7 * 1440), st.one_of(st.none(), st.integers(0, 7 * 1440))), min_size=1, max_size=4
        ),
    )
    @example(zone="Europe/Berlin", hours=[Hours(7, time(0), None)], closed=set(), tickets=[(0, 5000), (4000, None)])
    def test_they_are_those_of_the_reference(self, compiled, zone, hours, closed, tickets):
        as_of = ZONES[zone]
        first = datetime.combine(as_of - timedelta(6), time.min, ZoneInfo(zone)).astimezone(UTC)
        end = datetime.combine(as_of + timedelta(1), time.min, ZoneInfo(zone)).astimezone(UTC)
        holidays = [as_of - timedelta(days) for days in closed]
        spans = [
            (
                opened,
                None if wait is None or opened + timedelta(minutes=wait) >= end else opened + timedelta(minutes=wait),
            )
            for opened, wait in ((first + timedelta(minutes=minute), wait) for minute, wait in tickets)
            if opened < end
        ]
        compiled.fill("int_weekly_hours", [
            {
                "weekday": each.weekday,
                "opens_at": f"{each.opens:%H:%M}",
                "closes_at": f"{each.closes:%H:%M}" if each.closes else "24:00",
            }
            for each in hours
        ])  # fmt: skip
        compiled.fill("int_holidays", [{"holiday_date": day} for day in holidays])
        compiled.fill("stg_tickets", [
            {
                "source": "desk",
                "ticket_id": str(number),
                "opened_at": opened.replace(tzinfo=None),
                "opened_date": opened.astimezone(ZoneInfo(zone)).date(),
                "resolved_at": resolved and resolved.replace(tzinfo=None),
            }
            for number, (opened, resolved) in enumerate(spans)
        ])  # fmt: skip
        elsewhere = {
            "Asia/Jakarta": zone,
            f"{AS_OF} 17:00:00": f"{end:%Y-%m-%d %H:%M:%S}",
            f"'{AS_OF}'": f"'{as_of}'",
        }
        compiled.put("int_calendar", replacing=elsewhere)
        compiled.put("int_business_hours", replacing=elsewhere)
        found = {row["ticket_id"]: row for row in compiled.run("int_ticket_times", replacing=elsewhere)}
        assert set(found) == {str(number) for number in range(len(spans))}
        for number, (opened, resolved) in enumerate(spans):
            row = found[str(number)]
            assert row["resolution_seconds"] == ((resolved or end) - opened).total_seconds()
            minutes = business_minutes(opened, resolved or end, hours, holidays, zone)
            assert row["resolution_business_seconds"] == 60 * minutes

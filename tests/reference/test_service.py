"""The reference of service and satisfaction itself, on cases small enough to be worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from tests.reference.definitions import ValuedOrder
from tests.reference.service import Hours, Repeat, business_minutes, ces, csat, repeat_purchases

WEEK = [Hours(weekday, time(9), time(17)) for weekday in range(1, 6)]


def test_csat():
    # Wilson for 8 of 10, as it stands in textbooks: 0.490 to 0.943
    found = csat([5, 4, 4, 4, 4, 4, 4, 4, 3, 1, None])
    assert (found.n, found.satisfied, found.score) == (10, 8, 0.8)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert csat([None]) is None


def test_ces():
    # mean 5.5, variance 16.5 / 9, t of 9 degrees of freedom 2.262
    found = ces([5, 5, 5, 6, 6, 7, 7, 7, 4, 3, None])
    assert (found.n, found.score) == (10, 5.5)
    assert (found.ci_low, found.ci_high) == pytest.approx((4.531, 6.469), abs=1e-3)
    assert ces([7]) is None
    assert ces([7, 7, 7, 1]).ci_high == 7


@pytest.mark.parametrize(
    ("zone", "since", "until", "expected"),
    [
        ("Asia/Jakarta", "2026-06-29T01:59", "2026-06-29T02:01", 1),
        ("Asia/Jakarta", "2026-06-26T09:59", "2026-06-29T02:01", 2),
        ("Asia/Jakarta", "2026-06-29T02:00", "2026-06-30T02:00", 480),
        ("Asia/Jakarta", "2026-06-30T02:00", "2026-07-02T02:00", 480),  # 1 July is a holiday
        ("Europe/Berlin", "2026-03-27T15:00", "2026-03-30T08:00", 120),  # 16:00 on Friday to 10:00 on Monday
    ],
)
def test_business_minutes(zone, since, until, expected):
    instants = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until))
    assert business_minutes(*instants, WEEK, [date(2026, 7, 1)], zone) == expected


def test_a_day_of_23_hours():
    sunday = [Hours(7, time(0), None)]
    instants = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (28, 30))
    assert business_minutes(*instants, sunday, [], "Europe/Berlin") == 23 * 60


def test_repeat_purchases():
    def bought(customer: str, *days: date) -> list[ValuedOrder]:
        return [ValuedOrder(f"{customer}{day}", customer, day, 100, True) for day in days]

    orders = [
        *bought("day 90", date(2026, 3, 1), date(2026, 5, 30)),
        *bought("day 91", date(2026, 3, 1), date(2026, 5, 31)),
        *bought("twice on a day", date(2026, 3, 1), date(2026, 3, 1)),
        *bought("over today", date(2026, 4, 1)),
        *bought("over tomorrow", date(2026, 4, 2), date(2026, 4, 3)),
        ValuedOrder("cancelled", "nobody", date(2026, 4, 1), 100, False),
    ]
    assert repeat_purchases(orders, date(2026, 6, 30)) == {
        date(2026, 3, 1): Repeat(3, 2, 3, 1),
        date(2026, 4, 1): Repeat(2, 1, 1, 0),
    }

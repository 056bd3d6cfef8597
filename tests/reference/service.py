"""Satisfaction, effort, business minutes and repeat purchases, from the definitions.

What the design leaves open is decided here as follows.

- CSAT has the Wilson interval, CES that of Student's t, cut off at the ends of the scale.
- A business minute is one at whose beginning the business's own clock shows a time within the hours of that weekday, on
  a day that is no holiday.
- A repeat customer bought on two or more days. Who bought again on one of the 90 days after the first one did so within
  90 days; that can be said of customers of whom all these days are over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from statistics import fmean, stdev
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scipy import stats

from tests.reference.definitions import ValuedOrder


class Score(NamedTuple):
    """How many answered, and what they come to with its 95 % interval; `satisfied` is of CSAT only."""

    n: int
    score: float
    ci_low: float
    ci_high: float
    satisfied: int = 0


class Hours(NamedTuple):
    """Open on an ISO weekday from `opens` until `closes`, None for midnight."""

    weekday: int
    opens: time
    closes: time | None


class Repeat(NamedTuple):
    """Customers of a cohort, those who bought on another day, those observed for 90 days, and who bought in these."""

    customers: int
    repeat: int
    observed: int
    repurchased: int


def csat(scores: Iterable[int | None]) -> Score | None:
    """The share (0-1) of 4-5 among answers of 1-5; None when nobody answered."""
    answers = [score for score in scores if score is not None]
    if not answers:
        return None
    satisfied = sum(score in (4, 5) for score in answers)
    interval = stats.binomtest(satisfied, len(answers)).proportion_ci(0.95, method="wilson")
    return Score(len(answers), satisfied / len(answers), interval.low, interval.high, satisfied)


def ces(scores: Iterable[int | None]) -> Score | None:
    """The mean of answers of 1-7; None when fewer than two people answered, who have no interval."""
    answers = [score for score in scores if score is not None]
    n = len(answers)
    if n < 2:
        return None
    margin = stats.t.ppf(0.975, n - 1) * stdev(answers) / n**0.5
    return Score(n, fmean(answers), max(fmean(answers) - margin, 1), min(fmean(answers) + margin, 7))


def business_minutes(
    since: datetime, until: datetime, hours: Sequence[Hours], holidays: Iterable[date], zone: str
) -> int:
    """Minutes from one whole minute to a later one that are business minutes, each looked at by itself."""
    closed, clock = frozenset(holidays), ZoneInfo(zone)
    minutes = int((until - since) / timedelta(minutes=1))
    shown = (since.astimezone(clock) for since in (since + timedelta(minutes=n) for n in range(minutes)))
    return sum(now.date() not in closed and any(_is_open(now, each) for each in hours) for now in shown)


def _is_open(now: datetime, hours: Hours) -> bool:
    return (
        now.isoweekday() == hours.weekday
        and hours.opens <= now.time()
        and (hours.closes is None or now.time() < hours.closes)
    )


def repeat_purchases(valued: Iterable[ValuedOrder], as_of: date) -> dict[date, Repeat]:
    """First day of the month of the first purchase -> what became of its customers."""
    days: dict[str, set[date]] = defaultdict(set)
    for order in valued:
        if order.is_purchase:
            days[order.customer].add(order.order_date)
    cohorts: dict[date, list[set[date]]] = defaultdict(list)
    for bought in days.values():
        cohorts[min(bought).replace(day=1)].append(bought)
    return {month: _repeat(customers, as_of) for month, customers in cohorts.items()}


def _repeat(customers: list[set[date]], as_of: date) -> Repeat:
    observed = [bought for bought in customers if as_of - min(bought) >= timedelta(90)]
    back = [bought for bought in observed if any(timedelta(0) < day - min(bought) <= timedelta(90) for day in bought)]
    return Repeat(len(customers), sum(len(bought) > 1 for bought in customers), len(observed), len(back))

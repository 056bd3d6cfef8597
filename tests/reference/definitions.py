"""The definitions, in exact arithmetic: money is whole cents, quantiles are fractions, nothing is a float.

What the design leaves open is decided here as follows.

- A purchase is an order whose status is not pending, cancelled, returned or refunded and whose net value is above
  zero; the net value is the total less the refunds up to the as-of day, and never below zero.
- Orders and refunds later than the as-of day, in the business's time zone, do not count.
- Only customers with a purchase have a recency, frequency and monetary value.
- A month has elapsed when its last day is not after the as-of day.
"""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

NO_PURCHASE = frozenset({"pending", "cancelled", "returned", "refunded"})
Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""

Binning = Literal["quantile", "fixed", "r_rfm"]
Number = int | Decimal | Fraction


class Order(NamedTuple):
    """An order; `ordered_at` is aware, `total` is in cents."""

    order_id: str
    customer: str
    ordered_at: datetime
    status: str
    total: int


class Refund(NamedTuple):
    """A refund; `refunded_at` is aware, `amount` is in cents. Its order need not exist."""

    refund_id: str
    order_id: str
    refunded_at: datetime
    amount: int


class ValuedOrder(NamedTuple):
    """An order up to the as-of day; `net` is in cents, `order_date` in the business's time zone."""

    order_id: str
    customer: str
    order_date: date
    net: int
    is_purchase: bool


class RfmRow(NamedTuple):
    """A customer's values; `monetary` in any exact number, as long as it is in units of the currency for `r_rfm`."""

    customer: str
    recency: int
    frequency: int
    monetary: Number


class Scores(NamedTuple):
    r: int
    f: int
    m: int


@dataclass(frozen=True)
class Nps:
    """Counts, and the score with its 95 % interval in points (-100 to 100)."""

    n: int
    promoters: int
    passives: int
    detractors: int
    score: Fraction
    ci_low: float
    ci_high: float


class Cell(NamedTuple):
    """One cohort, one month on; `retained` is None when that month has not elapsed."""

    customers: int
    retained: int | None


# Orders -------------------------------------------------------------------------------------------------------------


def value_orders(orders: Iterable[Order], refunds: Iterable[Refund], as_of: date, zone: str) -> list[ValuedOrder]:
    """Every order up to the as-of day with its net value."""
    business = ZoneInfo(zone)
    refunded: dict[str, int] = defaultdict(int)
    for refund in refunds:
        if refund.refunded_at.astimezone(business).date() <= as_of:
            refunded[refund.order_id] += refund.amount
    valued = []
    for order in orders:
        day = order.ordered_at.astimezone(business).date()
        if day <= as_of:
            net = max(0, order.total - refunded[order.order_id])
            valued.append(ValuedOrder(order.order_id, order.customer, day, net, _is_purchase(order.status, net)))
    return valued


def _is_purchase(status: str, net: int) -> bool:
    return status not in NO_PURCHASE and net > 0


def revenue(valued: Iterable[ValuedOrder]) -> int:
    """What purchases brought net of refunds, in cents."""
    return sum(order.net for order in valued if order.is_purchase)


# RFM ----------------------------------------------------------------------------------------------------------------


def rfm(valued: Iterable[ValuedOrder], as_of: date) -> list[RfmRow]:
    """Recency in days, frequency in purchases, monetary in units of the currency; one row a buyer, by customer."""
    purchases: dict[str, list[ValuedOrder]] = defaultdict(list)
    for order in valued:
        if order.is_purchase:
            purchases[order.customer].append(order)
    return [
        RfmRow(
            customer=customer,
            recency=(as_of - max(order.order_date for order in bought)).days,
            frequency=len(bought),
            monetary=Decimal(sum(order.net for order in bought)).scaleb(-2),
        )
        for customer, bought in sorted(purchases.items())
    ]


def quantile_type_7(values: Iterable[Number], share: Fraction) -> Fraction:
    """R's default quantile: linear between the two values around position (n - 1) x share, exactly."""
    ordered = sorted(Fraction(value) for value in values)
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def score(
    rows: Sequence[RfmRow],
    binning: Binning = "quantile",
    lower_bounds: Mapping[str, Mapping[int, Number]] | None = None,
) -> dict[str, Scores]:
    """Scores 1-5, 5 best, by customer.

    `lower_bounds` is for `fixed`: for each of recency, frequency and monetary, score -> the smallest value that earns
    it (for recency in days, so that 5 begins at 0).
    """
    if not rows:
        return {}
    if binning == "fixed":
        if lower_bounds is None:
            raise ValueError("'fixed' needs lower_bounds")
        return {
            row.customer: Scores(
                _by_lower_bound(row.recency, lower_bounds["recency"]),
                _by_lower_bound(row.frequency, lower_bounds["frequency"]),
                _by_lower_bound(row.monetary, lower_bounds["monetary"]),
            )
            for row in rows
        }
    days = _cut_points([row.recency for row in rows])
    counts = _cut_points([row.frequency for row in rows])
    spend = _cut_points([row.monetary for row in rows])
    rank = {"quantile": _closed_right, "r_rfm": _closed_left_above_one}[binning]
    return {
        row.customer: Scores(6 - rank(row.recency, days), rank(row.frequency, counts), rank(row.monetary, spend))
        for row in rows
    }


def _cut_points(values: Sequence[Number]) -> list[Fraction]:
    return [quantile_type_7(values, Fraction(fifth, 5)) for fifth in (1, 2, 3, 4)]


def _closed_right(value: Number, cuts: Sequence[Fraction]) -> int:
    return 1 + sum(cut < Fraction(value) for cut in cuts)


def _closed_left_above_one(value: Number, cuts: Sequence[Fraction]) -> int:
    """The R package `rfm`: edges one above the quantiles, and a value on an edge belongs above it."""
    return 1 + sum(cut + 1 <= Fraction(value) for cut in cuts)


def _by_lower_bound(value: Number, bounds: Mapping[int, Number]) -> int:
    reached = {bound: points for points, bound in bounds.items() if bound <= value}
    if not reached:
        raise ValueError(f"{value} is below every lower bound")
    return reached[max(reached)]


# Segments -----------------------------------------------------------------------------------------------------------


def rf_grid_10(scores: Scores) -> str:
    """The common grid of recency and frequency; monetary plays no part."""
    r, f = scores.r, scores.f
    if r <= 2:
        return "hibernating" if f <= 2 else "at risk" if f <= 4 else "can't lose"
    if r == 3 and f <= 3:
        return "about to sleep" if f <= 2 else "need attention"
    if r <= 4 and f >= 4:
        return "loyal customers"
    if f == 1:
        return "promising" if r == 4 else "new customers"
    return "potential loyalists" if f <= 3 else "champions"


def segment(scores: Scores, scheme: str, table: Mapping[str, str] | None = None) -> str:
    """The segment's name. `standard_11`, or a scheme of one's own, is a `table` of '555' -> name."""
    if scheme == "rf_grid_10":
        return rf_grid_10(scores)
    if table is None:
        raise ValueError(f"'{scheme}' needs its table of segments")
    return table[f"{scores.r}{scores.f}{scores.m}"]


def score_and_segment(
    rows: Sequence[RfmRow],
    binning: Binning = "quantile",
    scheme: str = "standard_11",
    table: Mapping[str, str] | None = None,
    lower_bounds: Mapping[str, Mapping[int, Number]] | None = None,
) -> dict[str, tuple[Scores, str]]:
    """Customer -> (scores, segment), for any binning and scheme."""
    return {
        customer: (scores, segment(scores, scheme, table))
        for customer, scores in score(rows, binning, lower_bounds).items()
    }


# NPS ----------------------------------------------------------------------------------------------------------------


def nps(scores: Iterable[int | None]) -> Nps | None:
    """The Net Promoter Score of answers 0-10; None among them is a blank, which counts nowhere. None when all are."""
    answers = [answer for answer in scores if answer is not None]
    if not answers:
        return None
    n = len(answers)
    promoters = sum(answer >= 9 for answer in answers)
    detractors = sum(answer <= 6 for answer in answers)
    p, d = Fraction(promoters, n), Fraction(detractors, n)
    half = 100 * Z_95 * math.sqrt((p + d - (p - d) ** 2) / n)
    points = 100 * (p - d)
    return Nps(n, promoters, n - promoters - detractors, detractors, points, float(points) - half, float(points) + half)


# Retention ----------------------------------------------------------------------------------------------------------


def cohorts(valued: Iterable[ValuedOrder], as_of: date) -> dict[tuple[date, int], Cell]:
    """(first day of the month of the first purchase, months since) -> customers, and how many of them bought then.

    The grid goes up to the month of the as-of day.
    """
    months: dict[str, set[int]] = defaultdict(set)
    for order in valued:
        if order.is_purchase:
            months[order.customer].add(_month_number(order.order_date))
    members: dict[int, list[set[int]]] = defaultdict(list)
    for bought in months.values():
        members[min(bought)].append(bought)
    return {
        (_first_day(first), month - first): Cell(
            len(customers), sum(month in bought for bought in customers) if _last_day(month) <= as_of else None
        )
        for first, customers in sorted(members.items())
        for month in range(first, _month_number(as_of) + 1)
    }


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _last_day(month: int) -> date:
    first = _first_day(month)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])

"""Cadence, journey, the discount sieve, satisfaction and the seven rungs, from the definitions.

What the design leaves open is decided here as follows.

- The gap that is open runs from the last purchase day to the as-of day. "Last gap" of rung 5 is that one.
- "The population's second-order gap" is the median over all who bought on two days of the days between the first two;
  without such people it is the cap. Floor and cap hold for it as for one's own. "Exceeds" is more than.
- Exposed days run from the first purchase day to the as-of day, both included, and so do the orders.
- A discount is on for everybody in the window of a store-wide campaign, and for one customer in the window of a
  campaign that they were sent, from the day of sending. That an order was discounted does not make its day one.
- A full-price order has neither a discount nor a coupon.
- Loyal in the journey is whoever is at least a majority customer.
- Within a year is later than the as-of day less 365 days. A ticket's rating is a CSAT score of the day it was resolved.
- Someone was brought when they first bought on the day of the referral or later, and are not the referrer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from statistics import median
from typing import NamedTuple

YEAR = timedelta(365)
ENGAGED = timedelta(90)


class Cadence(NamedTuple):
    """Days: the own median gap (None for one purchase day), the gap open now, and the gap that is usual for them."""

    purchase_days: int
    median_gap: Fraction | None
    current_gap: int
    usual_gap: Fraction

    @property
    def is_churned(self) -> bool:
        return self.current_gap > 3 * self.usual_gap

    @property
    def is_at_risk(self) -> bool:
        return self.current_gap > 2 * self.usual_gap and not self.is_churned


class Bought(NamedTuple):
    """A purchase as the sieve sees it; amounts are in cents, `net` is less refunds."""

    day: date
    net: int
    discount: int = 0
    has_coupon: bool = False

    @property
    def is_discounted(self) -> bool:
        return self.discount > 0 or self.has_coupon


class Sieve(NamedTuple):
    """The verdict and its numbers."""

    verdict: str
    days_on: int
    days_off: int
    orders_on: int
    orders_off: int
    full_price_orders: int


class Campaign(NamedTuple):
    """A time of discounts, both days included, for everybody or for those who were sent a message of it."""

    name: str
    starts: date
    ends: date
    is_for_all: bool


@dataclass
class Person:
    """What is known of somebody up to the as-of day. Scores and content come with their day."""

    purchases: list[Bought] = field(default_factory=list)
    offers: list[tuple[date, str]] = field(default_factory=list)  # sent on, campaign
    has_opted_in: bool = False
    engaged: list[date] = field(default_factory=list)
    csat: list[tuple[date, int]] = field(default_factory=list)
    nps: list[tuple[date, int]] = field(default_factory=list)
    content: list[date] = field(default_factory=list)  # answers of effort, questions, requests
    has_open_complaint: bool = False
    brought: list[tuple[date, str]] = field(default_factory=list)  # referred on, whom


def cadences(
    purchases: Mapping[str, Iterable[date]], as_of: date, floor: int = 30, cap: int = 365
) -> dict[str, Cadence]:
    """Customer -> Cadence, of everybody who bought."""
    days = {customer: sorted(set(bought)) for customer, bought in purchases.items() if bought}
    gaps = {
        customer: [Fraction((after - before).days) for before, after in zip(bought, bought[1:], strict=False)]
        for customer, bought in days.items()
    }
    second = [each[0] for each in gaps.values() if each]
    of_all = median(second) if second else Fraction(cap)
    found = {}
    for customer, bought in days.items():
        own = median(gaps[customer]) if gaps[customer] else None
        usual = min(max(of_all if own is None else own, Fraction(floor)), Fraction(cap))
        found[customer] = Cadence(len(bought), own, (as_of - bought[-1]).days, usual)
    return found


def sieve(
    purchases: Sequence[Bought],
    offers: Iterable[tuple[date, str]],
    campaigns: Iterable[Campaign],
    as_of: date,
    ratio: Fraction = Fraction(4, 5),
    fewest: int = 2,
) -> Sieve:
    """Of one customer who bought: each day since the first purchase looked at by itself."""
    sent = defaultdict(list)
    for day, name in offers:
        sent[name].append(day)
    windows = [(each.starts, each.ends) for each in campaigns if each.is_for_all] + [
        (max(each.starts, min(sent[each.name])), each.ends)
        for each in campaigns
        if not each.is_for_all and each.name in sent
    ]
    first = min(each.day for each in purchases)
    days = [first + timedelta(n) for n in range((as_of - first).days + 1)]
    on = {day for day in days if any(starts <= day <= ends for starts, ends in windows)}
    orders_on = sum(each.day in on for each in purchases)
    orders_off = len(purchases) - orders_on
    full_price = sum(not each.is_discounted for each in purchases)
    days_on, days_off = len(on), len(days) - len(on)
    if not days_on or not days_off:
        verdict = "insufficient_evidence"
    elif Fraction(orders_off, days_off) >= ratio * Fraction(orders_on, days_on) and full_price >= fewest:
        verdict = "passes"
    else:
        verdict = "fails"
    return Sieve(verdict, days_on, days_off, orders_on, orders_off, full_price)


def is_satisfied(person: Person, as_of: date) -> bool:
    """By the latest scores of the year; without any, by having written without complaining."""

    def latest(scores: Iterable[tuple[date, int]]) -> int | None:
        return max(((day, score) for day, score in scores if day > as_of - YEAR), default=(None, None))[1]

    csat, nps = latest(person.csat), latest(person.nps)
    if csat is None and nps is None:
        return any(day > as_of - YEAR for day in person.content)
    return (csat is not None and csat >= 4) or (nps is not None and nps >= 7)


def rungs(people: Mapping[str, Person], campaigns: Sequence[Campaign], as_of: date) -> dict[str, int]:
    """Person -> rung 1-7, the highest that holds."""
    days = {name: [each.day for each in person.purchases] for name, person in people.items()}
    cadence = cadences(days, as_of)
    return {name: _rung(name, person, days, cadence.get(name), campaigns, as_of) for name, person in people.items()}


def _rung(
    name: str,
    person: Person,
    days: Mapping[str, Sequence[date]],
    cadence: Cadence | None,
    campaigns: Sequence[Campaign],
    as_of: date,
) -> int:
    if cadence is None:
        is_prospect = person.has_opted_in or any(day > as_of - ENGAGED for day in person.engaged)
        return 2 if is_prospect else 1
    if cadence.purchase_days == 1:
        return 3
    keeps_rhythm = cadence.purchase_days >= 4 and cadence.current_gap <= 2 * cadence.median_gap
    if not keeps_rhythm or sieve(person.purchases, person.offers, campaigns, as_of).verdict != "passes":
        return 4
    if not is_satisfied(person, as_of) or person.has_open_complaint:
        return 5
    brought = any(
        referred_on > as_of - YEAR and whom != name and days.get(whom) and min(days[whom]) >= referred_on
        for referred_on, whom in person.brought
    )
    return 7 if brought else 6


def journey_stage(rung: int, cadence: Cadence | None) -> str:
    """Where somebody is on their way: buyers are converted, and those who made us their regular supplier are loyal."""
    if cadence is not None and cadence.is_churned:
        return "churned"
    return {1: "awareness", 2: "consideration"}.get(rung, "loyal" if rung >= 5 else "conversion")

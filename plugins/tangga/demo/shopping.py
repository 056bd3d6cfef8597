"""When people buy: the purchase days that each person's habits lead to, and the orders placed on them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from tangga.demo.archetypes import ARCHETYPES, among, code
from tangga.demo.people import People
from tangga.demo.world import DAY, Month, World

# What an order is, beside a purchase: none of these changes on which days a person has bought.
PURCHASE, SECOND, UNPAID, GIFT, STRANGER = range(5)
_EXTRA_SHARES = {SECOND: 0.03, UNPAID: 0.025, GIFT: 0.003, STRANGER: 0.004}
_PAUSE_OF_LAPSED = 3.5  # times their usual gap: beyond twice, however a gap is counted


@dataclass(frozen=True)
class Orders:
    """One element an order, by time; `number` is unique, and its rank within the month is in it.

    `step` counts a person's purchases from 0; `contact` is the record the order was placed under, -1
    for strangers; `time` in local seconds.
    """

    number: np.ndarray
    time: np.ndarray
    person: np.ndarray
    contact: np.ndarray
    step: np.ndarray
    kind: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def where(self, mask: np.ndarray | slice) -> Orders:
        """The orders that `mask` selects."""
        return Orders(*(getattr(self, field.name)[mask] for field in fields(self)))

    def of(self, month: Month) -> Orders:
        """The orders of one month."""
        edges = np.searchsorted(self.time, [month.first * DAY, month.end * DAY])
        return self.where(slice(*edges))


def build_orders(world: World, people: People) -> Orders:
    """Every order until the world's horizon."""
    person, step, day = purchase_days(world, people)
    time = day * DAY + world.time_of_day("orders.time", person, step, shop_hours=True)
    parts = [(person, step, time, np.full(len(person), PURCHASE))]
    for kind, share in _EXTRA_SHARES.items():
        # An unpaid attempt comes before the purchase, the others after it, on the same day.
        extra = world.draws.chance(f"orders.extra_{kind}", share, person, step)
        extra &= ~among(people.archetype[person], "regretter")
        minutes = world.draws.integers(f"orders.later_{kind}", 5, 55, person, step)[extra]
        later = time[extra] + np.where(kind == UNPAID, -minutes, minutes) * 60
        parts.append((person[extra], step[extra], later, np.full(extra.sum(), kind)))
    person, step, time, kind = (np.concatenate(part) for part in zip(*parts, strict=True))

    by_time = np.lexsort((kind, step, person, time))
    person, step, time, kind = person[by_time], step[by_time], time[by_time], kind[by_time]
    firsts = np.searchsorted(time, [month.first * DAY for month in world.months])
    month = np.searchsorted(firsts, np.arange(len(time)), side="right") - 1
    number = month * 10_000_000 + np.arange(len(time)) - firsts[month] + 1

    second = people.second_record[person]
    switched = (second >= 0) & (time > people.registered[second]) & world.draws.chance("orders.record", 0.5, number)
    contact = np.where(switched, second, person)
    return Orders(number, time, person, np.where(kind == STRANGER, -1, contact), step, kind)


def purchase_days(world: World, people: People) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(person, step, day number) of every planned purchase before the horizon; a day counts once."""
    plans = [
        (_in_sales if archetype.only_in_sales else _by_cadence)(world, people, archetype.name)
        for archetype in ARCHETYPES
        if archetype.orders[1] > 0
    ]
    return tuple(np.concatenate(part) for part in zip(*plans, strict=True))


def planned_orders(world: World, name: str, person: np.ndarray) -> np.ndarray:
    """On how many days people of the named archetype are to buy in their lives."""
    return world.draws.integers("plan.orders", *ARCHETYPES[code(name)].orders, person)


def _by_cadence(world: World, people: People, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    archetype, draws = ARCHETYPES[code(name)], world.draws
    person = np.flatnonzero((people.archetype == code(name)) & ~people.is_duplicate)
    planned = planned_orders(world, name, person)
    cadence = draws.between("plan.cadence", *archetype.gap, person)
    first = draws.between("plan.first", *archetype.first_order, person)
    longest = (world.horizon - world.start) / (archetype.gap[0] * 0.75)
    steps = np.arange(int(min(archetype.orders[1], longest + 2)))
    # Gaps stay within 0.75 to 1.3 of the person's own cadence: a regular never seems to have gone.
    gaps = cadence[:, None] * draws.between("plan.gap", 0.75, 1.3, person[:, None], steps[None, :])
    if name == "lapsed_regular":
        gaps[steps[None, :] == planned[:, None] - 1] *= _PAUSE_OF_LAPSED
    gaps[:, 0] = first
    day = people.registered[person][:, None] // DAY + np.cumsum(np.maximum(gaps, 1), axis=1).astype(np.int64)
    kept = (steps[None, :] < planned[:, None]) & (day < world.horizon)
    row, step = np.nonzero(kept)
    day = day[kept]
    if archetype.is_regular or name == "sprinter":
        day = world.next_full_price_day[day - world.start]
        # Two purchases of a sprinter may have met after a sale: the later one is dropped.
        once = np.ones(len(day), dtype=bool)
        once[1:] = (row[1:] != row[:-1]) | (day[1:] != day[:-1])
        row, step, day = row[once], step[once], day[once]
    inside = day < world.horizon
    return person[row[inside]], step[inside], day[inside]


def _in_sales(world: World, people: People, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draws = world.draws
    person = np.flatnonzero((people.archetype == code(name)) & ~people.is_duplicate)
    tempted = draws.between("plan.tempted", 0.2, 0.5, person)
    first = np.array([sale.first for sale in world.sales])
    length = np.array([sale.last - sale.first + 1 for sale in world.sales])
    into = np.floor(draws.uniform("plan.day_of_sale", person[:, None], first[None, :]) * length).astype(np.int64)
    day = first + into
    # Whether a window is taken hangs on its first day, so that more windows change nothing before.
    taken = draws.uniform("plan.window", person[:, None], first[None, :]) < tempted[:, None]
    taken &= (day > people.registered[person][:, None] // DAY) & (day < world.horizon)
    row, column = np.nonzero(taken)
    step = np.cumsum(taken, axis=1)[taken] - 1
    return person[row], step, day[taken]

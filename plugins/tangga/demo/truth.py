"""The hidden truth: on which rung each person is *meant* to stand.

It follows from who somebody was made to be and how far their plan has come by the day, not from the
pipeline's rules applied to the data. Where the rules leave open what a good reader would say (a plan
in between, a sieve without evidence, a telephone that two people share), `is_decidable` is false.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tangga.demo.archetypes import NAMES, among
from tangga.demo.baskets import CANCELLED, REFUNDED, RETURNED, states_day
from tangga.demo.contacts import contact_id
from tangga.demo.dirt import write_lines
from tangga.demo.feedback import REGULAR_STEP, Tickets, has_open_complaint
from tangga.demo.people import People
from tangga.demo.referrals import Referrals
from tangga.demo.shopping import PURCHASE, Orders, planned_orders
from tangga.demo.world import DAY, World
from tangga.demo.writing import csv_lines, numbers, padded, words

SUSPECT, PROSPECT, FIRST_TIME, REPEAT, MAJORITY, LOYAL, ADVOCATE = range(1, 8)
Means = Callable[..., None]
"""Says of some people (a mask) which rung they are meant to be on, and whether that can be seen."""

_QUIET_DAYS = 90
_MARGIN_DAYS = 5
_LEAVING_DAYS = 31  # from the wish to leave to the mail that is left with
_ANSWER_DAYS = 10  # from a purchase to the answer of its survey
_REFERRAL_DAYS = 365
_REFERRAL_MARGIN_DAYS = 50
_PAUSE_BEGINS = 14  # days: the shortest gap of somebody who is to lapse
_LAPSED_DAYS = 80


def write_truth(
    folder: Path,
    world: World,
    people: People,
    orders: Orders,
    tickets: Tickets,
    referrals: Referrals,
) -> int:
    """Write rungs.csv for every contact known at the world's day; gives the number of rows."""
    rung, is_decidable = intended_rungs(world, people, orders, tickets, referrals)
    contact = np.flatnonzero(people.registered < world.cutoff)
    person = people.person[contact]
    table = {
        "contact_id": contact_id(contact),
        "person_id": padded(person + 1, 7, prefix="P"),
        "intended_rung": numbers(rung[person]),
        "is_decidable": words(["false", "true"], is_decidable[person].astype(int)),
        "archetype": words(NAMES, people.archetype[contact]),
    }
    return write_lines(folder / "rungs.csv", world.draws, table, contact, csv_lines(","), header=",".join(table))


def intended_rungs(
    world: World, people: People, orders: Orders, tickets: Tickets, referrals: Referrals
) -> tuple[np.ndarray, np.ndarray]:
    """(rung, is_decidable) per contact, by position; only those of first records mean anything."""
    n, archetype = len(people), people.archetype
    done = orders.where((orders.kind == PURCHASE) & (orders.time < world.cutoff))
    bought = np.bincount(done.person, minlength=n)
    rung = np.select([bought == 0, bought == 1], [PROSPECT, FIRST_TIME], REPEAT)
    is_decidable = np.ones(n, dtype=bool)

    def means(where: np.ndarray, meant: int, decidable: np.ndarray | bool = True) -> None:
        rung[where] = meant
        is_decidable[where] = (np.ones(n, dtype=bool) & decidable)[where]

    age = _days_since(world, people.registered)
    means(among(archetype, "passer_by"), SUSPECT, age > _QUIET_DAYS)
    _fading(world, people, age, means)
    _regretting(world, people, done, means)

    since_fourth = _days_since(world, _time_of_step(done, REGULAR_STEP, n))
    is_regular = since_fourth >= 0
    means(is_regular & among(archetype, "silent_regular", "grumbler"), MAJORITY)
    means(is_regular & among(archetype, "deal_aware"), MAJORITY, False)
    means(is_regular & among(archetype, "sprinter"), REPEAT, False)
    has_answered = since_fourth > _ANSWER_DAYS
    waits = has_open_complaint(world, people, tickets)
    keen = is_regular & among(archetype, "loyal", "advocate")
    means(keen, LOYAL, has_answered & ~waits)
    since_brought = _days_since(world, _latest_success(world, people, done, referrals))
    brought = keen & among(archetype, "advocate") & (since_brought >= 0)
    means(brought & (since_brought <= _REFERRAL_DAYS), ADVOCATE, has_answered & ~waits)
    means(brought & (since_brought > _REFERRAL_DAYS - _REFERRAL_MARGIN_DAYS), ADVOCATE, False)
    _lapsing(world, people, done, is_regular, means)

    sharing = np.flatnonzero((people.shares_phone_with >= 0) & (people.registered < world.cutoff))
    is_decidable[sharing] = False
    is_decidable[people.shares_phone_with[sharing]] = False
    referrer, referred, _ = referrals
    is_decidable[referrer[np.isin(referred, np.union1d(sharing, people.shares_phone_with[sharing]))]] = False
    return rung, is_decidable


def _days_since(world: World, times: np.ndarray) -> np.ndarray:
    return world.day - times // DAY


def _time_of_step(done: Orders, step: int, n: int) -> np.ndarray:
    """When each person made that purchase; far in the future for those who have not."""
    times = np.full(n, np.iinfo(np.int64).max)
    times[done.person[done.step == step]] = done.time[done.step == step]
    return times


def _fading(world: World, people: People, age: np.ndarray, means: Means) -> None:
    """Prospects that become suspects again: who stopped visiting, and who also unsubscribed."""
    silent = _days_since(world, people.stays_until) > _QUIET_DAYS + _MARGIN_DAYS
    drifter = among(people.archetype, "drifter")
    means(drifter, PROSPECT, age < _QUIET_DAYS - _MARGIN_DAYS)
    means(drifter & silent, SUSPECT)
    leaver = among(people.archetype, "leaver")
    since_left = _days_since(world, people.leaves_after)
    gone = since_left > _LEAVING_DAYS + _QUIET_DAYS + _MARGIN_DAYS
    means(leaver, PROSPECT, since_left < 0)
    means(leaver & gone & silent, SUSPECT)


def _regretting(world: World, people: People, done: Orders, means: Means) -> None:
    regretted = done.where(among(people.archetype[done.person], "regretter"))
    states = states_day(world, people, regretted)
    undone = np.isin(states, [CANCELLED, REFUNDED, RETURNED])
    for where, decidable in ((undone, True), (~undone, False)):
        members = np.zeros(len(people), dtype=bool)
        members[regretted.person[where]] = True
        means(members, PROSPECT, decidable)


def _latest_success(world: World, people: People, done: Orders, referrals: Referrals) -> np.ndarray:
    """When the last of those whom each person brought, and who have bought by now, was brought."""
    referrer, referred, time = referrals
    has_bought = np.bincount(done.person, minlength=len(people)) > 0
    counts = (time < world.cutoff) & has_bought[referred]
    latest = np.full(len(people), np.iinfo(np.int64).max)
    latest[referrer[counts]] = time[counts]  # they are by time: the last one stays
    return latest


def _lapsing(world: World, people: People, done: Orders, is_regular: np.ndarray, means: Means) -> None:
    """Regulars who slow down: in their pause nobody can tell, after the last purchase everybody."""
    lapsing = among(people.archetype, "lapsed_regular")
    means(lapsing & is_regular, MAJORITY, False)
    last = np.full(len(people), np.iinfo(np.int64).max)
    last[done.person] = done.time
    planned = planned_orders(world, "lapsed_regular", np.arange(len(people)))
    steps = np.bincount(done.person, minlength=len(people))
    means(lapsing & is_regular & (_days_since(world, last) < _PAUSE_BEGINS), MAJORITY)
    # Having come once more, they are only seen to be gone when twice their usual gap has passed again.
    means(lapsing & (steps >= planned), REPEAT, _days_since(world, last) > _LAPSED_DAYS)

"""Who brought whom."""

from __future__ import annotations

import numpy as np

from tangga.demo.archetypes import among
from tangga.demo.people import People
from tangga.demo.world import DAY, World

_FIRST_AFTER, _EVERY = 120, 130  # days of an advocate's life
_BEFORE = 3_600  # seconds between the invitation's use and the registration

Referrals = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Positions of those who brought, of those who were brought, and local seconds; by time."""


def build_referrals(world: World, people: People) -> Referrals:
    """Every referral until the world's horizon; nobody is referred twice.

    Advocates bring somebody who goes on to buy, every few months. A few others bring somebody too:
    people of a lower rung anybody, loyal ones only people who never buy, as they would else be
    advocates.
    """
    i = np.arange(len(people))
    buyers = np.flatnonzero(among(people.archetype, "one_timer", "occasional") & ~people.is_duplicate)
    idlers = np.flatnonzero(among(people.archetype, "subscriber", "browser", "drifter") & ~people.is_duplicate)
    originals = ~people.is_duplicate
    advocates = i[originals & among(people.archetype, "advocate")]
    loyal = i[originals & among(people.archetype, "loyal") & world.draws.chance("referrals.loyal", 0.3, i)]
    others = i[
        originals
        & among(people.archetype, "occasional", "silent_regular", "one_timer")
        & world.draws.chance("referrals.other", 0.06, i)
    ]
    rounds = int((world.horizon - world.start) / _EVERY) + 1
    days = _FIRST_AFTER + _EVERY * np.arange(rounds)
    pairs = [
        _pair(people, np.repeat(advocates, rounds), np.tile(days, len(advocates)), buyers),
        _pair(people, loyal, np.full(len(loyal), 160), idlers),
        _pair(people, others, np.full(len(others), 90), np.union1d(buyers, idlers)),
    ]
    referrer, referred = (np.concatenate(part) for part in zip(*pairs, strict=True))
    # An advocate comes before others, an earlier one before a later.
    _, first = np.unique(referred, return_index=True)
    referrer, referred = referrer[first], referred[first]
    time = people.registered[referred] - _BEFORE
    by_time = np.lexsort((referred, time))
    return referrer[by_time], referred[by_time], time[by_time]


def _pair(
    people: People, referrer: np.ndarray, after_days: np.ndarray, pool: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each referrer with the next of `pool` to register that many days after them.

    Two who meet at the same friend take one each while there are enough: the n-th waiting takes the
    n-th in line, which is stable as nobody later can step in before them.
    """
    due = people.registered[referrer] + after_days * DAY
    by_due = np.lexsort((referrer, due))
    referrer, due = referrer[by_due], due[by_due]
    place = np.searchsorted(people.registered[pool], due + _BEFORE)
    n = np.arange(len(place))
    place = np.maximum.accumulate(place - n) + n
    found = place < len(pool)
    return referrer[found], pool[place[found]]

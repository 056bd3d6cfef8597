"""Who the demo's people are meant to be: one row a kind of person, with the habits that follow from it.

The habits are chosen so that a pipeline which reads the files well can tell what was meant: a regular
buys evenly and outside sale windows, a hunter only within them, a silent person answers no survey.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FOREVER = 100_000  # days


@dataclass(frozen=True)
class Archetype:
    """One kind of person; ranges are inclusive, days count from the registration.

    `stays`: after how many days they stop visiting; `visits`: visits a month until then.
    `orders`: purchase days planned in a lifetime; `gap`: days between two of them.
    `answers`: share of surveys answered; `nps`: range of their answers.
    """

    name: str
    share: float
    opt_in: float = 0.0
    visits: float = 0.0
    stays: tuple[int, int] = (FOREVER, FOREVER)
    orders: tuple[int, int] = (0, 0)
    first_order: tuple[int, int] = (0, 45)
    gap: tuple[int, int] = (30, 60)
    opens: float = 0.3
    answers: float = 0.0
    nps: tuple[int, int] = (5, 10)
    complains: float = 0.02
    is_regular: bool = False
    only_in_sales: bool = False


# fmt: off
ARCHETYPES: tuple[Archetype, ...] = (
    # Met at a bazaar or a raffle: no visit, no consent.
    Archetype("passer_by", 0.11),
    # Looked around for some weeks, agreed to nothing, and forgot the shop.
    Archetype("drifter", 0.07, visits=2.0, stays=(3, 75)),
    Archetype("subscriber", 0.15, opt_in=1.0, visits=0.3, stays=(20, 500), opens=0.35),
    # Subscribed, read for a while, unsubscribed.
    Archetype("leaver", 0.02, opt_in=1.0, visits=0.5, stays=(10, 40), opens=0.2),
    # Comes by every month and never buys.
    Archetype("browser", 0.06, visits=1.2),
    Archetype("one_timer", 0.19, opt_in=0.6, visits=0.4, stays=(30, 200), orders=(1, 1), answers=0.3, nps=(2, 10)),
    # Their only order is cancelled or paid back in full.
    Archetype("regretter", 0.015, opt_in=1.0, visits=0.3, stays=(20, 90), orders=(1, 1), opens=0.15),
    Archetype(
        "occasional", 0.11, opt_in=0.7, visits=0.3, stays=(200, 700), orders=(2, 3), gap=(40, 150), answers=0.3,
        nps=(4, 10),
    ),
    Archetype(
        "hunter", 0.08, opt_in=0.9, visits=1.0, orders=(1, FOREVER), opens=0.45, answers=0.2, nps=(4, 9),
        only_in_sales=True,
    ),
    Archetype(
        "detractor", 0.03, opt_in=0.6, visits=0.5, stays=(60, 200), orders=(1, 2), gap=(30, 90), opens=0.15,
        answers=0.8, nps=(0, 6), complains=0.75,
    ),
    # Many orders within three weeks, none near a sale: the sieve has nothing to compare them with.
    Archetype("sprinter", 0.01, opt_in=0.6, visits=0.5, stays=(40, 90), orders=(5, 6), first_order=(0, 3), gap=(3, 4)),
    # Slows down, comes once more after a long pause, and is gone.
    Archetype(
        "lapsed_regular", 0.04, opt_in=0.75, visits=0.4, stays=(150, 350), orders=(6, 10), first_order=(0, 20),
        gap=(14, 30), complains=0.0, is_regular=True,
    ),
    # A regular who neither waits for sales nor avoids them: the sieve may say either.
    Archetype(
        "deal_aware", 0.02, opt_in=0.9, visits=0.4, orders=(FOREVER, FOREVER), first_order=(0, 20), gap=(24, 60),
        answers=0.3, nps=(6, 10),
    ),
    # Regular, and never says a word.
    Archetype(
        "silent_regular", 0.04, opt_in=0.7, visits=0.4, orders=(FOREVER, FOREVER), first_order=(0, 20), gap=(24, 60),
        complains=0.0, is_regular=True,
    ),
    # Regular, with a complaint that nobody has settled.
    Archetype(
        "grumbler", 0.015, opt_in=0.7, visits=0.4, orders=(FOREVER, FOREVER), first_order=(0, 20), gap=(24, 60),
        answers=0.3, nps=(3, 7), is_regular=True,
    ),
    Archetype(
        "loyal", 0.045, opt_in=0.85, visits=0.5, orders=(FOREVER, FOREVER), first_order=(0, 20), gap=(24, 60),
        opens=0.5, answers=0.5, nps=(8, 10), is_regular=True,
    ),
    # Loyal, and brings a friend every few months.
    Archetype(
        "advocate", 0.03, opt_in=0.9, visits=0.7, orders=(FOREVER, FOREVER), first_order=(0, 20), gap=(20, 45),
        opens=0.6, answers=0.6, nps=(9, 10), is_regular=True,
    ),
)
# fmt: on

NAMES = [archetype.name for archetype in ARCHETYPES]
SHARES = [archetype.share for archetype in ARCHETYPES]


def code(name: str) -> int:
    """Position of the archetype called `name`."""
    return NAMES.index(name)


def habit(field: str, archetype: np.ndarray) -> np.ndarray:
    """A habit of each person, by archetype code; ranges give shape (people, 2)."""
    return np.array([getattr(each, field) for each in ARCHETYPES])[archetype]


def among(archetype: np.ndarray, *names: str) -> np.ndarray:
    """Which persons are of one of the named archetypes."""
    return np.isin(archetype, [code(name) for name in names])

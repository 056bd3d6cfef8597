"""The stage: when the story runs, when its sales are, and which random numbers it uses.

Times are whole seconds of Jakarta's wall clock since 1970-01-01 00:00 there, days are whole days since
then; Jakarta has no daylight saving, so that UTC is seven hours behind all year.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from tangga.demo.draws import Draws
from tangga.settings import Demo

DAY = 86_400
UTC_OFFSET = 7 * 3_600
CONTACTS_A_DAY = 5_000 / 750
_EPOCH = date(1970, 1, 1)

_RAMADAN_2025 = date(2025, 3, 1)
_ISLAMIC_YEAR = 354.36708  # mean days; puts Ramadan's first day within one day of the announced one
_HOURS = [1, 0, 0, 0, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 6, 6, 6, 7, 9, 10, 10, 8, 5, 2]
_SHOP_HOURS = [0] * 8 + _HOURS[8:22] + [0, 0]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


@dataclass(frozen=True)
class Month:
    """A calendar month: `first` day, `end` the first day after it (day numbers)."""

    number: int
    label: str
    first: int
    end: int


@dataclass(frozen=True)
class Sale:
    """A store-wide discount window, both days included (day numbers)."""

    campaign: str
    coupon: str
    first: int
    last: int
    percent: int


class World:
    """Everything that is the same for all who live in it.

    The story is told to the end of the month of `day` (`horizon`, a day number), whatever `day` is
    within it; only facts before `cutoff` (seconds, the end of `day`) are written. So a fact can get a
    number from its rank within its month without that number changing from day to day.
    """

    def __init__(self, day: date, demo: Demo):
        if day < demo.start:
            raise ValueError(f"the demo company opens on {demo.start}: give a day from then on, not {day}")
        self.draws = Draws(demo.seed)
        self.start = day_number(demo.start)
        self.day = day_number(day)
        self.cutoff = (self.day + 1) * DAY
        self.contacts_a_day = CONTACTS_A_DAY * demo.scale
        self.months = _months(demo.start, day)
        self.horizon = self.months[-1].end

    @cached_property
    def sales(self) -> list[Sale]:
        """All windows from the opening to some weeks after the horizon, as shops plan ahead."""
        first, last = (_EPOCH + timedelta(days=number) for number in (self.start, self.horizon + 31))
        windows = [sale for year in range(first.year, last.year + 1) for sale in _sales_of(year)]
        windows = [sale for sale in windows if self.start <= sale.first < self.horizon + 31]
        return sorted(windows, key=lambda sale: (sale.first, sale.campaign))

    @cached_property
    def sale_on(self) -> np.ndarray:
        """Position in `sales` for each day from `start` on, -1 on days at full price."""
        calendar = np.full(self.horizon + 62 - self.start, -1)
        for position, sale in enumerate(self.sales):
            calendar[sale.first - self.start : sale.last + 1 - self.start] = position
        return calendar

    @cached_property
    def next_full_price_day(self) -> np.ndarray:
        """For each day from `start` on, the first day from it on without a sale (day numbers)."""
        days = np.arange(len(self.sale_on))
        free = days[self.sale_on < 0]
        return self.start + free[np.minimum(np.searchsorted(free, days), len(free) - 1)]

    def time_of_day(self, stream: str, *index: np.ndarray, shop_hours: bool = False) -> np.ndarray:
        """Seconds after midnight, most of them in the evening; `shop_hours`: from 8:00 to 22:00."""
        hours = self.draws.choose(f"{stream}.hour", _SHOP_HOURS if shop_hours else _HOURS, *index)
        return hours * 3_600 + self.draws.integers(f"{stream}.second", 0, 3_599, *index)


def _months(start: date, day: date) -> list[Month]:
    months, first = [], start.replace(day=1)
    while first <= day:
        end = (first + timedelta(days=32)).replace(day=1)
        months.append(Month(len(months), first.strftime("%Y-%m"), day_number(first), day_number(end)))
        first = end
    return months


def _sales_of(year: int) -> list[Sale]:
    def sale(campaign: str, coupon: str, first: date, last: date, percent: int) -> Sale:
        return Sale(campaign, coupon, day_number(first), day_number(last), percent)

    short = year % 100
    sales = [
        sale(f"gajian_{year}_{m:02d}", f"GAJIAN{short}{m:02d}", date(year, m, 25), date(year, m, 27), 15)
        for m in range(1, 13)
    ]
    ramadan = _RAMADAN_2025 + timedelta(days=round((year - 2025) * 365.2425 / _ISLAMIC_YEAR) * _ISLAMIC_YEAR)
    return sales + [
        sale(f"ramadan_{year}", f"RAMADAN{short}", ramadan + timedelta(days=10), ramadan + timedelta(days=19), 20),
        sale(f"merdeka_{year}", f"MERDEKA{short}", date(year, 8, 16), date(year, 8, 17), 15),
        sale(f"9_9_{year}", f"SERBU99{short}", date(year, 9, 9), date(year, 9, 9), 20),
        sale(f"11_11_{year}", f"SEBELAS{short}", date(year, 11, 10), date(year, 11, 11), 25),
        sale(f"harbolnas_{year}", f"HARBOLNAS{short}", date(year, 12, 10), date(year, 12, 12), 25),
    ]

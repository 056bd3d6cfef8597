"""What is in an order and what it costs. All amounts are whole rupiah."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangga.demo import names
from tangga.demo.archetypes import among
from tangga.demo.catalogue import PER_CATEGORY, POPULARITY, PRICES
from tangga.demo.people import People
from tangga.demo.shopping import GIFT, PURCHASE, STRANGER, UNPAID, Orders
from tangga.demo.world import DAY, World

WEB, APP, STORE = range(3)
_TAX_PERCENT = 11
_FREE_SHIPPING = 300_000
_YEARLY_RISE = 0.04
WELCOME = -2  # a coupon of one's own, beside the positions in World.sales and -1 for none
_WELCOME_PERCENT = 10


@dataclass(frozen=True)
class Baskets:
    """Amounts of orders, one element an order, and their lines, one element a line.

    `order` is the position of a line's order in the orders given; `campaign` the position of the
    sale whose coupon was used in `World.sales`, -1 none, `WELCOME` the coupon for newcomers.
    """

    channel: np.ndarray
    campaign: np.ndarray
    subtotal: np.ndarray
    discount: np.ndarray
    shipping: np.ndarray
    tax: np.ndarray
    order: np.ndarray
    line_number: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    unit_price: np.ndarray
    line_discount: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return self.subtotal - self.discount + self.shipping + self.tax

    @property
    def first_product(self) -> np.ndarray:
        return self.product[self.line_number == 1]


def fill_baskets(world: World, people: People, orders: Orders) -> Baskets:
    """The baskets of `orders`: of any part of them, as each depends on its own order only."""
    draws, number = world.draws, orders.number
    channel = draws.choose("baskets.channel", [55, 25, 20], number)
    campaign, percent = _discounts(world, people, orders)

    lines = np.where(orders.kind == GIFT, 1, 1 + draws.choose("baskets.lines", [40, 32, 18, 10], number))
    order = np.repeat(np.arange(len(orders)), lines)
    line_number = np.arange(len(order)) - np.repeat(np.cumsum(lines) - lines, lines) + 1
    product = _products(world, people, orders, order, line_number)
    quantity = 1 + draws.choose("baskets.quantity", [80, 14, 6], number[order], line_number)
    years = (orders.time[order] // DAY - world.start) / 365
    unit_price = (np.floor(PRICES[product] * (1 + _YEARLY_RISE * np.floor(years)) / 500) * 500).astype(np.int64)
    unit_price[orders.kind[order] == GIFT] = 0
    amount = unit_price * quantity
    line_discount = amount * percent[order] // 100

    subtotal = _sum(order, amount, len(orders))
    discount = _sum(order, line_discount, len(orders))
    goods = subtotal - discount
    free = (channel == STORE) | (goods >= _FREE_SHIPPING) | (orders.kind == GIFT)
    shipping = np.where(free, 0, np.array(names.SHIPPING)[people.city[orders.person]] * 1_000)
    return Baskets(
        channel, campaign, subtotal, discount, shipping, goods * _TAX_PERCENT // 100,
        order, line_number, product, quantity, unit_price, line_discount,
    )  # fmt: skip


def _sum(order: np.ndarray, amount: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(order, weights=amount, minlength=n).astype(np.int64)


def _discounts(world: World, people: People, orders: Orders) -> tuple[np.ndarray, np.ndarray]:
    """(campaign, percent): most of what is bought in a sale is discounted, of a hunter everything."""
    archetype = people.archetype[orders.person]
    sale = world.sale_on[orders.time // DAY - world.start]
    uses = among(archetype, "hunter", "deal_aware") | world.draws.chance("baskets.coupon", 0.88, orders.number)
    campaign = np.where(uses, sale, -1)
    newcomer = among(archetype, "one_timer", "occasional", "detractor", "regretter") & (orders.step == 0) & (sale < 0)
    newcomer &= (orders.kind == PURCHASE) & world.draws.chance("baskets.welcome", 0.25, orders.number)
    campaign = np.where(newcomer, WELCOME, campaign)
    campaign = np.where(np.isin(orders.kind, [GIFT, STRANGER]), -1, campaign)
    percents = np.array([sale.percent for sale in world.sales] + [_WELCOME_PERCENT, 0])
    return campaign, percents[campaign]


def _products(world: World, people: People, orders: Orders, order: np.ndarray, line_number: np.ndarray) -> np.ndarray:
    """Two lines in three from the person's favourite category; no product twice in an order."""
    number = orders.number[order]
    favourite = world.draws.chance("baskets.favourite", 0.65, number, line_number)
    anything = world.draws.choose("baskets.any_product", POPULARITY, number, line_number)
    liked = world.draws.choose("baskets.liked_product", POPULARITY[:PER_CATEGORY], number, line_number)
    product = np.where(favourite, people.category[orders.person][order] * PER_CATEGORY + liked, anything)
    for place in (2, 3, 4):  # an order has four lines at most
        here = np.flatnonzero(line_number == place)
        for _ in range(place - 1):
            taken = np.zeros(len(here), dtype=bool)
            for back in range(1, place):
                taken |= product[here] == product[here - back]
            product[here[taken]] = (product[here[taken]] + 1) % len(PRICES)
    return product


def states_day(world: World, people: People, orders: Orders) -> np.ndarray:
    """Status of each order at the world's day, as a position in `STATUSES`."""
    age = world.day - orders.time // DAY
    draws, number = world.draws, orders.number
    travels = draws.integers("orders.travels", 2, 5, number)
    status = np.select([age < 1, age < travels], [PAID, SHIPPED], COMPLETED)
    status = np.where(orders.kind == UNPAID, np.where(age < 1, PENDING, CANCELLED), status)
    regrets = among(people.archetype[orders.person], "regretter") & (orders.kind == PURCHASE)
    cancels = draws.chance("orders.cancels", 0.35, orders.person)
    returned = regrets & ~cancels & (age >= full_refund_days(world, orders))
    sent_back = draws.chance("orders.sent_back", 0.5, number)
    status = np.where(returned, np.where(sent_back, RETURNED, REFUNDED), status)
    return np.where(regrets & cancels, CANCELLED, status)


def full_refund_days(world: World, orders: Orders) -> np.ndarray:
    """After how many days a regretted order is paid back."""
    return world.draws.integers("orders.full_refund", 3, 12, orders.number)


STATUSES = ["MENUNGGU", "DIBAYAR", "DIKIRIM", "SELESAI", "RETUR", "DANA_KEMBALI", "DIBATALKAN"]
PENDING, PAID, SHIPPED, COMPLETED, RETURNED, REFUNDED, CANCELLED = range(7)

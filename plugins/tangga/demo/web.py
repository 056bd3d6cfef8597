"""web/events_*.jsonl.gz: visits, carts left behind, and the visits that ended in an order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tangga.demo import names
from tangga.demo.archetypes import among, habit
from tangga.demo.baskets import APP, STORE, fill_baskets
from tangga.demo.catalogue import POPULARITY, SKUS
from tangga.demo.contacts import contact_id
from tangga.demo.dirt import Blemish, changing, cut_off, prefixed, setting, write_lines, years_ahead
from tangga.demo.people import People
from tangga.demo.shopping import STRANGER, Orders
from tangga.demo.world import DAY, Month, World
from tangga.demo.writing import Table, joined, json_lines, numbers, only_where, padded, utc_time, words

TYPES = ["page_view", "product_view", "search", "add_to_cart", "checkout", "purchase"]
PAGE_VIEW, PRODUCT_VIEW, SEARCH, ADD_TO_CART, CHECKOUT, PURCHASED = range(6)
_ANONYMOUS_PER_CONTACT = 0.08  # visits a month by browsers of nobody known
_BLEMISHES = (
    Blemish("events.broken", 0.0005, spoil=cut_off),
    Blemish("events.no_id", 0.0003, setting(id="")),
    Blemish("events.nobody", 0.0003, lambda table: changing(id=prefixed("n"))(setting(user_id="", anon_id="")(table))),
    Blemish("events.repeated", 0.002),
    Blemish("events.future", 0.0003, changing(id=prefixed("x"), ts=years_ahead)),
)


@dataclass(frozen=True)
class Visits:
    """One element a visit, its events counted by `length`, the last of them cart, checkout, purchase.

    `key` is unique within its `origin` ("v" a visit, "o" an order, "a" somebody unknown); `start` in
    local seconds.
    """

    origin: str
    key: np.ndarray
    person: np.ndarray
    start: np.ndarray
    length: np.ndarray
    has_cart: np.ndarray
    has_checkout: np.ndarray
    has_purchase: np.ndarray
    product: np.ndarray
    is_app: np.ndarray


def write_events(folder: Path, world: World, people: People, orders: Orders) -> int:
    """Write a file a month; gives the number of rows."""
    written = 0
    for month in world.months:
        parts = [
            _events(world, visits)
            for visits in (
                _strolls(world, people, month),
                _shopping_trips(world, people, orders.of(month)),
                _strangers(world, people, month),
            )
        ]
        table = {name: pa.concat_arrays([part[0][name] for part in parts]) for name in parts[0][0]}
        time, key = (np.concatenate([part[field] for part in parts]) for field in (1, 2))
        rows = np.flatnonzero(time < world.cutoff)
        rows = rows[np.lexsort((key[rows], time[rows]))]
        if len(rows) == 0:
            continue
        table = {name: texts.take(pa.array(rows)) for name, texts in table.items()}
        path = folder / f"events_{month.label}.jsonl.gz"
        written += write_lines(path, world.draws, table, key[rows], json_lines, _BLEMISHES)
    return written


def _strolls(world: World, people: People, month: Month) -> Visits:
    """The visit in which somebody registers, and those of the people who like to look around."""
    draws = world.draws
    present = np.flatnonzero(~people.is_duplicate & (people.registered < month.end * DAY))
    present = present[~among(people.archetype[present], "passer_by")]
    visits = np.floor(habit("visits", people.archetype[present]) + draws.uniform("web.visits", present, month.number))
    person = np.repeat(present, visits.astype(np.int64))
    place = np.arange(len(person)) - np.searchsorted(person, person)
    index = (person, month.number, place)
    day = np.floor(draws.between("web.day", month.first, month.end, *index)).astype(np.int64)
    start = np.minimum(day * DAY + world.time_of_day("web.time", *index), month.end * DAY - 3_600)
    inside = (start > people.registered[person]) & (start < people.stays_until[person])

    new = present[people.registered[present] >= month.first * DAY]
    person = np.concatenate([person[inside], new])
    place = np.concatenate([place[inside] + 1, np.zeros(len(new), dtype=np.int64)])
    start = np.concatenate([start[inside], np.minimum(people.registered[new], month.end * DAY - 3_600)])
    index = (person, month.number, place)
    has_cart = draws.chance("web.cart", 0.14, *index) & (place > 0)
    has_checkout = has_cart & draws.chance("web.checkout", 0.35, *index)
    looks = np.where(place > 0, draws.integers("web.looks", 1, 3, *index), 0)
    return Visits(
        "v", (person * 1_000 + month.number) * 10 + place, person, start, 1 + looks + has_cart + has_checkout,
        has_cart, has_checkout, np.zeros(len(person), dtype=bool),
        draws.choose("web.product", POPULARITY, *index), draws.chance("web.app", 0.3, *index),
    )  # fmt: skip


def _shopping_trips(world: World, people: People, orders: Orders) -> Visits:
    """What came before each order that was not placed in the shop itself."""
    baskets = fill_baskets(world, people, orders)
    online = (baskets.channel != STORE) & (orders.kind != STRANGER)
    placed = orders.where(online)
    yes = np.ones(len(placed), dtype=bool)
    looks = world.draws.integers("web.looks_before", 0, 2, placed.number)
    # The purchase event comes with the order, those before it a minute or two apart.
    start = placed.time - (looks + 3) * 75
    return Visits(
        "o", placed.number, placed.person, start, looks + 4, yes, yes, yes,
        baskets.first_product[online], baskets.channel[online] == APP,
    )  # fmt: skip


def _strangers(world: World, people: People, month: Month) -> Visits:
    """Browsers that nobody ever logged in with."""
    draws = world.draws
    i = np.flatnonzero(~people.is_duplicate & (people.registered < month.end * DAY))
    i = i[draws.chance("web.anonymous", _ANONYMOUS_PER_CONTACT, i, month.number)]
    day = np.floor(draws.between("web.anonymous_day", month.first, month.end, i, month.number)).astype(np.int64)
    start = np.minimum(day * DAY + world.time_of_day("web.anonymous_time", i, month.number), month.end * DAY - 3_600)
    inside = start > people.registered[i]
    i, start = i[inside], start[inside]
    has_cart = draws.chance("web.anonymous_cart", 0.05, i, month.number)
    no = np.zeros(len(i), dtype=bool)
    return Visits(
        "a", i * 1_000 + month.number, np.full(len(i), -1), start,
        draws.integers("web.anonymous_looks", 1, 3, i, month.number) + has_cart, has_cart, no, no,
        draws.choose("web.anonymous_product", POPULARITY, i, month.number), no,
    )  # fmt: skip


def _events(world: World, visits: Visits) -> tuple[Table, np.ndarray, np.ndarray]:
    """(columns, time, key) of the events of visits."""
    draws, origin = world.draws, visits.origin
    visit = np.repeat(np.arange(len(visits.key)), visits.length)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(visits.length) - visits.length, visits.length)
    key, person = visits.key[visit], visits.person[visit]
    from_end = visits.length[visit] - 1 - place
    cart, checkout, purchase = visits.has_cart[visit], visits.has_checkout[visit], visits.has_purchase[visit]
    searches = (place == 1) & draws.chance(f"web.{origin}.search", 0.25, key)
    kind = np.select(
        [
            purchase & (from_end == 0),
            checkout & (from_end == purchase.astype(int)),
            cart & (from_end == purchase.astype(int) + checkout),
            place == 0,
            searches,
        ],
        [PURCHASED, CHECKOUT, ADD_TO_CART, PAGE_VIEW, SEARCH],
        PRODUCT_VIEW,
    )
    pause = np.where(purchase, 0, draws.integers(f"web.{origin}.pause", 0, 40, key, place))
    time = visits.start[visit] + place * 75 + pause
    # What is looked at changes; what is put into the cart is what was looked at last.
    product = (visits.product[visit] + np.maximum(from_end - 3, 0) * 7) % len(SKUS)
    in_cart = np.isin(kind, [ADD_TO_CART, CHECKOUT, PURCHASED])
    session = joined(origin, numbers(key))
    is_search = kind == SEARCH
    query = words(names.SEARCHES, draws.integers(f"web.{origin}.query", 0, len(names.SEARCHES) - 1, key))
    referrer = words(names.ORIGINS, draws.choose(f"web.{origin}.referrer", names.ORIGIN_WEIGHTS, key))
    page = draws.integers(f"web.{origin}.page", 0, len(names.PAGES) - 1, key)
    product_page = joined("/produk/", words(SKUS, product))
    pages = _first_of(
        (is_search, "/cari"),
        (kind == PAGE_VIEW, words(names.PAGES, page)),
        (in_cart, "/keranjang"),
        otherwise=product_page,
    )
    properties = _first_of(
        (is_search, joined('{"q":"', query, '"}')),
        (kind == PAGE_VIEW, joined('{"referrer":"', referrer, '"}')),
        otherwise=words(["{}"], np.zeros(len(kind), dtype=int)),
    )
    browser = np.where(person >= 0, person, key // 1_000)
    table = {
        "id": joined("e", session, "-", numbers(place)),
        "ts": utc_time(time),
        "type": words(TYPES, kind),
        "user_id": contact_id(person),
        "anon_id": joined("b" if origin != "a" else "a", padded(browser, 7)),
        "session": session,
        "sku": only_where((kind == PRODUCT_VIEW) | in_cart, words(SKUS, product)),
        "cart": only_where(in_cart, joined("c", session)),
        "platform": words(["web", "app"], visits.is_app[visit].astype(int)),
        "page": pages,
        "props{}": properties,
    }
    salt = {"v": 0, "o": 1, "a": 2}[origin]
    return table, time, (key * 3 + salt) * 16 + place


def _first_of(*cases: tuple[np.ndarray, pa.Array | str], otherwise: pa.Array) -> pa.Array:
    for mask, texts in reversed(cases):
        otherwise = pc.if_else(pa.array(mask), texts, otherwise)
    return otherwise

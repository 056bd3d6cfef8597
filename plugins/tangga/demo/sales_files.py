"""shop/orders, order_lines, refunds and discount_campaigns."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tangga.demo import names
from tangga.demo.archetypes import among
from tangga.demo.baskets import (
    CANCELLED,
    STATUSES,
    WELCOME,
    Baskets,
    fill_baskets,
    full_refund_days,
    states_day,
)
from tangga.demo.catalogue import CATEGORIES, PER_CATEGORY, PRODUCTS, SKUS
from tangga.demo.contacts import contact_id
from tangga.demo.dirt import Blemish, changing, extra_field, prefixed, setting, write_lines, years_ahead
from tangga.demo.people import People
from tangga.demo.shopping import PURCHASE, Orders
from tangga.demo.world import DAY, World
from tangga.demo.writing import Table, csv_lines, joined, local_time, numbers, padded, put_parquet, words

CHANNELS = ["web", "app", "toko"]

_ORDER_BLEMISHES = (
    Blemish("orders.extra_field", 0.001, spoil=extra_field(",")),
    Blemish("orders.comma_amount", 0.001, changing(order_no=prefixed("Y"), total=lambda texts: joined(texts, ",50"))),
    Blemish("orders.nan", 0.0007, lambda table: changing(order_no=prefixed("N"))(setting(total="NaN")(table))),
    Blemish("orders.negative", 0.0007, changing(order_no=prefixed("M"), total=prefixed("-"))),
    Blemish("orders.no_buyer", 0.001, lambda table: changing(order_no=prefixed("B"))(setting(contact="")(table))),
    Blemish("orders.no_id", 0.0007, setting(order_no="")),
    Blemish("orders.repeated", 0.002),
    # Once more as it stood before: same order, other status.
    Blemish("orders.older_state", 0.0015, setting(status="DIBAYAR"), comes_first=True),
    Blemish("orders.future", 0.001, changing(order_no=prefixed("X"), ordered_at=years_ahead)),
)
_REFUND_BLEMISHES = (
    Blemish("refunds.repeated", 0.01),
    Blemish("refunds.no_order", 0.01, lambda table: changing(refund_no=prefixed("X"))(setting(order_no="")(table))),
)
_LINE_SCHEMA = pa.schema(
    [
        ("order_no", pa.string()),
        ("line", pa.int32()),
        ("sku", pa.string()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("qty", pa.int32()),
        ("price", pa.decimal128(18, 2)),
        ("discount", pa.decimal128(18, 2)),
    ]
)
_PLANNED_AHEAD = 31  # days


def order_id(world: World, number: np.ndarray) -> pa.Array:
    """The shop's order number, such as TG2503-0000042: month, and place within it."""
    months = [f"TG{month.label[2:4]}{month.label[5:]}-" for month in world.months]
    return joined(words(months, number // 10_000_000), padded(number % 10_000_000, 7))


def write_sales(folder: Path, world: World, people: People, orders: Orders) -> dict[str, int]:
    """Write a file a month for orders and order lines; gives the number of rows of each."""
    written = {"orders": 0, "order_lines": 0}
    for month in world.months:
        placed = orders.of(month)
        placed = placed.where(placed.time < world.cutoff)
        if len(placed) == 0:
            continue
        baskets = fill_baskets(world, people, placed)
        table = _orders(world, people, placed, baskets)
        written["orders"] += write_lines(
            folder / f"orders_{month.label}.csv.gz", world.draws, table, placed.number, csv_lines(","),
            _ORDER_BLEMISHES, header=",".join(table),
        )  # fmt: skip
        path = folder / f"order_lines_{month.label}.parquet"
        written["order_lines"] += put_parquet(path, _lines(world, placed, baskets))
    return written


def _orders(world: World, people: People, orders: Orders, baskets: Baskets) -> Table:
    coupons = [sale.coupon for sale in world.sales] + ["SELAMATDATANG", ""]
    coupon = np.where(baskets.campaign == WELCOME, len(coupons) - 2, baskets.campaign)
    strangers = padded(orders.number, 10, prefix="T")
    buyer = pc.if_else(pa.array(orders.contact < 0), strangers, contact_id(orders.contact))
    return {
        "order_no": order_id(world, orders.number),
        "contact": buyer,
        "ordered_at": local_time(orders.time),
        "status": words(STATUSES, states_day(world, people, orders)),
        "currency": words(["IDR"], np.zeros(len(orders), dtype=int)),
        "subtotal": numbers(baskets.subtotal),
        "discount": numbers(baskets.discount),
        "shipping": numbers(baskets.shipping),
        "tax": numbers(baskets.tax),
        "total": numbers(baskets.total),
        "coupon": words(coupons, coupon),
        "sold_through": words(CHANNELS, baskets.channel),
    }


def _lines(world: World, orders: Orders, baskets: Baskets) -> pa.Table:
    """Typed, with a few lines written twice: Parquet leaves little room for other dirt."""
    n = np.arange(len(baskets.order))
    number = orders.number[baskets.order]
    again = world.draws.chance("dirt.lines.repeated", 0.001, number, baskets.line_number)
    rows = np.sort(np.concatenate([n, n[again]]))
    number, product = number[rows], baskets.product[rows]
    columns = [
        order_id(world, number),
        pa.array(baskets.line_number[rows], pa.int32()),
        words(SKUS, product),
        words(PRODUCTS, product),
        words(CATEGORIES, product // PER_CATEGORY),
        pa.array(baskets.quantity[rows], pa.int32()),
        pa.array(baskets.unit_price[rows]).cast(pa.decimal128(19, 0)).cast(pa.decimal128(18, 2)),
        pa.array(baskets.line_discount[rows]).cast(pa.decimal128(19, 0)).cast(pa.decimal128(18, 2)),
    ]
    return pa.Table.from_arrays(columns, schema=_LINE_SCHEMA)


def write_refunds(folder: Path, world: World, people: People, orders: Orders) -> int:
    """Write refunds.csv, by time; gives the number of rows.

    Regretted orders are paid back in full, some of them with too much, and some on a date before the
    order; of the others one in thirty is paid back in part.
    """
    draws = world.draws
    regretted = among(people.archetype[orders.person], "regretter") & (orders.kind == PURCHASE)
    regretted &= states_day(world, people, orders) != CANCELLED
    partly = ~regretted & (orders.kind <= PURCHASE + 1) & draws.chance("refunds.partly", 0.033, orders.number)
    chosen = regretted | partly
    some, in_full = orders.where(chosen), regretted[chosen]

    total = fill_baskets(world, people, some).total
    days = np.where(in_full, full_refund_days(world, some), draws.integers("refunds.days", 3, 12, some.number))
    share = draws.between("refunds.share", 0.2, 0.6, some.number)
    too_much = draws.chance("refunds.too_much", 0.15, some.number)
    amount = np.where(in_full, np.where(too_much, total * 1.2, total), total * share).astype(np.int64)
    time = some.time + days * DAY
    shown = np.where(in_full & draws.chance("refunds.too_early", 0.08, some.number), some.time - DAY, time)

    rows = np.flatnonzero(time < world.cutoff)
    rows = rows[np.lexsort((some.number[rows], time[rows]))]
    order_no = order_id(world, some.number[rows])
    reason = draws.integers("refunds.reason", 0, len(names.REFUND_REASONS) - 1, some.number)
    table = {
        "refund_no": joined("RF-", order_no),
        "order_no": order_no,
        "refunded_at": local_time(shown[rows]),
        "amount": numbers(amount[rows]),
        "reason": words(names.REFUND_REASONS, reason[rows]),
    }
    return write_lines(
        folder / "refunds.csv", draws, table, some.number[rows], csv_lines(","), _REFUND_BLEMISHES,
        header=",".join(table),
    )  # fmt: skip


def write_campaigns(folder: Path, world: World) -> int:
    """Write discount_campaigns.csv: the sales known at the world's day, some weeks ahead included."""
    sales = [sale for sale in world.sales if sale.first <= world.day + _PLANNED_AHEAD]
    epoch = date(1970, 1, 1)
    table = {
        "campaign": pa.array([sale.campaign for sale in sales], pa.string()),
        "starts_on": pa.array([str(epoch + timedelta(days=sale.first)) for sale in sales], pa.string()),
        "ends_on": pa.array([str(epoch + timedelta(days=sale.last)) for sale in sales], pa.string()),
        "scope": pa.array(["all"] * len(sales), pa.string()),
    }
    path = folder / "discount_campaigns.csv"
    return write_lines(path, world.draws, table, np.arange(len(sales)), csv_lines(","), header=",".join(table))

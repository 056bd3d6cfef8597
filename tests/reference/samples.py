"""The real samples, read from their raw files: the facts that each configuration in `examples/` should land.

The samples lie beside the checkout, in `shared/data/real_samples`; they are not part of Tangga.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from tests.reference.definitions import Order, Refund

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
SAMPLES = SHARED / "data" / "real_samples"
STANDARD_11 = SHARED / "rfm_standard_11.csv"


@dataclass(frozen=True)
class Facts:
    """What a sample says. `contacts` are all people in it, whether or not they bought; `discounted` are order ids and
    `engaged` the days on which somebody did something other than buying."""

    contacts: set[str]
    orders: list[Order] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    nps_scores: list[int | None] = field(default_factory=list)
    discounted: set[str] = field(default_factory=set)
    engaged: list[tuple[str, date]] = field(default_factory=list)


@dataclass(frozen=True)
class Sample:
    """A sample, the day it is computed for and the zone of its business; `name` is its folder in `examples/`."""

    name: str
    as_of: date
    zone: str
    read: Callable[[], Facts]


def standard_11() -> dict[str, str]:
    """The scheme `standard_11`: '555' -> segment, for all 125 cells."""
    with STANDARD_11.open(encoding="utf-8", newline="") as handle:
        return {row["rfm"]: row["segment"] for row in csv.DictReader(handle)}


def read_raw(name: str) -> pd.DataFrame:
    """A raw file, every field as written."""
    return pd.read_csv(SAMPLES / name, dtype=str, keep_default_na=False)


def cents(amount: str) -> int:
    """Whole cents of a written amount, halves away from zero; '8.881784e-16' is 0."""
    return int(Decimal(amount).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP).scaleb(2))


def _instant(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def online_retail() -> Facts:
    """Invoices of a wholesaler; a cancellation refunds the latest earlier invoice that holds the same product."""
    zone = "Europe/London"
    lines = read_raw("online_retail_sample.csv.gz").drop_duplicates()
    lines["CustomerID"] = lines["CustomerID"].str.removesuffix(".0")
    totals: dict[str, int] = defaultdict(int)
    customer_of: dict[str, str] = {}
    ordered_at: dict[str, datetime] = {}
    products: dict[str, set[str]] = defaultdict(set)
    cancelled: list[tuple[str, str, str, datetime, int]] = []
    for line in lines.itertuples():
        amount = int(line.Quantity) * cents(line.UnitPrice)
        at = _instant(line.InvoiceDate, zone)
        if line.InvoiceNo.startswith("C"):
            if int(line.Quantity) < 0 and amount < 0:
                cancelled.append((line.InvoiceNo, line.CustomerID, line.StockCode, at, -amount))
        elif line.InvoiceNo[0].isdigit() and int(line.Quantity) > 0 and amount > 0 and line.CustomerID:
            totals[line.InvoiceNo] += amount
            customer_of[line.InvoiceNo] = line.CustomerID
            ordered_at[line.InvoiceNo] = min(at, ordered_at.get(line.InvoiceNo, at))
            products[line.InvoiceNo].add(line.StockCode)

    bought: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for invoice, held in products.items():
        for product in held:
            bought[customer_of[invoice], product].append((ordered_at[invoice], invoice))
    refunds = []
    for number, (invoice, customer, product, at, amount) in enumerate(cancelled):
        earlier = [sold for sold in bought.get((customer, product), []) if sold[0] <= at]
        refunds.append(Refund(f"{invoice}/{number}", max(earlier)[1] if earlier else invoice, at, amount))
    orders = [Order(no, customer_of[no], ordered_at[no], "completed", total) for no, total in totals.items()]
    return Facts(set(lines["CustomerID"]) - {""}, orders, refunds)


def complete_journey() -> Facts:
    """Baskets of a grocer's households, worth what the shop took; times are UTC."""
    lines = read_raw("completejourney_transactions_sample.csv.gz")
    lines["cents"] = lines["sales_value"].map(cents)
    lines["off"] = sum(lines[column].map(cents) for column in ("retail_disc", "coupon_disc", "coupon_match_disc"))
    orders = [
        Order(
            order_id=basket,
            customer=group["household_id"].iloc[0],
            ordered_at=_instant(group["transaction_timestamp"].iloc[0], "UTC"),
            status="completed",
            total=int(group["cents"].sum()),
        )
        for basket, group in lines.groupby("basket_id")
    ]
    people = set(lines["household_id"])
    for other in ("demographics", "campaigns", "coupon_redemptions"):
        people |= set(read_raw(f"completejourney_{other}_sample.csv")["household_id"])
    redeemed = read_raw("completejourney_coupon_redemptions_sample.csv")
    return Facts(
        people,
        orders,
        discounted={basket for basket, off in lines.groupby("basket_id")["off"].sum().items() if off > 0},
        engaged=[(row.household_id, date.fromisoformat(row.redemption_date[:10])) for row in redeemed.itertuples()],
    )


def jaffle_shop() -> Facts:
    """Orders of a sandwich shop, worth their payments in cents other than coupons."""
    people = read_raw("jaffle_shop/raw_customers.csv")
    payments = read_raw("jaffle_shop/raw_payments.csv")
    paid: dict[str, int] = defaultdict(int)
    for payment in payments.itertuples():
        if payment.payment_method != "coupon":
            paid[payment.order_id] += int(payment.amount)
    status = {"placed": "paid", "return_pending": "completed"}
    orders = [
        Order(
            order_id=order.id,
            customer=order.user_id,
            ordered_at=_instant(order.order_date, "America/New_York"),
            status=status.get(order.status, order.status),
            total=paid[order.id],
        )
        for order in read_raw("jaffle_shop/raw_orders.csv").itertuples()
    ]
    coupons = payments[payments["payment_method"] == "coupon"]
    given = {payment.order_id for payment in coupons.itertuples() if int(payment.amount) > 0}
    return Facts(set(people["id"]), orders, discounted=given)


def nps_survey() -> Facts:
    """One answer a respondent, some of them blank."""
    answers = read_raw("nps_sample.csv")
    return Facts(set(answers["id"]), nps_scores=[int(score) if score else None for score in answers["nps"]])


ALL = {
    sample.name: sample
    for sample in (
        Sample("online_retail", date(2011, 12, 10), "Europe/London", online_retail),
        Sample("complete_journey", date(2018, 1, 1), "America/New_York", complete_journey),
        Sample("jaffle_shop", date(2018, 4, 10), "America/New_York", jaffle_shop),
        Sample("nps_survey", date(2024, 1, 31), "Europe/Paris", nps_survey),
    )
}

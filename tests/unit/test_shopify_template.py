"""The `shopify` template, through landing, against a shop: what lands is what was put there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tangga.landing.normalise import hashed_id
from tests.fakes.shopify import Shopify, line
from tests.unit.apis import faults, utc
from tests.unit.inbox import DAY

MORNING = "2026-03-10T09:00:00+07:00"
NOON = "2026-03-10T12:00:00+07:00"
LONG_AGO = "2025-06-01T09:00:00+07:00"


@pytest.fixture
def shop():
    with Shopify(max_page=2, bucket=1000) as shop:
        yield shop


@pytest.fixture
def shopify(shop, by_template):
    return by_template("shopify", shop)


def words(state: str, at: str | None = NOON, level: str | None = "single_opt_in", **more) -> dict:
    return {"state": state, "opt_in_level": level, "consent_updated_at": at} | more


# ---- contacts


def people(shop) -> list[dict]:
    address = {"city": "Köln", "country_code": "DE", "phone": "0221 1234567"}
    return [
        shop.add_customer(MORNING, email="ani+shop@example.com", first_name="Ani 🎉", last_name="O'Brien", id=7),
        shop.add_customer(MORNING, email=None, phone="+6281234567890", first_name="Budi"),
        shop.add_customer(MORNING, email="Ćići@BÜCHER.example", first_name="'; drop table", default_address=address),
        shop.add_customer(MORNING, email=None, first_name=None),
        shop.add_customer(LONG_AGO, email="dewi@example.com", updated_at=NOON),
    ]


def landed_people(found) -> list[tuple]:
    return sorted(found.rows("contact_id", "email", "phone", "first_name", "last_name", "city", "country"))


def test_customers_land_as_contacts(shop, shopify):
    ani, budi, cici, nobody, dewi = (str(person["id"]) for person in people(shop))
    found = shopify.land("contacts")
    assert landed_people(found) == sorted([
        (ani, "ani+shop@example.com", None, "Ani 🎉", "O'Brien", None, None),
        (budi, None, "+6281234567890", "Budi", None, None, None),
        (cici, "ćići@xn--bcher-kva.example", None, "'; drop table", None, "Köln", "DE"),
        (nobody, None, None, None, None, None, None),
        (dewi, "dewi@example.com", None, None, None, None, None),
    ])  # fmt: skip
    times = dict(zip(found.column("contact_id"), found.rows("signup_at", "updated_at"), strict=True))
    assert times[dewi] == (utc(LONG_AGO), utc(NOON))
    assert times[ani] == (utc(MORNING), utc(MORNING))
    assert found.rejects == []
    pages = [asked.query for asked in shop.asked if asked.path.endswith("customers.json")]
    assert len(pages) == 3
    assert "updated_at_min" in pages[0]
    assert set(pages[1]) == {"limit", "page_info", "fields"}


@faults
def test_faults_amid_the_pages_change_nothing(shop, shopify, fault):
    people(shop)
    before = landed_people(shopify.land("contacts"))
    assert len(before) == 5
    tree = shopify.inbox.tree()
    fault(shop)
    assert landed_people(shopify.land("contacts")) == before
    assert shopify.inbox.tree().keys() == tree.keys()


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (lambda faults: faults.html(after=1), "not JSON"),
        (lambda faults: faults.next(401, after=1), "401"),
        (lambda faults: faults.next(503, times=9, after=1), "503"),
        (lambda faults: faults.next(500, times=9, after=2, body=b"{}"), "500"),
    ],
)
def test_what_does_not_come_right_stops_the_run(shop, shopify, order, told):
    people(shop)
    order(shop.faults)
    assert told in shopify.refused("contacts")


def test_a_wrong_token_is_refused_at_once(shop, shopify):
    people(shop)
    shop.token = "another"
    assert "401" in shopify.refused("contacts")
    assert len(shop.asked) == 1


def test_a_day_is_what_changed_in_it(shop, shopify):
    edges = {
        "before": "2026-03-09T23:59:59+07:00",
        "first": "2026-03-10T00:00:00+07:00",
        "last": "2026-03-10T23:59:59+07:00",
        "late": "2026-03-11T00:00:01+07:00",
    }
    for name, at in edges.items():
        shop.add_customer(at, first_name=name)
    assert set(shopify.land("contacts", spec={"look_back_days": 0}).column("first_name")) == {"first", "last"}
    assert set(shopify.land("contacts").column("first_name")) == {"before", "first", "last"}
    assert shopify.land("orders").rows("order_id") == []


def test_a_long_look_back_brings_the_history(shop, shopify):
    old = shop.add_customer(LONG_AGO)
    assert shopify.land("contacts", spec={"look_back_days": 3650}).column("contact_id") == [str(old["id"])]


# ---- consents


def test_consents_are_what_was_said(shop, shopify):
    def add(email=None, sms=None, **fields) -> str:
        said = {"email_marketing_consent": email or words("not_subscribed", None, None), "sms_marketing_consent": sms}
        return str(shop.add_customer(LONG_AGO, updated_at=NOON, **said, **fields)["id"])

    yes = add(words("subscribed", MORNING))
    double = add(words("subscribed", MORNING, "confirmed_opt_in"))
    old_yes = add(words("subscribed", None, "unknown"))
    no = add(words("unsubscribed", MORNING))
    old_no = add(words("unsubscribed", None))
    pending = add(words("pending", MORNING))
    redacted = add(words("redacted", None))
    invalid = add(words("invalid", None))
    both = add(words("unsubscribed", MORNING), words("subscribed", NOON, consent_collected_from="SHOPIFY"))
    add()
    add(None, words("not_subscribed", None))
    found = shopify.land("consents")
    assert sorted(found.rows("contact_id", "channel", "status", "status_at", "method", "source")) == sorted([
        (yes, "email", "granted", utc(MORNING), "single_opt_in", None),
        (double, "email", "granted", utc(MORNING), "double_opt_in", None),
        (old_yes, "email", "granted", utc(LONG_AGO), None, None),
        (no, "email", "revoked", utc(MORNING), "single_opt_in", None),
        (old_no, "email", "revoked", utc(NOON), "single_opt_in", None),
        (pending, "email", "denied", utc(MORNING), "single_opt_in", None),
        (redacted, "email", "revoked", utc(NOON), "single_opt_in", None),
        (invalid, "email", "denied", utc(NOON), "single_opt_in", None),
        (both, "email", "revoked", utc(MORNING), "single_opt_in", None),
        (both, "sms", "granted", utc(NOON), "single_opt_in", "shopify"),
    ])  # fmt: skip
    assert found.rejects == []


def test_a_no_after_midnight_is_heard(shop, shopify):
    shop.add_customer("2026-03-11T03:00:00+07:00", email_marketing_consent=words("unsubscribed", None))
    assert shopify.land("consents").column("status") == ["revoked"]
    assert shopify.land("contacts").rows("contact_id") == []


def test_a_state_that_nobody_knows_is_not_taken_for_a_yes(shop, shopify):
    customer = shop.add_customer(MORNING, email_marketing_consent=words("paused"))
    found = shopify.land("consents")
    assert found.rows("contact_id") == []
    assert found.manifest.reject_share > found.settings.sources["tool"].entities["consents"].max_reject_share == 0
    assert [reason for _, _, reason in found.rejects] == ["status is not one of granted, denied, revoked"]
    assert str(customer["id"]) not in str(found.rejects)


# ---- orders


def test_amounts_of_orders_are_the_shops(shop, shopify):
    ani = shop.add_customer(MORNING, email="ani@example.com")
    plain = shop.add_order([line(1, 2, "10.00"), line(2, 1, "5.50")], MORNING, ani, shipping="3.00", tax="1.10")
    bargain = shop.add_order([line(1, 1, "10.00", "2.50")], MORNING, ani, codes=("MARCH10", "VIP"))
    free = shop.add_order([line(1, 3, "10.00", "30.00")], MORNING, ani, codes=("ALLFREE",))
    no_shipping = shop.add_order([line(1, 1, "10.00")], MORNING, ani, shipping="4.00", shipping_discount="4.00")
    abroad = shop.add_order([line(1, 1, "150000.00")], MORNING, ani, shipping="1.00", buyer=("EUR", "0.000055"))
    columns = "order_id", "currency", "total_amount", "subtotal_amount", "discount_amount", "shipping_amount"
    found = shopify.land("orders")
    assert sorted(found.rows(*columns, "tax_amount", "coupon_code")) == sorted(
        (str(order["id"]), "IDR", *map(Decimal, amounts), coupon)
        for order, amounts, coupon in [
            (plain, ("29.60", "25.50", "0.00", "3.00", "1.10"), None),
            (bargain, ("7.50", "10.00", "2.50", "0.00", "0.00"), "MARCH10|VIP"),
            (free, ("0.00", "30.00", "30.00", "0.00", "0.00"), "ALLFREE"),
            (no_shipping, ("10.00", "10.00", "4.00", "0.00", "0.00"), None),
            (abroad, ("150001.00", "150000.00", "0.00", "1.00", "0.00"), None),
        ]
    )
    assert set(found.rows("contact_id", "ordered_at")) == {(str(ani["id"]), utc(MORNING))}


def test_an_order_stands_where_its_money_and_parcels_do(shop, shopify):
    states = {
        "paid": {},
        "paid, part sent": {"fulfillment_status": "partial"},
        "shipped": {"fulfillment_status": "fulfilled"},
        "completed": {"fulfillment_status": "fulfilled", "closed_at": NOON},
        "partly refunded": {"financial_status": "partially_refunded"},
        "refunded": {"financial_status": "refunded", "fulfillment_status": "fulfilled", "closed_at": NOON},
        "pending": {"financial_status": "pending"},
        "authorized": {"financial_status": "authorized"},
        "partly paid": {"financial_status": "partially_paid"},
        "cash on delivery, sent": {"financial_status": "pending", "fulfillment_status": "fulfilled"},
        "expired": {"financial_status": "expired"},
        "voided": {"financial_status": "voided"},
        "cancelled": {"cancelled_at": NOON, "financial_status": "refunded"},
        "cancelled unpaid": {"cancelled_at": NOON, "financial_status": "pending"},
        "test": {"test": True},
    }
    ani = shop.add_customer(MORNING)
    ids = {name: str(shop.add_order([line(1, 1, "10.00")], MORNING, ani, **f)["id"]) for name, f in states.items()}
    landed = dict(shopify.land("orders").rows("order_id", "status"))
    assert {name: landed.get(identity) for name, identity in ids.items()} == {
        "paid": "paid",
        "paid, part sent": "paid",
        "shipped": "shipped",
        "completed": "completed",
        "partly refunded": "paid",
        "refunded": "refunded",
        "pending": "pending",
        "authorized": "pending",
        "partly paid": "pending",
        "cash on delivery, sent": "pending",
        "expired": "cancelled",
        "voided": "cancelled",
        "cancelled": "cancelled",
        "cancelled unpaid": "cancelled",
        "test": None,
    }


def test_the_company_may_see_a_state_otherwise(shop, shopify):
    shop.add_order([line(1, 1, "10.00")], MORNING, shop.add_customer(MORNING), financial_status="authorized")
    own = {"columns": {"status": {"map": {"authorized": "paid"}}}}
    assert shopify.land("orders", spec=own).column("status") == ["paid"]


def test_guests_are_known_by_their_address_of_which_a_hash_is_kept(shop, shopify):
    one = [line(1, 1, "10.00")]
    by_email = shop.add_order(one, MORNING, email="Guest+1@Example.com")
    by_contact = shop.add_order(one, MORNING, email="", contact_email="other@example.com")
    by_phone = shop.add_order(one, MORNING, phone="+6281234567890")
    nobody = shop.add_order(one, MORNING, source_name="pos")
    found = shopify.land("orders")
    assert sorted(found.rows("order_id", "contact_id")) == [
        (str(by_email["id"]), hashed_id("guest+1@example.com")),
        (str(by_contact["id"]), hashed_id("other@example.com")),
        (str(by_phone["id"]), hashed_id("+6281234567890")),
    ]
    assert [reason for _, _, reason in found.rejects] == ["contact_id is missing"]
    assert nobody["customer"] is None
    shop.add_order(one, NOON, email="Guest+1@Example.com")
    shop.add_order(one, NOON, email="tester@example.com", test=True)
    ani = shop.add_customer(MORNING, email="ani@example.com")
    shop.add_order(one, NOON, ani)
    assert sorted(shopify.land("contacts").rows("contact_id", "email", "phone", "updated_at")) == sorted([
        (hashed_id("guest+1@example.com"), "guest+1@example.com", None, utc(NOON)),
        (hashed_id("other@example.com"), "other@example.com", None, utc(MORNING)),
        (hashed_id("+6281234567890"), None, "+6281234567890", utc(MORNING)),
        (str(ani["id"]), "ani@example.com", None, utc(MORNING)),
    ])  # fmt: skip


def test_an_order_that_moved_from_day_to_day_lands_in_each(shop, shopify):
    order = shop.add_order([line(1, 1, "10.00")], "2026-03-10T08:00:00+07:00", shop.add_customer(MORNING))
    assert shopify.land("orders").column("status") == ["paid"]
    order |= {"cancelled_at": "2026-03-12T08:00:00+07:00", "updated_at": "2026-03-12T08:00:00+07:00"}
    assert shopify.land("orders", DAY.replace(day=12)).column("status") == ["cancelled"]
    assert shopify.land("orders", DAY.replace(day=11)).column("status") == []


# ---- order lines


def test_lines_keep_their_place_and_all_their_discounts(shop, shopify):
    ani = shop.add_customer(MORNING)
    order = shop.add_order(
        [
            line(11, 2, "10.00", "4.00", "Kopi 🎉 'Toraja'"),
            line(None, 1, "7.25", title="Gift wrap", sku="007"),
            line(None, 3, "1.00", title="Custom"),
            line(12, 1, "150000.00"),
        ],
        MORNING,
        ani,
        buyer=("EUR", "0.000055"),
    )
    order["line_items"][3]["current_quantity"] = 0
    other = shop.add_order([line(11, 1, "10.00", "10.00")], MORNING, ani)
    shop.add_order([line(11, 1, "10.00")], MORNING, ani, test=True)
    columns = "order_id", "line_number", "product_id", "product_name", "quantity", "unit_price", "discount_amount"
    number, second = str(order["id"]), str(other["id"])
    assert sorted(shopify.land("order_lines").rows(*columns)) == [
        (number, 1, "11", "Kopi 🎉 'Toraja'", Decimal(2), Decimal("10.00"), Decimal("4.00")),
        (number, 2, "007", "Gift wrap", Decimal(1), Decimal("7.25"), Decimal("0.00")),
        (number, 3, "Custom", "Custom", Decimal(3), Decimal("1.00"), Decimal("0.00")),
        (number, 4, "12", "Kopi", Decimal(1), Decimal("150000.00"), Decimal("0.00")),
        (second, 1, "11", "Kopi", Decimal(1), Decimal("10.00"), Decimal("10.00")),
    ]


# ---- refunds


def test_refunds_are_what_was_paid_back(shop, shopify):
    ani = shop.add_customer(MORNING)
    part = shop.add_order([line(1, 1, "100.00")], LONG_AGO, ani)
    first = shop.refund(part, MORNING, "10.00", note="broken")
    second = shop.refund(part, NOON, "20.00", "5.25")
    whole = shop.add_order([line(1, 1, "99.99")], LONG_AGO, ani)
    all_of_it = shop.refund(whole, NOON, "99.99")
    abroad = shop.add_order([line(1, 1, "150000.00")], LONG_AGO, ani, buyer=("EUR", "0.000055"))
    foreign = shop.refund(abroad, NOON, "150000.00")
    exchanged = shop.add_order([line(1, 1, "100.00")], LONG_AGO, ani)
    shop.refund(exchanged, NOON)
    failed = shop.add_order([line(1, 1, "100.00")], LONG_AGO, ani)
    shop.refund(failed, NOON, "100.00")["transactions"][0]["status"] = "failure"
    shop.refund(failed, NOON, "50.00", kind="void")
    trial = shop.add_order([line(1, 1, "100.00")], LONG_AGO, ani, test=True)
    shop.refund(trial, NOON, "100.00")
    assert sorted(shopify.land("refunds").rows("refund_id", "order_id", "refunded_at", "amount", "reason")) == sorted([
        (str(first["id"]), str(part["id"]), utc(MORNING), Decimal("10.00"), None),
        (str(second["id"]), str(part["id"]), utc(NOON), Decimal("25.25"), None),
        (str(all_of_it["id"]), str(whole["id"]), utc(NOON), Decimal("99.99"), None),
        (str(foreign["id"]), str(abroad["id"]), utc(NOON), Decimal("150000.00"), None),
    ])  # fmt: skip


def test_a_shop_without_orders_lands_nothing(shop, shopify):
    for entity in ("orders", "order_lines", "refunds", "consents", "contacts"):
        assert shopify.land(entity).manifest.rows == 0

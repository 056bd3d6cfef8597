"""Exports as the tools write them, landed by their templates: exact rows, with the awkward ones among them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal

import pandas as pd
import pytest
import yaml

from tangga import landing, settings
from tangga.landing.normalise import hashed_id
from tests.reference import samples
from tests.unit.inbox import BUSINESS, DAY, Landed

ANI = hashed_id("ani@example.com")
LONG_AGO = datetime(1970, 1, 1)


@pytest.fixture
def land(inbox):
    """Land one entity of a source that is a template and nothing else."""

    def landed(template, entity, **source):
        config = {"business": BUSINESS, "sources": {"shop": {"template": template, "path": "inbox"} | source}}
        path = inbox.root / "tangga.yml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        known = settings.load(path, inbox.root / "home")
        return Landed(known, landing.land(known, "shop", entity, DAY))

    return landed


def export(header: str, *rows: dict) -> str:
    """A CSV file with these columns, of which each row fills some."""
    text = io.StringIO()
    writer = csv.DictWriter(text, next(csv.reader([header])), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# ---- Shopify

CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags"
)
ORDERS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Phone,Receipt Number,Duties,Payment ID,Payment Terms Name"
)


def order(name: str, email: str = "Ani@Example.com", status: str = "paid", **rest) -> dict:
    return {
        "Name": name, "Email": email, "Financial Status": status, "Currency": "IDR", "Subtotal": "90.00",
        "Shipping": "5.00", "Taxes": "9.00", "Total": "104.00", "Discount Code": "TEN", "Discount Amount": "10.00",
        "Created at": "2026-03-01 10:00:00 +0700", "Refunded Amount": "0.00", "Source": "web",
    } | line(name, email) | rest  # fmt: skip


def line(name: str, email: str = "Ani@Example.com", sku: str = "C-1", quantity: str = "1") -> dict:
    return {
        "Name": name, "Email": email, "Lineitem quantity": quantity, "Lineitem name": f"Coffee {sku}",
        "Lineitem price": "50.00", "Lineitem sku": sku, "Lineitem discount": "0.00", "Vendor": "Toko",
    }  # fmt: skip


@pytest.fixture
def shopify(inbox, land):
    customers = export(
        CUSTOMERS,
        {"Customer ID": "'6001", "First Name": "Ani", "Email": "Ani@Example.com", "Accepts Email Marketing": "yes",
         "Default Address City": "Jakarta", "Default Address Country Code": "ID", "Default Address Phone": "",
         "Phone": "'+6281234567890", "Accepts SMS Marketing": "no", "Note": "said:\n\"call, please\"\nthanks"},
        {"Customer ID": "'6002", "First Name": "Budi", "Accepts Email Marketing": "no", "Accepts SMS Marketing": "",
         "Phone": "'+6281234567891"},
        {"Customer ID": "'6003", "First Name": "Çelik", "Accepts Email Marketing": "no", "Accepts SMS Marketing": "no"},
    )  # fmt: skip
    inbox.put("customers_export.csv", "\ufeff" + customers)
    inbox.put(
        "orders_export_1.csv",
        export(
            ORDERS,
            order("#1001", **{"Fulfillment Status": "fulfilled", "Notes": "line 1\nline 2, with \"quotes\""}),
            line("#1001", sku="C-2", quantity="2"),
            line("#1001", sku=""),
            order("#1002", status="partially_refunded", **{"Refunded Amount": "54.00"}),
            order("#1003", status="refunded",
                  **{"Refunded Amount": "104.00", "Cancelled at": "2026-03-02 10:00:00 +0700"}),
            order("#1004", status="voided"),
            order("#1005", status="pending"),
            order("#1006", email="", **{"Discount Amount": "", "Source": "pos"}),
            order("#1007", email="", Phone="'+6281234567891"),
            order("#1008", status="refunded", **{"Refunded Amount": "104.00"}),
        ),
    )  # fmt: skip
    return lambda entity, **source: land("shopify_csv", entity, **source)


BUDI = hashed_id("+6281234567891")


def test_shopify_contacts(shopify):
    assert sorted(shopify("contacts").rows("contact_id", "email", "phone", "first_name", "city", "updated_at")) == [
        ("6003", None, None, "Çelik", None, LONG_AGO),
        (ANI, "ani@example.com", "+6281234567890", "Ani", "Jakarta", LONG_AGO),
        (BUDI, None, "+6281234567891", "Budi", None, LONG_AGO),
    ]


def test_shopify_consents(shopify):
    """A no is as new as the export; a yes is older than whatever another source knows."""
    no = datetime(2026, 3, 10)
    result = shopify("consents")
    assert sorted(result.rows("contact_id", "channel", "status", "status_at")) == sorted([
        (ANI, "email", "granted", LONG_AGO),
        (ANI, "sms", "denied", no),
        (BUDI, "email", "denied", no),
        ("6003", "email", "denied", no),
        ("6003", "sms", "denied", no),
    ])  # fmt: skip
    assert result.rejects == []


def test_shopify_consents_that_are_neither_yes_nor_no_are_not_overlooked(shopify, inbox):
    inbox.put("customers_export.csv", export(CUSTOMERS, {"Customer ID": "'1", "Accepts Email Marketing": "maybe"}))
    assert shopify("consents").faults == [(2, "status is not one of granted, denied, revoked")]


def test_shopify_orders(shopify):
    result = shopify("orders")
    assert result.rejects == []
    assert sorted(result.rows("order_id", "contact_id", "status", "channel")) == [
        ("#1001", ANI, "shipped", "web"),
        ("#1002", ANI, "paid", "web"),
        ("#1003", ANI, "cancelled", "web"),
        ("#1004", ANI, "cancelled", "web"),
        ("#1005", ANI, "pending", "web"),
        ("#1006", "guest #1006", "paid", "pos"),
        ("#1007", BUDI, "paid", "web"),
        ("#1008", ANI, "refunded", "web"),
    ]
    amounts = ("subtotal_amount", "discount_amount", "shipping_amount", "tax_amount", "total_amount")
    assert result.rows("ordered_at", "coupon_code", *amounts)[0] == (
        datetime(2026, 3, 1, 3), "TEN", *map(Decimal, ("100.00", "10.00", "5.00", "9.00", "104.00")),
    )  # fmt: skip


def test_shopify_order_lines(shopify):
    found = sorted(shopify("order_lines").rows("order_id", "line_number", "product_id", "quantity", "unit_price"))
    assert found[:3] == [
        ("#1001", 1, "C-1", Decimal(1), Decimal(50)),
        ("#1001", 2, "C-2", Decimal(2), Decimal(50)),
        ("#1001", 3, "Coffee", Decimal(1), Decimal(50)),
    ]
    assert len(found) == 10


def test_shopify_refunds(shopify):
    assert sorted(shopify("refunds").rows("refund_id", "order_id", "refunded_at", "amount")) == [
        ("#1002 refund", "#1002", datetime(2026, 3, 1, 3), Decimal(54)),
        ("#1003 refund", "#1003", datetime(2026, 3, 2, 3), Decimal(104)),
        ("#1008 refund", "#1008", datetime(2026, 3, 1, 3), Decimal(104)),
    ]


def test_shopify_orders_of_two_exports_count_once(shopify, inbox):
    newer = export(ORDERS, order("#1005", status="paid"), line("#1005", sku="C-9"))
    inbox.put("orders_export_2.csv", newer)
    assert dict(shopify("orders").rows("order_id", "status"))["#1005"] == "paid"
    lines = [row for row in shopify("order_lines").rows("order_id", "product_id") if row[0] == "#1005"]
    assert sorted(lines) == [("#1005", "C-1"), ("#1005", "C-9")]


def test_shopify_status_that_is_new_is_rejected(shopify, inbox):
    inbox.put("orders_export_1.csv", export(ORDERS, order("#1", status="on_the_moon")))
    assert [reason.split(",")[0] for _, reason in shopify("orders").faults] == ["status is not one of pending"]


# ---- Mailchimp

MEMBERS = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)


@pytest.fixture
def mailchimp(inbox, land):
    changed = {"LAST_CHANGED": "2026-03-05 09:00:00", "CC": "ID"}
    inbox.put("subscribed_members_export_ab12.csv", export(
        MEMBERS,
        {"Email Address": "Ani@Example.com", "First Name": "Ani", "OPTIN_TIME": "2026-01-02 10:00:00",
         "CONFIRM_TIME": "2026-01-02 10:05:00", "CONFIRM_IP": "203.0.113.7", "TAGS": '"vip","a, b"'} | changed,
        {"Email Address": "eka@example.com", "CONFIRM_TIME": "2026-01-03 10:00:00"} | changed,
    ))  # fmt: skip
    unsubscribed = MEMBERS + ",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
    inbox.put("unsubscribed_members_export_ab12.csv", export(
        unsubscribed,
        {"Email Address": "budi@example.com", "OPTIN_TIME": "2026-01-02 10:00:00", "UNSUB_TIME": "2026-02-02 10:00:00",
         "CONFIRM_TIME": "2026-01-02 10:00:00", "UNSUB_REASON_OTHER": "too many,\nreally"} | changed,
    ))  # fmt: skip
    inbox.put("cleaned_members_export_ab12.csv", export(
        MEMBERS + ",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID",
        {"Email Address": "gone@example.com", "CONFIRM_TIME": "2026-01-02 10:00:00",
         "CLEAN_TIME": "2026-02-03 10:00:00"} | changed,
    ))  # fmt: skip
    return lambda entity: land("mailchimp_csv", entity)


def test_mailchimp(mailchimp, inbox):
    consents = mailchimp("consents")
    assert consents.rejects == []
    assert sorted(consents.rows("email", "status", "status_at", "method")) == [
        ("ani@example.com", "granted", datetime(2026, 1, 2, 10, 5), "double_opt_in"),
        ("budi@example.com", "revoked", datetime(2026, 2, 2, 10), None),
        ("eka@example.com", "granted", datetime(2026, 1, 3, 10), "import"),
        ("gone@example.com", "revoked", datetime(2026, 2, 3, 10), None),
    ]
    contacts = mailchimp("contacts").rows("email", "first_name", "country", "updated_at", "contact_id")
    assert {row[0] for row in contacts} == {f"{name}@example.com" for name in ("ani", "budi", "eka", "gone")}
    assert ("ani@example.com", "Ani", "ID", datetime(2026, 3, 5, 9), ANI) in contacts


@pytest.mark.parametrize("kind", ["subscribed", "unsubscribed", "cleaned"])
def test_mailchimp_without_one_of_its_files_lands_nothing(mailchimp, inbox, kind):
    (inbox.folder / f"{kind}_members_export_ab12.csv").unlink()
    with pytest.raises(Exception, match=f"no file matches '{kind}_members_export"):
        mailchimp("consents")


# ---- HubSpot, Zendesk


def test_hubspot(inbox, land):
    header = (
        "Record ID,First Name,Last Name,Email,Phone Number,Create Date,Last Modified Date,City,Country/Region,"
        "Original Source,Unsubscribed from all email,Lifecycle Stage"
    )
    times = {"Create Date": "2026-01-01 09:14", "Last Modified Date": "2026-03-01 10:00"}
    inbox.put("hubspot-crm-exports-all-contacts-2026-03-10.csv", "\ufeff" + export(
        header,
        {"Record ID": "101", "Email": "ani@example.com", "Country/Region": "Indonesia",
         "Unsubscribed from all email": "true"} | times,
        {"Record ID": "102", "First Name": "Budi", "Phone Number": "'0812-3456-7891",
         "Unsubscribed from all email": "false"} | times,
        {"Record ID": "103", "Email": "eka@example.com"} | times,
    ))  # fmt: skip
    assert sorted(land("hubspot_csv", "contacts").rows("contact_id", "email", "phone", "signup_at", "updated_at")) == [
        ("101", "ani@example.com", None, datetime(2026, 1, 1, 9, 14), datetime(2026, 3, 1, 10)),
        ("102", None, "+6281234567891", datetime(2026, 1, 1, 9, 14), datetime(2026, 3, 1, 10)),
        ("103", "eka@example.com", None, datetime(2026, 1, 1, 9, 14), datetime(2026, 3, 1, 10)),
    ]  # fmt: skip
    consents = land("hubspot_csv", "consents").rows("contact_id", "channel", "status", "status_at")
    assert consents == [("101", "email", "revoked", datetime(2026, 3, 1, 10))]


def test_zendesk(inbox, land):
    header = (
        "Summation column,Id,Requester,Requester id,Requester external id,Requester email,Requester domain,Submitter,"
        "Assignee,Group,Subject,Tags,Status,Priority,Via,Ticket type,Created at,Updated at,Assigned at,Organization,"
        "Due date,Initially assigned at,Solved at,Resolution time,Satisfaction Score,Group stations,Assignee stations,"
        "Reopens,Replies,First reply time in minutes,First reply time in minutes within business hours"
    )
    ticket = {"Requester id": "77", "Requester email": "ani@example.com", "Status": "Solved", "Via": "Email",
              "Created at": "2026-03-01 10:00", "Reopens": "1", "Subject": "Late,\n\"again\""}  # fmt: skip
    inbox.put("export-2026-03-10.csv", export(
        header,
        ticket | {"Id": "1", "Ticket type": "Incident", "Solved at": "2026-03-02 10:00", "Satisfaction Score": "Bad",
                  "First reply time in minutes": "90"},
        ticket | {"Id": "2", "Ticket type": "-", "Solved at": "-", "Satisfaction Score": "Not Offered", "Reopens": "0"},
        ticket | {"Id": "3", "Ticket type": "Task", "Status": "Deleted"},
        ticket | {"Id": "4", "Ticket type": "Task", "Satisfaction Score": "Good"},
    ))  # fmt: skip
    result = land("zendesk_csv", "tickets")
    assert result.rejects == []
    columns = ("ticket_id", "contact_id", "kind", "first_replied_at", "resolved_at", "reopened_count", "csat_score")
    assert sorted(result.rows(*columns)) == [
        ("1", "77", "complaint", datetime(2026, 3, 1, 11, 30), datetime(2026, 3, 2, 10), 1, 1),
        ("2", "77", "question", None, None, 0, None),
        ("4", "77", "request", None, None, 1, 5),
    ]


# ---- events


def jsonl(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_ga4(inbox, land):
    def event(name, micros, user=None, items=None, **params):
        kinds = {int: "int_value", str: "string_value", float: "double_value"}
        row = {
            "event_date": "20260301", "event_timestamp": str(micros), "event_name": name, "user_pseudo_id": "12.34",
            "event_params": [{"key": key, "value": {kinds[type(value)]: value}} for key, value in params.items()],
            "platform": "WEB",
        }  # fmt: skip
        return row | ({"user_id": user} if user else {}) | ({"items": items} if items else {})

    first = event("page_view", 1772359200123456, ga_session_id=987, page_location="https://shop.example/a?b=1")
    view = event("view_item", 1772359201000000, items=[{"item_id": "C-1", "price": 5.5}], ga_session_id=987)
    inbox.put("events_20260301.jsonl", jsonl(first, first, view))
    columns = ("event_type", "occurred_at", "contact_id", "anonymous_id", "session_id", "product_id", "channel", "url")
    result = land("ga4_jsonl", "events")
    assert (result.rejects, result.manifest.repeated) == ([], 1)
    assert result.rows(*columns) == [
        ("page_view", datetime(2026, 3, 1, 10, 0, 0, 123456), None, "12.34", "987", None, "web",
         "https://shop.example/a?b=1"),
        ("product_view", datetime(2026, 3, 1, 10, 0, 1), None, "12.34", "987", "C-1", "web", None),
    ]  # fmt: skip
    inbox.put("events_20260302.jsonl", jsonl(event("begin_checkout", 1772445600000000, user="77", value=9.5)))
    found = land("ga4_jsonl", "events").rows("event_type", "contact_id", "session_id")
    assert sorted(found)[0] == ("checkout", "77", None)
    assert len(set(land("ga4_jsonl", "events").column("event_id"))) == 3


def test_snowplow(inbox, land):
    event = {"event_id": "e1", "collector_tstamp": "2026-03-01T10:00:00.000Z", "event": "page_view",
             "domain_userid": "d-1", "network_userid": "n-1", "platform": "web"}  # fmt: skip
    inbox.put("run=1/part.jsonl", jsonl(
        event,
        event | {"event_id": "e2", "derived_tstamp": "2026-03-01T09:59:00.000Z", "event_name": "add_to_cart",
                 "user_id": "77", "platform": "mob", "unstruct_event": {"data": {"sku": "C-1"}}},
    ))  # fmt: skip
    columns = ("event_id", "event_type", "occurred_at", "contact_id", "anonymous_id", "channel", "properties")
    assert sorted(land("snowplow_jsonl", "events").rows(*columns)) == [
        ("e1", "page_view", datetime(2026, 3, 1, 10), None, "d-1", "web", None),
        ("e2", "add_to_cart", datetime(2026, 3, 1, 9, 59), "77", "d-1", "app", '{"data":{"sku":"C-1"}}'),
    ]


# ---- the tables of the tools' interfaces, as others load them

SEEDS = samples.SAMPLES / "saas_seeds"
TABLES = {
    "shopify_customer_data": ("dbt_shopify", "contacts", {"contact_id": "id", "updated_at": "updated_at"}),
    "shopify_order_data": (
        "dbt_shopify",
        "orders",
        {"order_id": "id", "contact_id": "customer_id", "ordered_at": "created_at", "total_amount": "total_price",
         "status": {"column": "financial_status", "map": {"partially_refunded": "paid", "voided": "cancelled"}}},
    ),
    "member": (
        "dbt_mailchimp",
        "consents",
        {"email": "email_address", "contact_id": "id", "channel": {"value": "email"}, "status_at": "last_changed",
         "status": {"column": "status", "map": {"subscribed": "granted", "unsubscribed": "revoked",
                                                "cleaned": "revoked", "archived": "revoked"}},
         "source": {"value": "mailchimp"}, "ip": "ip_opt"},
    ),
    "ticket_data": (
        "dbt_zendesk",
        "tickets",
        {"ticket_id": "id", "contact_id": "requester_id", "opened_at": "created_at", "kind": {"value": "question"}},
    ),
}  # fmt: skip


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the real samples are not part of Tangga")
@pytest.mark.parametrize("table", TABLES)
def test_tables_of_the_interfaces_can_be_mapped(inbox, table):
    folder, entity, columns = TABLES[table]
    content = (SEEDS / folder / f"{table}.csv").read_bytes()
    inbox.put(f"{table}.csv", content)
    rates = inbox.put("rates.csv", "rate_date,currency,rate\n2020-09-01,GBP,19000\n2020-09-01,USD,15000\n")
    known = {"reference": {"exchange_rates": str(rates)}, "rules": {"currency": {"max_rate_age_days": 3650}}}
    result = inbox.land(entity, spec={"path": f"{table}.csv", "columns": columns, "max_reject_share": 1}, **known)
    frame = pd.read_csv(io.BytesIO(content), dtype=str, encoding="utf-8-sig").fillna("")
    source = {name: given if isinstance(given, str) else given.get("column") for name, given in columns.items()}
    needed = [source[name] for name in ("contact_id", "order_id", "ticket_id", "status") if source.get(name)]
    whole = frame[(frame[needed] != "").all(axis=1)]
    assert result.manifest.rows + result.manifest.repeated == len(whole) > 2
    assert result.manifest.rejected == len(frame) - len(whole)
    key = {"contacts": "contact_id", "orders": "order_id", "consents": "contact_id", "tickets": "ticket_id"}[entity]
    assert set(result.column(key)) == set(whole[source[key]])
    if entity == "orders":
        assert sum(result.column("total_amount")) == sum(map(Decimal, whole["total_price"]))

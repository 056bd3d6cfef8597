"""PostgreSQL: its types and names, as they land."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.unit.shop import AT, CONTACTS, contacts


def test_amounts_are_exact_and_what_is_no_amount_is_rejected(crm):
    crm.run(
        "create table refunds (refund_id numeric, order_id bigint, refunded_at timestamptz, "
        "amount numeric, f double precision, m money)",
        f"""insert into refunds values
            (1, 9007199254740993, '{AT}', 0.10, 1e-3, 1.50), (2, 1, '{AT}', 'NaN', 0, 0),
            (3, 1, '{AT}', 'Infinity', 0, 0), (4, 1, '{AT}', 123456789012345.67, 0, 0), (5, 1, '{AT}', 1e30, 0, 0),
            (6, 1, '{AT}', null, 'NaN', 0), (7, 1, '{AT}', 2.675, 'Infinity', -3)""",
    )
    result = crm.land("refunds", {"max_reject_share": 1})
    assert result.rows("refund_id", "order_id", "amount") == [
        ("1", "9007199254740993", Decimal("0.10")),
        ("4", "1", Decimal("123456789012345.67")),
        ("7", "1", Decimal("2.68")),
    ]
    assert [reason for _, _, reason in result.rejects] == ["amount is not an amount"] * 3 + ["amount is missing"]
    floats = crm.land("refunds", {"columns": {"amount": "f"}})
    assert floats.column("refund_id") == ["1", "2", "3", "4", "5"]
    money = crm.land("refunds", {"columns": {"amount": "m"}})
    assert money.column("amount")[0] == Decimal("1.50")
    assert [reason for _, _, reason in money.rejects] == ["amount is below 0"]


def test_times_with_and_without_a_zone_infinite_and_out_of_sight(crm):
    crm.run(
        "create table contacts (contact_id int, updated_at timestamptz, signup_at timestamp, birth_date date)",
        """insert into contacts values
            (1, '2026-03-01 10:00:00.123456+07', '2026-03-01 10:00', '1990-02-28'),
            (2, 'infinity', null, null), (3, '-infinity', null, null), (4, '2026-03-01Z', 'infinity', '-infinity'),
            (5, '294275-01-01Z', null, null), (6, '2026-03-01Z', '0044-03-15 BC', '0044-03-15 BC'),
            (7, null, null, null)""",
    )
    result = crm.land(time_zone="Europe/Berlin")
    assert result.rows("contact_id", "updated_at", "signup_at", "birth_date") == [
        ("4", datetime(2026, 3, 1), None, None),
        ("6", datetime(2026, 3, 1), None, None),
        ("1", datetime(2026, 3, 1, 3, 0, 0, 123456), datetime(2026, 3, 1, 9), date(1990, 2, 28)),
    ]
    assert (
        sorted(reason for _, _, reason in result.rejects)
        == ["updated_at is missing"] + ["updated_at is not a time"] * 3
    )
    assert result.manifest.emptied == {"signup_at": 2, "birth_date": 2}


def test_json_arrays_and_types_that_arrow_has_not(crm):
    crm.run(
        "create type mood as enum ('sad', 'glad')",
        "create domain nickname as text",
        "create table events (event_id uuid, occurred_at timestamptz, event_type mood, contact_id char(5), "
        "properties jsonb, channel nickname, url text[], session_id inet, cart_id interval, product_id bool)",
        f"""insert into events values ('00000000-0000-0000-0000-00000000000a', '{AT}', 'glad', '007',
            '{{"a": [1.10, null], "b": "ü"}}', 'x', array['a', 'b,"c"', null], '10.0.0.1', '1 day', true)""",
    )
    result = crm.land("events")
    [(event, kind, contact, properties, channel, url, session, cart, product)] = result.rows(
        "event_id", "event_type", "contact_id", "properties", "channel", "url", "session_id", "cart_id", "product_id"
    )
    assert (event, kind, contact) == ("00000000-0000-0000-0000-00000000000a", "glad", "007")
    assert properties == '{"a": [1.10, null], "b": "ü"}'
    assert json.loads(url) == ["a", 'b,"c"', None]
    assert (channel, session, cart, product) == ("x", "10.0.0.1/32", "P1D", "true")


def test_two_schemas_hold_tables_of_one_name(crm):
    crm.run("create schema shop_a", 'create schema "Shop.B"')
    for schema, name in (("shop_a", "Ani"), ('"Shop.B"', "Budi")):
        crm.run(
            CONTACTS.replace("contacts", f"{schema}.contacts"), contacts(name).replace("contacts", f"{schema}.contacts")
        )
    first = crm.land(spec={"table": "shop_a.contacts"})
    assert first.rows("first_name", "_file") == [("Ani", "shop_a.contacts")]
    assert crm.land(spec={"table": '"Shop.B".contacts'}).column("first_name") == ["Budi"]
    assert "there is no such table" in crm.refused(spec={"table": "contacts"})
    assert "there is no such table" in crm.refused(spec={"table": "nowhere.contacts"})


def test_columns_that_differ_in_case_only(crm):
    crm.run('create table contacts (contact_id text, "Updated_At" timestamptz, "Name" text, "NAME" text, "name" text)')
    crm.run(f"insert into contacts values ('1', '{AT}', 'a', 'b', 'c')")
    assert crm.land(spec={"columns": {"first_name": "NAME"}}).column("first_name") == ["b"]
    assert "has 3 columns called 'nAmE'" in crm.refused(spec={"columns": {"first_name": "nAmE"}})
    assert "differ in case only" in crm.refused(spec={"columns": {"first_name": "NAME", "last_name": "name"}})


@pytest.mark.parametrize(
    ("kind", "value", "reader"),
    [("bigint", "0", "updated_at"), ("boolean", "true", "updated_at"), ("text[]", "'{}'", "birth_date")],
)
def test_a_changed_type_is_refused(crm, kind, value, reader):
    crm.run("create table contacts (contact_id text, updated_at timestamptz, birth_date date)")
    crm.run(f"alter table contacts drop column {reader}", f"alter table contacts add column {reader} {kind}")
    message = crm.refused()
    assert f"column '{reader}' is " in message
    assert f"from which contacts.{reader} cannot be read; was its type changed?" in message

"""MySQL and MariaDB: their types, names and settings of the server, as they land."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from tangga.sources import mysql
from tangga.sources.records import MAX_FIELD
from tests.unit.shop import AT, CONTACTS, DAILY, contacts


def test_amounts_are_exact_and_whole_numbers_too(maria):
    maria.run(
        "create table refunds (refund_id bigint unsigned, order_id int(6) unsigned zerofill, refunded_at timestamp, "
        "amount decimal(30,3), f float, d double)",
        """insert into refunds values
            (18446744073709551615, 42, '2026-03-01 10:00:00', 0.10, 1234567.5, 1e-3),
            (2, 1, '2026-03-01 10:00:00', 123456789012345.67, 0.1, 1e20), (3, 1, '2026-03-01 10:00:00', -1, 0, 0),
            (4, 1, '2026-03-01 10:00:00', 1e20, 0, 0), (5, 1, '2026-03-01 10:00:00', 2.675, 0, 12345678901.23)""",
    )
    result = maria.land("refunds", {"max_reject_share": 1})
    assert result.rows("refund_id", "order_id", "amount") == [
        ("18446744073709551615", "000042", Decimal("0.10")),
        ("2", "000001", Decimal("123456789012345.67")),
        ("5", "000001", Decimal("2.68")),
    ]
    assert [reason for _, _, reason in result.rejects] == ["amount is below 0", "amount is not an amount"]
    floats = maria.land("refunds", {"columns": {"amount": "f"}})
    assert floats.rows("refund_id", "amount")[:2] == [
        ("18446744073709551615", Decimal("1234567.50")),
        ("2", Decimal("0.10")),
    ]
    doubles = maria.land("refunds", {"columns": {"amount": "d"}, "max_reject_share": 1})
    assert doubles.rows("refund_id", "amount")[-1] == ("5", Decimal("12345678901.23"))
    assert [reason for _, _, reason in doubles.rejects] == ["amount is not an amount"]


def test_times_naive_and_instants_and_dates_of_zeros(maria):
    maria.run(
        "create table contacts (contact_id int, updated_at timestamp(6) null, signup_at datetime(3), birth_date date)",
        """insert into contacts values
            (1, '2026-03-01 03:00:00.123456', '2026-03-01 10:00', '1990-02-28'),
            (2, '2026-03-01 03:00:00', '0000-00-00 00:00:00', '0000-00-00'), (3, '0000-00-00 00:00:00', null, null),
            (4, '2026-03-01 03:00:00', '2026-00-00 00:00:00', '1990-02-00'), (5, null, null, null)""",
    )
    result = maria.land(spec={"max_reject_share": 1}, time_zone="Europe/Berlin")
    assert sorted(result.rows("contact_id", "updated_at", "signup_at", "birth_date")) == [
        ("1", datetime(2026, 3, 1, 3, 0, 0, 123456), datetime(2026, 3, 1, 9), date(1990, 2, 28)),
        ("2", datetime(2026, 3, 1, 3), None, None),
        ("4", datetime(2026, 3, 1, 3), None, None),
    ]
    assert sorted(reason for _, _, reason in result.rejects) == ["updated_at is missing", "updated_at is not a time"]
    assert result.manifest.emptied == {"signup_at": 2, "birth_date": 2}


def test_other_types_are_read_as_the_database_writes_them(maria):
    maria.run(
        "create table events (event_id uuid, occurred_at datetime, event_type enum('sad', 'glad'), contact_id char(5), "
        "properties json, channel set('a', 'b', 'c'), url blob, session_id bit(10), cart_id time, "
        "product_id tinyint(1))",
        """insert into events values ('00000000-0000-0000-0000-00000000000a', '2026-03-01 10:00:00', 'glad', '007',
            '{"a": [1.10, null], "b": "ü🎉"}', 'a,c', 0xff00, b'1000000001', '-25:00:00', 1)""",
    )
    assert maria.land("events").rows(
        "event_id", "event_type", "contact_id", "channel", "url", "session_id", "cart_id", "product_id"
    ) == [("00000000-0000-0000-0000-00000000000a", "glad", "007", "a,c", "\\xff00", "513", "-25:00:00", "1")]
    assert json.loads(maria.land("events").column("properties")[0]) == {"a": [1.1, None], "b": "ü🎉"}


def test_texts_of_every_character_set_arrive_as_they_are(maria):
    maria.run(
        "create table contacts (contact_id varchar(9) character set ascii, updated_at timestamp, "
        "first_name varchar(20) character set latin1, last_name varchar(20) character set utf8mb4, "
        "city varchar(20) character set utf16, occupation varchar(20) character set sjis)",
        f"insert into contacts values ('1', '{AT}', 'Zoë', 'Ω🎉', 'Köln', '東京')",
    )
    assert maria.land().rows("first_name", "last_name", "city", "occupation") == [("Zoë", "Ω🎉", "Köln", "東京")]


def test_rows_that_are_no_text_are_rejected(maria):
    maria.run(CONTACTS, contacts("Ani"))
    maria.run(f"insert into contacts values ('2', '{AT}', concat('a', char(0 using utf8mb4), 'b'))")
    result = maria.land()
    assert result.column("first_name") == ["Ani"]
    assert result.rejects == [("contacts", 0, "the row has a NUL byte")]


def test_long_texts_are_not_sent_whole(maria):
    maria.run(CONTACTS, contacts("Ani"), f"insert into contacts values ('2', '{AT}', repeat('é', {3 * MAX_FIELD}))")
    result = maria.land()
    assert result.rejects == [("contacts", 0, f"the row has a field larger than {MAX_FIELD} characters")]


def test_names_are_quoted_whatever_the_mode_of_the_server(maria):
    maria.run(
        'create table "O`Brien ""x"" y" ("Contact Id" longtext, "up`dated" timestamp, "select" longtext)',
        f"""insert into "O`Brien ""x"" y" values ('1', '{AT}', 'a\\b')""",
    )
    spec = {"table": '"O`Brien ""x"" y"', "columns": {"updated_at": "up`dated", "contact_id": "contact id"}}
    for mode in ("ANSI_QUOTES", ""):
        maria.run(f"set global sql_mode = '{mode}'")
        assert maria.land(spec=spec | {"columns": spec["columns"] | {"first_name": "select"}}).rows(
            "contact_id", "first_name"
        ) == [("1", "a\\b")]
    maria.run(CONTACTS, contacts("Ani"))
    query = 'select contact_id, updated_at, "x" as first_name from contacts # its own comment'
    assert maria.land(spec={"query": query}).column("first_name") == ["x"]


def test_a_table_of_another_database(maria, use):
    maria.run(CONTACTS, contacts("Ani"))
    database = maria.connection.database
    use(maria.server.connection(None))
    assert maria.land(spec={"table": f"{database}.contacts"}).column("first_name") == ["Ani"]
    assert "there is no such" in maria.refused(spec={"table": "nowhere.contacts"})
    assert "the connection names no database" in maria.refused()


@pytest.mark.parametrize("kind", ["decimal(10,0)", "longtext", "time", "year"])
def test_a_cursor_that_tells_no_day_is_refused(maria, kind):
    maria.run(CONTACTS.replace(")", f", version {kind})"))
    assert "which tells no day" in maria.refused(spec=DAILY | {"cursor": "version"})


def test_an_increasing_id_may_be_filled_with_zeros(maria):
    maria.run(CONTACTS.replace(")", ", version int(3) zerofill)"))
    for number in (5, 1000):
        maria.run(f"insert into contacts values ('{number}', '{AT}', null, {number})")
    assert maria.land(spec=DAILY | {"cursor": "version"}).manifest.mark == 1000


def test_what_is_read_is_one_state_of_the_database(maria, monkeypatch):
    """Rows that come while a table is read, after its columns were, are not in it."""
    maria.run(CONTACTS, contacts("Ani"))
    read = mysql.MySql.read

    def late(self, query):
        maria.run(contacts("Budi", first=2))
        return read(self, query)

    monkeypatch.setattr(mysql.MySql, "read", late)
    assert maria.land().column("first_name") == ["Ani"]


def test_functions_cannot_write_either(maria):
    maria.run(CONTACTS, contacts("Ani"), "create table written (x int) engine = innodb")
    maria.run("create function sneaky() returns int begin insert into written values (1); return 1; end")
    maria.refused(spec={"query": "select contact_id, updated_at, sneaky() as first_name from contacts"})
    assert maria.server.rows("select count(*) from written", maria.connection.database) == ((0,),)

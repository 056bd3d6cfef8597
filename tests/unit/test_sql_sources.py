"""SQL databases: what lands of a table, as it is in a real PostgreSQL and in SQLite, and what is refused."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pytest

from tangga import landing
from tangga.settings import Settings
from tangga.sources import connections, sql
from tangga.sources.connections import Connection
from tangga.sources.records import MAX_FIELD, SourceRefused
from tests.unit.inbox import DAY, Inbox, Landed
from tests.unit.postgres import SECRET, Server

CONTACTS = "create table contacts (contact_id text, updated_at timestamptz, first_name text)"
AT = "2026-03-01 10:00+00"


@dataclass
class Shop:
    """A company whose data lie in a database of its own. `run` changes them, `land` lands them."""

    inbox: Inbox
    connection: Connection
    server: Server | None = None

    def run(self, *statements: str) -> None:
        if self.server:
            self.server.run(*statements, database=self.connection.database)
        else:
            with closing(sqlite3.connect(self.connection.host)) as session, session:
                for statement in statements:
                    session.execute(statement)

    def settings(self, entity: str = "contacts", spec: dict | None = None, **source) -> Settings:
        spec = {"table": entity} | (spec or {})
        if "query" in spec:
            del spec["table"]
        block = {"type": "sql", "connection": "crm_db", "entities": {entity: spec}} | source
        return self.inbox.settings(entity, sources={"crm": block})

    def land(self, entity: str = "contacts", spec: dict | None = None, day: date = DAY, **source) -> Landed:
        known = self.settings(entity, spec, **source)
        return Landed(known, landing.land(known, "crm", entity, day))

    def refused(self, entity: str = "contacts", spec: dict | None = None, **source) -> str:
        before = self.inbox.tree()
        with pytest.raises(SourceRefused) as error:
            self.land(entity, spec, **source)
        assert self.inbox.tree() == before
        message = str(error.value)
        assert "\n" not in message
        assert message.endswith(".")
        assert SECRET not in message
        return message


@pytest.fixture
def use(monkeypatch):
    """Let a connection be the one that Airflow knows."""

    def use(connection: Connection) -> Connection:
        monkeypatch.setattr(connections, "resolve", lambda connection_id: connection)
        return connection

    monkeypatch.setattr(sql, "PAUSES", (0.0, 0.0))
    return use


@pytest.fixture
def crm(inbox, server, use, request) -> Shop:
    database = f"crm_{abs(hash(request.node.nodeid))}"
    server.run(f"create database {database}")
    yield Shop(inbox, use(server.connection(database)), server)
    server.run(f"drop database {database} with (force)")


@pytest.fixture
def lite(inbox, use, tmp_path) -> Shop:
    path = tmp_path / "crm data.db"
    sqlite3.connect(path).close()
    return Shop(inbox, use(Connection("crm_db", "sqlite", host=str(path))))


@pytest.fixture(params=["postgres", "sqlite"])
def shop(request) -> Shop:
    return request.getfixturevalue("crm" if request.param == "postgres" else "lite")


def contacts(*names: str, first: int = 1, at: str = AT) -> str:
    rows = ", ".join(f"('{number}', '{at}', '{name}')" for number, name in enumerate(names, start=first))
    return f"insert into contacts values {rows}"


# ---- both databases


def test_a_table_lands_as_it_is(shop):
    shop.run(CONTACTS, contacts("Ani", "Budi"))
    result = shop.land()
    assert result.rows("contact_id", "first_name") == [("1", "Ani"), ("2", "Budi")]
    assert result.column("updated_at") == [datetime(2026, 3, 1, 10)] * 2
    assert set(result.rows("_file", "_source", "namespace")) == {("contacts", "crm", "crm")}
    assert result.column("_line") == [1, 2]


def test_the_same_rows_are_the_same_bytes_in_whatever_order_they_come(shop):
    shop.run(CONTACTS, contacts("Ani", "Budi", "Cici"), contacts("Budi", first=7), contacts("Other", first=1))
    shop.land()
    before = shop.inbox.tree()
    shop.run("create table copied as select * from contacts", "delete from contacts")
    shop.run("insert into contacts select * from copied order by first_name desc, contact_id desc")
    shop.land()
    assert shop.inbox.tree() == before


def test_rows_that_were_deleted_leave(shop):
    shop.run(CONTACTS, contacts("Ani", "Budi"))
    assert shop.land().column("contact_id") == ["1", "2"]
    shop.run("delete from contacts where contact_id = '1'")
    assert shop.land().column("contact_id") == ["2"]


@pytest.mark.parametrize("deleted", ["gone", {"column": "GONE", "values": ["true", "1"]}])
def test_rows_that_say_that_they_were_deleted_are_told_from_others(shop, deleted):
    shop.run(CONTACTS.replace("first_name text", "gone boolean"))
    shop.run(f"insert into contacts values ('1', '{AT}', true), ('2', '{AT}', false), ('3', '{AT}', null)")
    landed = shop.land(spec={"deleted": deleted})
    assert sorted(landed.rows("contact_id", "_is_deleted")) == [("1", True), ("2", False), ("3", False)]
    assert landed.manifest.ignored_columns == []
    assert "has no column 'lost', which contacts.deleted is read from" in shop.refused(spec={"deleted": "lost"})


def test_an_empty_table_lands_no_rows(shop):
    shop.run(CONTACTS)
    result = shop.land()
    assert result.rows("contact_id") == []
    assert result.manifest.columns["updated_at"] == "TIMESTAMP"


def test_only_mapped_columns_are_read_and_the_others_are_named(shop):
    shop.run(
        "create table people (id text, changed timestamp, given text, secret text)",
        "insert into people values ('007', '2026-03-01 10:00:00', 'O''Brien \"Zoë\" 🎉', 'x')",
    )
    columns = {"contact_id": "id", "updated_at": "changed", "first_name": "given", "country": {"value": "ID"}}
    result = shop.land(spec={"table": "people", "columns": columns})
    assert result.rows("contact_id", "first_name", "country") == [("007", 'O\'Brien "Zoë" 🎉', "ID")]
    assert result.column("updated_at") == [datetime(2026, 3, 1, 3)]  # as a clock in Jakarta shows it
    assert result.manifest.ignored_columns == ["secret"]


def test_values_are_translated(shop):
    shop.run(CONTACTS, contacts("m", "f", "x"))
    gender = {"column": "first_name", "map": {"m": "male", "f": "female"}}
    assert shop.land(spec={"columns": {"gender": gender}}).column("gender") == ["male", "female", "x"]


def test_a_query_in_the_databases_own_sql(shop):
    shop.run(CONTACTS, contacts("Ani", "Budi"))
    query = "select contact_id, updated_at, upper(first_name) as first_name from contacts where contact_id > '1' -- x"
    result = shop.land(spec={"query": query})
    assert result.rows("contact_id", "first_name", "_file") == [("2", "BUDI", "query")]


def test_identifiers_with_capitals_blanks_quotes_and_dots(shop):
    shop.run(
        'create table "My ""Own"".Table" ("Contact Id" text, "Updated""At" text, "select" text, "Évoli; drop" text)',
        """insert into "My ""Own"".Table" values ('1', '2026-03-01T10:00:00Z', 'a', 'b')""",
    )
    columns = {"contact_id": "Contact Id", "updated_at": 'Updated"At', "first_name": "select", "city": "Évoli; drop"}
    result = shop.land(spec={"table": '"My ""Own"".Table"', "columns": columns})
    assert result.rows("contact_id", "first_name", "city") == [("1", "a", "b")]


def test_sql_in_values_stays_text(shop):
    evil = "''); drop table contacts; --"
    shop.run(CONTACTS, contacts(evil))
    assert shop.land().column("first_name") == [evil.replace("''", "'")]
    assert len(shop.land().column("first_name")) == 1


def test_bad_rows_are_rejected_with_the_tables_name_and_their_place(shop):
    shop.run(CONTACTS, contacts("Ani"), f"insert into contacts values (null, '{AT}', 'Budi'), ('2', null, 'Cici')")
    result = shop.land()
    assert result.column("contact_id") == ["1"]
    assert result.rejects == [
        ("contacts", 2, "updated_at is missing"),
        ("contacts", 3, "contact_id is missing"),
    ]


def test_a_text_of_a_megabyte_lands_and_a_longer_one_is_rejected(shop):
    shop.run(CONTACTS, contacts("x" * MAX_FIELD, "y" * (MAX_FIELD + 1), "z"))
    result = shop.land()
    assert [len(name) for name in result.column("first_name")] == [MAX_FIELD, 1]
    assert result.rejects == [("contacts", 0, f"the row has a field larger than {MAX_FIELD} characters")]


def test_a_missing_table_is_refused(shop):
    message = shop.refused(spec={"table": "nobody"})
    assert message.startswith("crm, table nobody (connection 'crm_db'): there is no such table; correct 'table'")


def test_a_missing_column_is_refused(shop):
    shop.run("create table contacts (contact_id text, changed timestamp)")
    assert "has no column 'updated_at', which contacts.updated_at is read from" in shop.refused()
    message = shop.refused(spec={"columns": {"updated_at": "changed", "city": "town"}})
    assert "has no column 'town', which contacts.city is read from" in message
    assert "'since'; correct 'cursor'" in shop.refused(
        spec={"columns": {"updated_at": "changed"}, "load": "daily", "cursor": "since"}
    )


def test_a_wrong_query_is_refused(shop):
    shop.run(CONTACTS)
    message = shop.refused(spec={"query": "select nope from contacts;"})
    assert message.startswith("crm, query of contacts (connection 'crm_db'): cannot be run (")
    assert "nope" in message


def test_two_columns_of_one_name_are_refused(crm):
    crm.run(CONTACTS)
    assert "gives two columns the same name" in crm.refused(spec={"query": "select 1 as a, 2 as a from contacts"})


def test_a_query_can_only_read(shop):
    shop.run(CONTACTS, contacts("Ani"))
    shop.refused(spec={"query": "delete from contacts returning *"})
    shop.refused(spec={"query": "select 1) as x; delete from contacts; select * from (select 1"})
    assert shop.land().column("first_name") == ["Ani"]


# ---- day by day


DAILY = {"load": "daily", "cursor": "updated_at", "min_rows": 0}


@pytest.mark.parametrize(
    ("kind", "zone", "inside", "outside"),
    [
        # Jakarta's 10 March is 9 March 17:00 to 10 March 17:00 in UTC
        ("timestamptz", None, ["2026-03-09 17:00:00+00:00", "2026-03-10 16:59:59.999+00:00"],
         ["2026-03-09 16:59:59.999+00:00", "2026-03-10 17:00:00+00:00"]),
        ("timestamp", None, ["2026-03-10 00:00:00", "2026-03-10 23:59:59.999"],
         ["2026-03-09 23:59:59.999", "2026-03-11 00:00:00"]),
        ("timestamp", "UTC", ["2026-03-09 17:00:00", "2026-03-10 16:59:59"],
         ["2026-03-09 16:59:59", "2026-03-10 17:00:00"]),
        ("timestamp", "America/New_York", ["2026-03-09 13:00:00", "2026-03-10 12:59:59"],
         ["2026-03-09 12:59:59", "2026-03-10 13:00:00"]),
        ("date", None, ["2026-03-10"], ["2026-03-09", "2026-03-11"]),
    ],
)  # fmt: skip
def test_a_day_is_the_businesss_day(shop, kind, zone, inside, outside):
    shop.run(CONTACTS.replace("timestamptz", kind))
    for number, moment in enumerate(inside + outside):
        shop.run(f"insert into contacts values ('{number}', '{moment}', null)")
    spec = DAILY | ({"time_zone": zone} if zone else {})
    assert sorted(shop.land(spec=spec).column("contact_id")) == [str(number) for number in range(len(inside))]


def test_days_with_a_change_of_the_clocks_have_no_gap_and_no_overlap(crm):
    crm.run(
        CONTACTS,
        "insert into contacts select i::text, timestamptz '2026-10-24 00:00+00' + i * interval '30 min', null "
        "from generate_series(0, 191) as i",
    )
    known = crm.settings(spec=DAILY)
    business = known.business.model_copy(update={"time_zone": "Europe/Berlin"})
    known = known.model_copy(update={"business": business})
    days = [
        Landed(known, landing.land(known, "crm", "contacts", date(2026, 10, day))).column("contact_id")
        for day in (24, 25, 26)
    ]
    assert [len(day) for day in days] == [44, 50, 48]  # the first begins at 22:00 UTC the day before
    assert len(set(sum(days, []))) == 44 + 50 + 48


def test_late_rows_come_with_a_later_day(shop):
    shop.run(
        CONTACTS,
        contacts("Ani", at="2026-03-08 05:00:00+00:00"),
        contacts("Budi", first=2, at="2026-03-10 05:00:00+00:00"),
    )
    assert shop.land(spec=DAILY).column("first_name") == ["Budi"]
    assert shop.land(spec=DAILY | {"look_back_days": 1}).column("first_name") == ["Budi"]
    assert shop.land(spec=DAILY | {"look_back_days": 2}).column("first_name") == ["Ani", "Budi"]


def test_a_day_read_again_is_the_same_bytes_when_later_rows_have_come(shop):
    shop.run(CONTACTS, contacts("Ani", at="2026-03-10 05:00:00+00:00"))
    shop.land(spec=DAILY)
    before = shop.inbox.tree()
    shop.run(contacts("Budi", first=2, at="2026-03-11 05:00:00+00:00"))
    shop.land(spec=DAILY)
    assert shop.inbox.tree() == before


def test_sqlite_knows_a_time_by_its_text_only(lite):
    lite.run(CONTACTS.replace("timestamptz", "any"))
    moments = ["'2026-03-10T01:00'", "'2026-03-10 08:00:00.5+07:00'", "'2026-03-09T17:00:00Z'", "1773100800", "null"]
    for number, moment in enumerate(moments):
        lite.run(f"insert into contacts values ('{number}', {moment}, null)")
    assert sorted(lite.land(spec=DAILY).column("contact_id")) == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["numeric", "text", "boolean"])
def test_a_cursor_that_tells_no_day_is_refused(crm, kind):
    crm.run(CONTACTS.replace(")", f", version {kind})"))
    message = crm.refused(spec=DAILY | {"cursor": "version"})
    assert "its cursor 'version' is" in message
    assert "which tells no day; use a date, a timestamp or an increasing whole number" in message


class TestIncreasingId:
    SPEC = DAILY | {"cursor": "Version"}

    @pytest.fixture
    def crm(self, crm):
        crm.run(CONTACTS.replace(")", ', "Version" bigint)'))
        self.add(crm, 1, 2)
        return crm

    def add(self, crm, *ids):
        for number in ids:
            crm.run(f"insert into contacts values ('{number}', '{AT}', null, {number})")

    def land(self, crm, day, **rest):
        return sorted(crm.land(spec=self.SPEC | rest, day=date(2026, 3, day)).column("contact_id"))

    def test_a_day_reads_what_is_beyond_the_days_before(self, crm):
        assert self.land(crm, 10) == ["1", "2"]
        self.add(crm, 3, 4)
        assert self.land(crm, 11) == ["3", "4"]
        assert self.land(crm, 12) == []
        self.add(crm, 5)
        assert self.land(crm, 13) == ["5"]

    def test_a_rerun_is_the_same_bytes_when_rows_have_come(self, crm):
        self.land(crm, 10)
        self.add(crm, 3)
        self.land(crm, 11)
        before = crm.inbox.tree()
        self.add(crm, 4)
        assert self.land(crm, 10) == ["1", "2"]
        assert self.land(crm, 11) == ["3"]
        assert crm.inbox.tree() == before
        assert self.land(crm, 12) == ["4"]

    def test_ids_that_were_committed_late_come_by_looking_back(self, crm):
        self.land(crm, 10)
        self.add(crm, 4)
        self.land(crm, 11)
        self.add(crm, 3, 5)
        assert self.land(crm, 12) == ["5"]
        assert self.land(crm, 13, look_back_days=2) == ["3", "4", "5"]


# ---- PostgreSQL's types


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


# ---- what goes wrong


def test_a_wrong_password_is_refused_at_once(crm, use, monkeypatch):
    monkeypatch.setattr(sql.time, "sleep", lambda seconds: pytest.fail("tried again"))
    crm.run(CONTACTS, contacts("Ani"), "grant select on contacts to careful")
    use(crm.server.connection(crm.connection.database, user="careful", password=SECRET))
    assert crm.land().column("first_name") == ["Ani"]
    use(crm.server.connection(crm.connection.database, user="careful", password="not it"))
    message = crm.refused()
    assert message == (
        "crm, table contacts (connection 'crm_db'): the database refuses the connection (password authentication "
        'failed for user "careful"); correct user, password or database in Airflow.'
    )


def test_no_right_to_read_is_refused(crm, use):
    crm.run(CONTACTS)
    use(crm.server.connection(crm.connection.database, user="careful", password=SECRET))
    assert "the connection's user may not read it; grant select on it" in crm.refused()


def test_a_database_that_is_not_there_is_refused(crm, use):
    use(crm.server.connection("nowhere"))
    assert 'the database refuses the connection (database "nowhere" does not exist)' in crm.refused()


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_is_down_is_tried_three_times(crm, use, monkeypatch, host):
    pauses = []
    monkeypatch.setattr(sql, "PAUSES", (1.0, 5.0))
    monkeypatch.setattr(sql.time, "sleep", pauses.append)
    use(Connection("crm_db", "postgres", host=host, port=1, user="u", password=SECRET, database="d"))
    message = crm.refused()
    assert message.startswith("crm, table contacts (connection 'crm_db'): the database cannot be reached (")
    assert ", 3 times; see to it that the database runs" in message
    assert pauses == [1.0, 5.0]


def test_a_connection_that_breaks_is_tried_again_from_the_start(crm, monkeypatch):
    crm.run(CONTACTS, "insert into contacts select i::text, now(), repeat('x', 500) from generate_series(1, 150000) i")
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tangga'"
    insert, tries = sql._insert, []

    def broken(con, schema, batches):
        tries.append(1)
        if len(tries) > 1:
            return insert(con, schema, batches)

        def killed():
            for batch in batches:
                crm.run(kill)
                yield batch

        return insert(con, schema, killed())

    monkeypatch.setattr(sql, "_insert", broken)
    assert crm.land().manifest.rows == 150_000
    assert len(tries) == 2


def test_a_query_that_takes_too_long_is_refused(crm):
    slow = "select i::text as contact_id, now() as updated_at, pg_sleep(0.1)::text from generate_series(1, 100) i"
    message = crm.refused(spec={"query": slow}, timeout_seconds=1)
    assert "the database gave up, as it took too long; raise 'timeout_seconds' in tangga.yml" in message


def test_an_error_on_a_value_does_not_repeat_it(crm):
    crm.run(CONTACTS, contacts("ani@example.com"))
    query = "select contact_id, updated_at, first_name::int from contacts"
    message = crm.refused(spec={"query": query})
    assert "ani" not in message
    assert "the database fails on a value while it is read" in message


def test_sqlite_files_that_are_not_there_or_no_databases_are_refused(lite, use, tmp_path):
    use(Connection("crm_db", "sqlite", host=str(tmp_path / "none.db")))
    assert "none.db is not there" in lite.refused()
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "bad.db").write_bytes(b"contact_id,updated_at\n" * 100)
    use(Connection("crm_db", "sqlite", host=str(tmp_path / "bad.db")))
    assert "the file is damaged or no SQLite database" in lite.refused()
    use(Connection("crm_db", "sqlite"))
    assert "names no file" in lite.refused()


def test_sqlite_values_of_any_type_are_read_as_they_are(lite):
    lite.run(
        "create table contacts (contact_id, updated_at, first_name, last_name, city)",
        f"insert into contacts values ('007', '{AT}', 9007199254740993, 0.1, x'ff00')",
        f"insert into contacts values ('2', '{AT}', cast(x'ff' as text), 'b', 'c')",
        f"insert into contacts values ('3', '{AT}', 'a' || char(0) || 'b', 'b', 'c')",
    )
    result = lite.land()
    assert result.rows("contact_id", "first_name", "last_name", "city") == [
        ("007", "9007199254740993", "0.1", "\\xff00")
    ]
    assert sorted(result.rejects) == [
        ("contacts", 0, "the row has a NUL byte"),
        ("contacts", 0, "the row has bytes that are not utf-8"),
    ]


@pytest.mark.parametrize("kind", ["mysql", "mssql", ""])
def test_other_databases_are_refused(lite, use, kind):
    use(Connection("crm_db", kind, host="h"))
    assert f"is a connection of type '{kind}', which Tangga cannot read yet; use postgres or sqlite" in lite.refused()


# ---- Airflow's connections


def resolved(value: str | None, tmp_path) -> str:
    code = "from tangga.sources import connections as c; x = c.resolve('crm_db'); print(x); print('PW', x.password)"
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    if value is not None:
        env["AIRFLOW_CONN_CRM_DB"] = value
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr


@pytest.mark.parametrize(
    "value",
    [
        "postgres://ani:p%40ss%2Fword@db.example:5433/crm?sslmode=require",
        '{"conn_type": "postgres", "login": "ani", "password": "p@ss/word", "host": "db.example", "port": 5433, '
        '"schema": "crm", "extra": {"sslmode": "require"}}',
    ],
)
def test_a_connection_is_read_as_airflow_reads_it(value, tmp_path):
    shown, password = resolved(value, tmp_path).splitlines()[-2:]
    assert "kind='postgres', host='db.example', port=5433, database='crm', user='ani')" in shown
    assert password == "PW p@ss/word"
    assert "p@ss" not in shown


@pytest.mark.parametrize("value", [None, '{"conn_type": "postgres", "password": "' + SECRET])
def test_a_connection_that_airflow_does_not_know_or_cannot_read(value, tmp_path):
    errors = resolved(value, tmp_path)
    assert SECRET not in errors
    assert "connection 'crm_db': Airflow has none of that name that can be read; add or correct it" in errors


# ---- size


def test_memory_stays_flat(server, tmp_path):
    """A million rows of 300 bytes take the memory that DuckDB may have, and batches; not their own size."""
    server.run(
        "create table many as select lpad(i::text, 9, '0') as contact_id, timestamptz '2026-01-01' as updated_at, "
        "repeat(md5(i::text), 8) as comment, md5(i::text) as first_name from generate_series(1, 1000000) i"
    )
    code = f"""
        import resource
        from datetime import date
        from tangga import landing, settings
        from tangga.sources import connections
        connections.resolve = lambda _: connections.Connection(
            "crm_db", "postgres", host={server.socket!r}, user="postgres", database="postgres")
        known = settings.load("tangga.yml", "home")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert landing.land(known, "crm", "contacts", date(2026, 3, 10)).rows == 1_000_000
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    spec = {"table": "many", "columns": {"occupation": "comment"}}
    source = {"type": "sql", "connection": "crm_db", "entities": {"contacts": spec}}
    Inbox(tmp_path).settings("contacts", sources={"crm": source})
    env = os.environ | {"TANGGA_MEMORY_LIMIT": "512MB", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    server.run("drop table many")
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert int(re.findall(r"\d+", done.stdout)[-1]) < 1000

"""SQL databases: what lands of a table or a query, the same from every kind of database."""

from __future__ import annotations

from datetime import datetime

import pytest

from tangga.sources.records import MAX_FIELD
from tests.unit.inbox import DAY
from tests.unit.shop import AT, CONTACTS, contacts


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


def test_a_query_may_name_the_day(shop):
    shop.run(CONTACTS, contacts("Ani"))
    query = "select contact_id, updated_at, '{ds}' as first_name from contacts"
    assert shop.land(spec={"query": query, "table": None}).column("first_name") == [DAY.isoformat()]

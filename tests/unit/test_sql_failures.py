"""SQL databases that cannot be read: what is said, what is tried again, and what is never said."""

from __future__ import annotations

import socket

import pytest

from tangga import engine
from tangga.sources import sql
from tangga.sources.connections import Connection
from tangga.sources.records import SourceDown
from tangga.sources.relations import Reading
from tests.unit.inbox import DAY
from tests.unit.postgres import SECRET
from tests.unit.shop import AT, CONTACTS, contacts


def test_a_wrong_password_is_refused_at_once(served, use, monkeypatch):
    monkeypatch.setattr(sql.time, "sleep", lambda seconds: pytest.fail("tried again"))
    served.run(CONTACTS, contacts("Ani"), "grant select on contacts to careful")
    use(served.server.connection(served.connection.database, user="careful", password=SECRET))
    assert served.land().column("first_name") == ["Ani"]
    use(served.server.connection(served.connection.database, user="careful", password="not it"))
    message = served.refused()
    assert message.startswith("crm, table contacts (connection 'crm_db'): the database refuses the connection (")
    assert message.endswith("); correct user, password or database in Airflow.")
    assert "careful" in message
    assert "not it" not in message


def test_no_right_to_read_is_refused(served, use):
    served.run(CONTACTS, "create table other (x int)", "grant select on other to careful")
    use(served.server.connection(served.connection.database, user="careful", password=SECRET))
    assert "the connection's user may not read it; grant select on it" in served.refused()


def test_a_database_that_is_not_there_is_refused(served, use):
    use(served.server.connection("nowhere"))
    message = served.refused()
    assert "the database refuses the connection (" in message
    assert "nowhere" in message


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_is_down_is_tried_three_times(lite, use, monkeypatch, kind, host):
    pauses = []
    monkeypatch.setattr(sql, "PAUSES", (1.0, 5.0))
    monkeypatch.setattr(sql.time, "sleep", pauses.append)
    use(Connection("crm_db", kind, host=host, port=1, user="u", password=SECRET, database="d"))
    with pytest.raises(SourceDown) as error:
        lite.land()
    message = str(error.value)
    assert message.startswith("crm, table contacts (connection 'crm_db'): the database cannot be reached (")
    assert ", 3 times; see to it that the database runs" in message
    assert SECRET not in message
    assert pauses == [1.0, 5.0]


def test_a_server_that_takes_the_call_and_says_nothing_is_given_up(lite, use):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        use(Connection("crm_db", "mysql", host="127.0.0.1", port=mute.getsockname()[1], extra={"connect_timeout": 1}))
        assert "the database cannot be reached (no answer), 3 times" in lite.refused()


def test_a_connection_of_nonsense_is_refused(maria, use):
    for extra in ({"connect_timeout": "soon"}, {"connect_timeout": -1}):
        use(maria.server.connection(maria.connection.database, extra=maria.connection.extra | extra))
        assert "the connection cannot be used as it is; correct its host, port, login and extra" in maria.refused()


def _kill_postgres(shop):
    shop.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tangga'")


def _kill_mysql(shop):
    query = "select id from information_schema.processlist where db = database() and id <> connection_id()"
    for (number,) in shop.server.rows(query, shop.connection.database):
        shop.run(f"kill {number}")


def test_a_connection_that_breaks_is_tried_again_from_the_start(served, monkeypatch):
    is_postgres = served.connection.kind == "postgres"
    numbers = "generate_series(1, 150000) i" if is_postgres else "(select seq as i from seq_1_to_150000) as numbers"
    text = "i::text" if is_postgres else "cast(i as char)"
    served.run(CONTACTS, f"insert into contacts select {text}, now(), repeat('x', 500) from {numbers}")
    insert, tries = sql._insert, []

    def broken(con, schema, batches):
        tries.append(1)
        if len(tries) > 1:
            return insert(con, schema, batches)

        def killed():
            for batch in batches:
                (_kill_postgres if is_postgres else _kill_mysql)(served)
                yield batch

        return insert(con, schema, killed())

    monkeypatch.setattr(sql, "_insert", broken)
    assert served.land().manifest.rows == 150_000
    assert len(tries) == 2


SLOW = {
    "postgres": "select i::text as contact_id, now() as updated_at, pg_sleep(0.1)::text from generate_series(1, 100) i",
    "mariadb": "select seq as contact_id, now() as updated_at, sleep(0.1) as first_name from seq_1_to_100",
}


def test_a_query_that_takes_too_long_is_refused(served):
    message = served.refused(spec={"query": SLOW[served.connection.kind]}, timeout_seconds=1)
    assert "the database gave up, as it took too long; raise 'timeout_seconds' in tangga.yml" in message


def test_of_a_sample_no_more_rows_are_read(shop):
    shop.run(CONTACTS, contacts(*"abcdefgh"))
    known = shop.settings()
    with engine.scratch(known) as con:
        sql.load(con, Reading(known, "crm", "contacts", DAY, sample=3))
        assert con.execute("select count(*) from file").fetchone() == (3,)


def test_an_error_on_a_value_does_not_repeat_it(crm):
    crm.run(CONTACTS, contacts("ani@example.com"))
    query = "select contact_id, updated_at, first_name::int from contacts"
    message = crm.refused(spec={"query": query})
    assert "ani" not in message
    assert "the database fails on a value while it is read" in message


def test_sqlite_files_that_are_not_there_or_no_databases_are_refused(lite, use, tmp_path):
    use(Connection("crm_db", "sqlite", host=str(tmp_path / "none.db")))
    with pytest.raises(SourceDown, match="none.db is not there"):
        lite.land()
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


@pytest.mark.parametrize("kind", ["oracle", "mssql", ""])
def test_other_databases_are_refused(lite, use, kind):
    use(Connection("crm_db", kind, host="h"))
    assert (
        f"is a connection of type '{kind}', which Tangga cannot read yet; use postgres, mysql, mariadb or sqlite"
        in lite.refused()
    )

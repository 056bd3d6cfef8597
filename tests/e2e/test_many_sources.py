"""One company, its data in four systems: contacts in PostgreSQL, orders behind a Shopify-like API, events as JSONL on
S3, survey answers in a CSV file. Two daily runs, with late and corrected data on the second day, come to the same as
one load of everything. Then its database is asked with other credentials: Airflow's own, and wrong ones."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
import yaml

from tangga import audiences
from tangga.settings import REPOSITORY
from tests.fakes.shopify import Shopify, line
from tests.unit.inbox import BUSINESS
from tests.unit.object_store import Bucket, ObjectStore
from tests.unit.postgres import SECRET
from tests.unit.test_doctor import command, tree

pytestmark = pytest.mark.e2e

FIRST, SECOND = "2026-03-09", "2026-03-10"
NOT_OF_THE_CUSTOMERS = {"core.customer_identity_changes", "core.customer_id_aliases", "metrics.source_freshness"}
"""What legitimately tells one load from two: when rows landed, and whose ids have changed since."""
OF_WHAT_WAS_SENT = {
    "audiences.audience_due", "audiences.audience_members", "audiences.audience_movements",
    "audiences.audience_overlap", "audiences.audience_sizes", "core.fct_sends", "customer.customer_pressure",
}  # fmt: skip
"""And that the lists of the first day were delivered: whoever got a message is not due for it again."""

DATABASE = {"type": "sql", "connection": "crm_db"}
PEOPLE = {
    "table": "crm.people",
    "columns": {"contact_id": "id", "updated_at": "changed", "email": "mail", "first_name": "named"},
}


@dataclass
class Company:
    """The four systems, and how `tangga.yml` and Airflow know them."""

    root: Path
    server: object
    shop: Shopify
    bucket: Bucket

    def write_config(self, name: str, *, orders_since: int, everything: bool) -> None:
        """Daily increments as they come (orders with that many days before), or all that there is at once."""
        files = {"namespace": "shop"}
        orders = {"look_back_days": orders_since}
        events = {"path": "events_*.jsonl"} if everything else {"path": "events_{ds}.jsonl", "load": "daily"}
        sources = {
            "crm": DATABASE
            | {"namespace": "shop", "entities": {"contacts": PEOPLE, "consents": {"table": "crm.consents"}}},
            "shop": {
                "template": "shopify",
                "connection": "shop_api",
                "entities": dict.fromkeys(("orders", "order_lines", "refunds"), orders),
            },
            "web": files | {"path": "s3://acme/events", "connection": "lake", "entities": {"events": events}},
            "survey": files | {"path": "survey", "entities": {"survey_responses": {"path": "answers.csv"}}},
        }
        config = {"business": BUSINESS, "sources": sources, "destinations": {"files": {"type": "files"}}}
        (self.root / name).write_text(yaml.safe_dump(config), encoding="utf-8")

    def write_database_only(self, name: str, connection: str) -> Path:
        crm = DATABASE | {"connection": connection, "entities": {"contacts": PEOPLE}}
        path = self.root / name
        path.write_text(yaml.safe_dump({"business": BUSINESS, "sources": {"crm": crm}}), encoding="utf-8")
        return path

    def run(self, config: str, home: str, day: str, password: str = SECRET, code: int = 0) -> str:
        login = f"careful:{quote(password, safe='')}"
        connections = {
            "AIRFLOW_CONN_CRM_DB": f"postgres://{login}@/postgres?host={quote(self.server.socket, safe='')}",
            "AIRFLOW_CONN_SHOP_API": json.dumps({"conn_type": "http", "host": self.shop.url, "password": "shpat_fake"}),
            "AIRFLOW_CONN_LAKE": self.bucket.store.connection(),
            "PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}",
        }
        arguments = ["-m", "tangga.local.run", "--as-of", day, "--config", config, "--home", home]
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=os.environ | connections, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
        log = (self.root / home / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
        assert done.returncode == code, done.stdout + log[-3000:]
        return done.stdout + done.stderr + log

    def answers(self, *rows: str) -> None:
        header = "response_id,contact_id,survey,kind,answered_at,score,sent_at,order_id"
        (self.root / "survey").mkdir(exist_ok=True)
        (self.root / "survey" / "answers.csv").write_text("\n".join((header, *rows, "")), encoding="utf-8")


def event(number: int, who: int, at: str, what: str = "product_view") -> str:
    row = {"event_id": f"e{number}", "contact_id": str(who), "occurred_at": at, "event_type": what, "product_id": "10"}
    return json.dumps(row) + "\n"


@pytest.fixture(scope="module")
def runs(server, tmp_path_factory):
    """The company after both daily runs, and after one load of everything in a home of its own."""
    root = tmp_path_factory.mktemp("company")
    store = ObjectStore()
    store.client.create_bucket(Bucket="acme")
    with Shopify() as shop:
        company = Company(root, server, shop, Bucket(store, "acme"))
        company.write_config("first.yml", orders_since=3000, everything=False)
        company.write_config("daily.yml", orders_since=0, everything=False)
        company.write_config("everything.yml", orders_since=3000, everything=True)
        customers = _first_day(company)
        said = company.run("first.yml", "daily", FIRST)
        _second_day(company, customers)
        said += company.run("daily.yml", "daily", SECOND)
        said += company.run("everything.yml", "everything", SECOND)
        yield company, said
        server.run("drop schema crm cascade")
    store.stop()


def _first_day(company: Company) -> dict[int, dict]:
    company.server.run(
        "create schema crm",
        "create table crm.people (id bigint, changed timestamptz, mail text, named text)",
        "create table crm.consents (contact_id bigint, channel text, status text, status_at timestamptz)",
        "insert into crm.people select i, timestamptz '2026-03-01 09:00+07' + i * interval '1 min', "
        "'person' || i || '@example.com', 'Person ' || i from generate_series(1, 40) i",
        "insert into crm.consents select i, 'email', 'granted', timestamptz '2026-03-01 10:00+07' "
        "from generate_series(1, 30) i",
        "grant usage on schema crm to careful",
        "grant select on all tables in schema crm to careful",
    )
    # The shop and the contact list number people alike: the shop's customer ids are the contact ids.
    customers = {number: company.shop.add_customer(id=number) for number in range(1, 41)}
    for number in range(1, 21):
        for visit in range(number % 4):
            at = f"2026-03-{visit * 2 + 2:02}T10:{number:02}:00+07:00"
            company.shop.add_order([line(10 + visit, 1 + visit, "50000.00")], at=at, customer=customers[number])
    company.bucket.put(f"events/events_{FIRST}.jsonl", "".join(
        event(number, number, f"{FIRST}T03:00:{number:02}Z") for number in range(1, 31)
    ))  # fmt: skip
    company.answers(
        *(f"r{n},{n},after purchase,nps,{FIRST}T12:00:00+07:00,{n % 11},{FIRST}T08:00:00+07:00," for n in range(1, 13))
    )
    return customers


def _second_day(company: Company, customers: dict[int, dict]) -> None:
    """What is new, late (of the first day, or older) or corrected."""
    on_the_second = f"{SECOND}T11:00:00+07:00"
    company.server.run(
        "insert into crm.people values (41, '2026-03-10 09:00+07', 'person41@example.com', 'Person 41')",
        "update crm.people set named = 'Renamed', changed = '2026-03-10 09:30+07' where id = 3",
        "delete from crm.people where id = 40",
        "insert into crm.consents values (2, 'email', 'revoked', '2026-03-09 20:00+07')",
    )
    shop = company.shop
    late = shop.add_order([line(10, 3, "75000.00")], at=f"{FIRST}T09:00:00+07:00", customer=customers[25])
    late["updated_at"] = on_the_second
    corrected = next(order for order in shop.orders.values() if order["customer"]["id"] == 2)
    shop.refund(corrected, on_the_second, corrected["total_price"])
    corrected |= {"financial_status": "refunded"}
    cancelled = next(order for order in shop.orders.values() if order["customer"]["id"] == 5)
    cancelled |= {"cancelled_at": on_the_second, "updated_at": on_the_second}
    shop.add_order([line(11, 1, "60000.00")], at=on_the_second, customer=customers[1])
    company.bucket.put(f"events/events_{SECOND}.jsonl", "".join(
        [event(number, number, f"{FIRST}T04:00:{number:02}Z") for number in range(31, 41)]  # late
        + [event(30, 30, f"{FIRST}T03:00:30Z", "add_to_cart")]  # corrected
        + [event(100 + number, number, f"{SECOND}T03:00:{number:02}Z") for number in range(1, 6)]
    ))  # fmt: skip
    company.answers(
        *(f"r{n},{n},after purchase,nps,{FIRST}T12:00:00+07:00,{n % 11},{FIRST}T08:00:00+07:00," for n in range(2, 13)),
        f"r1,1,after purchase,nps,{FIRST}T12:00:00+07:00,9,{FIRST}T08:00:00+07:00,",  # corrected
        f"r13,13,after purchase,nps,{FIRST}T23:00:00+07:00,10,,",  # late
        f"r14,14,after purchase,csat,{SECOND}T09:00:00+07:00,5,,",
    )


def warehouse(company: Company, home: str) -> dict[str, list[tuple]]:
    """Every published table, a customer named by their smallest record instead of by their id."""
    tables = {}
    with duckdb.connect(str((company.root / home / "published" / "private.duckdb").resolve()), read_only=True) as con:
        names = dict(con.execute(
            "select customer_id, min(source || ':' || contact_id) from core.customer_identities group by all"
        ).fetchall())  # fmt: skip
        for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            rows = con.execute(f"select * from {schema}.{table}").fetchall()
            tables[f"{schema}.{table}"] = sorted(
                (tuple(names.get(value, value) if isinstance(value, str) else value for value in row) for row in rows),
                key=repr,
            )
    return tables


def test_two_days_come_to_the_same_as_one_load_of_everything(runs):
    company, _ = runs
    daily, once = warehouse(company, "daily"), warehouse(company, "everything")
    assert set(daily) == set(once)
    assert set(daily) >= NOT_OF_THE_CUSTOMERS | {"core.fct_orders", "customer.customer_360", "metrics.nps"}
    compared = set(daily) - NOT_OF_THE_CUSTOMERS - OF_WHAT_WAS_SENT
    assert {table for table in compared if daily[table] != once[table]} == set()
    filled = {table for table in compared if daily[table]}
    assert filled >= {"core.fct_orders", "core.fct_refunds", "core.fct_events", "core.fct_survey_responses"}


def test_late_and_corrected_rows_have_arrived(runs):
    company, _ = runs
    with duckdb.connect(str((company.root / "daily" / "published" / "crm.duckdb").resolve()), read_only=True) as con:
        people = dict(con.execute("select contact_id, customer_id from core.customer_identities").fetchall())
        orders = dict(con.execute(
            "select customer_id, list(status order by ordered_at) from core.fct_orders group by all"
        ).fetchall())  # fmt: skip
        assert orders[people["25"]] == ["paid"]
        assert orders[people["2"]][0] == "refunded"
        assert orders[people["5"]][0] == "cancelled"
        assert con.execute(
            "select count(*), count(*) filter (event_type = 'add_to_cart') from core.fct_events"
        ).fetchall() == [(45, 1)]
        answers = dict(con.execute("select response_id, score from core.fct_survey_responses").fetchall())
        assert (len(answers), answers["r1"], answers["r13"]) == (14, 9, 10)
        assert "40" not in {
            contact
            for (contact,) in con.execute("select contact_id from core.customer_identities where is_listed").fetchall()
        }


def test_the_lists_are_the_same_and_hold_nobody_who_said_no(runs):
    company, _ = runs
    daily, once = ({path.name: lines(path) for path in files(company, home)} for home in ("daily", "everything"))
    sending = {f"{audience.name}.csv" for audience in audiences.with_campaigns(audiences.load())}
    compared = {name: rows for name, rows in once.items() if name not in sending}
    assert len(compared) >= 8
    # A list that was there on the first day and is empty on the second stays, as an empty one.
    assert {n: rows for n, rows in daily.items() if n not in sending and (rows or n in once)} == compared
    assert "person1@example.com" in "".join(
        daily["rung_3_first_time_customer.csv"] + daily["rung_4_repeat_customer.csv"]
    )
    assert "person2@example.com" not in str(daily)


def files(company: Company, home: str) -> list[Path]:
    return list((company.root / home / "exports" / "files").glob("*.csv"))


def lines(path: Path) -> list[str]:
    """The rows of a list, without its header."""
    return sorted(path.read_text(encoding="utf-8").splitlines()[1:])


def test_no_address_and_no_secret_was_said(runs):
    _, said = runs
    assert re.search(r"land crm contacts +40 rows, 0 rejected", said)
    assert "@example.com" not in said
    for secret in (SECRET, quote(SECRET, safe=""), "shpat_fake"):
        assert secret not in said


def test_the_doctor_knows_the_connections_of_airflow_itself(runs):
    company, _ = runs
    home = company.root / "daily"
    with closing(sqlite3.connect(home / "airflow" / "airflow.db")) as airflow, airflow:
        airflow.execute(
            "insert into connection (conn_id, conn_type, host, schema, login, is_encrypted, is_extra_encrypted) "
            "values ('in_airflow', 'postgres', ?, 'postgres', 'postgres', 0, 0)",
            [company.server.socket],
        )
    before = tree(home)
    looked = command("--config", company.write_database_only("in_airflow.yml", "in_airflow"), "--home", home)
    assert "ok      crm contacts: 40 rows read" in looked.stdout
    assert looked.returncode == 0
    assert tree(home) == before


def test_a_database_that_refuses_the_password_is_said_without_it(runs):
    company, _ = runs
    company.write_database_only("refused.yml", "crm_db")
    wrong = f"Wr0ng-{SECRET}"
    said = company.run("refused.yml", "daily", SECOND, password=wrong, code=1)
    assert "crm, table crm.people (connection 'crm_db'): the database refuses the connection" in said
    for secret in (SECRET, quote(SECRET, safe=""), "@example.com"):
        assert secret not in said

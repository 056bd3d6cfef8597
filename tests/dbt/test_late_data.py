"""Late, corrected and deleted rows, from files to marts: it does not matter when a row came, only what it says last."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from expectations import inbound
from tangga import dbt, landing, settings, warehouse
from tangga.settings import Settings

FIRST, SECOND, THIRD = date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1)

CONTACTS = {
    "ani": "1,2026-05-01 10:00:00,ani@example.com,Ani,",
    "ani renamed": "1,2026-06-30 08:00:00,ani@example.com,Annie,",
    "budi": "2,2026-05-02 10:00:00,budi@example.com,Budi,",
    "budi gone": "2,2026-06-30 09:00:00,budi@example.com,Budi,yes",
    "citra": "3,2026-06-28 10:00:00,citra@example.com,Citra,",
}
ORDERS = {
    "first": "o1,1,2026-06-01 10:00:00,completed,IDR,100000,",
    "second": "o2,1,2026-06-29 10:00:00,pending,IDR,50000,",
    "second corrected": "o2,1,2026-06-29 10:00:00,completed,IDR,45000,",
    "late": "o3,3,2026-06-20 10:00:00,completed,IDR,70000,",
    "of today": "o4,2,2026-06-30 10:00:00,completed,IDR,20000,",
    "to be deleted": "o5,3,2026-06-29 11:00:00,completed,IDR,90000,",
    "deleted": "o5,3,2026-06-29 11:00:00,completed,IDR,90000,yes",
}
CONSENTS = {
    "ani": "1,email,granted,2026-05-01",
    "budi": "2,email,granted,2026-05-02",
    "citra, late": "3,email,granted,2026-06-01",
}
FILES = {
    "contacts": ("contact_id,updated_at,email,first_name,gone", CONTACTS),
    "orders": ("order_id,contact_id,ordered_at,status,currency,total_amount,gone", ORDERS),
    "consents": ("contact_id,channel,status,status_at", CONSENTS),
}
ON_TIME = {"contacts": ["ani", "budi"], "orders": ["first", "second", "to be deleted"], "consents": ["ani", "budi"]}
LATER = {
    "contacts": ["ani renamed", "budi gone", "citra"],
    "orders": ["late", "second corrected", "of today", "deleted"],
    "consents": ["citra, late"],
}


class Shop:
    """A company below `root` that delivers what `deliver` is given, and has its warehouse built from it."""

    def __init__(self, root: Path, load: str):
        self.root = root
        entities = {name: {"path": f"{name}/{{ds}}.csv", "load": load} for name in FILES}
        for name in ("contacts", "orders"):
            entities[name]["deleted"] = "gone"
        config = {
            "business": {"name": "Toko", "time_zone": "Asia/Jakarta", "currency": "IDR", "country": "ID"},
            "sources": {"shop": {"path": "inbox", "entities": entities}},
        }
        root.mkdir()
        (root / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.settings: Settings = settings.load(root / "tangga.yml", root / "home")

    def deliver(self, day: date, rows: dict[str, list[str]]) -> None:
        """Land one day and let the gate judge it."""
        for entity, names in rows.items():
            header, known = FILES[entity]
            path = self.root / "inbox" / entity / f"{day}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([header, *(known[name] for name in names), ""]), encoding="utf-8")
            landing.land(self.settings, "shop", entity, day)
        assert {result.verdict for result in inbound.check(self.settings, day)} <= {"pass", "warn"}

    def build(self, day: date) -> dict[str, list[tuple]]:
        """Full name -> rows of every public table, as of a day."""
        warehouse.prepare(self.settings, day)
        dbt.run(self.settings, day, "build", "--quiet", "--resource-type", "seed", "--resource-type", "model")
        manifest = json.loads((dbt.target(self.settings) / "manifest.json").read_text(encoding="utf-8"))
        public = [
            f"{node['schema']}.{node['name']}"
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["config"]["access"] == "public"
        ]
        with duckdb.connect(str(warehouse.path(self.settings)), read_only=True) as con:
            return {table: con.sql(f"select * from {table} order by all").fetchall() for table in sorted(public)}


def merged(*deliveries: dict[str, list[str]]) -> dict[str, list[str]]:
    return {entity: [name for rows in deliveries for name in rows[entity]] for entity in FILES}


@pytest.fixture(scope="module")
def in_two_days(tmp_path_factory) -> tuple[Shop, dict, dict]:
    """Two days of a daily source, of which the second brings what was late, wrong or deleted."""
    shop = Shop(tmp_path_factory.mktemp("late") / "daily", "daily")
    shop.deliver(FIRST, ON_TIME)
    before = shop.build(FIRST)
    shop.deliver(SECOND, LATER)
    return shop, before, shop.build(SECOND)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory) -> tuple[Shop, dict]:
    """The same rows as one delivery of a snapshot source."""
    shop = Shop(tmp_path_factory.mktemp("late") / "snapshot", "snapshot")
    shop.deliver(SECOND, merged(ON_TIME, LATER))
    return shop, shop.build(SECOND)


def without_landing(tables: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    """All but the table that speaks of when rows landed."""
    return {name: rows for name, rows in tables.items() if name != "metrics.source_freshness"}


def test_what_came_late_is_as_if_it_had_come_on_time(in_two_days, at_once):
    after, expected = in_two_days[-1], at_once[-1]
    assert len(expected) > 20
    assert {name for name, rows in expected.items() if rows} >= {"core.fct_orders", "audiences.audience_members"}
    assert without_landing(after) == without_landing(expected)


def test_the_latest_word_counts(in_two_days):
    shop, before, after = in_two_days
    with duckdb.connect(str(warehouse.path(shop.settings)), read_only=True) as con:
        orders = con.sql("select order_id, status, net_amount from core.fct_orders order by 1").fetchall()
        emails = con.sql("select email, first_name from core.dim_customers where email is not null").fetchall()
    assert [(key, status, int(amount)) for key, status, amount in orders] == [
        ("o1", "completed", 100000), ("o2", "completed", 45000), ("o3", "completed", 70000), ("o4", "completed", 20000),
    ]  # fmt: skip
    assert sorted(emails) == [("ani@example.com", "Annie"), ("citra@example.com", "Citra")]
    assert len(before["core.fct_orders"]) == 3


def test_the_day_before_is_rebuilt_as_it_was(in_two_days):
    shop, before, _ = in_two_days
    assert shop.build(FIRST) == before


def test_landing_a_day_again_changes_no_byte(in_two_days):
    shop, *_ = in_two_days
    area = shop.root / "home" / "landing"
    partitions = {path: path.read_bytes() for path in area.rglob("*") if path.is_file()}
    assert len(partitions) == 3 * 2 * 3
    for day, rows in ((FIRST, ON_TIME), (SECOND, LATER)):
        shop.deliver(day, rows)
    assert {path: path.read_bytes() for path in area.rglob("*") if path.is_file()} == partitions


def test_who_is_gone_from_a_snapshot_is_gone_the_day_after(at_once):
    shop, before = at_once
    shop.deliver(THIRD, {"contacts": ["ani renamed"], "orders": ["first"], "consents": [*CONSENTS]})
    after = shop.build(THIRD)
    assert [len(tables["core.fct_orders"]) for tables in (before, after)] == [4, 1]
    people = [{row[0] for row in tables["core.dim_customers"] if "@" in str(row)} for tables in (before, after)]
    assert [len(ids) for ids in people] == [2, 1]
    [citra] = people[0] - people[1]
    assert [citra in str(tables["audiences.audience_members"]) for tables in (before, after)] == [True, False]

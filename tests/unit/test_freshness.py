"""A source that is down, days that are missing, rows that were deleted: what stands in, what is said, what is sent."""

from __future__ import annotations

import json
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pytest
import yaml

from expectations import inbound
from tangga import dbt, files, landing, publish, settings, summary, warehouse
from tangga.activation import plan
from tangga.landing import extract, freshness
from tangga.settings import SettingsError
from tangga.sources.records import SourceDown, SourceRefused
from tangga.tasks import activate, land
from tests.unit.inbox import BUSINESS

DAY = date(2026, 3, 10)
ROWS = {
    "contacts": "contact_id,updated_at\n1,2026-03-01\n",
    "consents": "contact_id,channel,status,status_at\n1,email,granted,2026-03-01\n",
    "messages": "message_id,contact_id,channel,event,occurred_at\nm,1,email,unsubscribed,2026-03-01\n",
    "orders": "order_id,contact_id,ordered_at,status,currency,total_amount\n7,1,2026-03-01,completed,IDR,5\n",
}


def before(days: int) -> date:
    return DAY - timedelta(days=days)


class Company:
    """A shop that puts a file a day for each entity into its folder; `source` and `entity` go into the settings."""

    def __init__(self, root, entities, source=None, **entity):
        self.root, self.entities = root, entities
        spec = {name: {"path": f"{name}/{{ds}}.csv"} | entity for name in entities}
        config = {"business": BUSINESS, "sources": {"shop": {"path": "inbox", "entities": spec} | (source or {})}}
        (root / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.settings = settings.load(root / "tangga.yml", root / "home")

    def put(self, day, text=None, entity=None):
        for name in [entity] if entity else self.entities:
            path = self.root / "inbox" / name / f"{day}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text or ROWS[name], encoding="utf-8")
        return self

    def run(self, day, *, tries=(1, 0)):
        """`crm_land` for a day, by the functions of its tasks; returns the gate's results."""
        for name in self.entities:
            land.land("shop", name, dag_run=run_of(day), ti=SimpleNamespace(try_number=tries[0], max_tries=tries[1]))
        return inbound.check(self.settings, day)

    def folder(self, day, entity=None):
        return landing.folder(self.settings, entity or self.entities[0], "shop", day)

    def freshness(self, day=DAY, entity=None):
        return freshness.of_entity(self.settings, "shop", entity or self.entities[0], day)


def run_of(day):
    return SimpleNamespace(partition_key=day.isoformat(), conf={}, run_id="run")


def build_and_publish(shop):
    """The landing as it is now as the published version of the day, by a dbt project without models."""
    warehouse.prepare(shop.settings, DAY)
    dbt.target(shop.settings).mkdir(parents=True, exist_ok=True)
    (dbt.target(shop.settings) / "manifest.json").write_text(json.dumps({"nodes": {}}))
    return publish.publish(shop.settings, DAY, "abc")


def failed(results):
    return [(check.description, check.severity) for result in results for check in result.checks if not check.success]


@pytest.fixture
def company(tmp_path, monkeypatch):
    monkeypatch.setenv("TANGGA_CONFIG", str(tmp_path / "tangga.yml"))
    monkeypatch.setenv("TANGGA_HOME", str(tmp_path / "home"))

    def make(*entities, use_last=False, **entity):
        return Company(tmp_path, entities, {"when_down": "use_last"} if use_last else {}, **entity)

    return make


class TestSettings:
    def test_a_source_that_is_down_stops_the_day_unless_told_otherwise(self, company):
        source = company("orders").settings.sources["shop"]
        assert (source.when_down, source.max_stale_days) == ("stop", 3)
        assert company("orders", use_last=True).settings.sources["shop"].when_down == "use_last"

    def test_a_limit_that_nothing_would_use_is_refused(self, tmp_path):
        with pytest.raises(SettingsError, match="'max_stale_days' is for 'when_down: use_last'"):
            Company(tmp_path, ["orders"], {"max_stale_days": 2})

    def test_of_what_may_be_a_no_nothing_may_be_rejected_unless_somebody_allows_it(self, company):
        found = company("consents", "messages", "orders").settings.sources["shop"].entities
        assert {name: spec.max_reject_share for name, spec in found.items()} == {
            "consents": 0.0, "messages": 0.0, "orders": 0.05
        }  # fmt: skip
        with pytest.raises(SettingsError, match="entities.messages.gate.rejects: 'warn' is not safe there"):
            company("messages", gate={"rejects": "warn"})

    @pytest.mark.parametrize("entity", ["consents", "messages"])
    def test_nobody_who_said_no_can_be_deleted(self, company, entity):
        with pytest.raises(SettingsError, match=f"entities.{entity}.deleted: who said no stays heard"):
            company(entity, deleted="is_deleted")


class TestASourceThatIsDown:
    def test_stops_the_day(self, company):
        with pytest.raises(SourceDown, match="no file matches"):
            company("orders").put(before(1)).run(DAY)

    def test_is_tried_as_often_as_airflow_wants_to(self, company):
        shop = company("orders", use_last=True)
        with pytest.raises(SourceDown):
            shop.run(DAY, tries=(1, 1))
        assert not shop.folder(DAY).exists()
        shop.run(DAY, tries=(2, 1))
        assert freshness.is_missed(shop.settings, "shop", "orders", DAY)

    def test_what_breaks_its_contract_always_stops(self, company):
        shop = company("orders", use_last=True).put(before(1))
        shop.run(before(1))
        shop.put(DAY, "order_id\n7\n")
        with pytest.raises(SourceRefused, match="has no column"):
            shop.run(DAY)

    def test_of_a_snapshot_the_newest_rows_that_were_let_in_stand_in(self, company):
        shop = company("contacts", use_last=True).put(before(2))
        shop.run(before(2))
        [result] = shop.run(DAY)
        assert (result.verdict, failed([result])) == (
            "warn", [("shop was not down on 2026-03-10 (the rows of contacts of 2026-03-08 stand in)", "warn")],
        )  # fmt: skip
        assert [path.name for path in shop.folder(DAY).iterdir()] == ["missed.json"]
        assert json.loads((shop.folder(DAY) / "missed.json").read_text()) == {"stood_in": "2026-03-08"}
        assert shop.freshness().sentences == [
            "contacts of shop: source was down; the rows of 2026-03-08 stand in"
        ]  # fmt: skip
        assert warehouse.prepare(shop.settings, DAY)["contacts"] == 1

    def test_of_a_daily_entity_the_day_is_missing_until_it_is_landed(self, company):
        shop = company("orders", use_last=True, load="daily").put(before(1))
        shop.run(before(1))
        [result] = shop.run(DAY)
        assert (result.verdict, shop.freshness().missing) == ("warn", (DAY,))
        assert shop.freshness().sentences == ["orders of shop: source was down; the day's rows are missing"]
        [result] = shop.put(DAY).run(DAY)
        assert (result.verdict, shop.freshness().missing, shop.freshness().sentences) == ("pass", (), [])
        assert sorted(path.suffix for path in shop.folder(DAY).iterdir()) == [".json", ".json", ".parquet"]
        assert not (shop.folder(DAY) / "missed.json").exists()

    @pytest.mark.parametrize(("days", "verdict"), [(3, "warn"), (4, "stop")])
    def test_rows_stand_in_only_as_long_as_they_may(self, company, days, verdict):
        shop = company("contacts", use_last=True).put(before(days))
        shop.run(before(days))
        [result] = shop.run(DAY)
        assert result.verdict == verdict
        too_old = ("The last contacts of shop are at most 3 days old (max_stale_days)", "stop")
        assert (too_old in failed([result])) == (verdict == "stop")

    def test_without_rows_that_could_stand_in_it_stops(self, company):
        [result] = company("contacts", use_last=True).run(DAY)
        assert (result.verdict, failed([result])) == (
            "stop", [("Rows of contacts can stand in for 2026-03-10", "stop")]
        )  # fmt: skip

    def test_what_was_landed_of_the_day_before_it_went_down_stands(self, company):
        shop = company("contacts", use_last=True).put(DAY)
        shop.run(DAY)
        (shop.root / "inbox" / "contacts" / f"{DAY}.csv").unlink()
        [result] = shop.run(DAY)
        assert (result.verdict, shop.freshness().is_stale) == ("pass", False)
        assert not (shop.folder(DAY) / "missed.json").exists()

    def test_a_mark_counts_only_while_the_settings_allow_it(self, company):
        shop = company("contacts", use_last=True).put(before(1))
        shop.run(before(1))
        shop.run(DAY)
        [result] = inbound.check(company("contacts").settings, DAY)
        assert (result.verdict, failed([result])) == (
            "stop", [("contacts of shop was landed on 2026-03-10", "stop")]
        )  # fmt: skip


class TestMissingDays:
    def test_are_noticed_and_named(self, company):
        shop = company("orders", load="daily")
        for days in (5, 3, 0):
            [result] = shop.put(before(days)).run(before(days))
        assert (result.verdict, failed([result])) == (
            "warn",
            [("Every day of orders of shop was landed and let in (backfill 2026-03-06, 2026-03-08, 2026-03-09)",
              "warn")],
        )  # fmt: skip
        assert shop.freshness().missing == (before(4), before(2), before(1))
        assert shop.freshness().sentences == [
            "orders of shop: 2026-03-06, 2026-03-08, 2026-03-09 were never landed; backfill them"
        ]
        [result] = shop.put(before(4)).run(before(4))
        assert (result.verdict, shop.freshness().missing) == ("pass", (before(2), before(1)))

    def test_a_day_that_the_gate_stopped_is_missing(self, company):
        shop = company("orders", load="daily")
        shop.put(before(2)).run(before(2))
        shop.put(before(1), ROWS["orders"] + "8,1,never,completed,IDR,5\n").run(before(1))
        shop.put(DAY).run(DAY)
        assert shop.freshness().missing == (before(1),)

    def test_many_are_not_all_named(self):
        assert freshness.named([before(days) for days in (9, 8, 7, 6, 5, 4, 3)]) == (
            "2026-03-01, 2026-03-02, 2026-03-03, 2026-03-04, 2026-03-05 and 2 more"
        )

    def test_of_a_snapshot_no_day_is_missing(self, company):
        shop = company("orders", gate={"freshness": "off"})
        for days in (3, 0):
            [result] = shop.put(before(days)).run(before(days))
        assert (result.verdict, shop.freshness().missing) == ("pass", ())

    @pytest.mark.parametrize(
        ("last", "missing"),
        [
            ({}, (before(3), before(2), before(1))),
            ({"look_back_days": 2}, (before(3),)),
            ({"look_back_days": 9}, ()),
            ({"mark": 12}, (before(3),)),
            ({"mark": 12, "look_back_days": 3}, ()),
        ],
    )
    def test_a_day_that_a_later_one_has_read_is_not_missing(self, company, last, missing):
        """Of the three days between, the first was landed and not let in: a growing id goes on behind its rows."""
        shop = company("orders", load="daily")
        shop.put(before(4)).run(before(4))
        shop.put(before(3), ROWS["orders"] + "8,1,never,completed,IDR,5\n").run(before(3))
        manifest = landing.read_manifest(shop.folder(before(4)))
        later = landing.Manifest(**(vars(manifest) | {"ds": DAY.isoformat()} | last))
        assert tuple(freshness.missing_days(shop.settings, "shop", "orders", DAY, [manifest, later])) == missing


class TestNobodyIsWrittenTo:
    """Figures may be old, a no may not."""

    @pytest.mark.parametrize("entity", ["consents", "messages"])
    def test_without_the_refusals_of_the_day(self, company, entity):
        shop = company(entity, use_last=True).put(before(1))
        shop.run(before(1))
        assert [result.verdict for result in shop.run(DAY)] == ["warn"]
        build_and_publish(shop)
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop for 2026-03-10 have not been landed"):
            plan.make(shop.settings, DAY)

    @pytest.mark.parametrize("entity", ["consents", "messages"])
    def test_without_those_of_a_day_before(self, company, entity):
        shop = company(entity, load="daily")
        for days in (2, 0):
            shop.put(before(days)).run(before(days))
        build_and_publish(shop)
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop for 2026-03-09 have not been landed"):
            plan.make(shop.settings, DAY)
        shop.put(before(1)).run(before(1))
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop have landed anew since 2026-03-10"):
            plan.make(shop.settings, DAY)
        build_and_publish(shop)
        with pytest.raises(duckdb.CatalogException):  # nothing is in its way but that there are no models here
            plan.make(shop.settings, DAY)

    @pytest.mark.parametrize("entity", ["consents", "messages"])
    def test_when_those_of_a_later_day_have_landed(self, company, entity):
        shop = company(entity).put(DAY).put(DAY + timedelta(days=1))
        shop.run(DAY)
        version = build_and_publish(shop)
        with pytest.raises(duckdb.CatalogException):  # nothing is in its way
            plan.make(shop.settings, DAY)
        shop.run(DAY + timedelta(days=1))
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop for 2026-03-11 have landed"):
            plan.make(shop.settings, DAY)
        folder = shop.root / "plan"
        folder.mkdir()
        said = {"published_version": version.version}
        for name in ("members", "messages"):
            (folder / f"{name}.parquet").write_bytes(b"")
            said[f"{name}_sha256"] = files.sha256(folder / f"{name}.parquet")
        (folder / "plan.json").write_text(json.dumps(said))
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop for 2026-03-11 have landed"):
            plan.confirm(shop.settings, folder)

    @pytest.mark.parametrize("entity", ["consents", "messages"])
    def test_when_their_source_is_not_named_any_more(self, company, entity):
        shop = company(entity, "contacts").put(DAY)
        shop.run(DAY)
        shop = company("contacts")
        build_and_publish(shop)
        with pytest.raises(plan.ActivationRefused, match=f"The {entity} of shop have landed before, and tangga.yml"):
            plan.make(shop.settings, DAY)
        (shop.root / "home" / "landing" / entity / "source=shop").rename(shop.root / "away")
        with pytest.raises(duckdb.CatalogException):  # nothing is in its way
            plan.make(shop.settings, DAY)

    def test_when_a_partition_is_of_a_day_that_is_over(self, company):
        shop = company("contacts")
        build_and_publish(shop)
        assert not activate.is_newest_day(run_of(DAY))
        assert activate.is_newest_day(SimpleNamespace(partition_key=None, conf={"as_of_date": DAY.isoformat()}))
        assert not activate.is_newest_day(SimpleNamespace(partition_key=None, conf={"as_of_date": "2026-03-09"}))


class TestWhereItIsSeen:
    def test_in_the_warehouse(self, company):
        shop = company("contacts", "orders", use_last=True, load="daily").put(before(2))
        shop.run(before(2))
        shop.put(DAY, entity="orders")
        shop.run(DAY)
        warehouse.prepare(shop.settings, DAY)
        with duckdb.connect(str(warehouse.path(shop.settings)), read_only=True) as con:
            rows = con.sql("select * exclude (watermark, content) from landing.freshness").fetchall()
        assert rows == [
            ("shop", "contacts", "daily", before(2), 1, 2, True, "2026-03-09, 2026-03-10"),
            ("shop", "orders", "daily", DAY, 1, 0, False, "2026-03-09"),
        ]

    def test_in_the_version_and_in_a_version_that_was_overtaken(self, company):
        shop = company("orders", use_last=True, load="daily").put(before(2))
        shop.run(before(2))
        shop.put(DAY).run(DAY)
        stale = {"source": "shop", "entity": "orders", "last_landed_day": "2026-03-10", "missing_days": ["2026-03-09"]}
        assert build_and_publish(shop).stale_sources == [stale]
        assert publish.changed_since(shop.settings) == []
        shop.put(before(1)).run(before(1))
        [sentence] = publish.changed_since(shop.settings)
        assert sentence == (
            "orders of shop landed anew since 2026-03-10, the newest day, was published; run crm_build for it again"
        )
        assert summary._remarks(shop.settings, DAY) == [f"{sentence}."]
        assert build_and_publish(shop).stale_sources == []
        assert publish.changed_since(shop.settings) == []
        assert publish.current(shop.settings).stale_sources == []

    def test_in_the_note_of_the_gate(self, company, caplog):
        shop = company("contacts", use_last=True).put(before(1))
        shop.run(before(1))
        land.land("shop", "contacts", dag_run=run_of(DAY))
        caplog.set_level("INFO", "tangga")
        land.inbound_gate(run_of(DAY))
        assert "1 warn; contacts of shop: source was down; the rows of 2026-03-09 stand in" in caplog.messages


DELETED = "order_id,contact_id,ordered_at,status,currency,total_amount,gone\n" + "".join(
    f"{number},1,2026-03-01,completed,IDR,5,{value}\n"
    for number, value in enumerate(["true", "T", " 1 ", "2026-03-05", "", "false", "F", "No", "0", "n"])
)


class TestDeletedRows:
    @pytest.mark.parametrize(
        ("deleted", "expected"),
        [
            (None, set()),
            ("gone", {"0", "1", "2", "3"}),
            ({"column": "GONE"}, {"0", "1", "2", "3"}),
            ({"column": "gone", "values": ["TRUE", "1"]}, {"0", "2"}),
            ({"column": "gone", "values": ["no"]}, {"7"}),
        ],
    )
    def test_are_told_from_others(self, inbox, deleted, expected):
        landed = inbox.land("orders", DELETED, {"deleted": deleted} if deleted else {})
        assert {key for key, is_deleted in landed.rows("order_id", "_is_deleted") if is_deleted} == expected
        assert landed.manifest.ignored_columns == ([] if deleted else ["gone"])

    def test_a_row_and_its_deletion_in_one_file_are_both_kept(self, inbox):
        row = "7,1,2026-03-01,completed,IDR,5"
        content = f"order_id,contact_id,ordered_at,status,currency,total_amount,gone\n{row},0\n{row},1\n{row},1\n"
        landed = inbox.land("orders", content, {"deleted": "gone"})
        assert landed.rows("_line", "_is_deleted") == [(2, False), (3, True)]

    def test_records_that_name_their_own_fields_may_all_lack_it(self, inbox):
        rows = '{"order_id": "1", "contact_id": "1", "ordered_at": "2026-03-01", "status": "paid", '
        rows += '"currency": "IDR", "total_amount": "5"'
        spec = {"path": "orders.jsonl", "deleted": "gone"}
        inbox.put("orders.jsonl", rows + "}\n")
        assert inbox.land("orders", spec=spec).column("_is_deleted") == [False]
        inbox.put("orders.jsonl", rows + ', "gone": true}\n')
        assert inbox.land("orders", spec=spec).column("_is_deleted") == [True]
        with pytest.raises(SourceRefused, match="has no column 'gone', which orders.deleted is read from"):
            inbox.land("orders", spec=spec | {"query": "select * exclude (gone) from file"})

    def test_a_column_that_is_not_there_is_refused(self, inbox):
        with pytest.raises(SourceRefused, match=r"has no column 'gone', which orders.deleted is read from"):
            inbox.land("orders", ROWS["orders"], {"deleted": "gone"})

    def test_partitions_from_before_this_column_have_deleted_nothing(self, company):
        shop = company("orders", load="daily")
        shop.put(before(1)).run(before(1))
        manifest = landing.read_manifest(shop.folder(before(1)))
        old = shop.folder(before(1)) / manifest.file
        with duckdb.connect() as con:
            con.execute(f"create table t as select * exclude (_is_deleted) from read_parquet('{old}')")
            con.execute(f"copy t to '{old}' (format parquet)")
        changed = vars(manifest) | {"sha256": landing.files.sha256(old)}
        (old.parent / "manifest.json").write_text(json.dumps(changed))
        landing.record_verdict(shop.settings, landing.read_manifest(old.parent), "pass", [])
        shop.put(DAY).run(DAY)
        with duckdb.connect() as con:
            landing.create_views(con, shop.settings, DAY)
            rows = con.sql("select _ds, _is_deleted from landing.orders order by _ds").fetchall()
            kinds = dict(con.sql("select column_name, column_type from (describe landing.orders)").fetchall())
        assert rows == [(before(1), None), (DAY, False)]
        assert kinds["_is_deleted"] == extract.LINEAGE["_is_deleted"] == "BOOLEAN"

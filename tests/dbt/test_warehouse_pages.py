"""The pages of the warehouse, filled by dbt from a published day."""

import json
import re
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from tangga import dbt, publish, published_files, warehouse_pages
from tangga.settings import REPOSITORY
from tests.dbt.harness import AS_OF, unit_tests_enabled


@pytest.fixture(scope="module")
def shown(settings):
    """The page of a published day, with the manifest and the catalog that stand in it."""
    with unit_tests_enabled():
        publish.publish(settings, AS_OF, "code-1")
        assert warehouse_pages.show(settings, AS_OF) == settings.warehouse_pages
    page = settings.warehouse_pages.read_text(encoding="utf-8")
    decoder, start = json.JSONDecoder(), page.index("{manifest:{") + len("{manifest:")
    manifest, end = decoder.raw_decode(page, start)
    assert page[end : end + 9] == ",catalog:"
    catalog, _ = decoder.raw_decode(page, end + 9)
    return SimpleNamespace(page=page, manifest=manifest, catalog=catalog)


def test_every_published_table_is_described_with_its_rows(settings, shown):
    nodes = shown.manifest["nodes"].values()
    published = {f"{node['schema']}.{node['name']}" for node in nodes if node["database"] == "crm"}
    assert published == {table.full_name for table in published_files.public_tables(settings)}
    rows = {
        f"{node['metadata']['schema']}.{node['metadata']['name']}": node["stats"]["row_count"]["value"]
        for node in shown.catalog["nodes"].values()
        if node["metadata"]["database"] == "crm"
    }
    assert rows == publish.current(settings).rows


def test_it_says_which_day_it_is_of_and_what_is_personal(settings, shown):
    version = publish.current(settings).version
    overview = shown.manifest["docs"]["doc.tangga.__overview__"]["block_contents"]
    assert f"the day **{AS_OF}** (version `{version}`, code `code-1`)" in overview
    assert "<title>Tests: the warehouse</title>" in shown.page
    columns = shown.manifest["nodes"]["model.tangga.dim_customers"]["columns"]
    personal = {name for name, column in columns.items() if column["description"].endswith("not in crm.duckdb.")}
    assert personal == {"interests", "birth_date", "first_name", "last_name", "email", "phone"}


def test_each_column_says_its_unit_and_where_it_comes_from(shown):
    nodes = [node for node in shown.manifest["nodes"].values() if node["database"] == "crm"]
    said = {f"{node['name']}.{name}": each["description"] for node in nodes for name, each in node["columns"].items()}
    assert said["fct_orders.ordered_at"] == "When it was placed (UTC). Unit: instant, UTC. From: orders.ordered_at."
    assert [name for name, text in said.items() if " Unit: " not in text or " From: " not in text] == []


def test_a_browser_is_told_to_ask_nobody(shown):
    policy = re.search(r'<head><meta http-equiv="Content-Security-Policy" content="(.*?)">', shown.page)[1]
    assert re.findall(r"(\S+-src) ([^;]+)", policy) == [
        ("default-src", "'none'"),
        ("img-src", "data:"),
        ("font-src", "data:"),
        ("style-src", "'unsafe-inline'"),
        ("script-src", "'unsafe-inline' 'unsafe-eval'"),
    ]
    assert shown.manifest["metadata"]["send_anonymous_usage_stats"] is False  # else dbt's page asks for its tracker
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//", shown.page) == []


def test_it_knows_neither_this_machine_nor_the_hour(settings, shown):
    texts = json.dumps([shown.manifest, shown.catalog])
    assert [
        found for found in (str(settings.home), str(REPOSITORY), "generated_at", "created_at") if found in texts
    ] == []
    assert str(date.today()) not in texts


def test_the_same_build_is_the_same_bytes(settings, shown):
    before = settings.warehouse_pages.stat().st_mtime_ns
    with unit_tests_enabled():
        assert warehouse_pages.show(settings, AS_OF)
    assert settings.warehouse_pages.stat().st_mtime_ns == before


def test_a_past_day_leaves_the_pages_of_the_newest(settings, shown):
    assert warehouse_pages.show(settings, AS_OF - timedelta(days=1)) is None
    assert settings.warehouse_pages.read_text(encoding="utf-8") == shown.page


@pytest.mark.parametrize("harm", ["dbt", "disk"])
def test_pages_that_cannot_be_written_hold_up_nothing(settings, shown, harm, monkeypatch, caplog):
    if harm == "dbt":
        monkeypatch.setattr(dbt, "PROJECT", settings.home / "nowhere")
    else:
        folder = settings.warehouse_pages.parent
        other = folder.with_name("a_file")
        other.write_text("where the folder should be")
        monkeypatch.setattr(type(settings), "warehouse_pages", property(lambda _: other / "index.html"))
    assert warehouse_pages.show(settings, AS_OF) is None
    assert "The pages of the warehouse cannot be written" in caplog.text

"""Publishing: what analysts may see, which version the pointers lead to, and what a broken attempt leaves."""

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from tangga import publish, warehouse
from tangga.rules_version import rules_version
from tangga.settings import Rules
from tests.unit import publications
from tests.unit.publications import DAY, build


@pytest.fixture
def home(tmp_path):
    return publications.home(tmp_path)


def read(found, name, sql):
    with duckdb.connect(str(publish.database(found, name)), read_only=True) as con:
        return con.sql(sql).fetchall()


def test_analysts_get_the_public_tables_without_personal_columns(home):
    publish.publish(home, DAY, "abc")
    tables = "select schema_name || '.' || table_name from duckdb_tables() order by 1"
    assert read(home, "crm", tables) == [("core.dim_customers",), ("customer.customer_rfm",)]
    assert read(home, "crm", "from core.dim_customers") == [("c1",)]
    assert read(home, "private", "from core.dim_customers") == [("c1", "ani@example.com")]
    assert b"ani@example.com" not in publish.database(home, "crm").read_bytes()
    assert b"ani@example.com" in publish.database(home, "private").read_bytes()


def test_tables_and_columns_carry_their_meaning(home):
    publish.publish(home, DAY, "abc")
    assert read(home, "crm", "select comment from duckdb_tables() where table_name = 'customer_rfm'") == [
        ("All customer_rfm, isn't it.",)
    ]
    assert read(home, "crm", "select comment from duckdb_columns() where column_name = 'segment'") == [
        ("The segment.",)
    ]


def test_the_same_content_is_the_same_version_untouched(home):
    first = publish.publish(home, DAY, "abc")
    stamp = publish.database(home).stat().st_mtime_ns
    build(home, "Champions")
    assert publish.publish(home, DAY, "other code") == replace(first, code_version="other code")
    assert publish.database(home).stat().st_mtime_ns == stamp


def test_other_content_is_another_version_and_readers_keep_theirs(home):
    first = publish.publish(home, DAY, "abc")
    with duckdb.connect(str(publish.database(home)), read_only=True) as reader:
        build(home, "Lost")
        second = publish.publish(home, DAY, "abc")
        assert second.version != first.version
        assert reader.sql("select segment from customer.customer_rfm").fetchall() == [("Champions",)]
    assert read(home, "crm", "select segment from customer.customer_rfm") == [("Lost",)]


def test_the_pointers_never_go_back_in_time(home):
    publish.publish(home, DAY, "abc")
    build(home, "Lost")
    past = publish.publish(home, date(2026, 3, 30), "abc")
    assert (publish.folder(home) / "versions" / past.version / "crm.duckdb").exists()
    assert publish.current(home).as_of_date == "2026-03-31"
    assert read(home, "crm", "select segment from customer.customer_rfm") == [("Champions",)]


def test_an_attempt_that_was_killed_is_made_again(home):
    version = publish.publish(home, DAY, "abc").version
    versions = publish.folder(home) / "versions"
    left_over = versions / f".{version}.part"
    (versions / version).rename(left_over)
    (left_over / "private.duckdb").chmod(0o600)
    (left_over / "private.duckdb").write_bytes(b"half")
    publish.publish(home, DAY, "abc")
    assert not left_over.exists()
    assert read(home, "private", "from core.dim_customers") == [("c1", "ani@example.com")]


def test_nothing_is_published_of_a_warehouse_that_was_not_built(home):
    with duckdb.connect(str(warehouse.path(home))) as con:
        con.execute("drop table customer.customer_rfm")
    with pytest.raises(duckdb.CatalogException):
        publish.publish(home, DAY, "abc")
    assert publish.current(home) is None


class TestRules:
    """A version says by which rules it came about."""

    def test_it_says_by_which_rules_it_was_made(self, home):
        publish.publish(home, DAY, "abc")
        assert publish.current(home).rules == rules_version(home)

    def test_the_same_rows_by_other_rules_are_the_same_version(self, home):
        first = publish.publish(home, DAY, "abc")
        other = home.model_copy(update={"rules": Rules(rfm={"scheme": "rf_grid_10"})})
        second = publish.publish(other, DAY, "abc")
        assert second.version == first.version
        assert publish.current(home).rules == rules_version(other) != first.rules

    @pytest.mark.parametrize(("table", "counts"), [("holidays", True), ("links", False), ("suppressions", False)])
    def test_tables_count_unless_they_name_people(self, home, tmp_path, table, counts):
        (tmp_path / "own.csv").write_text("something,else\n")
        own = home.reference.model_copy(update={table: str(tmp_path / "own.csv")})
        own = home.model_copy(update={"reference": own})
        assert (rules_version(own) != rules_version(home)) == counts

"""Publishing: what analysts may see, which version the pointers lead to, and what a broken attempt leaves."""

import itertools
import resource
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from tangga import dbt, publish, published_files, warehouse
from tangga.rules_version import rules_version
from tangga.settings import Published, Rules
from tests.unit import publications
from tests.unit.killing import killed_at_change
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
    assert [name for (name,) in read(home, "crm", tables)] == [
        "core.dim_customers",
        "customer.customer_rfm",
        "metrics.data_dictionary",
    ]
    assert read(home, "crm", "from core.dim_customers") == [("c1",)]
    assert read(home, "private", "from core.dim_customers") == [("c1", "ani@example.com")]
    assert b"ani@example.com" not in publish.database(home, "crm").read_bytes()
    assert b"ani@example.com" in publish.database(home, "private").read_bytes()


def test_rows_lie_in_order_in_both_files(home):
    with duckdb.connect(str(warehouse.path(home))) as con:
        con.execute("insert into core.dim_customers values ('c3', 'a@example.com'), ('c2', 'z@example.com')")
        con.execute("insert into customer.customer_rfm values ('c3', 'Lost'), ('c2', 'Lost')")
    publish.publish(home, DAY, "abc")
    for name in ("crm", "private"):
        assert read(home, name, "select customer_id from core.dim_customers") == [("c1",), ("c2",), ("c3",)]
        assert read(home, name, "select customer_id from customer.customer_rfm") == [("c1",), ("c2",), ("c3",)]


def test_tables_and_columns_carry_their_meaning(home):
    publish.publish(home, DAY, "abc")
    assert read(home, "crm", "select comment from duckdb_tables() where table_name = 'customer_rfm'") == [
        ("All customer_rfm, isn't it.",)
    ]
    assert read(home, "crm", "select comment from duckdb_columns() where column_name = 'segment'") == [
        ("The segment.",)
    ]
    assert read(home, "private", "select distinct comment from duckdb_columns() where column_name = 'email'") == [
        ("The email.",)
    ]


def test_the_dictionary_names_a_personal_column_only_where_it_is(home):
    publish.publish(home, DAY, "abc")
    columns = "select column_name from metrics.data_dictionary where table_name = 'dim_customers' order by all"
    assert read(home, "crm", columns) == [("customer_id",)]
    assert read(home, "private", columns) == [("customer_id",), ("email",)]


def test_other_words_on_the_same_rows_are_another_version(home):
    first = publish.publish(home, DAY, "abc")
    manifest = dbt.target(home) / "manifest.json"
    manifest.write_text(manifest.read_text().replace("The segment.", "Which segment."))
    assert publish.publish(home, DAY, "abc").version != first.version
    assert ("Which segment.",) in read(home, "crm", "select description from metrics.data_dictionary")


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


def versions(home):
    """(name, segment, address) as both files have them that the pointers lead to, and the versions that lie there."""
    segment, address = "select segment from customer.customer_rfm", "select email from core.dim_customers"
    shown = (publish.current(home).version, read(home, "crm", segment), read(home, "private", address))
    lying = {path.name for path in (publish.folder(home) / "versions").glob("[0-9]*")}
    return shown, lying


class TestBadDays:
    """What is published stays as it is until the next version is whole."""

    def test_killed_at_any_change_of_a_file_readers_find_a_whole_version(self, home):
        publish.publish(home, DAY, "abc")
        first, kept = publish.current(home).version, home.home / "kept"
        shutil.copytree(publish.folder(home), kept, symlinks=True)
        build(home, "Lost")
        seen = []
        for number in itertools.count(1):
            shutil.rmtree(publish.folder(home))
            shutil.copytree(kept, publish.folder(home), symlinks=True)
            was_killed = killed_at_change(lambda: publish.publish(home, DAY, "abc"), number)
            (name, segment, address), lying = versions(home)
            assert name in lying and all(publish.read(publish.folder(home) / "versions" / one) for one in lying)
            assert (segment, address) == ([("Champions" if name == first else "Lost",)], [("ani@example.com",)])
            seen.append(segment[0][0])
            publish.publish(home, DAY, "abc")
            assert versions(home)[0][1] == [("Lost",)] and len(versions(home)[1]) == 2
            assert [path.name for path in publish.folder(home).rglob(".*")] == []
            if not was_killed:
                break
        assert set(seen) == {"Champions", "Lost"} and len(seen) > 10

    @pytest.mark.parametrize("lack", ["disk", "memory"])
    def test_without_room_the_published_warehouse_is_untouched(self, home, lack, monkeypatch):
        publish.publish(home, DAY, "abc")
        before = versions(home)
        with duckdb.connect(str(warehouse.path(home))) as con:
            con.execute(
                "insert into customer.customer_rfm select i || repeat('x', 200), 'Lost' from range(50_000) t(i)"
            )
        with lacking(lack, monkeypatch), pytest.raises(publish.NoRoom, match="what was published before stays") as said:
            publish.publish(home, DAY, "abc")
        assert {"disk": "see that the disk has room", "memory": "TANGGA_MEMORY_LIMIT"}[lack] in str(said.value)
        assert versions(home) == before
        publish.publish(home, DAY, "abc")
        assert read(home, "crm", "select count(*) from customer.customer_rfm") == [(50_001,)]
        assert [path.name for path in publish.folder(home).rglob(".*")] == []

    @pytest.mark.parametrize("mode", ["read_only=True", "read_only=False"])
    def test_while_an_analyst_holds_the_file_open_the_next_version_is_published(self, home, mode):
        publish.publish(home, DAY, "abc")
        script = (
            f"import duckdb, sys; con = duckdb.connect({str(publish.database(home))!r}, {mode});"
            "print('open', flush=True); sys.stdin.readline();"
            "print(con.sql('select segment from customer.customer_rfm').fetchone()[0])"
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", script], **pipes) as analyst:
            assert analyst.stdout.readline() == "open\n"
            publish.publish(home, DAY, "abc")
            build(home, "Lost")
            publish.publish(home, DAY, "abc")
            assert read(home, "private", "select segment from customer.customer_rfm") == [("Lost",)]
            assert analyst.communicate("\n")[0] == "Champions\n"


@contextmanager
def lacking(what, monkeypatch):
    """So little disk, or memory, that a version cannot be written."""
    if what == "memory":
        with monkeypatch.context() as patch:
            patch.setenv("TANGGA_MEMORY_LIMIT", "5MB")
            yield
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


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


def parquet(home):
    return publish.folder(home) / "parquet"


class TestParquet:
    """The analysts' tables once more, as files that belong to the version."""

    def test_each_table_of_the_analysts_file_is_one_of_the_same_rows(self, home):
        publish.publish(home, DAY, "abc")
        tables = read(home, "crm", "select schema_name || '/' || table_name || '.parquet' from duckdb_tables()")
        files = {str(path.relative_to(parquet(home))) for path in parquet(home).rglob("*.*")}
        assert files == {name for (name,) in tables} and files
        for name in files:
            table = name.removesuffix(".parquet").replace("/", ".")
            rows = duckdb.sql(f"from '{parquet(home) / name}'")
            assert rows.fetchall() == read(home, "crm", f"from {table}")
            assert "email" not in rows.columns
        assert b"ani@example.com" not in b"".join((parquet(home) / name).read_bytes() for name in files)

    def test_the_same_rows_are_the_same_bytes(self, tmp_path):
        found = []
        for folder in (tmp_path / "one", tmp_path / "two"):
            home = publications.home(folder)
            with duckdb.connect(str(warehouse.path(home))) as con:
                rows = "select 'c' || hash(i), 'x' from range(300_000) t(i) order by random()"
                con.execute(f"insert into customer.customer_rfm {rows}")
            publish.publish(home, DAY, "abc")
            found.append((parquet(home) / "customer" / "customer_rfm.parquet").read_bytes())
        assert found[0] == found[1]

    def test_a_version_that_has_none_yet_gets_them(self, home):
        without = home.model_copy(update={"published": Published(parquet=False)})
        version = publish.publish(without, DAY, "abc").version
        assert not parquet(home).is_symlink()
        left_over = publish.folder(home) / "versions" / f".{version}.parquet.part"
        left_over.mkdir()
        publish.publish(home, DAY, "abc")
        assert len([*parquet(home).glob("*/*.parquet")]) == len(published_files.public_tables(home)) + 1
        assert not left_over.exists()

    def test_switched_off_they_are_not_pointed_to_any_more(self, home):
        publish.publish(home, DAY, "abc")
        build(home, "Lost")
        publish.publish(home.model_copy(update={"published": Published(parquet=False)}), DAY, "abc")
        assert not parquet(home).is_symlink()

    def test_a_reader_finds_whole_files_while_versions_come(self, home):
        publish.publish(home, DAY, "abc")
        done, found = threading.Event(), []

        def look():
            while not done.is_set():
                with duckdb.connect() as con:
                    file = parquet(home) / "customer" / "customer_rfm.parquet"
                    found.extend(con.sql(f"select segment from '{file}'").fetchall())

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(look)
            for segment in ("Lost", "At Risk", "Champions", "Lost"):
                build(home, segment)
                publish.publish(home, DAY, "abc")
            done.set()
            reader.result()
        assert {"Champions", "Lost"} <= {segment for (segment,) in found} <= {"Champions", "Lost", "At Risk"}

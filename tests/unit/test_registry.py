"""The registry of customer ids as files: whole, of the days before only, and never quietly without what it knew."""

from __future__ import annotations

import json
from datetime import date

import duckdb
import pytest

from tangga import daily_state, identities, settings, warehouse
from tangga.settings import REPOSITORY

FIRST, SECOND, THIRD = date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture
def home(tmp_path):
    found = settings.load(REPOSITORY / "tangga.yml", tmp_path)
    warehouse.path(found).parent.mkdir(parents=True)
    return found


def keep(home, day: date, *customers: str) -> None:
    """Keep a registry of a day on which there are these customers, of a record each, in the order given."""
    file = warehouse.path(home)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as con:
        con.execute("create schema intermediate")
        for model, columns in identities.TABLES.values():
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            con.execute(f"create table intermediate.{model} ({typed})")
        for customer in customers:
            record = ["shop", f"record of {customer}"]
            con.execute("insert into intermediate.int_known_records values (?, ?, ?)", [*record, customer])
            con.execute("insert into intermediate.int_customer_ids values (?, ?, ?, ?, ?)",
                        [customer, *record, day, "ani" if customer == "ani before" else None])  # fmt: skip
            con.execute("insert into intermediate.int_known_addresses values (?, ?, ?)", [*record, "email:0"])
    identities.keep(home, day)


def known(home, day: date) -> list[str]:
    """The customers whom a build of a day knows."""
    with duckdb.connect() as con:
        identities.create_views(con, home, day)
        found = con.sql("select customer_id from registry.records order by 1").fetchall()
        assert con.sql("select customer_id from registry.customer_ids order by 1").fetchall() == found
        return [customer for (customer,) in found]


def tree(home) -> dict[str, tuple[bytes, int]]:
    base = home.home / "state"
    return {
        str(path.relative_to(base)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in base.rglob("*")
        if path.is_file()
    }


def test_without_a_registry_nothing_is_known_and_the_columns_are_there(home):
    with duckdb.connect() as con:
        identities.create_views(con, home, FIRST)
        for table, (_, columns) in identities.TABLES.items():
            described = con.execute(f"describe registry.{table}").fetchall()
            assert {name: kind.lower() for name, kind, *_ in described} == columns
            assert con.execute(f"from registry.{table}").fetchall() == []


def test_a_registry_has_the_columns_that_a_build_without_one_sees(home):
    keep(home, FIRST, "ani")
    with duckdb.connect() as con:
        identities.create_views(con, home, SECOND)
        for table, (_, columns) in identities.TABLES.items():
            described = con.execute(f"describe registry.{table}").fetchall()
            assert {name: kind.lower() for name, kind, *_ in described} == columns
        assert con.sql("from registry.customer_ids").fetchall() == [("ani", "shop", "record of ani", FIRST, None)]


def test_a_day_is_built_on_the_newest_day_before_it(home):
    keep(home, FIRST, "ani")
    keep(home, THIRD, "ani", "citra")
    assert known(home, FIRST) == []
    assert known(home, SECOND) == known(home, THIRD) == ["ani"]
    keep(home, SECOND, "ani", "budi")
    assert known(home, FIRST) == []
    assert known(home, SECOND) == ["ani"]
    assert known(home, THIRD) == ["ani", "budi"]
    assert known(home, date(2026, 4, 30)) == ["ani", "citra"]


def test_the_same_day_again_changes_no_byte_and_other_rows_replace_it(home):
    keep(home, FIRST, "ani", "budi")
    before = tree(home)
    assert len(before) == 1 + len(identities.TABLES)
    keep(home, FIRST, "budi", "ani")
    assert tree(home) == before
    keep(home, FIRST, "citra")
    assert known(home, SECOND) == ["citra"]
    assert len(tree(home)) == len(before)


def test_a_rerun_that_dies_leaves_the_day_as_it_was(home):
    keep(home, FIRST, "ani")
    before = tree(home)
    with duckdb.connect(str(warehouse.path(home))) as con:
        con.execute("insert into intermediate.int_known_records values ('shop', '2', 'budi')")
        con.execute("drop table intermediate.int_known_addresses")
    with pytest.raises(duckdb.CatalogException):
        identities.keep(home, FIRST)
    assert before.items() <= tree(home).items()
    assert known(home, SECOND) == ["ani"]
    keep(home, FIRST, "ani")
    assert tree(home) == before


def test_a_first_keep_that_dies_leaves_no_day(home, monkeypatch):
    keep(home, FIRST, "ani")
    with monkeypatch.context() as patch, pytest.raises(duckdb.CatalogException):
        patch.setitem(identities.TABLES, "addresses", ("int_not_there", identities.TABLES["addresses"][1]))
        identities.keep(home, SECOND)
    assert known(home, THIRD) == ["ani"]
    keep(home, SECOND, "ani", "budi")
    assert known(home, THIRD) == ["ani", "budi"]
    assert {path.name for path in identities.folder(home, FIRST).parent.iterdir()} == {f"ds={FIRST}", f"ds={SECOND}"}


@pytest.mark.parametrize("name", ["ds=2026-03-29.bak", "ds=2026-03-29 (copy)"])
def test_what_is_no_day_is_passed_over(home, name):
    keep(home, FIRST, "ani")
    (identities.folder(home, FIRST).parent / name).mkdir()
    assert known(home, SECOND) == ["ani"]


def damage_file(folder):
    (file,) = folder.glob("records-*.parquet")
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def remove_file(folder):
    (file,) = folder.glob("customer_ids-*.parquet")
    file.unlink()


def remove_manifest(folder):
    (folder / "manifest.json").unlink()


def damage_manifest(folder):
    (folder / "manifest.json").write_text('{"records": ')


def empty_manifest(folder):
    (folder / "manifest.json").write_text(json.dumps({}))


def number_in_manifest(folder):
    (folder / "manifest.json").write_text(json.dumps(dict.fromkeys(identities.TABLES, 1)))


@pytest.mark.parametrize(
    "harm", [damage_file, remove_file, remove_manifest, damage_manifest, empty_manifest, number_in_manifest]
)
def test_a_damaged_registry_is_said_and_not_done_without(home, harm):
    keep(home, FIRST, "ani")
    keep(home, SECOND, "ani")
    harm(identities.folder(home, SECOND))
    with pytest.raises(daily_state.StateDamaged) as error:
        known(home, THIRD)
    assert str(error.value) == (
        f"{identities.folder(home, SECOND)}: the customer ids of this day are incomplete, damaged or were changed; "
        "build and publish 2026-03-30 again, or customers would get new ids."
    )
    assert known(home, SECOND) == ["ani"], "the day itself can be built again"
    keep(home, SECOND, "ani", "budi")
    assert known(home, THIRD) == ["ani", "budi"]


def test_only_the_owner_can_read_it(home):
    keep(home, FIRST, "ani")
    folder = identities.folder(home, FIRST)
    paths = [folder, *folder.iterdir()]
    assert len(paths) == 2 + len(identities.TABLES)
    assert [path for path in paths if path.stat().st_mode & 0o077] == []

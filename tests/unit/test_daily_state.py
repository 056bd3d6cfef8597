"""What was handed out, and who was in which audience: kept by day, read by the days after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import duckdb
import pytest

from tangga import daily_state, memberships, sends, settings, warehouse
from tangga.settings import REPOSITORY

FIRST, SECOND, THIRD = date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture
def home(tmp_path):
    found = settings.load(REPOSITORY / "tangga.yml", tmp_path)
    warehouse.path(found).parent.mkdir(parents=True)
    return found


def hand_out(home, day: date, *customers: str) -> None:
    """Record a plan's messages: a welcome to each of these, in the order given."""
    file = home.home / "messages.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table messages ({', '.join(f'{name} {kind}' for name, kind in sends.COLUMNS.items())})")
        for customer in customers:
            row = ["welcome", customer, "k", 1, "email", None, "member", day]
            con.execute("insert into messages values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        con.execute(f"copy messages to '{file}' (format parquet)")
    record(home, day, file)


def record(home, day: date, file) -> None:
    with duckdb.connect() as con:
        sends.record(home, day, con, f"'{file}'")


def handed_out(home, day: date) -> list[tuple]:
    """What a build of a day knows."""
    with duckdb.connect() as con:
        sends.create_views(con, home, day)
        return con.sql("select as_of_date, customer_id from registry.sends order by all").fetchall()


def publish(home, day: date, *customers: str) -> None:
    """Keep the memberships of a day on which these are in one audience."""
    file = warehouse.path(home)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as con:
        con.execute("create schema audiences")
        for model, columns in memberships.TABLES.values():
            con.execute(f"create table audiences.{model} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
        for customer in customers:
            con.execute("insert into audiences.audience_members values ('welcome', ?, ?)", [customer, day])
        sizes = "insert into audiences.audience_sizes values ('welcome', 'email', ?, ?, 0, 0)"
        for known in (day, date(2020, 1, 1)):  # the history that the model has besides is not kept again
            con.execute(sizes, [known, len(customers)])
    memberships.keep(home, day)


def seen(home, day: date) -> dict[str, list[tuple]]:
    with duckdb.connect() as con:
        memberships.create_views(con, home, day)
        return {
            "members": con.sql("select customer_id, as_of_date from registry.members order by all").fetchall(),
            "sizes": con.sql("select as_of_date, members from registry.sizes order by all").fetchall(),
        }


def tree(home) -> dict[str, tuple[bytes, int]]:
    base = home.home / "state"
    return {
        str(path.relative_to(base)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in base.rglob("*")
        if path.is_file()
    }


def test_before_anything_the_columns_are_there(home):
    with duckdb.connect() as con:
        sends.create_views(con, home, FIRST)
        memberships.create_views(con, home, FIRST)
        tables = {"sends": sends.COLUMNS} | {table: columns for table, (_, columns) in memberships.TABLES.items()}
        for table, columns in tables.items():
            described = con.execute(f"describe registry.{table}").fetchall()
            assert {name: kind.lower() for name, kind, *_ in described} == columns
            assert con.execute(f"from registry.{table}").fetchall() == []


def test_a_day_knows_what_was_handed_out_before_it_and_never_its_own(home):
    hand_out(home, FIRST, "ani")
    hand_out(home, SECOND, "budi")
    assert handed_out(home, FIRST) == []
    assert handed_out(home, SECOND) == [(FIRST, "ani")]
    assert handed_out(home, THIRD) == [(FIRST, "ani"), (SECOND, "budi")]


def test_a_second_delivery_adds_nothing_and_another_one_adds_what_it_has(home):
    hand_out(home, FIRST, "ani", "budi")
    before = tree(home)
    hand_out(home, FIRST, "budi", "ani")
    assert tree(home) == before
    hand_out(home, FIRST, "citra")
    assert handed_out(home, SECOND) == [(FIRST, "ani"), (FIRST, "budi"), (FIRST, "citra")]
    assert len(tree(home)) == len(before)


def test_two_destinations_may_say_so_at_once(home):
    hand_out(home, SECOND, *map(str, range(1000)))
    expected = {name.replace(str(SECOND), str(FIRST)) for name in tree(home)}
    messages = home.home / "messages.parquet"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: record(home, FIRST, messages), range(8)))
    assert {name for name in tree(home) if str(FIRST) in name} == expected
    assert len(handed_out(home, SECOND)) == 1000


def test_a_day_is_compared_with_the_newest_before_it_and_has_the_sizes_of_all(home):
    publish(home, FIRST, "ani")
    publish(home, THIRD, "ani", "budi")
    assert seen(home, FIRST) == {"members": [], "sizes": []}
    assert seen(home, THIRD) == {"members": [("ani", FIRST)], "sizes": [(FIRST, 1)]}
    publish(home, SECOND, "citra", "dewi", "eko")  # a day that is filled in later
    assert seen(home, THIRD)["sizes"] == [(FIRST, 1), (SECOND, 3)]
    assert seen(home, date(2026, 4, 30)) == {
        "members": [("ani", THIRD), ("budi", THIRD)], "sizes": [(FIRST, 1), (SECOND, 3), (THIRD, 2)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "advice"),
    [("sends", "put the folder back from a copy"), ("memberships", "build and publish 2026-03-29 again")],
)
def test_a_damaged_day_is_said_and_not_done_without(home, name, advice):
    hand_out(home, FIRST, "ani")
    publish(home, FIRST, "ani")
    folder = daily_state.folder(home, name, FIRST)
    file = sorted(folder.glob("*.parquet"))[0]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(daily_state.StateDamaged, match=advice) as error:
        {"sends": handed_out, "memberships": seen}[name](home, SECOND)
    assert str(error.value).startswith(f"{folder}: ")
    {"sends": handed_out, "memberships": seen}[name](home, FIRST)


def test_only_the_owner_can_read_it(home):
    hand_out(home, FIRST, "ani")
    publish(home, FIRST, "ani")
    paths = [*(home.home / "state").rglob("ds=*"), *(home.home / "state").rglob("ds=*/*")]
    assert len(paths) == 2 + 2 + 4
    assert [path for path in paths if path.stat().st_mode & 0o077] == []

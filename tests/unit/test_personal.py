"""The search for personal data finds what is planted, wherever it is, and nothing else."""

import duckdb
import pytest

from tests.e2e.personal import People, found

ANI = People(
    emails={"Ani.W@Toko.example "},
    phones={"0812-3456-789", "+62 811 000 222 33"},
    names={("Ani", "Wijaya")},
    texts={"1990-05-17", "Barang rusak", "ANI-10", "Ani"},
)


@pytest.mark.parametrize(
    "planted",
    [
        "'ANI.W@toko.example'",
        "'write to x.y@elsewhere.example, please'",
        "['a', 'ani.w@toko.example']",
        "{'who': {'mail': 'ani.w@toko.example'}}",
        '\'{"mail": ["ani.w@toko.example"]}\'::json',
        "map {'mail': 'ani.w@toko.example'}",
        "'ani.w@toko.example'::blob",
        "'+628123456789'",
        "'call 0812 3456 789 today'",
        "'(0812) 3456-789'",
        "628123456789",
        "8123456789::bigint",
        "8123456789.00::decimal(18, 2)",
        "8123456789::double",
        "[{'phone': 628110002223399}]",
        "'Ani Wijaya'",
        "'WIJAYA, ANI'",
        "'greets ani   wijaya today'",
        "['Ani Wijaya']",
        "date '1990-05-17'",
        "'barang rusak'",
        "'ani-10'",
        "'Ani'",
    ],
)
def test_it_finds_what_is_planted(planted):
    with duckdb.connect() as con:
        con.execute(
            f"create schema core; create table core.t as select 1 as a, {planted} as b union all select 2, null"
        )
        assert found(con, ANI)[0] == {"core.t.b"}


def test_it_finds_nobody_where_nobody_is():
    with duckdb.connect() as con:
        con.execute(
            "create table t as select 'c8123456a789' as customer_id, timestamp '2026-05-17 08:12:34.567' as at, "
            "date '2026-05-17' as day, 812345678::bigint as amount, 'Anita' as city, 'price @ 5.00' as label, "
            "['Wijaya', 'x', 'Ani'] as words"
        )
        assert found(con, ANI) == (set(), 7)

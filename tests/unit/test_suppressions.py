"""The company's own list of suppressed addresses, when something is sent: nobody leaves it unnoticed."""

from __future__ import annotations

import duckdb
import pytest

from tangga import settings
from tangga.activation import suppressions

CONFIG = """
business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources: {shop: {path: inbox, entities: {contacts: {path: contacts.csv}}}}
"""
CUSTOMERS = """
attach ':memory:' as published; create schema published.core;
create table published.core.dim_customers as select * from (values
    ('a', 'ani@example.com', null), ('b', 'budi@example.com', '+628112345678'), ('c', null, '+628112345678'),
    ('d', 'dewi@example.com', null)
) as t(customer_id, email, phone)
"""


@pytest.fixture
def company(tmp_path):
    """A function that gives the company with these lines on its list; None: it names no list."""

    def with_list(*lines):
        named = "reference: {suppressions: list.csv}\n" if lines != (None,) else ""
        (tmp_path / "tangga.yml").write_text(CONFIG + named, encoding="utf-8")
        (tmp_path / "list.csv").write_text("\n".join(["address,channel", *filter(None, lines), ""]), encoding="utf-8")
        return settings.load(tmp_path / "tangga.yml", tmp_path / "var")

    return with_list


def silent(known):
    """Whom the list names, and it is kept."""
    with duckdb.connect() as con:
        con.execute(CUSTOMERS)
        suppressions.load(con, known)
        suppressions.keep(con, known)
        return set(con.execute("select * from silent").fetchall())


def test_whoever_has_an_address_of_the_list_is_named(company):
    assert silent(company("Ani@Example.com,", "0811 2345 678,sms", "nobody@example.com,")) == {
        ("a", None), ("b", "sms"), ("c", "sms"),
    }  # fmt: skip


def test_without_a_list_nobody_is(company):
    known = company(None)
    assert silent(known) == set()
    assert not (known.home / "state").exists()


def test_a_list_may_grow(company):
    assert silent(company("ani@example.com,")) == {("a", None)}
    assert silent(company("dewi@example.com,", "ani@example.com,")) == {("a", None), ("d", None)}


@pytest.mark.parametrize(
    "later", [["dewi@example.com,"], ["ani@example.com,sms", "dewi@example.com,"], [], [None]],
    ids=["one is gone", "one channel is left", "all are gone", "no list is named"],
)  # fmt: skip
def test_a_list_that_shrinks_is_refused_until_somebody_agrees(company, later):
    silent(company("ani@example.com,", "dewi@example.com,"))
    known = company(*later)
    with pytest.raises(suppressions.ListShrunk, match=r"of the addresses .* are not on it any more") as refused:
        silent(known)
    assert "@" not in str(refused.value)
    (known.home / "state" / "suppressions.json").unlink()
    silent(known)


def test_a_damaged_memory_is_refused(company):
    known = company("ani@example.com,")
    silent(known)
    (known.home / "state" / "suppressions.json").write_text("{", encoding="utf-8")
    with pytest.raises(suppressions.ListShrunk, match="is damaged"):
        silent(known)


def test_no_address_is_kept_as_it_is(company):
    known = company("ani@example.com,", "0811 2345 678,")
    silent(known)
    kept = (known.home / "state" / "suppressions.json").read_text(encoding="utf-8")
    assert "ani" not in kept and "811" not in kept and kept.count("email:") == kept.count("phone:") == 1

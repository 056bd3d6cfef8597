"""A company's own rule tables: usable as a whole, or refused with the line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from tangga import reference
from tangga.landing import normalise
from tangga.settings import SettingsError

COSTS = "channel,currency,cost_per_message\n"
HOURS = "weekday,opens_at,closes_at\n"
RATES = "rate_date,currency,rate\n"
SUPPRESSIONS = "address,channel\n"
LINKS = "source,contact_id,other_source,other_contact_id\n"


def rows(inbox, table: str, content: str | bytes | None) -> list[tuple]:
    if content is not None:
        (inbox.root / "own.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    known = inbox.settings("orders", reference={table: "own.csv"})
    con = duckdb.connect()
    reference.create_table(con, known, table)
    return con.execute(f"select * from {table} order by all").fetchall()


def fault(inbox, table: str, content: str | bytes | None) -> str:
    with pytest.raises(SettingsError) as error:
        rows(inbox, table, content)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(inbox.root), "")


def test_rates(inbox):
    content = "\ufeffcurrency, note,rate_date,rate\nUSD,x,2026-03-01, 16000.5 \n\nEUR,,2026-03-01,17000\n"
    assert rows(inbox, "exchange_rates", content) == [
        (date(2026, 3, 1), "EUR", Decimal("17000.00000000")),
        (date(2026, 3, 1), "USD", Decimal("16000.50000000")),
    ]


def test_header_alone_is_an_empty_table(inbox):
    assert rows(inbox, "exchange_rates", RATES) == []


@pytest.mark.parametrize("table", sorted(set(reference.TABLES) - {"links", "suppressions"}))
def test_seeds_are_usable(inbox, table):
    con = duckdb.connect()
    reference.create_table(con, inbox.settings("orders"), table)
    described = con.execute(f"describe {table}").fetchall()
    assert {name: kind.lower() for name, kind, *_ in described} == reference.TABLES[table]


@pytest.mark.parametrize(
    "table, content, expected",
    [
        ("exchange_rates", None,
         "/own.csv: does not exist; put it there, or correct 'reference.exchange_rates' in /tangga.yml"),
        ("exchange_rates", "", "/own.csv: has no column rate_date, currency, rate; it needs rate_date, currency, rate"),
        ("exchange_rates", "rate_date,rate\n", "/own.csv: has no column currency; it needs rate_date, currency, rate"),
        ("exchange_rates", RATES.encode("utf-16"),
         "/own.csv: cannot be read as a CSV file in UTF-8 (UnicodeDecodeError); save it as one"),
        ("exchange_rates", RATES + '"x', "/own.csv: cannot be read as a CSV file in UTF-8 (Error); save it as one"),
        ("exchange_rates", RATES + "2026-03-01,USD,1\n2026-03-32,USD,1\n", "/own.csv, line 3: rate_date is not a date"),
        ("exchange_rates", RATES + "2026-03-01,USD,NaN\n", "/own.csv, line 2: rate is not a decimal(18,8)"),
        ("exchange_rates", RATES + '2026-03-01,USD,"1,5"\n', "/own.csv, line 2: rate is not a decimal(18,8)"),
        ("exchange_rates", RATES + "2026-03-01,USD\n", "/own.csv, line 2: rate is missing"),
        ("exchange_rates", RATES + "2026-03-01, ,1\n", "/own.csv, line 2: currency is missing"),
        ("exchange_rates", RATES + "2026-03-01,USD,0\n", "/own.csv, line 2: rate must be above 0"),
        ("exchange_rates", RATES + "2026-03-01,USD,1\n2026-03-1,USD,2\n",
         "/own.csv, line 3: is the second for its rate_date and currency; keep one"),
        ("rfm_cutoffs", "metric,score,lower_bound\nrecency,5,0\nrecency,5,1\n",
         "/own.csv, line 3: is the second for its metric and score; keep one"),
        ("contact_costs", COSTS + "email,IDR,1\npigeon,IDR,1\n",
         "/own.csv, line 3: channel is not one of email, sms, push, whatsapp, telegram, messenger, in_app, news_feed"),
        ("contact_costs", COSTS + "email,IDR,-1\n", "/own.csv, line 2: cost_per_message is below 0"),
        ("contact_costs", COSTS + "email,IDR,1\nemail,IDR,2\n",
         "/own.csv, line 3: is the second for its channel and currency; keep one"),
        ("business_hours", HOURS + "0,09:00,17:00\n", "/own.csv, line 2: weekday must be 1 (Monday) to 7 (Sunday)"),
        ("business_hours", HOURS + "8,09:00,17:00\n", "/own.csv, line 2: weekday must be 1 (Monday) to 7 (Sunday)"),
        ("business_hours", HOURS + "1,9:00,17:00\n", "/own.csv, line 2: opens_at must be a time such as 09:00"),
        ("business_hours", HOURS + "1,24:00,24:00\n", "/own.csv, line 2: opens_at must be a time such as 09:00"),
        ("business_hours", HOURS + "1,09:00,24:01\n",
         "/own.csv, line 2: closes_at must be a time such as 17:00, at the latest 24:00"),
        ("business_hours", HOURS + "1,22:00,06:00\n",
         "/own.csv, line 2: closes_at is not after opens_at; hours past midnight belong to the next weekday"),
        ("business_hours", HOURS + "1,13:00,17:00\n1,09:00,13:01\n",
         "/own.csv, line 2: opens_at lies within other hours of its weekday"),
        ("business_hours", HOURS + "1,09:00,17:00\n1,09:00,17:00\n",
         "/own.csv, line 3: opens_at lies within other hours of its weekday"),
        ("holidays", "date,name\n2026-13-01,x\n", "/own.csv, line 2: date is not a date"),
        ("holidays", "date,name\n2026-01-01,x\n2026-01-01,\n",
         "/own.csv, line 3: is the second for its date; keep one"),
        ("discount_campaigns", "campaign,starts_on,ends_on,scope\nx,2026-03-02,2026-03-01,\n",
         "/own.csv, line 2: ends_on is before starts_on"),
        ("suppressions", SUPPRESSIONS + "ani@example.com,\nani at example.com,\n",
         "/own.csv, line 3: address is neither an e-mail address nor a telephone number"),
        ("suppressions", SUPPRESSIONS + ",email\n", "/own.csv, line 2: address is missing"),
        ("suppressions", SUPPRESSIONS + "ani@example.com,pigeon\n",
         "/own.csv, line 2: channel is not one of email, sms, push, whatsapp, telegram, messenger, in_app, news_feed"),
        ("links", LINKS + "shop,1,shop,2\nshop,1,till,\n", "/own.csv, line 3: other_contact_id is missing"),
        ("links", LINKS + "shop,1,Shop,2\n",
         "/own.csv, line 2: other_source is no source or namespace of /tangga.yml; use shop"),
    ],
)  # fmt: skip
def test_faults(inbox, table, content, expected):
    assert fault(inbox, table, content) == expected


def test_hours_may_end_where_the_next_begin_and_at_midnight(inbox):
    content = HOURS + "1,13:00,24:00\n1,09:00,13:00\n7,00:00,24:00\n"
    assert rows(inbox, "business_hours", content) == [
        (1, "09:00", "13:00"),
        (1, "13:00", "24:00"),
        (7, "00:00", "24:00"),
    ]


def test_suppressed_addresses_are_kept_as_the_ids_of_records_known_by_them(inbox):
    content = SUPPRESSIONS + " Ani@Example.com ,\n0811 2345 678,sms\n+62 811-2345-678,\n"
    number = normalise.hashed_id("+628112345678")
    assert sorted(rows(inbox, "suppressions", content), key=str) == sorted(
        [(normalise.hashed_id("ani@example.com"), None), (number, "sms"), (number, None)], key=str
    )


CELLS = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]


def segments(cells, scheme="own") -> str:
    return "scheme,r,f,m,segment\n" + "".join(f"{scheme},{r},{f},{m},Some\n" for r, f, m in cells)


def test_scheme_must_map_every_cell_once(inbox):
    assert len(rows(inbox, "rfm_segments", segments(CELLS))) == 125
    for cells, wrong in ((CELLS[1:], "111"), ([*CELLS, (5, 5, 5)], "555"), ([*CELLS, (0, 1, 1)], "011")):
        expected = f"/own.csv: scheme own must map each (r, f, m) from 111 to 555 once; see {wrong}"
        assert fault(inbox, "rfm_segments", segments(cells)) == expected
    assert "cannot be a scheme's name" in fault(inbox, "rfm_segments", segments(CELLS, "O'wn"))
    assert fault(inbox, "rfm_segments", segments(CELLS).replace("own,5,5,5,Some", "own,5,5,5,")) == (
        "/own.csv, line 126: segment is missing"
    )

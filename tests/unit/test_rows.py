"""Rows as they come: which land, in which form, and why the others do not."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from tangga.landing import extract
from tangga.landing.normalise import SPACES
from tangga.sources.records import SourceRefused

AT = "2026-03-01T10:00:00Z"


def table(*rows: dict, **common) -> str:
    """CSV of rows given as dicts; `common` is in all of them, and quotes are as JSON's, doubled."""
    rows = [common | row for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    return "".join(",".join('"' + value.replace('"', '""') + '"' for value in line) + "\n" for line in lines)


def contacts(*rows: dict) -> str:
    numbered = [{"contact_id": f"c{number}"} | row for number, row in enumerate(rows, start=1)]
    return table(*numbered, updated_at=AT)


def orders(*rows: dict) -> str:
    numbered = [{"order_id": f"o{number}"} | row for number, row in enumerate(rows, start=1)]
    common = {"contact_id": "c1", "ordered_at": AT, "status": "paid", "currency": "IDR", "total_amount": "10"}
    return table(*(common | row for row in numbered))


def answers(*rows: dict) -> str:
    numbered = [{"response_id": f"r{number}"} | row for number, row in enumerate(rows, start=1)]
    common = {"contact_id": "c1", "survey": "s", "kind": "nps", "answered_at": AT, "score": "9"}
    return table(*(common | row for row in numbered))


# ---- keys and repetitions


def test_same_id_and_content_is_one_row(inbox, caplog):
    same = {"contact_id": "1", "first_name": "Ani"}
    result = inbox.land("contacts", contacts(same, same | {"first_name": " Ani "}, same))
    assert result.rows("contact_id", "first_name", "_line") == [("1", "Ani", 2)]
    assert (result.manifest.repeated, result.manifest.superseded) == (2, 0)
    assert caplog.messages == []


def test_same_id_and_other_content_lands_twice_and_is_counted(inbox, caplog):
    rows = [{"contact_id": "1", "first_name": name} for name in ("Ani", "Anita", "Anna")]
    result = inbox.land("contacts", contacts(*rows, {"contact_id": "2"}))
    assert sorted(result.rows("contact_id", "_line")) == [("1", 2), ("1", 3), ("1", 4), ("2", 5)]
    assert (result.manifest.repeated, result.manifest.superseded) == (0, 2)
    assert caplog.messages == ["contacts of shop: 2 rows repeat a key with other content; the latest wins"]


def test_keys_of_several_columns_do_not_run_together(inbox):
    lines = [{"order_id": "1", "line_number": "12"}, {"order_id": "11", "line_number": "2"}]
    result = inbox.land("order_lines", table(*lines, product_id="p", quantity="1.5", unit_price="2"))
    assert sorted(result.rows("order_id", "line_number", "quantity")) == [
        ("1", 12, Decimal("1.500")),
        ("11", 2, Decimal("1.500")),
    ]
    assert result.manifest.superseded == 0


def test_ids_are_texts(inbox):
    ids = ["007", "7", "7.0", "+7", "1e3", "١٢", "NULL", "0x10", "00000000000000000000000000000001"]
    result = inbox.land("contacts", contacts(*({"contact_id": key} for key in ids)))
    assert sorted(result.column("contact_id")) == sorted(ids)
    assert result.manifest.superseded == 0


def test_blank_id_is_rejected(inbox):
    result = inbox.land("contacts", contacts({"contact_id": SPACES.replace("\r\n", "")}, {"updated_at": ""}, {}))
    assert result.column("contact_id") == ["c3"]
    assert result.faults == [(2, "contact_id is missing"), (3, "updated_at is missing")]


def test_all_reasons_are_given(inbox):
    result = inbox.land("orders", orders({"order_id": "", "status": "lost", "total_amount": "-1", "ordered_at": "x"}))
    assert result.faults == [
        (
            2,
            "order_id is missing; ordered_at is not a time; status is not one of pending, paid, shipped, completed, "
            "returned, refunded, cancelled; total_amount is below 0",
        )
    ]


@pytest.mark.parametrize("column", ["contact_id", "referrer_contact_id", "referred_contact_id"])
def test_ids_that_are_addresses_are_hashed(inbox, column):
    ids = ["ani@example.com", " ANI@Example.com\u00a0", "İ@example.com", "i̇@example.com", "not@an@address", "x1"]
    digest = {raw: "email:" + hashlib.sha256(raw.encode()).hexdigest() for raw in (ids[0], ids[3], ids[4])}
    expected = [digest[ids[0]], digest[ids[0]], digest[ids[3]], digest[ids[3]], digest[ids[4]], "x1"]
    if column == "contact_id":
        result = inbox.land("orders", orders(*({"contact_id": key} for key in ids)))
    else:
        other = {"referrer_contact_id": "a", "referred_contact_id": "b", "referred_at": AT}
        result = inbox.land("referrals", table(*(other | {column: key, "code": n} for n, key in enumerate(ids))))
    assert [value for _, value in sorted(result.rows("_line", column))] == expected
    assert b"ani@" not in result.path.read_bytes().lower()


def test_ids_that_are_telephone_numbers_are_hashed(inbox):
    ids = ["+6281234567890", "+62 812-3456-7890", "+7", "+1234567", "081234567890"]
    hashed = "phone:" + hashlib.sha256(b"+6281234567890").hexdigest()
    result = inbox.land("orders", orders(*({"contact_id": key} for key in ids)))
    assert [value for _, value in sorted(result.rows("_line", "contact_id"))] == [
        hashed,
        hashed,
        "+7",
        "+1234567",
        ids[4],
    ]


# ---- addresses and telephone numbers


def test_addresses_have_one_form(inbox):
    raw = [
        "ani@example.com",
        "  Ani@EXAMPLE.com ",
        "\u00a0ani@example.com\u200b",
        "ａｎｉ＠example.com",
        "ani@bücher.example.com",
        "ani@BÜCHER.example.com",
        "ani@xn--bcher-kva.example.com",
        "İ@example.com",
        "i̇@example.com",
        "",
    ]
    result = inbox.land("contacts", contacts(*({"email": address} for address in raw)))
    idn = "ani@xn--bcher-kva.example.com"
    expected = ["ani@example.com"] * 4 + [idn] * 3 + ["i̇@example.com"] * 2 + [None]
    rows = sorted(result.rows("_line", "email", "is_email_valid"))
    assert [email for _, email, _ in rows] == expected
    assert [is_valid for *_, is_valid in rows] == [True] * 9 + [None]
    assert result.manifest.emptied == {}


def test_invalid_address_is_emptied_and_the_row_kept(inbox, caplog):
    raw = ["ani", "ani@", "@example.com", "a b@example.com", "ani@example..com", "Ani <ani@example.com>", "a@localhost"]
    rows = [{"email": address, "phone": "0812-3456-789"} for address in raw]
    result = inbox.land("contacts", contacts(*rows, {"email": "budi@example.com", "phone": "12"}))
    assert sorted(result.rows("contact_id", "email", "is_email_valid", "phone", "is_phone_valid")) == [
        *((f"c{number}", None, False, "+628123456789", True) for number in range(1, 8)),
        ("c8", "budi@example.com", True, None, False),
    ]
    assert result.rejects == []
    assert result.manifest.emptied == {"email": 7, "phone": 1}
    assert caplog.messages == [
        "contacts of shop: 7 values of email could not be read and were emptied",
        "contacts of shop: 1 values of phone could not be read and were emptied",
    ]


def test_row_that_names_nobody_is_rejected(inbox):
    ticket = {"kind": "complaint", "opened_at": AT}
    people = [{"contact_id": "c1"}, {"email": "ani@example.com"}, {"email": "no address"}, {}]
    rows = [ticket | {"ticket_id": f"t{number}"} | person for number, person in enumerate(people)]
    result = inbox.land("tickets", table(*rows))
    landed = sorted(result.rows("ticket_id", "contact_id", "email"))
    assert landed == [("t0", "c1", None), ("t1", None, "ani@example.com")]
    reason = "none of contact_id, email has a value that can be used"
    assert result.faults == [(4, reason), (5, reason)]


# ---- amounts


def test_unreadable_amounts_are_rejected(inbox):
    raw = ["NaN", "nan", "inf", "-Infinity", "1,50", "1.000,50", "1 000", "1_000", "1e400", "1e2", "0x10", "١٢", "１２",
           "$5", "5 IDR", "--5", "1.2.3", ".", "+", "true", "1234567890123456", "9" * 400, "1\n2"]  # fmt: skip
    for column in ("total_amount", "tax_amount"):
        result = inbox.land("orders", orders(*({column: text} for text in raw), {}))
        assert result.column("order_id") == [f"o{len(raw) + 1}"]
        assert result.faults == [(number + 2, f"{column} is not an amount") for number in range(len(raw))]


def test_amounts(inbox):
    amounts = {"0": "0", "-0": "0", "+1.5": "1.50", " 7 ": "7", ".5": "0.50", "5.": "5", "0.005": "0.01", "007": "7",
               "1.004999": "1", "999999999999999.99": "999999999999999.99"}  # fmt: skip
    result = inbox.land("orders", orders(*({"total_amount": raw, "subtotal_amount": ""} for raw in amounts)))
    read = [(amount, other) for _, amount, other in sorted(result.rows("_line", "total_amount", "subtotal_amount"))]
    assert read == [(Decimal(amount), None) for amount in amounts.values()]


def test_negative_totals_are_rejected_and_other_negative_amounts_kept(inbox):
    result = inbox.land("orders", orders({"total_amount": "-0.01"}, {"discount_amount": "-1"}, {"tax_amount": "-1"}))
    assert result.rows("order_id", "tax_amount") == [("o3", Decimal("-1.00"))]
    assert result.faults == [(2, "total_amount is below 0"), (3, "discount_amount is below 0")]


def test_unreadable_whole_numbers_are_rejected(inbox):
    raw = ["1.5", "1e3", "NaN", "12345678901", "x", "1,0", "2.0"]
    lines = [{"order_id": f"o{number}", "line_number": text} for number, text in enumerate(raw)]
    result = inbox.land("order_lines", table(*lines, product_id="p", quantity="1", unit_price="1"))
    assert result.column("line_number") == [2]
    assert result.faults == [(line, "line_number is not a whole number") for line in range(2, 8)]


RATES = "rate_date,currency,rate\n2026-02-20,USD,16000\n2026-03-05,USD,16100\n"


@pytest.mark.parametrize(
    "ordered_at, has_rate",
    [
        ("2026-02-19 23:59:59", False),
        ("2026-02-20 00:00:00", True),  # in Jakarta, when it is still the 19th in UTC
        ("2026-02-27 23:59:59", True),  # seven days later
        ("2026-02-28 00:00:00", False),
        ("2026-03-05 01:00:00", True),
    ],
)
def test_foreign_amounts_need_a_rate_of_their_day(inbox, ordered_at, has_rate):
    (inbox.root / "rates.csv").write_text(RATES)
    rows = [{"currency": currency, "ordered_at": ordered_at} for currency in ("usd", "IDR", "EUR", "Rp")]
    result = inbox.land("orders", orders(*rows), reference={"exchange_rates": "rates.csv"})
    assert sorted(result.rows("order_id", "currency")) == [("o1", "USD")] * has_rate + [("o2", "IDR")]
    lines = [4, 5] if has_rate else [2, 4, 5]
    assert result.faults == [(line, "there is no exchange rate for its currency on that day") for line in lines]


def test_relation_of_the_source_cannot_stand_in_for_the_rates(inbox):
    inbox.put("rates.csv", "currency,rate_date,rate\nUSD,2026-03-01,1\n")
    spec = {"path": {"exchange_rates": "rates.csv", "file": "orders.csv"}, "query": "select * from file"}
    result = inbox.land("orders", orders({"currency": "USD"}), spec)
    assert result.faults == [(2, "there is no exchange rate for its currency on that day")]


# ---- time


def instants(inbox, *raw: str, **source) -> list[datetime | None]:
    """What each text is read as, None where it is rejected."""
    spec = {"path": "inbox", "entities": {"referrals": {"path": "referrals.csv"}}} | source
    rows = [{"referrer_contact_id": n, "referred_at": text} for n, text in enumerate(raw)]
    result = inbox.land("referrals", table(*rows, referred_contact_id="b"), sources={"shop": spec})
    read = dict(result.rows("referrer_contact_id", "referred_at"))
    assert result.faults == [(n + 2, "referred_at is not a time") for n in range(len(raw)) if str(n) not in read]
    return [read.get(str(n)) for n in range(len(raw))]


def test_offsets(inbox):
    raw = ["2026-03-01T10:00:00Z", "2026-03-01T17:00:00+07:00", "2026-03-01T17:00:00+0700", "2026-03-01 17:00:00+07",
           "2026-03-01 10:00:00 UTC", "2026-03-01T10:00Z", "2026-03-01 17:00 +07:00", "2026-03-01T10:00:00.000z",
           "2026-03-01T05:30:00-04:30", "2026/3/1 10:00:00Z", "2026-03-01 17:00:00", "2026-03-01 17:00",
           "2026-03-01T17:00:00.000000"]  # fmt: skip
    assert instants(inbox, *raw) == [datetime(2026, 3, 1, 10)] * len(raw)


def test_what_is_no_time(inbox):
    raw = ["infinity", "-infinity", "epoch", "now", "today", "0000-00-00", "0000-01-01 00:00", "1899-12-31T23:59:59Z",
           "2201-01-01T00:00:00Z", "2026-02-30", "2026-13-01", "2026-03-01 25:00:00", "2026-03-01 10:60:00", "20260301",
           "01/02/2026", "1 March 2026", "2026-03-01 10:00:00 Europe/Berlin", "2026-03-01 10:00:00+7",
           "2026-03-01 10:00:00+99:00", "1772359200", "26-03-01", "2026-03-01 (BC)", "2026-03-01T10", "NULL",
           "2026-03-01; drop table file", "２０２６-03-01", "12026-03-01"]  # fmt: skip
    assert instants(inbox, *raw) == [None] * len(raw)


def test_date_only_is_midnight_in_the_declared_zone(inbox):
    assert instants(inbox, "2026-03-01", "2026/03/01") == [datetime(2026, 2, 28, 17)] * 2
    assert instants(inbox, "2026-03-01", time_zone="America/New_York") == [datetime(2026, 3, 1, 5)]


def test_zone_of_the_entity_goes_before_that_of_the_source(inbox):
    entities = {"referrals": {"path": "referrals.csv", "time_zone": "UTC"}}
    assert instants(inbox, "2026-03-01", time_zone="Asia/Tokyo", entities=entities) == [datetime(2026, 3, 1)]


def test_summer_time_gap_and_overlap(inbox):
    """A time that never was counts on from before the gap; of two the later, standard one."""
    raw = ["2026-03-29 01:59:59", "2026-03-29 02:30:00", "2026-03-29 03:00:00",
           "2026-10-25 01:59:59", "2026-10-25 02:30:00", "2026-10-25 03:00:00",
           "2026-10-25T02:30:00+02:00"]  # fmt: skip
    assert instants(inbox, *raw, time_zone="Europe/Berlin") == [
        datetime(2026, 3, 29, 0, 59, 59),
        datetime(2026, 3, 29, 1, 30),
        datetime(2026, 3, 29, 1, 0),
        datetime(2026, 10, 24, 23, 59, 59),
        datetime(2026, 10, 25, 1, 30),
        datetime(2026, 10, 25, 2, 0),
        datetime(2026, 10, 25, 0, 30),
    ]


def test_date_formats(inbox):
    formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y", "%d.%m.%Y %H:%M:%S %z"]
    raw = ["01/02/2026 17:00", "01/02/2026", "01.02.2026 10:00:00 +0000", "2026-02-01T10:00:00Z", "31/02/2026", "x"]
    assert instants(inbox, *raw, date_formats=formats) == [
        datetime(2026, 2, 1, 10),
        datetime(2026, 1, 31, 17),
        datetime(2026, 2, 1, 10),
        datetime(2026, 2, 1, 10),
        None,
        None,
    ]


def test_future_rows_land_and_are_counted(inbox):
    """The day, 10 March in Jakarta, ends at 17:00 UTC."""
    times = ["2026-03-10T16:59:59Z", "2026-03-10T17:00:00Z", "2026-03-11 00:00:00", "2026-03-10 23:59:59", "2199-01-01"]
    result = inbox.land("orders", orders(*({"ordered_at": at} for at in times)))
    assert (result.manifest.rows, result.manifest.quarantined) == (5, 3)
    assert result.manifest.watermark == "2026-03-10T16:59:59"


def test_births(inbox):
    raw = {
        "0000-00-00": None,
        "0000-01-01": None,
        "1899-12-31": None,
        "1900-01-01": date(1900, 1, 1),
        "2000-02-29": date(2000, 2, 29),
        "2001-02-29": None,
        "1990-05-01 00:00:00": date(1990, 5, 1),
        "1990-05-01T00:00:00Z": date(1990, 5, 1),
        "1990-05-01T00:00:00.000-05:00": date(1990, 5, 1),
        "1990-04-30T17:00:00Z": date(1990, 5, 1),
        "1990-05-01T10:00:00+99:00": None,
        "infinity": None,
        "epoch": None,
        "01/05/1990": None,
        "1990-05-01 nonsense": None,
    }
    result = inbox.land("contacts", contacts(*({"birth_date": text} for text in raw)))
    assert [birth for _, birth in sorted(result.rows("_line", "birth_date"))] == list(raw.values())
    assert result.rejects == []
    assert result.manifest.emptied == {"birth_date": 9}


def test_birth_at_midnight_of_whatever_zone_is_that_day(inbox):
    rows = [{"birth_date": "1990-05-01T00:00:00Z"}, {"birth_date": "1990-05-01 00:00+07:00"},
            {"birth_date": "1990-05-01T04:00:00Z"}, {"birth_date": "1990-05-01T03:59:59Z"}]  # fmt: skip
    result = inbox.land("contacts", contacts(*rows), {"time_zone": "America/New_York"})
    births = [birth for _, birth in sorted(result.rows("_line", "birth_date"))]
    assert births == [date(1990, 5, 1)] * 3 + [date(1990, 4, 30)]


def test_births_in_own_formats(inbox):
    rows = [{"birth_date": "01/05/1990"}, {"birth_date": "1990-05-01"}, {"birth_date": "01-05-1990 17:00 +0000"}]
    result = inbox.land("contacts", contacts(*rows), {"date_formats": ["%d/%m/%Y", "%d-%m-%Y %H:%M %z"]})
    births = [birth for _, birth in sorted(result.rows("_line", "birth_date"))]
    assert births == [date(1990, 5, 1), date(1990, 5, 1), date(1990, 5, 2)]


# ---- surveys


def test_scores(inbox):
    scores = {"nps": ["0", "10", "-1", "11", "3.5", "x", "7.0"], "csat": ["1", "5", "0", "6"]}
    scores["ces"] = ["1", "7", "0", "8"]
    rows = [{"kind": kind, "score": score} for kind, given in scores.items() for score in given]
    result = inbox.land("survey_responses", answers(*rows))
    assert sorted(result.rows("kind", "score")) == [
        ("ces", 1), ("ces", 7), ("csat", 1), ("csat", 5), ("nps", 0), ("nps", 7), ("nps", 10),
    ]  # fmt: skip
    assert result.faults == [
        (4, "score is outside 0 to 10 for nps"),
        (5, "score is outside 0 to 10 for nps"),
        (6, "score is not a whole number"),
        (7, "score is not a whole number"),
        (11, "score is outside 1 to 5 for csat"),
        (12, "score is outside 1 to 5 for csat"),
        (15, "score is outside 1 to 7 for ces"),
        (16, "score is outside 1 to 7 for ces"),
    ]


def test_unanswered_surveys_land(inbox):
    rows = [{"answered_at": "", "score": "", "sent_at": AT}, {"answered_at": "", "score": "", "sent_at": ""},
            {"answered_at": "soon", "sent_at": ""}]  # fmt: skip
    result = inbox.land("survey_responses", answers(*rows))
    assert result.rows("response_id", "answered_at", "score") == [("r1", None, None)]
    reason = "none of answered_at, sent_at has a value that can be used"
    assert result.faults == [(3, reason), (4, reason)]


def test_numbers_of_tickets(inbox):
    common = {"contact_id": "c", "kind": "question", "opened_at": AT}
    given = [("0", "1"), ("3", "5"), ("-1", ""), ("", "0"), ("", "6"), ("x", "")]
    rows = [{"ticket_id": n, "reopened_count": count, "csat_score": score} for n, (count, score) in enumerate(given)]
    result = inbox.land("tickets", table(*(common | row for row in rows)))
    assert sorted(result.rows("ticket_id", "reopened_count", "csat_score")) == [("0", 0, 1), ("1", 3, 5)]
    assert result.faults == [
        (4, "reopened_count is below 0"),
        (5, "csat_score is below 1"),
        (6, "csat_score is above 5"),
        (7, "reopened_count is not a whole number"),
    ]


@pytest.mark.parametrize("raw", [" PAID ", "Paid"])
def test_words_of_a_list_are_compared_in_lower_case(inbox, raw):
    assert inbox.land("orders", orders({"status": raw})).column("status") == ["paid"]


def test_optional_word_out_of_its_list_is_emptied(inbox):
    consent = {"contact_id": "c", "channel": "email", "status": "granted", "status_at": AT, "method": "by pigeon"}
    result = inbox.land("consents", table(consent))
    assert result.column("method") == [None]
    assert result.manifest.emptied == {"method": 1}


def test_properties_that_are_not_json_are_emptied(inbox):
    event = {"occurred_at": AT, "event_type": "page_view", "contact_id": "c"}
    given = ['{"a": 1}', "{bad", '{"a": "x"} y', "[1, 2]", ""]
    result = inbox.land("events", table(*(event | {"event_id": n, "properties": p} for n, p in enumerate(given))))
    read = [value for _, value in sorted(result.rows("_line", "properties"))]
    assert read == ['{"a": 1}', None, None, "[1, 2]", None]
    assert result.manifest.emptied == {"properties": 2}


# ---- texts that look like something else

HOSTILE = ["'; drop table _landed; --", "{{ 7 * 7 }}", "{% raw %}", "<script>alert(1)</script>", "=1+1", "@SUM(A1)",
           "+62", "-x", "O'Neil", 'say ""hi""', "\\", "%s %d {0}", "$TANGGA_HOME", "${x}", "$$", "a;b", "../..", "NULL",
           "null", "None", "true", "-", "*", "#x", "/* x */", "😀", "‮abc", "a\tb", "ﷺ"]  # fmt: skip


def test_hostile_texts_stay_texts(inbox):
    result = inbox.land("contacts", contacts(*({"first_name": text, "city": text} for text in HOSTILE)))
    expected = [(text, text) for text in HOSTILE]
    assert [(name, city) for _, name, city in sorted(result.rows("_line", "first_name", "city"))] == expected


@pytest.mark.parametrize("name", [text for text in HOSTILE if text.strip(SPACES) == text])
def test_hostile_texts_as_columns_constants_and_maps(inbox, name):
    """As the name of a mapped and of an unmapped column, as a constant, and on both sides of a map."""
    columns = {"first_name": name, "city": {"value": name}, "last_name": {"column": "x", "map": {name: name + "!"}}}
    content = table({"contact_id": "1", "updated_at": AT, name: "Ani", "x": name, name + "2": "boo"})
    result = inbox.land("contacts", content, {"columns": columns})
    assert result.rows("first_name", "city", "last_name") == [("Ani", name, name + "!")]
    assert result.manifest.ignored_columns == [name + "2"]


def test_maps_and_constants(inbox):
    columns = {
        "status": {"column": "state", "map": {"Lunas": "paid", "batal": "cancelled", "?": ""}},
        "currency": {"value": " idr "},
        "channel": {"value": ""},
        "total_amount": {"column": "amount", "map": {"free": "0"}},
    }
    rows = [{"state": "Lunas", "amount": "5"}, {"state": " batal ", "amount": "free"}, {"state": "?", "amount": "5"},
            {"state": "lunas", "amount": "5"}, {"state": "shipped", "amount": "6"}]  # fmt: skip
    rows = [{"order_id": f"o{n}", "contact_id": "c", "ordered_at": AT} | row for n, row in enumerate(rows)]
    result = inbox.land("orders", table(*rows), {"columns": columns})
    assert sorted(result.rows("order_id", "status", "currency", "channel", "total_amount")) == [
        ("o0", "paid", "IDR", None, Decimal("5.00")),
        ("o1", "cancelled", "IDR", None, Decimal("0.00")),
        ("o4", "shipped", "IDR", None, Decimal("6.00")),
    ]
    assert [(line, reason[:13]) for line, reason in result.faults] == [(4, "status is mis"), (5, "status is not")]


# ---- queries


def test_query_joins_files(inbox):
    inbox.put("people.csv", "id,name\n1,Ani\n2,Budi\n3,Cici\n")
    inbox.put("seen.jsonl", f'{{"person": 1, "at": "{AT}"}}\n{{"person": 2, "at": "soon"}}\n')
    query = """
        select people.id as key, seen.at as updated_at, upper(name) as first_name, 1 as boo, people._line, people._file
        from people join seen on people.id = seen.person order by 1;
    """
    spec = {"path": {"people": "people.csv", "seen": "*.jsonl"}, "query": query, "columns": {"contact_id": "key"}}
    result = inbox.land("contacts", spec=spec)
    assert result.rows("contact_id", "first_name") == [("1", "ANI")]
    assert result.rejects == [("people.csv", 3, "updated_at is not a time")]
    assert result.manifest.ignored_columns == []


@pytest.mark.parametrize("name", ["select", "raw", "landed", "judged", "batch", "lookup", "main", "temp"])
def test_relations_may_be_called_anything(inbox, name):
    inbox.put("a.csv", contacts({"first_name": "Ani"}))
    result = inbox.land("contacts", spec={"path": {name: "a.csv"}, "query": f'select * from "{name}"'})
    assert result.column("first_name") == ["Ani"]


def test_query_may_give_typed_columns_and_no_lineage(inbox):
    query = "select 7 as contact_id, timestamptz '2026-03-01 10:00:00Z' as updated_at, [1] as city, 'x' as _line"
    result = inbox.land("contacts", contacts({}), {"query": query})
    assert result.rows("contact_id", "updated_at", "city", "_file", "_line") == [
        ("7", datetime(2026, 3, 1, 10), "[1]", None, None)
    ]


@pytest.mark.parametrize(
    "query, words",
    [
        ("select nonsense from file", '"nonsense" not found'),
        ("select * from elsewhere", "elsewhere"),
        ("selec * from file", "syntax error"),
        ("", "is empty"),
        ("drop table file", "must be one SELECT"),
        ("select 1; select 2", "must be one SELECT"),
        ("copy file to 'x.csv'", "must be one SELECT"),
        ("select contact_id from file", "the result of its query: has no column 'updated_at'"),
    ],
)
def test_broken_query_is_refused(inbox, query, words):
    with pytest.raises((SourceRefused, ValueError)) as error:
        inbox.land("contacts", contacts({}), {"query": query})
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert inbox.tree() == {}


def test_query_that_fails_on_a_value_does_not_tell_it(inbox, caplog):
    query = "select contact_id, updated_at, cast(first_name as integer) as first_name from file"
    with pytest.raises(SourceRefused) as error:
        inbox.land("contacts", contacts({"first_name": "Ani Secret"}), {"query": query})
    assert str(error.value) == (
        "contacts: cannot be read, its 'query' fails on a value of its files (Conversion Error); correct that."
    )
    assert error.value.__suppress_context__
    assert "Secret" not in caplog.text


# ---- privacy


def test_nothing_personal_is_logged(inbox, caplog):
    caplog.set_level("DEBUG")
    secret = {"email": "not-an-address-secret", "phone": "secret", "first_name": "secret", "birth_date": "secret"}
    rows = [{"contact_id": "1"} | secret, {"contact_id": "1"} | secret | {"city": "secret"}, {"updated_at": "secret"}]
    inbox.land("contacts", contacts(*rows, {"secret": "secret"}).replace('"secret"\n', '"tier"\n', 1))
    assert len(caplog.records) == 5
    assert "secret" not in caplog.text


def test_rejects_hold_the_row_for_its_owner_only(inbox):
    result = inbox.land("orders", orders({"total_amount": "1,50", "coupon_code": "O'N\n☃"}))
    path = inbox.root / "home/rejects/orders/source=shop/ds=2026-03-10/rejects.jsonl"
    reject = json.loads(path.read_text(encoding="utf-8"))
    assert list(reject) == ["file", "line", "reason", "row"]
    assert reject["row"]["total_amount"] == "1,50"
    assert reject["row"]["coupon_code"] == "O'N\n☃"
    assert reject["row"]["tax_amount"] is None
    assert set(reject["row"]) == set(result.manifest.columns) - set(extract.LINEAGE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert result.path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert result.path.parent.stat().st_mode & 0o777 == 0o700

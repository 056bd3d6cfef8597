"""`tangga.yml`: what is wrong is said with its key and what is allowed there, all faults at once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from tangga import settings
from tangga.settings import SettingsError

MINIMAL = """
business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources:
  shop:
    path: inbox
    entities:
      orders: {path: orders.csv}
"""
ORDERS = "sources.shop.entities.orders"


def put(tmp_path, text: str | bytes):
    path = tmp_path / "tangga.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(tmp_path, text: str | bytes) -> list[str]:
    path = put(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        settings.load(path, tmp_path / "home")
    assert error.value.__context__ is None or error.value.__suppress_context__
    lines = str(error.value).split("\n")
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)).removeprefix(": ") for line in lines]


def test_least_settings(tmp_path):
    known = settings.load(put(tmp_path, MINIMAL), tmp_path / "home")
    spec = known.sources["shop"].entities["orders"]
    assert (spec.path, spec.load, spec.min_rows, spec.max_reject_share) == ({"file": "orders.csv"}, "snapshot", 1, 0.05)
    assert known.resolve("inbox") == tmp_path / "inbox"
    assert known.resolve("/data") == settings.Path("/data")
    assert known.resolve("$TANGGA_HOME/inbox") == tmp_path / "home" / "inbox"
    assert known.resolve("~/inbox") == settings.Path.home() / "inbox"


def test_settings_cannot_be_changed(tmp_path):
    known = settings.load(put(tmp_path, MINIMAL), tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        known.home = tmp_path / "other"


def test_byte_order_mark_changes_nothing(tmp_path):
    bare = settings.load(put(tmp_path, MINIMAL), tmp_path)
    assert settings.load(put(tmp_path, "\ufeff" + MINIMAL), tmp_path) == bare


def test_environment_names_the_file_and_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TANGGA_CONFIG", str(put(tmp_path, MINIMAL)))
    monkeypatch.setenv("TANGGA_HOME", str(tmp_path / "here"))
    known = settings.load()
    assert (known.config_path, known.home) == (tmp_path / "tangga.yml", tmp_path / "here")
    assert settings.load(home=tmp_path / "there").home == tmp_path / "there"


@pytest.mark.parametrize(
    "now, day",
    [("2026-03-10T16:59:00", date(2026, 3, 9)), ("2026-03-10T17:00:00", date(2026, 3, 10))],
)
def test_yesterday_is_that_of_the_business(tmp_path, now, day):
    known = settings.load(put(tmp_path, MINIMAL), tmp_path)
    assert known.yesterday(datetime.fromisoformat(now).replace(tzinfo=UTC)) == day


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("Asia/Jakarta", "Jakarta",
         "business.time_zone: 'Jakarta' is not a time zone; use an IANA name such as Asia/Jakarta"),
        ("Asia/Jakarta", "localtime",
         "business.time_zone: 'localtime' is not a time zone; use an IANA name such as Asia/Jakarta"),
        ("Asia/Jakarta", "+07:00",
         "business.time_zone: '+07:00' is not a time zone; use an IANA name such as Asia/Jakarta"),
        ("IDR", "Rp", "business.currency: 'Rp' cannot be used; use an ISO 4217 code such as IDR"),
        ("IDR", "idr", "business.currency: 'idr' cannot be used; use an ISO 4217 code such as IDR"),
        ("country: ID", "country: IDN", "business.country: 'IDN' cannot be used; use an ISO 3166 code such as ID"),
        ("country: ID", "country: NO", "business.country: must be a text; put quotes around it"),
        ("name: Toko, ", "", "business.name: is missing"),
        ("name: Toko, ", "name: Toko, colour: red, ", "business.colour: is not a setting; check the spelling"),
        ("sources:", "rule: {}\nsources:", "rule: is not a setting; check the spelling"),
        ("sources:", "home: /tmp\nsources:", "home: is not a setting; check the spelling"),
        ("sources:", "1: {}\nsources:", "1: is not a setting; check the spelling"),
        ("  shop:", "  Web-Shop:",
         "sources.Web-Shop: 'Web-Shop' cannot be used; use small letters, digits and _, a letter first"),
        ("  shop:", "  ../up:",
         "sources.../up: '../up' cannot be used; use small letters, digits and _, a letter first"),
        ("path: inbox", "path: ''", "sources.shop.path: is empty"),
        ("path: inbox", "path: inbox\n    type: s3",
         "sources.shop.type: is not a type that can be used; use files, sql or rest"),
        ("path: inbox", "path: inbox\n    namespace: A B",
         "sources.shop.namespace: 'A B' cannot be used; use small letters, digits and _, a letter first"),
        ("{path: orders.csv}", "orders.csv", f"{ORDERS}: needs a block of keys below it"),
        ("{path: orders.csv}", "{}", f"{ORDERS}.path: is missing"),
        ("{path: orders.csv}", "{path: 5}", f"{ORDERS}.path: needs a block of keys below it"),
        ("{path: orders.csv}", "{path: {}}",
         f"{ORDERS}.path: Value should have at least 1 item after validation, not 0"),
        ("{path: orders.csv}", "{path: {a: a.csv, b: b.csv}}", f"{ORDERS}: named paths need a 'query' that joins them"),
        ("{path: orders.csv}", "{path: {_raw: a.csv}, query: select 1}",
         f"{ORDERS}.path._raw: '_raw' cannot be used; use small letters, digits and _, a letter first"),
        ("{path: orders.csv}", "{path: a.csv, load: daily}",
         f"{ORDERS}: 'load: daily' needs '{{ds}}' in 'path', where the day of the run goes"),
        ("{path: orders.csv}", "{path: a.csv, load: hourly}", f"{ORDERS}.load: Input should be 'snapshot' or 'daily'"),
        ("{path: orders.csv}", "{path: a.csv, format: xlsx}",
         f"{ORDERS}.format: Input should be 'csv', 'tsv', 'jsonl' or 'parquet'"),
        ("{path: orders.csv}", "{path: a.csv, min_rows: -1}",
         f"{ORDERS}.min_rows: Input should be greater than or equal to 0"),
        ("{path: orders.csv}", "{path: a.csv, max_reject_share: 5}",
         f"{ORDERS}.max_reject_share: Input should be less than or equal to 1"),
        ("{path: orders.csv}", "{path: a.csv, columns: {order_id: 5}}",
         f"{ORDERS}.columns.order_id: give the name of a column, in quotes, or a block with 'column' or 'value'"),
        ("{path: orders.csv}", "{path: a.csv, columns: {order_id: {column: a, value: b}}}",
         f"{ORDERS}.columns.order_id: give either 'column' (a column of the source) or 'value' (a constant)"),
        ("{path: orders.csv}", "{path: a.csv, columns: {order_id: {}}}",
         f"{ORDERS}.columns.order_id: give either 'column' (a column of the source) or 'value' (a constant)"),
        ("{path: orders.csv}", "{path: a.csv, columns: {status: {column: s, map: {yes: paid}}}}",
         f"{ORDERS}.columns.status.map.1: must be a text; put quotes around it"),
        ("{path: orders.csv}", "{path: a.csv, columns: {status: {value: 5}}}",
         f"{ORDERS}.columns.status.value: must be a text; put quotes around it"),
        ("{path: orders.csv}", "{path: a.csv, time_zone: Mars/Base}",
         f"{ORDERS}.time_zone: 'Mars/Base' is not a time zone; use an IANA name such as Asia/Jakarta"),
    ],
)  # fmt: skip
def test_one_fault(tmp_path, old, new, expected):
    assert old in MINIMAL
    assert faults(tmp_path, MINIMAL.replace(old, new, 1)) == [expected]


MAILCHIMP = (
    MINIMAL
    + """
destinations:
  tool: {type: mailchimp, connection: mailchimp_api, list: a1b2c3d4e5}
"""
)
HUBSPOT = (
    MINIMAL
    + """
destinations:
  tool: {type: hubspot, connection: hubspot_api}
"""
)


def test_destinations(tmp_path):
    text = MAILCHIMP + "  portal: {type: hubspot, connection: hubspot_api}\n  files: {}\n"
    known = settings.load(put(tmp_path, text), tmp_path).destinations
    assert {name: spec.type for name, spec in known.items()} == {
        "tool": "mailchimp", "portal": "hubspot", "files": "files"
    }  # fmt: skip
    tool, portal = known["tool"], known["portal"]
    assert (tool.tag_prefix, tool.when_refused, tool.batch_from, tool.audiences) == ("crm:", "archive", 100, None)
    assert (portal.version, portal.key_property, portal.list_prefix) == ("2026-09", "tangga_customer_id", "crm:")
    assert (portal.lifecycle_stages, portal.check_subscriptions, portal.requests_per_10_seconds) == ({}, True, 100)


@pytest.mark.parametrize(
    "text, more, expected",
    [
        (MAILCHIMP, "connection: 'https://u:p@us6'",
         ".connection: give the id of an Airflow connection, such as crm_db; address and password belong there"),
        (MAILCHIMP, "list: 'My audience'",
         ".list: 'My audience' cannot be used; give the audience's id, such as a1b2c3d4e5 (Audience > Settings)"),
        (MAILCHIMP, "tag_prefix: ''",
         ".tag_prefix: '' cannot be used; use up to 20 characters without blanks and commas, like crm:"),
        (MAILCHIMP, "when_refused: delete", ".when_refused: Input should be 'archive' or 'keep'"),
        (MAILCHIMP, "batch_from: 1", ".batch_from: must be a whole number from 2 on, or never"),
        (MAILCHIMP, "batch_from: no", ".batch_from: must be a whole number from 2 on, or never"),
        (MAILCHIMP, "audiences: winback", ".audiences: must be a list: [winback, birthday]"),
        (MAILCHIMP, "audiences: [Win Back]",
         ".audiences.0: 'Win Back' cannot be used; use small letters, digits and _, a letter first"),
        (MAILCHIMP, "key_property: a", ".key_property: is not a setting; check the spelling"),
        (HUBSPOT, "version: v3", ".version: 'v3' cannot be used; write a version of the API like 2026-09"),
        (HUBSPOT, "lifecycle_stages: {Suspect: prospekt}",
         ": lifecycle_stages: 'prospekt' is no stage; use subscriber, lead, marketingqualifiedlead, "
         "salesqualifiedlead, opportunity, customer, evangelist, other, or the number of one of your own"),
        (HUBSPOT, "key_property: Kunde",
         ".key_property: 'Kunde' cannot be used; use small letters, digits and _, a letter first"),
        (HUBSPOT, "requests_per_10_seconds: 500",
         ".requests_per_10_seconds: Input should be less than or equal to 250"),
        (HUBSPOT, "type: webhook",
         ".type: is not a type that can be used; use files, mailchimp, hubspot or python"),
    ],
)  # fmt: skip
def test_a_fault_of_a_destination(tmp_path, text, more, expected):
    key = more.partition(":")[0]
    kept = re.sub(rf"\b{key}: [^,}}]+, |, \b{key}: [^,}}]+", "", text)
    assert faults(tmp_path, kept.replace("tool: {", f"tool: {{{more}, ", 1)) == [f"destinations.tool{expected}"]


def test_damping_no_longer_than_its_lookback(tmp_path):
    assert faults(tmp_path, MINIMAL + "\nrules: {rfm: {damping_days: 31}}\n") == [
        "rules.rfm: damping_days (31) is more than damping_lookback_days (30): no segment could ever hold that long; "
        "make the look-back longer"
    ]


def test_unknown_entity_and_column(tmp_path):
    (fault,) = faults(tmp_path, MINIMAL.replace("orders: {", "order: {"))
    assert fault.startswith("sources.shop: 'order' is not a landing contract; use one of contacts, consents, ")
    (fault,) = faults(tmp_path, MINIMAL.replace("orders.csv", "a.csv, columns: {total: t}"))
    assert fault.startswith("sources.shop: entities.orders.columns: total is no column of orders; use order_id, ")


@pytest.mark.parametrize(
    "name", ["utf-16", "utf-16-le", "utf-32", "utf-7", "unicode_escape", "raw_unicode_escape", "base64", "rot13", "hex",
             "idna", "punycode", "cp037", "hz", "undefined", "nonsense", ""],
)  # fmt: skip
def test_encodings_that_cannot_be_read_line_by_line_are_refused(tmp_path, name):
    text = MINIMAL.replace("path: inbox", f"path: inbox\n    encoding: '{name}'")
    expected = f"'{name}' is not an encoding that can be read; use utf-8, latin-1, windows-1252, ..."
    assert faults(tmp_path, text) == [f"sources.shop.encoding: {expected}"]


@pytest.mark.parametrize("name", ["utf-8", "UTF8", "utf-8-sig", "latin-1", "windows-1252", "gbk", "shift_jis"])
def test_encodings(tmp_path, name):
    text = MINIMAL.replace("path: inbox", f"path: inbox\n    encoding: '{name}'")
    assert settings.load(put(tmp_path, text), tmp_path).sources["shop"].encoding == name


@pytest.mark.parametrize("name", ["DD/MM/YYYY", "%Q", "%d/%m", "%H:%M", "", "%Y-%m-%", "100%"])
def test_bad_date_formats(tmp_path, name):
    text = MINIMAL.replace("path: inbox", f"path: inbox\n    date_formats: ['%Y', '{name}']")
    expected = f"'{name}' is not a date format; write it like %d/%m/%Y %H:%M:%S, with the year"
    assert faults(tmp_path, text) == [f"sources.shop.date_formats.1: {expected}"]


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\\n", "\\r", "\\0"])
def test_bad_delimiters(tmp_path, delimiter):
    escaped = delimiter.replace('"', '\\"')
    text = MINIMAL.replace("orders.csv", f'orders.csv, delimiter: "{escaped}"')
    expected = "use one character, such as ';' or '|', that is neither a quote nor a line's end"
    assert faults(tmp_path, text) == [f"{ORDERS}.delimiter: {expected}"]


def test_all_faults_are_told_at_once(tmp_path):
    text = MINIMAL.replace("IDR", "x").replace("Asia/Jakarta", "y").replace("inbox", "inbox\n    z: 1")
    assert [fault.split(":")[0] for fault in faults(tmp_path, text)] == [
        "business.time_zone",
        "business.currency",
        "sources.shop.z",
    ]


def test_key_given_twice_is_refused(tmp_path):
    text = MINIMAL + "      contacts: {path: a.csv}\n      orders: {path: b.csv}\n"
    assert faults(tmp_path, text) == [", line 9: is not YAML: 'orders' is given twice"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "is empty; it needs at least 'business' and 'sources'"),
        ("- a\n", "is empty; it needs at least 'business' and 'sources'"),
        ("sources: {}\n", "business: is missing"),
        (b"business: \xff", "is not UTF-8 text; save it as such"),
        ("a: b\nkey: hunter2: x\n", ", line 2: is not YAML: mapping values are not allowed here"),
        ("a: !!python/object/apply:os.system [hunter2]\n", ", line 1: is not YAML: could not determine a constructor"),
    ],
)
def test_files_that_are_none(tmp_path, text, expected):
    told = faults(tmp_path, text)
    assert told[0].startswith(expected)
    assert "hunter2" not in "".join(told)


def test_missing_file(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.yml: cannot be read \(No such file or directory\)"):
        settings.load(tmp_path / "nowhere.yml")


# ---- SQL sources

SQL = """
business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources:
  crm:
    type: sql
    connection: crm_db
    entities:
      contacts:
        table: crm.contacts
"""


def test_a_sql_source(tmp_path):
    known = settings.load(put(tmp_path, SQL), tmp_path).sources["crm"]
    assert isinstance(known, settings.SqlSource)
    assert (known.connection, known.timeout_seconds) == ("crm_db", 3600)
    assert (known.entities["contacts"].table, known.entities["contacts"].load) == ("crm.contacts", "snapshot")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("table: crm.contacts", "min_rows: 1", "sources.crm.entities.contacts: give either 'table' or 'query'"),
        ("table: crm.contacts", "table: a\n        query: b",
         "sources.crm.entities.contacts: give either 'table' or 'query'"),
        ("table: crm.contacts", "table: a.b.c.d",
         "sources.crm.entities.contacts.table: 'a.b.c.d' is not a table; write table or schema.table, "
         "a name with a dot in double quotes"),
        ("table: crm.contacts", "table: a\n        load: daily",
         "sources.crm.entities.contacts: 'load: daily' and 'cursor', the column that tells a row's day, "
         "need each other"),
        ("table: crm.contacts", "table: a\n        look_back_days: 3",
         "sources.crm.entities.contacts: 'look_back_days' is for 'load: daily'"),
        ("table: crm.contacts", "table: a\n        path: b",
         "sources.crm.entities.contacts.path: is not a setting; check the spelling"),
        ("connection: crm_db", "connection: postgres://ani:secret@db/crm",
         "sources.crm.connection: give the id of an Airflow connection, such as crm_db; "
         "address and password belong there"),
        ("connection: crm_db", "connection: crm_db\n    password: secret",
         "sources.crm.password: is not a setting; check the spelling"),
        ("connection: crm_db", "path: inbox",
         "sources.crm.connection: is missing|sources.crm.path: is not a setting; check the spelling"),
        ("type: sql", "type: mysql", "sources.crm.type: is not a type that can be used; use files, sql or rest"),
        ("contacts:", "people:",
         "sources.crm: 'people' is not a landing contract; use one of contacts, consents, referrals, orders, "
         "order_lines, refunds, events, messages, survey_responses, tickets"),
    ],
)  # fmt: skip
def test_a_fault_of_a_sql_source(tmp_path, old, new, expected):
    assert old in SQL
    found = faults(tmp_path, SQL.replace(old, new, 1))
    assert found == expected.split("|")
    assert "secret" not in " ".join(found)


def test_a_source_that_is_no_block_of_keys(tmp_path):
    text = SQL[: SQL.index("crm:")] + "crm: hello\n"
    assert faults(tmp_path, text) == ["sources.crm: needs a block of keys below it"]

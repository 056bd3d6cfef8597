"""The doctor: what it says of configurations that would fail, and that it neither writes nor tells anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tangga import doctor, landing, storage
from tangga.doctor import Level, house
from tangga.settings import REPOSITORY, Settings
from tangga.sources.connections import Connection
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import MailchimpAccount
from tests.unit.inbox import BUSINESS, DAY, Inbox
from tests.unit.postgres import SECRET
from tests.unit.shop import CONTACTS, contacts

SHOP = {
    "contacts": "contact_id,updated_at,email\n1,2026-03-01T10:00:00Z,ani@example.com\n",
    "consents": "email,channel,status,status_at\nani@example.com,email,granted,2026-03-01T10:00:00Z\n",
    "orders": "order_id,contact_id,ordered_at,status,currency,total_amount\n1,1,2026-03-01T10:00:00Z,paid,IDR,10.50\n",
}
"""A company of which there is nothing to say."""


@pytest.fixture
def company(inbox, monkeypatch):
    """Settings of that company; keyword arguments replace top-level blocks, `files` the content of files."""

    monkeypatch.setattr(house, "FREE_BETTER", 0)  # what this machine's disk holds is no part of the tests

    def company(files: dict[str, str | None] | None = None, spec: dict | None = None, **rest) -> Settings:
        for name, content in (SHOP | (files or {})).items():
            if content is not None:
                inbox.put(f"{name}.csv", content)
        entities = {name: {"path": f"{name}.csv"} | (spec or {}).get(name, {}) for name in SHOP}
        blocks = {"sources": {"shop": {"path": "inbox", "entities": entities}}, "destinations": {"files": {}}}
        return inbox.settings("contacts", **(blocks | rest))

    return company


def examined(settings: Settings, tmp_path: Path, **rest) -> list[doctor.Finding]:
    (workspace := tmp_path / "workspace").mkdir(exist_ok=True)
    found = list(doctor.examine(settings, DAY, workspace, **rest))
    assert not settings.home.exists()
    assert not list(workspace.iterdir())
    return found


def amiss(settings: Settings, tmp_path: Path) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Level, subject, sentence and details of all that is not ok."""
    return [
        (finding.level.value, finding.subject, finding.sentence, finding.details)
        for finding in examined(settings, tmp_path)
        if finding.level is not Level.OK
    ]


def test_of_a_company_in_order_everything_is_ok(company, tmp_path):
    found = examined(company(), tmp_path)
    assert {finding.level for finding in found} == {Level.OK}
    assert [finding.subject for finding in found] == [
        "settings", "home", "disk", "time zone", "RFM scheme", "rfm_segments", "rfm_cutoffs", "exchange_rates",
        "discount_campaigns", "contact_costs", "business_hours", "holidays", "optional data", "files", "shop consents",
        "shop contacts", "shop orders",
    ]  # fmt: skip


TOOLS = {
    "mailchimp": (MailchimpAccount, {"list": "a1b2c3d4e5"}, "Toko Tangga, audience 'Pelanggan' [a1b2c3d4e5]"),
    "hubspot": (HubSpotPortal, {}, "HubSpot portal 20240101 (app-eu1.hubspot.com)"),
}


@pytest.mark.parametrize(("make", "spec", "account"), TOOLS.values(), ids=TOOLS)
def test_tools_are_asked_who_they_are_and_nothing_is_changed(company, tmp_path, use, make, spec, account, request):
    kind = request.node.callspec.id
    spec = {"type": kind, "connection": "tool_api", "deadline_seconds": 1} | spec
    settings = company(destinations={"tool": spec, "files": {}})
    with make() as tool:
        use(Connection("tool_api", "http", host=tool.url, password=tool.token))
        said = {finding.subject: finding for finding in examined(settings, tmp_path)}
        assert (said["tool"].level, said["tool"].sentence) == (Level.OK, f"{kind} answers: {account}")
        assert list(tool.effects) == []
        assert "POST" not in {asked.method for asked in tool.asked if "unsubscribe-all/read" not in asked.path}
        tool.faults.next(503, times=9)
        [(level, subject, sentence, _)] = amiss(settings, tmp_path)
        assert (level, subject) == ("warning", "tool")
        assert sentence.endswith("Lists wait until it answers")
        tool.faults.calm()
        use(Connection("tool_api", "http", host=tool.url, password="wrong-us6"))
        [(level, subject, sentence, _)] = amiss(settings, tmp_path)
        assert (level, subject) == ("fault", "tool")
        assert "does not accept the credentials" in sentence
        assert "wrong-us6" not in sentence
    use(Connection("tool_api", "http"))
    [(level, _, sentence, _)] = amiss(settings, tmp_path)
    assert (level, "the connection has no password" in sentence) == ("fault", True)


MARK = "Ani-Secret"

ROWS = {
    "a missing file": ({"orders": None}, "fault", "no file matches 'orders.csv'; put it there"),
    "an empty file": ({"orders": ""}, "fault", "is empty (0 bytes)"),
    "no rows": ({"orders": SHOP["orders"].splitlines()[0] + "\n"}, "fault", "there are fewer than min_rows (1)"),
    "a renamed column": (
        {"orders": SHOP["orders"].replace("total_amount", "sum")},
        "fault",
        "has no column 'total_amount', which orders.total_amount is read from",
    ),
    "a new column": ({"orders": SHOP["orders"].replace("amount\n", "amount,vip\n").replace("50\n", f"50,{MARK}\n")},
                     "warning", "1 rows read; nothing maps vip"),
    "a row of tomorrow": ({"orders": SHOP["orders"].replace("2026-03-01", "2026-03-12")}, "warning",
                          "later than 2026-03-10: 1; are time zones and date_formats right?"),
    "unreadable amounts": ({"orders": SHOP["orders"].replace("10.50", MARK)}, "fault",
                           "1 would be rejected, more than max_reject_share (0.05) allows"),
    "a currency without rates": ({"orders": SHOP["orders"].replace("IDR", "USD")}, "fault", "1 would be rejected"),
    "a quote that stays open": ({"orders": SHOP["orders"] + f'2,"{MARK}\n'}, "fault", "has a quote that is opened"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "level", "sentence"), ROWS.values(), ids=ROWS)
def test_what_is_wrong_with_one_source_is_said_and_the_others_are_looked_at(company, tmp_path, files, level, sentence):
    settings = company(files)
    [(found, subject, said, details)] = amiss(settings, tmp_path)
    assert (found, subject) == (level, "shop orders")
    assert sentence in said
    assert MARK not in said + "".join(details)


def test_reasons_are_counted_and_placed(company, tmp_path):
    good = "1,1,2026-03-01T10:00:00Z,paid,IDR,10.50\n"
    bad = [f"{n},{MARK},2026-03-01T10:00:00Z,paid,USD,1\n" for n in range(2, 7)] + [f"7,1,{MARK},paid,IDR,-1\n"]
    settings = company({"orders": SHOP["orders"] + good.replace("1,1", "9,1", 1) + "".join(bad)})
    [(_, _, _, details)] = amiss(settings, tmp_path)
    assert details[:-1] == (
        "5 x there is no exchange rate for its currency on that day (orders.csv:4, orders.csv:5, orders.csv:6, …)",
        "1 x ordered_at is not a time (orders.csv:9)",
        "1 x total_amount is below 0 (orders.csv:9)",
    )
    assert details[-1].startswith("stay empty: subtotal_amount, ")


HOSTILE = {
    "an unknown scheme": ({"rules": {"rfm": {"scheme": "nobody"}}}, "fault", "RFM scheme",
                          "there is no scheme 'nobody'"),
    "a table that is not there": ({"reference": {"exchange_rates": "none.csv"}}, "fault", "exchange_rates",
                                  "does not exist"),
    "no country": ({"business": BUSINESS | {"country": "XX"}}, "fault", "country", "'XX' is no country"),
    "a foreign clock": ({"business": BUSINESS | {"country": "DE"}}, "warning", "time zone",
                        "no clock in DE shows the time of Asia/Jakarta; was Europe/Berlin, Europe/Busingen meant"),
    "nowhere to go": ({"destinations": {}}, "warning", "destinations", "lists are made but go nowhere"),
}  # fmt: skip


@pytest.mark.parametrize(("blocks", "level", "subject", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_wrong_with_the_rules_is_said(company, tmp_path, blocks, level, subject, sentence):
    found = amiss(company(**blocks), tmp_path)
    assert (level, subject) in [(given, about) for given, about, *_ in found]
    assert sentence in " ".join(said for _, about, said, _ in found if about == subject)


def test_old_rates_are_told(company, inbox, tmp_path):
    inbox.put("rates.csv", "rate_date,currency,rate\n2025-01-01,USD,16000\n2026-03-09,EUR,18000\n")
    [(level, subject, sentence, _)] = amiss(company(reference={"exchange_rates": "inbox/rates.csv"}), tmp_path)
    assert (level, subject) == ("warning", "exchange_rates")
    assert "the last rates of USD (2025-01-01) are too old for 2026-03-10" in sentence


def test_entities_that_results_rest_on_are_missed(company, tmp_path):
    sources = {"shop": {"path": "inbox", "entities": {"refunds": {"path": "contacts.csv"}}}}
    found = amiss(company(sources=sources), tmp_path)
    assert [subject for _, subject, *_ in found] == ["contacts", "consents", "orders", "shop refunds"]


def test_a_home_that_cannot_be_made_or_that_others_read(company, inbox, tmp_path, monkeypatch):
    settings = company()
    inbox.put("file", "x")
    blocked = settings.model_copy(update={"home": inbox.folder / "file" / "home"})
    assert [finding.level for finding in house.home(blocked)] == [Level.FAULT]
    open_home = settings.model_copy(update={"home": tmp_path / "open"})
    (open_home.home / "landing").mkdir(parents=True, mode=0o755)
    open_home.home.chmod(0o755)
    (open_home.home / "landing").chmod(0o755)
    [privacy, _] = house.home(open_home)
    assert (privacy.level, "landing" in privacy.sentence) == (Level.WARNING, True)
    (open_home.home / "landing").chmod(0o700)
    assert next(house.home(open_home)).level is Level.OK
    monkeypatch.setattr(house, "FREE_AT_LEAST", 1 << 60)
    assert [finding.level for finding in house.home(open_home)] == [Level.OK, Level.FAULT]


@pytest.mark.parametrize("fault", ["password", "table", "server"])
def test_databases_that_fail_are_told_at_once_and_the_files_are_looked_at(served, company, use, tmp_path, fault):
    served.run(CONTACTS, contacts(MARK, MARK))
    spec = {"table": "nobody" if fault == "table" else "contacts"}
    source = {"type": "sql", "connection": "crm_db", "entities": {"contacts": spec}}
    known = company()
    sources = {"crm": source, "shop": yaml.safe_load(known.config_path.read_text(encoding="utf-8"))["sources"]["shop"]}
    known = company(sources=sources)
    good = served.connection
    if fault == "password":
        use(served.server.connection(good.database, user="careful", password=f"not {SECRET}"))
    elif fault == "server":
        use(type(good)("crm_db", good.kind, host="127.0.0.1", port=1, user="u", password=SECRET, database="d"))
    found = examined(known, tmp_path)
    [(subject, said)] = [(finding.subject, finding.sentence) for finding in found if finding.level is Level.FAULT]
    assert subject == "crm contacts"
    assert {"password": "the database refuses", "table": "no such table", "server": "cannot be reached"}[fault] in said
    assert "times" not in said
    assert SECRET not in said
    assert [finding.subject for finding in found if finding.subject.startswith("shop")] == [
        "shop consents", "shop contacts", "shop orders"]  # fmt: skip


def test_of_a_large_table_no_more_is_read_than_a_sample(shop, tmp_path):
    shop.run(CONTACTS, contacts(*[MARK] * 50))
    found = examined(shop.settings(), tmp_path, rows=7)
    assert "7 rows read" in found[-1].sentence
    assert MARK not in str(found)


# ---- as a command


def command(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
    paths = os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)])
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TANGGA_", "AIRFLOW"))}
    return subprocess.run(
        [sys.executable, "-m", "tangga.local.doctor", "--as-of", str(DAY), *map(str, arguments)],
        env=env | {"PYTHONPATH": paths} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def tree(folder: Path) -> dict[str, tuple]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def test_the_home_stays_as_it_is(company, lite, inbox, tmp_path):
    lite.run(CONTACTS, contacts(MARK))
    files = company({"orders": SHOP["orders"].replace("paid", MARK)})
    landing.land(files, "shop", "contacts", DAY)
    source = {"type": "sql", "connection": "crm_db", "entities": {"contacts": {"table": "contacts"}}}
    unknown = {"type": "sql", "connection": "nobody", "entities": {"contacts": {"table": "contacts"}}}
    shop = yaml.safe_load(files.config_path.read_text(encoding="utf-8"))["sources"]["shop"]
    known = company({"orders": SHOP["orders"].replace("paid", MARK)},
                    sources={"unknown": unknown, "crm": source, "shop": shop})  # fmt: skip
    before = tree(known.home)
    address = f'{{"conn_type": "sqlite", "host": "{lite.connection.host}", "password": "{SECRET}"}}'
    done = command("--config", known.config_path, "--home", known.home, AIRFLOW_CONN_CRM_DB=address)
    assert done.returncode == 1, done.stderr
    assert tree(known.home) == before
    lines = done.stdout.splitlines()
    assert any(line.startswith("fault   unknown: connection 'nobody': Airflow has none of that name") for line in lines)
    assert any(line.startswith("ok      crm contacts: 1 rows read") for line in lines)
    assert any(line.startswith("fault   shop orders: 1 rows read; 1 would be rejected") for line in lines)
    assert lines[-1].endswith(" 2 fault")
    for secret in (MARK, SECRET, "ani@example.com"):
        assert secret not in done.stdout + done.stderr


def test_the_demo_company_is_in_order_before_its_first_run(tmp_path):
    done = command("--config", REPOSITORY / "tangga.yml", "--home", tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo: 'make run' fills" in done.stdout
    assert not (tmp_path / "home").exists()


def test_settings_that_cannot_be_used(tmp_path):
    Inbox(tmp_path)
    (tmp_path / "tangga.yml").write_text("business: {name: Toko}\nsources: {}\n", encoding="utf-8")
    done = command("--config", tmp_path / "tangga.yml")
    assert done.returncode == 2
    assert "fault   settings: " in done.stdout
    assert "business.time_zone: is missing" in done.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "tangga.yml"]


def test_the_store_of_the_landing_is_looked_at(company, bucket, tmp_path, monkeypatch):
    def said(path: str, **connection) -> tuple[str, str]:
        storage._opened.cache_clear()
        monkeypatch.setenv("AIRFLOW_CONN_LAKE", bucket.store.connection(**connection))
        settings = company(storage={"path": path, "connection": "lake"})
        [finding] = [finding for finding in examined(settings, tmp_path) if finding.subject == "storage"]
        return finding.level, finding.sentence

    assert said(f"s3://{bucket.name}/tangga") == (Level.OK, f"s3://{bucket.name}/tangga can be read")
    level, sentence = said("s3://no-such-bucket-here/tangga")
    assert (level, "there is no such bucket" in sentence) == (Level.FAULT, True)

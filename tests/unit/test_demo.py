"""The demo company: the same bytes each time, a past that stays, all rungs, and dirt in small amounts."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tangga.demo import write_inbox
from tangga.settings import Demo

DEMO = Demo(scale=0.2, start=date(2025, 1, 1))
DAY = date(2026, 6, 25)  # the first day of a sale


def write(folder: Path, day: date = DAY, demo: Demo = DEMO) -> dict[str, int]:
    return write_inbox(folder / "inbox", folder / "truth", day, demo)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_csv(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> list[dict]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(raw.decode(encoding).splitlines(), delimiter=delimiter))


def read_jsonl(folder: Path, pattern: str) -> tuple[list[dict], int]:
    """The readable objects of all months, and how many lines are not."""
    rows, broken = [], 0
    for path in sorted(folder.glob(pattern)):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in raw.decode().splitlines():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                broken += 1
    return rows, broken


def all_orders(folder: Path) -> list[dict]:
    return [row for path in sorted((folder / "inbox/shop").glob("orders_*")) for row in read_csv(path)]


def is_clean(order: dict) -> bool:
    return order["order_no"][:1] == "T" and order["contact"] != "" and None not in order


@pytest.fixture(scope="module")
def today(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("today")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def tomorrow(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tomorrow")
    write(folder, DAY + timedelta(days=1))
    return folder


def test_same_arguments_give_the_same_bytes(today, tmp_path):
    write(tmp_path)
    assert contents(tmp_path) == contents(today)


def test_a_rerun_over_a_later_day_gives_the_same_folder(today, tmp_path):
    write(tmp_path, DAY + timedelta(days=40))
    (tmp_path / "inbox/web/events_2026-06.jsonl.gz.part").write_bytes(b"left by a killed run")
    write(tmp_path)
    assert contents(tmp_path) == contents(today)


def test_another_seed_gives_another_company(today, tmp_path):
    write(tmp_path, demo=DEMO.model_copy(update={"seed": 8}))
    assert contents(tmp_path)["inbox/shop/contacts.csv"] != contents(today)["inbox/shop/contacts.csv"]


def test_exactly_these_files(today):
    months = [f"2025-{month:02d}" for month in range(1, 13)] + [f"2026-{month:02d}" for month in range(1, 7)]
    expected = {
        "inbox/shop/contacts.csv",
        "inbox/shop/referrals.csv",
        "inbox/shop/refunds.csv",
        "inbox/shop/discount_campaigns.csv",
        "inbox/mailer/consents.csv",
        "inbox/survey/responses.csv",
        "inbox/helpdesk/tickets.tsv",
        "inbox/helpdesk/business_hours.csv",
        "truth/rungs.csv",
    }
    for month in months:
        expected |= {f"inbox/shop/orders_{month}.csv.gz", f"inbox/shop/order_lines_{month}.parquet"}
        expected |= {f"inbox/web/events_{month}.jsonl.gz", f"inbox/mailer/messages_{month}.jsonl"}
    assert set(contents(today)) == expected


def test_rows_counted_are_rows_written(tmp_path):
    rows = write(tmp_path)
    assert rows["orders"] == len(all_orders(tmp_path))
    events, broken = read_jsonl(tmp_path / "inbox/web", "events_*")
    assert rows["events"] == len(events) + broken
    lines = (pq.read_metadata(path).num_rows for path in (tmp_path / "inbox/shop").glob("order_lines_*"))
    assert rows["order_lines"] == sum(lines)


def test_yesterdays_facts_stay(today, tomorrow):
    def facts(folder: Path, *legitimately_changing: str) -> list[tuple]:
        return [tuple(v for k, v in row.items() if k not in legitimately_changing) for row in all_orders(folder)]

    before, after = facts(today, "status"), facts(tomorrow, "status")
    new = set(after) - set(before)
    assert set(before) <= set(after) and 0 < len(new) < 100

    for name, pattern in (("web", "events_*"), ("mailer", "messages_*")):
        for path in sorted((today / "inbox" / name).glob(pattern)):
            raw = [folder / "inbox" / name / path.name for folder in (today, tomorrow)]
            old, young = (gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in raw)
            assert young.startswith(old)


def test_old_months_stay_byte_for_byte(today, tomorrow):
    old, young = contents(today), contents(tomorrow)
    for name in old:
        if "2026-06" not in name and ("_2025-" in name or "_2026-" in name):
            assert old[name] == young[name], name


def test_nothing_after_the_day_but_the_slips(today):
    end = f"{DAY + timedelta(days=1)} 00:00:00"
    assert {o["ordered_at"][:3] for o in all_orders(today) if o["ordered_at"] >= end} <= {"204"}
    contacts = read_csv(today / "inbox/shop/contacts.csv")
    assert all(row["registered_at"] < end for row in contacts if row["id"][:1] == "0")


def test_truth_has_all_rungs_and_lies_apart(today):
    truth = read_csv(today / "truth/rungs.csv")
    assert {row["intended_rung"] for row in truth if row["is_decidable"] == "true"} == set("1234567")
    share = sum(row["is_decidable"] == "true" for row in truth) / len(truth)
    assert 0.85 < share < 1
    assert not any("rung" in name or "archetype" in name for name in contents(today / "inbox"))
    contacts = {row["id"] for row in read_csv(today / "inbox/shop/contacts.csv")}
    assert {row["contact_id"] for row in truth} == {each for each in contacts if each.isdigit()}


def test_truth_inside_the_inbox_is_refused(tmp_path):
    with pytest.raises(ValueError, match="inside the inbox"):
        write_inbox(tmp_path, tmp_path / "truth", DAY, DEMO)


def test_a_day_before_the_opening_is_refused(tmp_path):
    with pytest.raises(ValueError, match="opens on 2025-01-01"):
        write(tmp_path, date(2024, 12, 31))


def test_people_share_records_in_small_numbers(today):
    truth = read_csv(today / "truth/rungs.csv")
    people = {row["person_id"] for row in truth}
    assert 0 < len(truth) - len(people) < 0.05 * len(truth)


def test_amounts_add_up(today):
    lines: dict[str, int] = {}
    for path in (today / "inbox/shop").glob("order_lines_*"):
        seen = set()
        for row in pq.read_table(path).to_pylist():
            if (row["order_no"], row["line"]) not in seen:
                seen.add((row["order_no"], row["line"]))
                lines[row["order_no"]] = lines.get(row["order_no"], 0) + int(row["qty"] * row["price"])
    for order in filter(is_clean, all_orders(today)):
        subtotal, discount, shipping, tax, total = (
            int(order[name]) for name in ("subtotal", "discount", "shipping", "tax", "total")
        )
        assert lines[order["order_no"]] == subtotal
        assert total == subtotal - discount + shipping + tax


def test_sales_are_discounted_and_hunters_buy_nowhere_else(today):
    sales = [(row["starts_on"], row["ends_on"]) for row in read_csv(today / "inbox/shop/discount_campaigns.csv")]
    hunters = {row["contact_id"] for row in read_csv(today / "truth/rungs.csv") if row["archetype"] == "hunter"}
    on, off = [], []
    for order in filter(is_clean, all_orders(today)):
        in_sale = any(first <= order["ordered_at"][:10] <= last for first, last in sales)
        (on if in_sale else off).append(int(order["discount"]) > 0)
        assert in_sale or order["contact"] not in hunters or order["ordered_at"] >= "204"
    assert sum(on) / len(on) > 0.8
    assert sum(off) / len(off) < 0.2


def test_dirt_is_there_in_small_amounts(today):
    shop = today / "inbox/shop"
    orders = all_orders(today)
    spoilt = sum(not is_clean(order) or "," in order["total"] or order["total"] == "NaN" for order in orders)
    assert 0 < spoilt < 0.02 * len(orders)
    assert any(order["contact"].startswith("T") for order in orders), "a stranger's order"

    contacts = read_csv(shop / "contacts.csv")
    emails = [row["email"] for row in contacts]
    assert any(email != email.lower() or email != email.strip() for email in emails)
    assert any(name in row["first_name"] for row in contacts for name in "<=@'")
    addresses = [email.strip().lower() for email in emails if email.count("@") == 1 and not email.endswith("@")]
    assert all(address.endswith(("example.com", "example.org", "example.net")) for address in addresses)

    events, broken = read_jsonl(today / "inbox/web", "events_*")
    assert 0 < broken < 0.005 * len(events)
    assert 0 < len(events) - len({json.dumps(event) for event in events}) < 0.005 * len(events), "rows twice"
    scores = {row["score"] for row in read_csv(today / "inbox/survey/responses.csv", ";")}
    assert scores & {"11", "-1"}
    assert any(row["answered"] == "" for row in read_csv(today / "inbox/survey/responses.csv", ";"))


def test_the_helpdesk_writes_windows_1252(today):
    path = today / "inbox/helpdesk/tickets.tsv"
    with pytest.raises(UnicodeDecodeError):
        path.read_text(encoding="utf-8")
    topics = {row["subject"] for row in read_csv(path, "\t", "windows-1252")}
    assert topics & {"Résumé pesanan", "Crème brûlée rusak", "Stok kopi café blend", "Bungkus kado décor"}

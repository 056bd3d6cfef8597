"""The pages of what the gates found: all of it, for every reader, the same twice, and nothing that runs or loads."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from expectations import data_docs, gate, inbound
from expectations.checks import GateStopped, unexpected_rows
from expectations.data_docs import kept, words
from expectations.data_docs.sparkline import bars
from tangga import landing, settings
from tangga.tasks import land
from tests.unit.gates import DAY, HAS_ROWS, SECRETS, accepted, good_row, make_settings, put

HOSTILE = "<script>alert('x')</script><img src=x onerror=y>.csv"
NO_A = unexpected_rows("own", "No a", "select 1 from {batch}", "warn")


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def known(tmp_path) -> settings.Settings:
    return make_settings(tmp_path, "orders")


def judge(known: settings.Settings) -> None:
    """A day of all three gates: passed, warned and stopped, with a hostile file name."""
    accepted(known, "orders", DAY - timedelta(days=1), 4)
    put(
        known,
        "orders",
        [good_row("orders") | {"order_id": None, "_file": HOSTILE}] * 2,
        watermark="2024-01-31T01:02:03",
    )
    inbound.check(known, DAY)
    gate.run(known, "marts", DAY, "core.dim_customers", {"select 1 as a": [HAS_ROWS, NO_A]})
    gate.run(known, "outbound", DAY, "plan.abc", {"select 1 as a": [HAS_ROWS]})


def pages(known: settings.Settings) -> dict[str, str]:
    folder = known.gate_pages.parent
    assert {path.suffix for path in folder.iterdir()} == {".html"}
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_every_result_is_on_the_site(known):
    judge(known)
    gate.run(known, "inbound", "2024-01-30", "shop.orders", {"select 1 as a": [HAS_ROWS]})
    gate.run(known, "marts", "undated", "core.fct_orders", {"select 1 as a": [HAS_ROWS]})
    data_docs.build(known)
    site = pages(known)
    assert set(site) == {"index.html", "2024-02-01.html", "2024-01-30.html", "undated.html"}
    results = list((known.home / "gates").rglob("*.json"))
    assert len(results) == 5
    for path in results:
        said, page = json.loads(path.read_text()), site[f"{path.parent.name}.html"]
        assert f'id="{said["name"]}"' in page
        shown = Tags(page).text
        for check in said["checks"]:
            assert check["description"] in shown
            assert all(f"{place['file']}, line {place['line']}" in shown for place in check["samples"])
        assert said["remedy"] in shown
    day = Tags(site["2024-02-01.html"]).text
    for words_shown in ("✕ 1 stop", "! 1 warn", "✓ 1 pass", "2 of 2 break it", "2024-01-31 01:02 UTC", "snapshot"):
        assert words_shown in re.sub(r"\s+", " ", day)
    assert "Rows per day: 2024-01-31 4, 2024-02-01 2" in site["2024-02-01.html"]
    days = [path.removesuffix(".html") for path in sorted(site) if path != "index.html"]
    assert [day for day in days if f'href="{day}.html"' in site["index.html"]] == days


def test_a_hostile_file_name_is_text_and_nothing_is_loaded_or_run(known):
    judge(known)
    data_docs.build(known)
    site = pages(known)
    assert HOSTILE in Tags(site["2024-02-01.html"]).text
    for page in site.values():
        read = Tags(page)
        assert read.open == []
        assert {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in read.tags} == set()
        attributes = [(name, value) for _, given in read.tags for name, value in given.items()]
        assert [name for name, _ in attributes if name.startswith("on")] == []
        assert [value for name, value in attributes if name in ("src", "srcset", "action", "xlink:href")] == []
        assert [value for name, value in attributes if name == "href" and ":" in value] == []
        assert "url(" not in page
        assert "@import" not in page


def test_tables_and_pictures_can_be_read_aloud(known):
    judge(known)
    data_docs.build(known)
    for page in pages(known).values():
        tags = Tags(page).tags
        assert ("html", {"lang": "en"}) in tags
        assert [given for tag, given in tags if tag == "th" and given.get("scope") not in ("row", "col")] == []
        assert [given for tag, given in tags if tag == "svg" and not given.get("aria-label")] == []
        assert len([tag for tag, _ in tags if tag == "h1"]) == len([tag for tag, _ in tags if tag == "main"]) == 1


def test_the_same_results_are_the_same_bytes(known, tmp_path):
    judge(known)
    data_docs.build(known)
    first = pages(known)
    times = {path: path.stat().st_mtime_ns for path in known.gate_pages.parent.iterdir()}
    data_docs.build(known)
    assert pages(known) == first
    assert {path: path.stat().st_mtime_ns for path in known.gate_pages.parent.iterdir()} == times
    other = make_settings(tmp_path / "other", "orders")
    other.home.mkdir(parents=True)
    (known.home / "gates").rename(other.home / "gates")
    data_docs.build(other)
    assert pages(other) == first
    assert {path.stat().st_mode & 0o777 for path in other.gate_pages.parent.iterdir()} == {0o600}


def test_only_the_page_of_the_day_and_missing_ones_are_written(known):
    for day in ("2024-01-01", "2024-01-02", "2024-01-03"):
        gate.run(known, "inbound", day, "shop.orders", {"select 1 as a": [HAS_ROWS]})
    data_docs.build(known)
    folder = known.gate_pages.parent
    (folder / "2024-01-01.html").unlink()
    (folder / "2024-01-02.html").write_text("left alone")
    (folder / "2024-01-03.html").write_text("written again")
    data_docs.build(known, {"2024-01-03"})
    assert {name for name, page in pages(known).items() if page.startswith("<!DOCTYPE html>")} == {
        "index.html", "2024-01-01.html", "2024-01-03.html"
    }  # fmt: skip


def test_older_days_are_links(known):
    days = [(date(2024, 1, 1) + timedelta(days=number)).isoformat() for number in range(data_docs.NEWEST + 2)]
    for day in days:
        folder = known.home / "gates" / "inbound" / day
        folder.mkdir(parents=True)
        (folder / "shop.orders.json").write_text('{"name": "shop.orders", "verdict": "pass", "checks": []}')
    data_docs.build(known)
    index = pages(known)["index.html"]
    assert [day for day in days if f'href="{day}.html"' in index] == days
    assert index.count("1 pass") == data_docs.NEWEST


GOOD = {"name": "shop.orders", "verdict": "pass", "remedy": "", "landed": {}, "checks": []}
FIGURES = {"load": "daily", "rows": 1, "rejected": 0, "repeated": 0, "quarantined": 0, "watermark": None, "history": []}


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "null", "{}", GOOD | {"verdict": "fine"}, GOOD | {"checks": [1]}, GOOD | {"checks": None},
     GOOD | {"checks": [{"description": "x", "severity": "stop", "success": True}]},
     GOOD | {"landed": {"rows": 1}}, GOOD | {"landed": FIGURES | {"rows": "many"}},
     GOOD | {"landed": FIGURES | {"history": [{"ds": "2024-01-01"}]}}, GOOD | {"landed": [1]}],
)  # fmt: skip
def test_a_damaged_result_is_shown_as_stopped(known, content):
    path = known.home / "gates" / "inbound" / DAY.isoformat() / "shop.orders.json"
    path.parent.mkdir(parents=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    data_docs.build(known)
    shown = Tags(pages(known)["2024-02-01.html"]).text
    assert "What the gate said cannot be read any more" in shown
    assert [result.verdict for result in kept.read_day(known, "2024-02-01").door("inbound").results] == ["stop"]


def test_a_result_without_names_and_figures_is_shown(known):
    """As they were kept before checks had names."""
    path = known.home / "gates" / "marts" / DAY.isoformat() / "core.dim_customers.json"
    path.parent.mkdir(parents=True)
    check = {"description": "It has rows", "severity": "critical", "success": False, "observed": {"found": 0}}
    path.write_text(json.dumps({"name": "core.dim_customers", "verdict": "stop", "checks": [check]}))
    data_docs.build(known)
    assert "It has rows" in Tags(pages(known)["2024-02-01.html"]).text


def test_without_results_there_is_a_page(known):
    data_docs.build(known)
    assert set(pages(known)) == {"index.html"}


def test_nothing_personal_is_on_a_page(tmp_path):
    known = make_settings(tmp_path, "contacts")
    bad = good_row("contacts") | {"contact_id": None, "is_email_valid": False}
    put(known, "contacts", [bad], rejected=9, ignored_columns=[SECRETS[3]], emptied={"city": 9})
    inbound.check(known, DAY)
    data_docs.build(known)
    written = "".join(pages(known).values())
    assert [secret for secret in SECRETS if secret in written] == []


# --- after each gate -----------------------------------------------------------------------------


def test_a_gate_that_stops_has_its_page_and_names_it(known, monkeypatch):
    monkeypatch.setattr(land, "load", lambda: known)
    put(known, "orders", [good_row("orders") | {"order_id": None}])

    class Run:
        partition_key = DAY.isoformat()

    with pytest.raises(GateStopped) as caught:
        land.inbound_gate(Run())
    page = known.gate_pages.with_name("2024-02-01.html")
    assert str(caught.value).splitlines()[-1] == f"All that the gate found: {page}"
    assert "order_id is never empty" in page.read_text(encoding="utf-8")


def test_pages_that_cannot_be_written_hold_nothing_up(known, monkeypatch, caplog):
    monkeypatch.setattr(land, "load", lambda: known)
    put(known, "orders", [good_row("orders")])
    known.gate_pages.parent.parent.mkdir(parents=True)
    known.gate_pages.parent.write_text("a file where the folder should be")

    class Run:
        partition_key = DAY.isoformat()

    land.inbound_gate(Run())
    assert landing.is_accepted(landing.folder(known, "orders", "shop", DAY))
    assert "The pages of the gates cannot be written (File exists)" in caplog.text


# --- words and bars ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "observed", "shown"),
    [
        ("rejects", {"found": 0.181}, "18.1%"),
        ("volume", {"found": 0.515}, "51.5% fewer than usual"),
        ("volume_dip", {"found": -0.02}, "2.0% more than usual"),
        ("volume_growth", {"found": 3.5}, "3.50 times as many"),
        ("freshness", {"found": 2.25}, "2.2 days older"),
        ("freshness", {"found": -1}, "1.0 days newer"),
        ("freshness", {}, "nothing"),
        ("complete", {"found": 8802}, "8,802"),
        ("required", {"unexpected": 20, "of": 3784}, "20 of 3,784 break it"),
        ("columns", {"unexpected": 1, "missing": 0}, "1 break it"),
        ("columns", {"missing_columns": "nps"}, "missing: nps"),
        ("any", {"error": "IOException"}, "could not be evaluated (IOException)"),
    ],
)
def test_what_was_found_in_words(name, observed, shown):
    check = kept._check({"name": name, "description": "", "severity": "warn", "success": False, "observed": observed})
    assert words.observed(check) == shown


def test_bars_fill_the_height_and_any_row_is_seen():
    assert [tuple(bar) for bar in bars([("a", 0), ("b", 1), ("c", 1000)])] == [
        ("a", 0, 0, 0.0), ("b", 1, 7, 1.0), ("c", 1000, 14, 28.0)
    ]  # fmt: skip
    assert bars([]) == []
    assert [bar.height for bar in bars([("a", 0)])] == [0.0]

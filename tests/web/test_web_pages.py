"""What the pages say, against the version that they were made from."""

from __future__ import annotations

import csv
import io
import os
import re
import time
from datetime import date
from html import unescape

import pytest

from tests.web import company
from tests.web.company import ANI, ANI_BEFORE, BUDI, CITRA
from tests.web.pages import page, rows_of, text


@pytest.fixture
def mark(site):
    with site.browser("mark") as client:
        yield client


class TestOverview:
    def test_the_day_and_what_had_not_come(self, mark):
        shown = text(page(mark.get("/")))
        assert "As of the end of 20 May 2026" in shown
        assert "1 of 1 sources had not come. orders of shop (last 18 May 2026)" in shown

    def test_the_ladder_moves_against_the_end_of_last_month(self, mark):
        assert rows_of(page(mark.get("/")), "ladder") == [
            ["4 repeat customer", "", "1", "25 %", "+1"],
            ["3 first-time customer", "", "1", "25 %", "−1"],
            ["2 prospect", "", "2", "50 %", "±0"],
        ]

    def test_the_rfm_map(self, mark):
        grid = rows_of(page(mark.get("/")), "rfm")
        assert [row[0] for row in grid] == ["F 5", "F 4", "F 3", "F 2", "F 1"]
        assert grid[0][5] == "1Champions250"
        assert grid[4][1] == "1Lost250"
        assert {cell for row in grid for cell in row[1:]} == {"0", "1Champions250", "1Lost250"}

    def test_charts_are_drawn_here_and_have_a_table(self, mark):
        document = page(mark.get("/"))
        assert [svg.get("aria-label").split(",")[0] for svg in document.xpath("//figure/svg[@role='img']")] == [
            "Net Promoter Score by month",
            "Share of tickets answered and solved in time",
        ]
        assert rows_of(document, "nps")[0] == ["Apr 2026", "+34.0", "+20 to +45", "40", "–"]

    def test_nothing_is_asked_of_anybody_else(self, mark):
        for path in ("/", "/audiences", "/audiences/winback", f"/customers/{ANI}"):
            document = page(mark.get(path))
            asked = document.xpath("//script/@src | //link/@href | //img/@src | //iframe/@src | //form/@action")
            assert [address for address in asked if not address.startswith(("/crm/", "data:,"))] == []
            assert document.xpath("//*[@style] | //style | //script[not(@src)] | //@onclick") == []


class TestAudience:
    def test_the_list_of_audiences(self, mark):
        document = page(mark.get("/audiences"))
        assert [row[0].split("Win back")[0] for row in rows_of(document, "campaigns")] == ["Winback "]
        assert [row[:2] for row in rows_of(document, "lists")] == [["RFM segment: champions", "1"]]

    def test_members_are_masked_until_asked_for(self, mark):
        masked = rows_of(page(mark.get("/audiences/winback")), "members")
        assert [row[0] for row in masked] == ["a•••@e•••", "b•••@e•••"]
        assert {row[1] for row in masked} == {"at risk: last bought 40 days ago"}
        people = rows_of(page(mark.get("/audiences/winback/people")), "members")
        assert [row[0] for row in people] == [
            "Wening Wulandariani@example.com",
            "<script>alert(1)</script> =1+1budi@example.com",
        ]

    def test_what_is_said_of_it(self, mark):
        document = page(mark.get("/audiences/winback"))
        assert rows_of(document, "out") == [["no consent", "", "1"]]
        assert "Buyers who stay away longer than they used to." in text(document)
        assert rows_of(document, "messages")[0][:2] == ["1 missed", "0"]
        assert rows_of(document, "messages")[0][4:] == ["2", "2"]

    @pytest.mark.parametrize("path", ["/audiences/none_such", "/audiences/none_such/people"])
    def test_one_that_is_not_there(self, mark, path):
        assert mark.get(path).status_code == 404
        assert mark.post("/audiences/none_such/download", data={"kind": "plain"}).status_code == 404

    def test_a_message_is_shown_in_a_frame_that_may_do_nothing(self, mark):
        frame = page(mark.get("/audiences/winback")).xpath("//iframe")[0]
        assert frame.get("sandbox") == ""
        shown = mark.get(frame.get("src").removeprefix("/crm"))
        assert "Ani" in shown.text
        assert shown.headers["content-security-policy"].endswith("sandbox")


class TestDownload:
    def get(self, mark, kind):
        answer = mark.post("/audiences/winback/download", data={"kind": kind})
        assert answer.status_code == 200
        name = re.fullmatch(r'attachment; filename="(.+)"', answer.headers["content-disposition"]).group(1)
        assert answer.content.startswith("\ufeff".encode()) == (kind == "spreadsheet")
        return name, list(csv.reader(io.StringIO(answer.content.decode("utf-8"))))

    @pytest.mark.parametrize(
        ("kind", "name", "first"),
        [
            ("plain", "winback_2026-05-20.csv", "email"),
            ("mailchimp", "winback_2026-05-20_mailchimp.csv", "Email Address"),
            ("hubspot", "winback_2026-05-20_hubspot.csv", "Email"),
            ("spreadsheet", "winback_2026-05-20_spreadsheet.csv", "\ufeffemail"),
        ],
    )
    def test_the_members_in_each_kind(self, mark, kind, name, first):
        found, (header, *rows) = self.get(mark, kind)
        assert (found, header[0]) == (name, first)
        assert [row[0] for row in rows] == ["ani@example.com", "budi@example.com"]
        assert "'=1+1" in rows[1]

    def test_no_other_kind(self, mark):
        assert mark.post("/audiences/winback/download", data={"kind": "exe"}).status_code == 422


class TestCustomer:
    @pytest.mark.parametrize(
        ("who", "customer"),
        [
            (" ANI@example.com ", ANI),
            ("0811-1111-111", ANI),
            ("+62 811 1111 111", ANI),
            (ANI, ANI),
            (ANI_BEFORE, ANI),
            ("kartu-wening", ANI),
            ("budi@example.com", BUDI),
        ],
    )
    def test_is_found(self, mark, who, customer):
        answer = mark.post("/customers", data={"who": who})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/crm/customers/{customer}")

    @pytest.mark.parametrize("who", ["ani", "", "%", "nobody@example.com", "' or 1=1 --"])
    def test_nobody_is_found(self, mark, who):
        assert "Nobody is known by that." in text(page(mark.post("/customers", data={"who": who})))

    def test_what_is_not_understood_is_not_repeated(self, mark):
        answer = mark.post("/customers", data={"who": "ani@example.com" * 50})
        assert answer.status_code == 422
        assert "ani@" not in answer.text

    def test_all_that_is_known(self, mark):
        document = page(mark.get(f"/customers/{ANI}"))
        assert text(document.xpath("//h1")[0]) == "Wening Wulandari"
        stays = [text(stay) for stay in document.xpath("//ol[@class='ladder-way']/li")]
        assert [stay.split(" from ")[0] for stay in stays] == ["4 repeat customer", "3 first-time customer"]
        assert [row[0] for row in rows_of(document, "in")] == ["Winback"]
        assert rows_of(document, "time") == [
            ["19 May 2026, 10:01", "order completed", "IDR 125"],
            ["19 May 2026, 10:00", "order completed", "IDR 125"],
            ["18 May 2026, 08:00", "message sent", "email, kabar_mei"],
        ]

    def test_why_somebody_is_not_in_an_audience(self, mark):
        document = page(mark.get(f"/customers/{CITRA}"))
        assert rows_of(document, "in") == [["Winback", "no consent"]]
        assert "One audience for each RFM segment." in text(document)

    def test_an_earlier_id_leads_to_the_one_of_today(self, mark):
        assert mark.get(f"/customers/{ANI_BEFORE}").headers["location"] == f"/crm/customers/{ANI}"

    def test_words_of_sources_are_words(self, mark):
        shown = mark.get(f"/customers/{BUDI}").text
        assert "<script>alert" not in shown
        assert "<script>alert(1)</script> =1+1" in unescape(shown)


def wait_for(mark, day: str) -> None:
    """Until the version of a day is shown: the server looks for it every second, and draws it first."""
    deadline = time.monotonic() + 60
    while f"As of the end of {day}" not in text(page(mark.get("/"))):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_newer_version_is_shown_soon_and_the_older_one_let_go(site, mark):
    def held() -> set[str]:
        folder = f"/proc/{site.process.pid}/fd"
        opened = {os.path.realpath(f"{folder}/{number}") for number in os.listdir(folder)}
        return {path.split("/")[-2] for path in opened if path.endswith("private.duckdb")}

    before = site.home / "published" / "current"
    pointer = before.resolve()
    page(mark.get("/audiences"))
    assert held() == {pointer.name}
    newer = company.publish(site.home, date(2026, 5, 21), members=(ANI,))
    try:
        wait_for(mark, "21 May 2026")
        assert [row[0] for row in rows_of(page(mark.get("/audiences/winback")), "members")] == ["a•••@e•••"]
        assert held() == {newer.name}
    finally:
        before.unlink()
        before.symlink_to(pointer)
        wait_for(mark, "20 May 2026")


def test_a_company_without_customers_has_pages(site, mark):
    pointer = site.home / "published" / "current"
    before = pointer.resolve()
    company.publish(site.home, date(2026, 5, 22), is_empty=True)
    try:
        wait_for(mark, "22 May 2026")
        assert "22 May 2026" in text(page(mark.get("/audiences")))
        assert mark.get("/audiences/winback").status_code == 404
        assert "Nobody is known" in text(page(mark.post("/customers", data={"who": ANI})))
    finally:
        pointer.unlink()
        pointer.symlink_to(before)
        wait_for(mark, "20 May 2026")


def test_before_anything_is_published(site, mark):
    pointer = site.home / "published" / "current"
    aside = pointer.rename(site.home / "published" / "aside")
    try:
        answer = mark.get("/")
    finally:
        aside.rename(pointer)
    assert answer.status_code == 503
    assert "Nothing is published yet." in answer.text

"""What the pages say of deliveries, against the plans, the ledger and Airflow's database that they were made from."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.web.company import AS_OF, BUDI
from tests.web.pages import page, rows_of, text
from tests.web.sent import BEFORE, REASONS, WAITS_IN, WORDS, page_of

WAITING_AT = f"/dags/crm_activate/runs/{WAITS_IN.replace(':', '%3A').replace('+', '%2B')}/tasks/activate.approve/mapped"


@pytest.fixture
def mark(site):
    with site.browser("mark") as client:
        yield client


@pytest.fixture
def vera(site):
    with site.browser("vera") as client:
        yield client


def first_words(row: list[str], columns: int = 2) -> list[str]:
    return [row[0][:11], *row[1:columns]]


class TestDeliveries:
    def test_the_plans_of_each_destination_with_what_came_of_them(self, mark):
        document = page(mark.get("/deliveries"))
        stopped = "stopped by the gateIt does not hold that nobody is written to who said no."
        assert [first_words(row) for row in rows_of(document, "to-files")] == [
            ["20 May 2026", "sent"],
            ["19 May 2026", "sent"],
            ["17 May 2026", stopped],
        ]
        assert [first_words(row) for row in rows_of(document, "to-demo_mailchimp")] == [
            ["20 May 2026", "waits for somebody"],
            ["19 May 2026", "sent"],
            ["17 May 2026", stopped],
        ]
        assert [first_words(row) for row in rows_of(document, "to-demo_hubspot")] == [
            ["20 May 2026", "failedNothing was sent: the task has failed, and its log says why."],
            ["19 May 2026", "refusedMark said no."],
            ["17 May 2026", stopped],
        ]

    def test_the_counts_of_a_plan(self, mark):
        document = page(mark.get("/deliveries"))
        assert rows_of(document, "to-demo_mailchimp")[0][2:] == ["3", "1", "2", "–", "–", "–", "pass", "c0de"]
        added, removed, updated, taken, rejected, agreed, *rest = rows_of(document, "to-demo_mailchimp")[1][2:]
        assert (added, removed, updated, taken, rejected, rest) == ("3", "1", "2", "2", "2", ["pass", "c0de"])
        assert agreed.startswith("mark, ")
        assert rows_of(document, "to-files")[0][2:] == ["1", "0", "1", "2", "0", "within limits", "pass", "c0de"]

    def test_what_waits_leads_to_the_form_of_airflow(self, mark, vera):
        [waiting] = page(mark.get("/deliveries")).xpath("//section[@aria-labelledby='waiting']")
        assert [text(reason) for reason in waiting.xpath(".//li")] == REASONS
        assert text(waiting.xpath(".//h3")[0]) == "demo_mailchimp, 20 May 2026 first connection"
        [link] = waiting.xpath(".//a[@data-airflow]")
        assert (text(link), link.get("href")) == ("Answer in Airflow", f"{WAITING_AT}/1/required_actions")
        [link] = page(vera.get("/deliveries")).xpath("//section[@aria-labelledby='waiting']//a[@data-airflow]")
        assert text(link) == "Look at it in Airflow"


class TestOneDelivery:
    def test_the_lists_and_how_it_came_about(self, mark):
        document = page(mark.get(page_of("demo_mailchimp", BEFORE)))
        assert rows_of(document, "lists") == [
            ["Winback", "1", "1", "0", "1", "2", "2", "1"],
            ["Winback, step 1", "1", "1", "0", "1", "2", "0", "0"],
        ]
        told = text(document.xpath("//*[@id='how']/ancestor::section")[0])
        for words in ("Outbound gatepass", "Published versionolder", "Codec0de", "Rulesru1es", "mark: approved"):
            assert words in told
        assert rows_of(document, "tries")[0][2] == "doneasked 5 times"

    def test_rejected_rows_in_the_words_of_the_tool(self, mark):
        shown = page_of("demo_mailchimp", BEFORE)
        masked = page(mark.get(shown))
        assert rows_of(masked, "rejected") == [
            ["… looks fake or invalid", "rejected", "add", "1"],
            ["… looks fake or invalid", "rejected", "upsert", "1"],
            ["said no since", "withheld", "upsert", "1"],
        ]
        table = "//*[@id='rejected']/ancestor::section//table[2]/tbody/tr"
        rows = [[text(cell) for cell in row.xpath("./th|./td")][:3] for row in masked.xpath(table)]
        assert rows == [
            ["b•••@e•••", "… looks fake or invalid", "upsert"],
            ["c•••@e•••", "said no since withheld", "upsert"],
            ["b•••@e•••", "… looks fake or invalid", "add"],
        ]
        named = page(mark.get(f"{shown}/people"))
        rows = [[text(cell) for cell in row.xpath("./th|./td")][:2] for row in named.xpath(table)]
        assert rows == [
            ["budi@example.com", WORDS],
            ["citra@example.com", "said no since withheld"],
            ["budi@example.com", WORDS],
        ]
        assert named.xpath(f"{table}//a/@href") == [f"/crm/customers/{BUDI}"] * 2

    def test_the_files_that_lie_there_now(self, mark):
        assert rows_of(page(mark.get(page_of("files", AS_OF))), "files") == [["Winback", "2", "winback.csv 2 rows"]]
        assert page(mark.get(page_of("files", BEFORE))).xpath("//*[@id='files']") == []

    def test_a_task_that_failed_before_anything_was_sent_leads_to_its_log(self, mark):
        links = page(mark.get(page_of("demo_hubspot", AS_OF))).xpath("//main//a[@data-airflow]/@href")
        assert links == [f"{WAITING_AT}/2"]

    @pytest.mark.parametrize(
        "path", ["/deliveries/files/0123456789abcdef", "/deliveries/nowhere/0123456789abcdef", "/deliveries/files/x"]
    )
    def test_one_that_is_not_there(self, mark, path):
        assert mark.get(path).status_code in (404, 422)


def test_before_anything_was_planned(site, mark):
    plans, kept = site.home / "state" / "plans", site.home / "state" / "ledger.sqlite"
    aside = [path.rename(path.with_name(f"aside-{path.name}")) for path in (plans, kept)]
    try:
        document = page(mark.get("/deliveries"))
        assert not kept.exists(), "looking makes no ledger"
    finally:
        for path in aside:
            path.rename(path.with_name(path.name.removeprefix("aside-")))
    assert text(document).count("Nothing was planned for it yet.") == 3


def test_a_ledger_of_another_version_is_not_migrated(site, mark):
    with closing(sqlite3.connect(site.home / "state" / "ledger.sqlite")) as con, con:
        (before,) = con.execute("select version_num from alembic_version").fetchone()
        con.execute("update alembic_version set version_num = '0001'")
    try:
        shown = text(page(mark.get("/deliveries")))
        assert mark.get("/audiences/winback").status_code == 200
    finally:
        with closing(sqlite3.connect(site.home / "state" / "ledger.sqlite")) as con, con:
            con.execute("update alembic_version set version_num = ?", [before])
    assert "its tables are of another version of Tangga" in shown

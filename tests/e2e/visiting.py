"""Somebody at a browser, who finds their way by what they read."""

from __future__ import annotations

import csv
import re
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Page

from tests.e2e.running import Airflow

PATIENCE_SECONDS = 120
"""As long as a busy machine takes for the first look at Airflow's own pages."""


@contextmanager
def visitor(chromium: Browser, airflow: Airflow, user: str, **options):
    """Logged in through Airflow's form, on the first page that it shows."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", **options)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    try:
        page = context.new_page()
        page.goto(airflow.url)
        page.get_by_label("Username").fill(user)
        page.get_by_label("Password").fill(airflow.password(user))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_test_id("dashboard-alerts").wait_for()
        yield page
    finally:
        context.close()


def customers(page: Page) -> FrameLocator:
    """The page for marketers, opened from the navigation."""
    page.get_by_test_id("nav-home-link").wait_for()
    page.get_by_role("link", name="Customers", exact=True).click()
    shown = page.frame_locator("iframe")
    shown.get_by_role("heading", name="How we stand").wait_for()
    return shown


def follow(shown: FrameLocator, link: str, heading: str | None = None) -> None:
    shown.get_by_role("link", name=link, exact=True).first.click()
    shown.get_by_role("heading", level=1, name=heading or link, exact=True).wait_for()


def figures(shown: FrameLocator) -> dict[str, str]:
    """The cards at the top: label -> number."""
    cards = shown.locator("dl.figures > div").all()
    return {card.locator("dt").inner_text(): card.locator("dd").first.inner_text() for card in cards}


def rows(shown: FrameLocator, heading: str) -> list[list[str]]:
    """The cells of the table that is called like its heading, or lies below it."""
    table = shown.locator(f"table[aria-labelledby='{heading}'], section[aria-labelledby='{heading}'] table").first
    cells = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in cells]


def download(page: Page, shown: FrameLocator, kind: str, folder: Path) -> list[dict[str, str]]:
    """The rows of the file behind a button."""
    with page.expect_download() as started:
        shown.get_by_role("button", name=kind, exact=True).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))

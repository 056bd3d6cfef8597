"""The page in a real browser: nothing serious for axe, nothing wider than a telephone, and from page to page."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.web.company import ANI, AS_OF
from tests.web.sent import BEFORE, WAITS_IN, page_of

REJECTED = page_of("demo_mailchimp", BEFORE)

PAGES = (
    *("/", "/audiences", "/audiences/winback", "/audiences/winback/people", "/customers", f"/customers/{ANI}"),
    *("/deliveries", f"{REJECTED}/people", page_of("demo_mailchimp", AS_OF), page_of("files", AS_OF), "/nowhere"),
)
NOT_SERIOUS = {"minor", "moderate"}


def opened(chromium, site, *, width=1280, theme="light", **options):
    context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
    context.add_cookies([{"name": "_token", "value": site.token("mark"), "url": site.url}])
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    return context.new_page()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (375, "dark")])
def test_everybody_can_use_it(chromium, site, width, theme):
    shown = opened(chromium, site, width=width, theme=theme, bypass_csp=True)
    faults = {}
    for path in PAGES:
        shown.goto(f"{site.url}/crm{path}")
        assert shown.evaluate("document.documentElement.dataset.theme") == theme
        shown.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(shown).response["violations"]
        faults[path] = [fault["id"] for fault in found if fault["impact"] not in NOT_SERIOUS]
    assert faults == {path: [] for path in PAGES}


def test_the_policy_refuses_nothing_of_its_own(chromium, site):
    shown, said = opened(chromium, site), []
    shown.on("console", lambda message: said.append(message.text))
    for path in PAGES[:-1]:
        shown.goto(f"{site.url}/crm{path}")
    assert said == []


def test_what_waits_is_answered_in_the_window_and_not_in_an_airflow_within_it(chromium, site):
    shown = opened(chromium, site)
    shown.goto(f"{site.url}/plugin/customers")
    frame = shown.frame_locator("iframe")
    frame.get_by_role("link", name="Deliveries").click()
    frame.get_by_role("link", name="Answer in Airflow").click()
    shown.wait_for_url("**/required_actions")
    assert unquote(shown.url).endswith(
        f"/dags/crm_activate/runs/{WAITS_IN}/tasks/activate.approve/mapped/1/required_actions"
    )
    shown.go_back()
    assert frame.get_by_role("heading", level=1).inner_text() == "Deliveries"


def test_from_the_first_page_to_the_file_and_the_customer(chromium, site):
    shown = opened(chromium, site)
    shown.goto(f"{site.url}/crm/")
    shown.get_by_role("navigation").get_by_role("link", name="Audiences").click()
    shown.get_by_role("link", name="Winback").click()
    with shown.expect_download() as download:
        shown.get_by_role("button", name="HubSpot").click()
    assert download.value.suggested_filename == "winback_2026-05-20_hubspot.csv"
    shown.get_by_role("link", name="Show names and addresses").click()
    shown.get_by_role("link", name="Wening Wulandari").click()
    assert shown.url == f"{site.url}/crm/customers/{ANI}"
    shown.get_by_role("link", name="Find another").click()
    shown.get_by_role("textbox").fill("0811 1111 111")
    shown.get_by_role("button", name="Find").click()
    assert shown.get_by_role("heading", level=1).inner_text() == "Wening Wulandari"

"""How messages look on a telephone: what only a browser can tell. It is one start of Chromium for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from tangga.campaigns.campaign import Campaign, Step, folders, read
from tangga.campaigns.lint import Finding
from tangga.campaigns.lint.steps import is_written
from tangga.campaigns.lint.versions import LONG
from tangga.campaigns.render import RenderError, message
from tangga.campaigns.tools import EXAMPLE
from tangga.settings import CampaignSettings, Settings, SettingsError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

MEASURE = """() => {
  const shown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden'
  const sizes = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode
    if (textContent.trim() && shown(parentElement)) sizes.push(parseFloat(getComputedStyle(parentElement).fontSize))
  }
  const buttons = [...document.querySelectorAll('a')].filter((a) => getComputedStyle(a).display === 'inline-block')
  return {
    width: document.documentElement.scrollWidth,
    text: Math.min(...sizes),
    buttons: buttons.map((a) => a.getBoundingClientRect().height),
  }
}"""
"""Width of the page, size of the smallest text that is seen, height of each button: in CSS pixels."""


def browser() -> str | None:
    """The Chromium of this machine, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def check(settings: Settings, executable: str) -> list[Finding]:
    """What is wrong on a small screen, with usual values and with very long ones. What cannot be rendered, or is not
    written yet, is left to the linter."""
    from playwright.sync_api import sync_playwright

    if settings.campaigns is None:
        return []
    limits = settings.campaigns.limits
    found: list[Finding] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page = chromium.new_page(viewport={"width": limits.screen_width, "height": 800})
        page.route("**/*", lambda route: route.abort())
        for campaign, step, language in _written(settings):
            said: list[str] = []
            for seen, tool in (("", EXAMPLE), (" where a name is long", LONG)):
                try:
                    html = message(settings, campaign, step, language, tool).html
                except RenderError:
                    break
                page.set_content(html)
                said = list(_faults(settings.campaigns, page.evaluate(MEASURE), seen))
                if said:
                    break
            found += [Finding(campaign.name, "mobile", sentence, step.number, language) for sentence in said]
        chromium.close()
    return found


def _faults(settings: CampaignSettings, measured: dict, seen: str) -> Iterator[str]:
    limits = settings.limits
    if measured["width"] > limits.screen_width:
        yield (
            f"is {measured['width']} pixels wide on a screen of {limits.screen_width}{seen}; "
            "let nothing have a fixed width beyond that"
        )
    if measured["text"] < limits.text_size:
        yield f"has text of {measured['text']:g} pixels on a small screen; use {limits.text_size} or more"
    for height in measured["buttons"]:
        if height < limits.button_height:
            yield f"has a button {height:.0f} pixels high, hard to touch; make it {limits.button_height} or more"


def _written(settings: Settings) -> Iterator[tuple[Campaign, Step, str]]:
    for folder in folders(settings):
        try:
            campaign = read(folder)
        except SettingsError:
            continue
        for step in campaign.steps:
            yield from ((campaign, step, code) for code in campaign.languages if is_written(campaign, step, code))

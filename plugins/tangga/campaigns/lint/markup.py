"""The HTML: known elements only, one button, small enough, and nobody's data become part of it."""

from __future__ import annotations

from collections.abc import Iterator

import lxml.html
from lxml import etree

from tangga.campaigns.lint.versions import Versions
from tangga.campaigns.tools import EXAMPLE
from tangga.settings import CampaignSettings

_HEAD = ("head", "title", "preview", "attributes", "all", "class", "style", "breakpoint", "font")
_BODY = (
    "body",
    "section",
    "wrapper",
    "group",
    "column",
    "text",
    "button",
    "image",
    "divider",
    "spacer",
    "table",
    "raw",
)
KNOWN = frozenset({"mjml", *(f"mj-{name}" for name in _HEAD + _BODY)})
"""What the shared parts and most mail need; what is not known would be left out without a word."""

FORBIDDEN = ("script", "form", "input", "iframe", "object", "embed", "link", "video", "audio", "svg", "base")


def check(settings: CampaignSettings, made: Versions) -> Iterator[tuple[str, str]]:
    """Of one message."""
    try:
        source = etree.fromstring(made.example.mjml.strip())
    except etree.XMLSyntaxError as error:
        yield "markup", f"is not well-formed ({error.msg}); close every element and write & as &amp;"
        return
    names = {str(element.tag) for element in source.iter(etree.Element)}
    for name in sorted(name for name in names if name.startswith("mj") and name not in KNOWN):
        yield "markup", f"<{name}> is not an element that may be used; use {', '.join(sorted(KNOWN))}"
    page = made.page
    for name in FORBIDDEN:
        if page.find(f".//{name}") is not None:
            yield "markup", f"<{name}> does not work in mail; take it away"
    if any(name.startswith("on") for element in page.iter() for name in element.attrib):
        yield "markup", "an element holds a script (on...=); take it away"
    if page.get("lang") != made.language:
        yield "markup", f"does not say that its language is {made.language}; extend _shared/layout.mjml"
    yield from _button(settings, source)
    largest = max(len(message.html.encode()) for message in made.by_tool.values())
    if largest > settings.limits.html_bytes:
        yield (
            "size",
            f"has {largest} bytes of at most {settings.limits.html_bytes}, beyond which Gmail cuts; shorten it",
        )
    if _tags(made.hostile.html) != _tags(made.example.html):
        yield "escaping", "lets a customer's data become part of the HTML; take `| safe` away"


def _button(settings: CampaignSettings, source: etree._Element) -> Iterator[tuple[str, str]]:
    buttons = list(source.iter("mj-button"))
    if len(buttons) != 1:
        found = "no button" if not buttons else f"{len(buttons)} buttons"
        yield "call", f"has {found}; ask for one thing, with one <mj-button>"
        return
    label = " ".join("".join(buttons[0].itertext()).split())
    if not 0 < len(label) <= settings.limits.button_characters:
        yield (
            "call",
            f"the button says {len(label)} characters; say what happens in 1 to {settings.limits.button_characters}",
        )
    if buttons[0].get("href") in (None, "", "#", EXAMPLE.unsubscribe):
        yield "call", "the button leads nowhere; give it a link"


def _tags(html: str) -> list[tuple[str, tuple[str, ...]]]:
    page = lxml.html.fromstring(html)
    return [(str(element.tag), tuple(sorted(element.attrib))) for element in page.iter()]

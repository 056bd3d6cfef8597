"""Links and images: well-formed, on the company's own domains, the same for everybody."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import lxml.html

from tangga.campaigns.lint.versions import MARK, Versions
from tangga.campaigns.tools import EXAMPLE, TOOLS
from tangga.settings import CampaignSettings

SHORTENERS = frozenset(
    {"bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "s.id"}
    | {"shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com"}
)  # fmt: skip
"""Whoever reads the link cannot see where it leads, and filters distrust them all."""

URL = re.compile(r"url\(\s*['\"]?([^'\")\s]+)", re.IGNORECASE)
ANYWHERE = re.compile(r"(?:https?:)?//[^\s\"'<>();,]*[a-z][^\s\"'<>();,]*", re.IGNORECASE)
"""What a mail program may open wherever it stands: in code for Outlook, in a style, in the words themselves."""

NAMESPACES = frozenset({"http://www.w3.org/1999/xhtml"})
"""Names that look like addresses."""

UNSEEN = re.compile(r"visibility\s*:\s*hidden|opacity\s*:\s*0*\.?0*\s*(?:;|$)", re.IGNORECASE)
SIZE = re.compile(r"font-size\s*:\s*(\d*\.?\d+)", re.IGNORECASE)


def check(settings: CampaignSettings, made: Versions) -> Iterator[tuple[str, str]]:
    """Of one message."""
    page = made.page
    links = [link.get("href", "") for link in page.iter("a")]
    for address in dict.fromkeys(link for link in links if link != EXAMPLE.unsubscribe):
        if fault := _fault(settings, address):
            yield "links", f"the link '{address}' {fault}"
        if f"<{address}>" not in made.example.text:
            yield "text", f"the plain text lacks the link '{address}'; put words into the link"
    yield from _unsubscribe(made)
    for address in _addresses(lxml.html.fromstring(made.hostile.html)):
        if MARK in address:
            yield "links", "a link holds a merge field, and addresses end up in logs; lead everybody to the same page"
            break
    for image in page.iter("img"):
        if not (image.get("alt") or "").strip():
            yield "images", f"the image '{image.get('src')}' has no alt; say in words what it shows"
    named = set(_addresses(page))
    for address in sorted(named - set(links)):
        if fault := _fault(settings, address):
            yield "images", f"the image '{address}' {fault}"
    for address in sorted({found for found in ANYWHERE.findall(made.example.html) if unescape(found) not in named}):
        if address not in NAMESPACES and address != EXAMPLE.unsubscribe and (fault := _fault(settings, address)):
            yield "links", f"the address '{address}' {fault}"


def _unsubscribe(made: Versions) -> Iterator[tuple[str, str]]:
    """A template may ask what tool it is filled in for: each must be given the way out."""
    pages = {name: lxml.html.fromstring(message.html) for name, message in made.by_tool.items()}
    ways = {
        name: [
            link
            for link in page.iter("a")
            if link.get("href") == TOOLS[name].unsubscribe and re.search(r"\w", link.text_content())
        ]
        for name, page in pages.items()
    }
    if not all(ways.values()):
        yield (
            "unsubscribe",
            "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words",
        )
    elif f"<{EXAMPLE.unsubscribe}>" not in made.example.text or all(map(_is_unseen, ways["example"])):
        yield "unsubscribe", "hides the link to unsubscribe; let everybody see it"


def _is_unseen(link: lxml.html.HtmlElement) -> bool:
    """Whether a style within the HTML takes an element from sight, as far as the plain text does not show it."""
    styles = [element.get("style") or "" for element in (link, *link.iterancestors())]
    sizes = [found[1] for style in styles if (found := SIZE.search(style))]
    return any(map(UNSEEN.search, styles)) or bool(sizes and not float(sizes[0]))


def _addresses(page: lxml.html.HtmlElement) -> list[str]:
    """Everything that a mail program would open or fetch."""
    found = [element.get(name) for element in page.iter() for name in ("href", "src", "background", "action")]
    found += [address for style in page.iter("style") for address in URL.findall(style.text or "")]
    found += [address for element in page.iter() for address in URL.findall(element.get("style") or "")]
    return [address for address in found if address is not None]


def _fault(settings: CampaignSettings, address: str) -> str | None:
    """What is wrong with an address, and what to do; None if nothing is."""
    try:
        parts = urlsplit(address)
        host, is_odd = parts.hostname or "", parts.port is not None or "@" in parts.netloc
    except ValueError:
        return "is not an address; write it like https://host/path"
    if parts.scheme != "https":
        return "is not https; write the whole address, with https://"
    if not host or re.search(r"[^!-~]|[\\<>\"{}|^`]", address):
        return "is not well-formed; write it like https://host/path, other signs as %XX"
    if is_odd or _is_number(host):
        return "names a login, a port or a number instead of a host; write it like https://host/path"
    if host in SHORTENERS:
        return "is shortened; write where it leads"
    if not any(host == domain or host.endswith(f".{domain}") for domain in settings.allowed_domains):
        return (
            f"leads to {host}, which campaigns.allowed_domains of tangga.yml does not allow; correct it or add it there"
        )
    return None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Links and images: well-formed, on the company's own domains, the same for everybody."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import lxml.html

from tangga.campaigns.lint.versions import MARK, Versions
from tangga.campaigns.tools import EXAMPLE
from tangga.settings import CampaignSettings

SHORTENERS = frozenset(
    {"bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "s.id"}
    | {"shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com"}
)  # fmt: skip
"""Whoever reads the link cannot see where it leads, and filters distrust them all."""

URL = re.compile(r"url\(\s*['\"]?([^'\")\s]+)")


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
    for address in sorted(set(_addresses(page)) - set(links)):
        if fault := _fault(settings, address):
            yield "images", f"the image '{address}' {fault}"


def _unsubscribe(made: Versions) -> Iterator[tuple[str, str]]:
    ways = [link for link in made.page.iter("a") if link.get("href") == EXAMPLE.unsubscribe]
    if not any(link.text_content().strip() for link in ways):
        yield (
            "unsubscribe",
            "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words",
        )
    elif f"<{EXAMPLE.unsubscribe}>" not in made.example.text:
        yield "unsubscribe", "hides the link to unsubscribe; let everybody see it"


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

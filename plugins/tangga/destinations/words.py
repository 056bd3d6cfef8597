"""What a tool says of a row that it does not take, without saying whose row it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LONGEST = 200

PERSONAL = ("key", "customer_id", "address", "remote_id", "email", "phone", "first_name", "last_name", "greeting_name")
"""Columns of a row whose values are the person's."""

_SECRETIVE = re.compile(
    r"https?://\S+"  # addresses of pages may hold ids and keys
    r"|[^\s\"'<>(),;]*(?:@|%40)[^\s\"'<>(),;]*"
    r"|\b[0-9a-f]{16,}\b"
    r"|\+?\d(?:[\s().-]?\d){4,}",  # telephone numbers, ids, dates of birth
    re.IGNORECASE,
)


def said(document: Mapping, row: Mapping | None = None) -> str:
    """The sentences in an error, as Mailchimp's (`detail`, `errors`) and HubSpot's (`message`, `errors`) have them.
    Addresses, numbers and whatever is of `row` are left out. Empty when it says nothing."""
    return safe("; ".join(dict.fromkeys(_sentences(document))), row)


def safe(text: str, row: Mapping | None = None) -> str:
    """A text in which nobody can be recognised, on one line, cut to `LONGEST` characters."""
    for value in sorted(_values(row or {}), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    text = " ".join(_SECRETIVE.sub("…", text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _values(row: Mapping) -> Iterable[str]:
    return {str(row[name]).strip() for name in PERSONAL if row.get(name) is not None and str(row[name]).strip()}


def _sentences(document: Mapping) -> Iterable[str]:
    for name in ("detail", "message", "title"):
        if isinstance(document.get(name), str) and document[name].strip():
            yield document[name].strip().rstrip(".")
            break
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        words = error.get("message") or error.get("error") if isinstance(error, Mapping) else None
        if isinstance(words, str) and words.strip():
            field = error.get("field")
            yield f"{field}: {words.strip().rstrip('.')}" if field else words.strip().rstrip(".")

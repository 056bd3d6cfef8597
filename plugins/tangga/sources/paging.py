"""The pages of an answer that comes in pieces: how each is asked for, and when the last one was read.

What is not as `tangga.yml` says (a list that is missing, a cursor that comes again, pages that do not end) is
`Malformed`, never the silent end of the data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tangga.http import Answer
from tangga.settings.rest import CursorPaging, NoPaging, OffsetPaging, PagePaging, Paging
from tangga.sources import json_lines

MISSING = object()

Ask = Callable[[str, dict[str, Any]], Answer]
"""Makes one call: an address, and the parameters to add to it."""


class Malformed(Exception):
    """An answer is not what `tangga.yml` says; the message says why, without its content."""


@dataclass(frozen=True)
class Page:
    """One answer: its JSON, and the list in it that is counted. `is_suspect`: see `json_lines.texts`."""

    answer: Answer
    body: Any
    records: list
    is_suspect: bool


def pages(ask: Ask, address: str, params: dict[str, Any], paging: Paging, path: str) -> Iterator[Page]:
    """The pages of a request in turn; `path` leads to the list in each that is counted. Raises `Malformed`."""
    sized = {paging.size_param: str(paging.size)} if getattr(paging, "size_param", None) else {}
    following, before, count, seen = _FIRST.get(paging.type, lambda _: None)(paging), None, 0, set()
    while True:
        if following is not None and paging.type in ("link_header", "next_url"):
            page = _page(ask(following, {}), path)
        else:
            page = _page(ask(address, params | sized | ({} if following is None else {paging.param: following})), path)
        if before and page.records == before:
            raise Malformed("gives the same page twice; correct 'param' of 'paging', or page in another way")
        yield page
        count += len(page.records)
        following = _NEXT[paging.type](paging, page, following, count)
        if following is None:
            return
        if hash(following) in seen:
            raise Malformed("leads to a page that was read already, and would never end; correct 'paging'")
        seen.add(hash(following))
        before = page.records if paging.type in _FIRST else None


def found(body: Any, path: str) -> Any:
    """What lies at a dotted path; `MISSING` when there is nothing. A key may have dots itself."""
    while path:
        if not isinstance(body, dict):
            return MISSING
        key, rest = (path, "") if path in body else path.split(".", 1) if "." in path else (path, "")
        if key not in body:
            return MISSING
        body, path = body[key], rest
    return body


def records_at(body: Any, path: str) -> list:
    """The list at a path. Raises `Malformed`."""
    records = found(body, path)
    if not isinstance(records, list):
        what = f"has no list at '{path}'" if path else "is no list"
        raise Malformed(f"its answer {what}; correct 'records' in tangga.yml")
    return records


def _page(answer: Answer, path: str) -> Page:
    try:
        written, is_suspect = answer.content.decode("utf-8-sig"), b"\\u" in answer.content
    except UnicodeDecodeError:  # the damaged letters mark their records
        written, is_suspect = answer.content.decode("utf-8-sig", "surrogateescape"), True
    try:
        body = json_lines.parse(written)
    except json_lines.Unusable:
        raise Malformed(f"answered {answer.status} with what is not JSON; correct 'url' or 'path'") from None
    return Page(answer, body, records_at(body, path), is_suspect)


def _by_none(paging: NoPaging, page: Page, *_) -> None:
    if "next" in page.answer.links:
        raise Malformed("has a next page, as its Link header says; use 'paging: {type: link_header}'")


def _by_link(paging: Paging, page: Page, *_) -> str | None:
    address = page.answer.links.get(paging.rel)
    return address and page.answer.absolute(address)


def _by_address(paging: Paging, page: Page, *_) -> str | None:
    address = _mark(page.body, paging.path)
    return address and page.answer.absolute(address)


def _by_cursor(paging: CursorPaging, page: Page, *_) -> str | None:
    told = paging.more or paging.done
    if told:
        is_true = found(page.body, told)
        if not isinstance(is_true, bool):
            raise Malformed(f"its answer has neither true nor false at '{told}'; correct 'paging'")
        if is_true == bool(paging.done):
            return None
    if paging.path:
        mark = _mark(page.body, paging.path)
    else:
        mark = _mark(page.records[-1], paging.from_last) if page.records else None
    is_over = not told and (bool(paging.path) or not page.records)
    if mark is None and not is_over:
        raise Malformed(f"has more pages but no cursor at '{paging.path or paging.from_last}'; correct 'paging'")
    return mark


def _by_page(paging: PagePaging, page: Page, number: str, count: int) -> str | None:
    is_short = bool(paging.size) and len(page.records) < paging.size
    return str(int(number) + 1) if _goes_on(paging, page, count, is_short) else None


def _by_offset(paging: OffsetPaging, page: Page, number: str, count: int) -> str | None:
    return str(count) if _goes_on(paging, page, count, is_short=False) else None


def _goes_on(paging: PagePaging | OffsetPaging, page: Page, count: int, is_short: bool) -> bool:
    if not paging.total:
        return bool(page.records) and not is_short
    total = found(page.body, paging.total)
    if not isinstance(total, str) or not re.fullmatch("[0-9]{1,18}", total):
        raise Malformed(f"its answer has no number at '{paging.total}'; correct 'paging'")
    if count < int(total) and not page.records:
        raise Malformed(f"gives an empty page after {count} of {total} records; ask for less, or page in another way")
    return count < int(total)


def _mark(body: Any, path: str) -> str | None:
    """The text or number at a path, None where it is missing, null or empty."""
    value = found(body, path)
    if value is MISSING or value is None or value == "":
        return None
    if not isinstance(value, str):  # numbers are texts here
        raise Malformed(f"its answer has neither text nor number at '{path}'; correct 'paging'")
    return str(value)


_FIRST = {"page": lambda paging: str(paging.first), "offset": lambda paging: "0"}
"""Where pages are numbered, the first number."""

_NEXT = {
    "none": _by_none,
    "link_header": _by_link,
    "next_url": _by_address,
    "cursor": _by_cursor,
    "page": _by_page,
    "offset": _by_offset,
}
"""The address or the parameter of the next page, None when there is none: from the page, its own, and the count."""

"""Who said no at Mailchimp: unsubscribed, cleaned (the address is dead) or archived, since an instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tangga.destinations.api import Api
from tangga.destinations.destination import DestinationDown, Refusal

STATUSES = ("unsubscribed", "cleaned", "archived")
"""Archived ones are listed whoever archived them; the ledger knows whom Tangga did (`stop`)."""

PAGE = 1000

OVERLAP = timedelta(days=1)
"""So much earlier than asked for: the clocks here and there may differ, and few people say no in a day."""

AGAIN = 3
"""People who change while pages are read move to other pages, past the one that is read next: all are read again."""


def read(api: Api, of_list: str, since: datetime | None) -> Iterator[Refusal]:
    """Everybody who changed since then, or ever, and is not to be written to. Raises `DestinationDown`."""
    asked = {"fields": "members.email_address,members.status,members.last_changed,total_items", "count": PAGE}
    asked |= {"sort_field": "last_changed", "sort_dir": "ASC"}
    if since:
        asked["since_last_changed"] = (since - OVERLAP).isoformat(timespec="seconds")
    for status in STATUSES:
        yield from _of_status(api, f"{of_list}/members", asked | {"status": status})


def _of_status(api: Api, path: str, asked: dict) -> Iterator[Refusal]:
    for _ in range(AGAIN):
        offset, totals = 0, set()
        while True:
            with api.explained("who said no there cannot be read"):
                page = api.ask("GET", path, asked | {"offset": offset})
            members, total = page.get("members"), page.get("total_items")
            if not isinstance(members, list) or not isinstance(total, int):
                raise DestinationDown(f"{api.where}: does not say who said no there; try again later.")
            yield from map(_refusal, members)
            totals.add(total)
            offset += len(members)
            if offset >= total or not members:
                break
        if len(totals) == 1 and offset >= total:
            return
    raise DestinationDown(f"{api.where}: who said no there changes while it is read; try again later.")


def _refusal(member: dict) -> Refusal:
    changed = member.get("last_changed")
    at = datetime.fromisoformat(changed) if changed else None
    return Refusal(member["email_address"].strip().lower(), member["status"], at)

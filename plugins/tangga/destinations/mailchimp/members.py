"""Members, one operation each: written, archived or forgotten, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tangga.destinations import words
from tangga.destinations.mailchimp.fields import Values

MAILED = ("subscribed", "pending")
"""Statuses of members whom mail will reach: now, or when they have confirmed."""


class Operation(NamedTuple):
    """A call for one row. `id` tells it apart in a batch."""

    id: str
    row: Mapping
    method: str
    path: str
    params: dict | None = None
    body: dict | None = None


class Outcome(NamedTuple):
    """What was answered to an operation."""

    status: int
    document: Mapping


class Gone(Exception):
    """What an operation needs is not there any more: the message names it."""


def hash_of(address: str) -> str:
    """What Mailchimp calls a member."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def address_of(row: Mapping) -> str:
    return row["address"] or row["key"]


def written(of_list: str, rows: Iterable[Mapping], values: Values) -> list[Operation]:
    """Members who are to be known, new or not. Their status is left alone, if they have one."""
    lax = {"skip_merge_validation": "true"}  # fields that a company's sign-up form asks for are not ours to fill
    return [_operation(of_list, row, "PUT", "", lax, _member(row, values(row))) for row in rows]


def archived(of_list: str, rows: Iterable[Mapping]) -> list[Operation]:
    return [_operation(of_list, row, "DELETE") for row in rows]


def forgotten(of_list: str, rows: Iterable[Mapping]) -> list[Operation]:
    """Members who can then only come back by signing up themselves."""
    return [_operation(of_list, row, "POST", "/actions/delete-permanent") for row in rows]


def judge_written(operation: Operation, outcome: Outcome) -> str | None:
    """Why a member was not written, None if they were. Raises `Gone`."""
    said = outcome.document
    if outcome.status == 404:
        raise Gone("the audience was deleted there")
    if outcome.status >= 300:
        return words.said(said, operation.row) or f"answered {outcome.status}"
    if not isinstance(said.get("merge_fields"), Mapping) or "status" not in said:
        return "it answered with something else than the member"
    lost = sorted(set(operation.body["merge_fields"]) - set(said["merge_fields"]))
    if lost:
        raise Gone(f"merge field '{lost[0]}' was deleted there; run crm_activate again and do what it says")
    return None if said["status"] in MAILED else f"is '{words.safe(str(said['status']))}' there"


def judge_gone(operation: Operation, outcome: Outcome) -> str | None:
    """Why a member is still there; whoever was not, or is archived already (405), is gone, too."""
    is_done = outcome.status < 300 or outcome.status == 404 or (outcome.status == 405 and operation.method == "DELETE")
    return None if is_done else words.said(outcome.document, operation.row) or f"answered {outcome.status}"


def _member(row: Mapping, merge_fields: dict[str, str]) -> dict:
    return {"email_address": address_of(row), "status_if_new": "subscribed", "merge_fields": merge_fields}


def _operation(
    of_list: str, row: Mapping, method: str, below: str = "", params: dict | None = None, body: dict | None = None
) -> Operation:
    known_as = hash_of(address_of(row))
    return Operation(known_as, row, method, f"{of_list}/members/{known_as}{below}", params, body)

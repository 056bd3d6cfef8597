"""Calls for up to 100 contacts, each of which is answered by itself, all being well or not (207)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tangga.destinations import poison, words
from tangga.destinations.api import Api, document_of

AT_ONCE = 100

NOT_FOUND = "OBJECT_NOT_FOUND"

_HOLDER = re.compile(r"Existing ID: (\d+)")
_INNER = re.compile(r'"message":\s*"((?:[^"\\]|\\.)*)"')


class Input(NamedTuple):
    """What is asked for a row."""

    row: Mapping
    body: dict


class Failure(NamedTuple):
    """Why a row was not done; `is_unknown`: there is no such contact; `holder`: the contact that has its address."""

    words: str
    is_unknown: bool = False
    holder: str | None = None


class Batch(NamedTuple):
    """What came of the rows, by their keys; each is in one of both."""

    results: dict[str, dict]
    failures: dict[str, Failure]


def write(api: Api, path: str, inputs: Sequence[Input]) -> Batch:
    """Ask for all inputs, each marked by a trace that its answer repeats. Raises `Denied` for what is about no row."""
    results: dict[str, dict] = {}
    failures: dict[str, Failure] = {}

    def send(part: Sequence[Input]) -> None:
        traces = {str(place): one for place, one in enumerate(part)}
        asked = [one.body | {"objectWriteTraceId": trace} for trace, one in traces.items()]
        answer = api.telling(api.ask("POST", path, json={"inputs": asked}), "results", "errors")
        for result in answer.get("results") or ():
            one = traces.pop(str(result.get("objectWriteTraceId")), None)
            if one is not None:
                results[one.row["key"]] = result
        for error in answer.get("errors") or ():
            context = error.get("context") or {}
            for trace in context.get("objectWriteTraceId") or ():
                one = traces.pop(str(trace), None)
                if one is not None:
                    failures[one.row["key"]] = _failure(error, one.row)
        for one in traces.values():
            failures[one.row["key"]] = Failure("HubSpot does not say what came of it")

    for some in parts(inputs, AT_ONCE):
        for one, error in poison.isolated(some, send, (*poison.SPLITTING, 404)):
            failures[one.row["key"]] = _failure(document_of(error.content), one.row)
    return Batch(results, failures)


def read(api: Api, path: str, by: str | None, ids: Iterable[str], properties: Sequence[str]) -> Iterator[dict]:
    """The contacts of these ids (or of these values of the unique property `by`); whoever is unknown is not among
    them."""
    for some in parts(ids, AT_ONCE):
        asked: dict = {"inputs": [{"id": known_as} for known_as in some], "properties": list(properties)}
        if by:
            asked["idProperty"] = by
        answer = api.ask("POST", path, json=asked)
        unread = [error for error in answer.get("errors") or () if error.get("category") != NOT_FOUND]
        if unread:
            raise api.refused(f"contacts cannot be read (it says: {words.said(unread[0])})")
        yield from answer.get("results") or ()


def parts(rows: Iterable, size: int) -> Iterator[list]:
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part


def _failure(error: Mapping, row: Mapping) -> Failure:
    said = str(error.get("message") or "")
    inner = _INNER.findall(said)  # a list of faults is written into the sentence as JSON
    holder = _HOLDER.search(said)
    text = words.safe("; ".join(inner), row) if inner else _HOLDER.sub("Existing ID: …", words.said(error, row))
    return Failure(text or "was refused without a word", error.get("category") == NOT_FOUND, holder and holder[1])

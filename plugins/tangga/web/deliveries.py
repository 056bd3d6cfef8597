"""What was sent where, what waits for somebody, and what went wrong: the newest plans of each destination."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tangga import ledger
from tangga.activation import standing
from tangga.activation.limits import STEP
from tangga.activation.standing import Standing
from tangga.destinations.files import manifests
from tangga.erasure import requests
from tangga.ledger import LedgerDown
from tangga.settings import FilesDestination
from tangga.sources.records import SourceRefused
from tangga.web import airflow_runs, look
from tangga.web.airflow_runs import Runs
from tangga.web.published import company

router = APIRouter()

PLANS = 10
"""How many plans of a destination are shown."""

PATIENCE_SECONDS = 30
"""For so long a ledger that was down is not asked again."""


@dataclass(frozen=True)
class Delivered:
    """All that is known of plans and deliveries. `down` says why the ledger cannot tell, empty when it can."""

    standings: Sequence[Standing]
    destinations: dict[str, dict]
    overdue: int
    runs: Runs
    down: str = ""

    def of(self, destination: str) -> list[Standing]:
        """Its plans, the newest first."""
        return [one for one in self.standings if one.destination == destination]

    def of_list(self, name: str) -> list[ListStanding]:
        """How a list stands at each destination that a plan has ever meant it for, in the order of `tangga.yml`."""
        found = []
        for destination in company().destinations:
            plans = [one for one in self.of(destination) if name in (one.entry or {"lists": {}})["lists"]]
            newest = next((one for one in plans if one.state != "void"), plans[0] if plans else None)
            if newest:
                found.append(ListStanding(newest, next((one for one in plans if one.state == "sent"), None), name))
        return found


@dataclass(frozen=True)
class ListStanding:
    """A list at a destination: what came of the newest plan that counts, and of the last that was sent."""

    newest: Standing
    sent: Standing | None
    name: str

    @property
    def counts(self) -> dict[str, int]:
        """before, added, removed, updated, unchanged, after: what the newest plan makes of the list."""
        return self.newest.entry["lists"][self.name]

    @property
    def rejected(self) -> int:
        """Rows of the list that were rejected."""
        refused = self.newest.tally.refused.items()
        return sum(rows for (kind, _, of), rows in refused if (kind, of) == ("rejected", self.name))


@router.get("/deliveries")
def deliveries(request: Request) -> HTMLResponse:
    found = everything()
    destinations = _destinations(found)
    waiting = [one for each in destinations for one in each["plans"] if one.state == "waiting"]
    return look.page(
        request, "deliveries.html", here="deliveries", found=found, waiting=waiting, destinations=destinations
    )


def everything() -> Delivered:
    """What the plans, the ledger and Airflow say now."""
    settings, runs = company(), airflow_runs.look()
    try:
        with _asked_again_later():
            with ledger.reading(settings) as book:
                standings = standing.everything(settings, book)
                destinations = book.destinations() if book else {}
            overdue = requests.late(settings)
    except LedgerDown as down:
        return Delivered((), {}, 0, runs, str(down))
    return Delivered([_as_airflow_says(one, runs) for one in standings], destinations, overdue, runs)


@contextmanager
def _asked_again_later() -> Iterator[None]:
    """A ledger on a server that is down is not asked again for a while: one page waits for it, not all of them. Raises
    `LedgerDown`."""
    if time.monotonic() < _DOWN["until"]:
        raise LedgerDown(_DOWN["sentence"])
    try:
        yield
    except (LedgerDown, SourceRefused) as error:
        if company().ledger.connection:
            _DOWN.update(until=time.monotonic() + PATIENCE_SECONDS, sentence=str(error))
        raise LedgerDown(str(error)) from None


_DOWN: dict[str, Any] = {"until": 0.0, "sentence": ""}


def of_customer(ids: Sequence[str]) -> list[dict[str, Any]]:
    """Destination by destination, as far as the ledger can tell: the lists that somebody is on there, by their ids, and
    since when they are to be sent nothing."""
    try:
        with _asked_again_later(), ledger.reading(company()) as book:
            lists, known = book.of_customer(ids) if book else ((), ())
    except LedgerDown:
        return []
    places = {row["destination"]: {"name": row["destination"], "lists": [], "stopped_at": None} for row in lists}
    for row in known:
        place = places.setdefault(row["destination"], {"name": row["destination"], "lists": [], "stopped_at": None})
        place["stopped_at"] = row["stopped_at"]
    for row in lists:
        audience, _, step = row["list_name"].partition(STEP)
        places[row["destination"]]["lists"].append(row | {"audience": audience, "step": step})
    return [places[name] for name in sorted(places)]


def _as_airflow_says(one: Standing, runs: Runs) -> Standing:
    """A plan that has not been delivered may wait for somebody, or its task may have failed before anything began."""
    if one.state == "planned" and one.plan_hash in runs.questions:
        return replace(one, state="waiting", why=" ".join(runs.questions[one.plan_hash].reasons))
    if one.state == "planned" and (one.folder, one.destination) in runs.failed:
        return replace(one, state="failed", why="Nothing was sent: the task has failed, and its log says why.")
    return one


def _destinations(found: Delivered) -> list[dict[str, Any]]:
    """Those of `tangga.yml`, and those that only the ledger knows still."""
    settings = company()
    named = settings.destinations
    others = sorted({one.destination for one in found.standings} | found.destinations.keys() - named.keys())
    return [
        {
            "name": name,
            "type": named[name].type if name in named else None,
            "known": found.destinations.get(name),
            "plans": found.of(name)[:PLANS],
            "written": written(name),
        }
        for name in [*named, *(name for name in others if name not in named)]
    ]


def written(name: str) -> dict[str, Any] | None:
    """What lies in the folder of a destination of files, which may be nothing yet; None for another kind."""
    settings = company()
    if not isinstance(settings.destinations.get(name), FilesDestination):
        return None
    folder = Path("exports", name)
    return {"audiences": {}} | manifests.read(settings.home / folder) | {"folder": str(folder)}

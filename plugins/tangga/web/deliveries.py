"""What was sent where, what waits for somebody, and what went wrong: the newest plans of each destination."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tangga import ledger
from tangga.activation import standing
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
"""For so long a database that was down is not asked again: one page waits for it, not all of them."""


@dataclass(frozen=True)
class Delivered:
    """All that is known of plans and deliveries. `down` says why the ledger cannot tell, empty when it can."""

    standings: Sequence[Standing]
    destinations: dict[str, dict]
    overdue: int
    runs: Runs
    down: str = ""

    def of(self, destination: str) -> list[Standing]:
        return [one for one in self.standings if one.destination == destination]


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
    if _DOWN.is_known():
        return Delivered((), {}, 0, runs, _DOWN.sentence)
    try:
        with ledger.reading(settings) as book:
            standings = standing.everything(settings, book)
            destinations = book.destinations() if book else {}
        overdue = requests.late(settings)
    except (LedgerDown, SourceRefused) as error:
        if settings.ledger.connection:
            _DOWN.remember(str(error))
        return Delivered((), {}, 0, runs, str(error))
    return Delivered([_as_airflow_says(one, runs) for one in standings], destinations, overdue, runs)


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
    """What lies in the folder of a destination of files; None for another kind."""
    settings = company()
    if not isinstance(settings.destinations.get(name), FilesDestination):
        return None
    folder = settings.home / "exports" / name
    return manifests.read(folder) | {"folder": str(folder)}


class _Down:
    """A ledger that was found to be down, for a while."""

    def __init__(self) -> None:
        self.sentence, self._until = "", 0.0

    def is_known(self) -> bool:
        return time.monotonic() < self._until

    def remember(self, sentence: str) -> None:
        self.sentence, self._until = sentence, time.monotonic() + PATIENCE_SECONDS


_DOWN = _Down()

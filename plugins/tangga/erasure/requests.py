"""Requests for erasure: who asked, for what reason, until when, and how far it has come.

    state/erasures/<id>/request.json    what was given to find the person by; its owner's only
                        person.json     what they are known by (`person`)

Both are deleted when the last place has let go of the person. What stays is the row of the ledger, which knows nobody.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from tangga import files
from tangga.erasure import hashes
from tangga.erasure.person import IDENTIFIERS
from tangga.erasure.reasons import REASONS
from tangga.erasure.removed import Removed
from tangga.erasure.tables import erasures
from tangga.ledger import database
from tangga.ledger.session import Session, now
from tangga.settings import Settings

_ID = re.compile(r"\d{8}-[0-9a-f]{8}")


class UnknownRequest(Exception):
    """There is no such request; the message says what to do."""


class Erasures(Session):
    def add(self, request: Mapping) -> None:
        """Begin to keep a request; one that is known already stays as it is."""
        row = {"state": "asked", "removed": {}, "destinations": {}, **request}
        with self._writing() as connection:
            if connection.execute(select(erasures.c.id).where(erasures.c.id == row["id"])).first() is None:
                connection.execute(erasures.insert(), [row])

    def get(self, request_id: str) -> dict | None:
        found = self._rows(select(erasures).where(erasures.c.id == request_id))
        return found[0] if found else None

    def all(self) -> list[dict]:
        return self._rows(select(erasures).order_by(erasures.c.asked_at, erasures.c.id))

    def decide(self, request_id: str, state: str, by: str) -> None:
        """The first decision holds."""
        query = update(erasures).where(erasures.c.id == request_id, erasures.c.state == "asked")
        with self._writing() as connection:
            connection.execute(query.values(state=state, decided_at=now(), decided_by=by))

    def expect(self, request_id: str, destinations: list[str]) -> None:
        self._change(request_id, "destinations", lambda known: dict.fromkeys(destinations) | known)

    def acknowledge(self, request_id: str, destination: str) -> None:
        self._change(
            request_id, "destinations", lambda known: known | {destination: known.get(destination) or now().isoformat()}
        )

    def removed(self, request_id: str, place: str, removed: Removed) -> None:
        """Count what went out of a place, with what had gone out before somebody killed the removal."""
        self._change(
            request_id, "removed", lambda known: known | {place: asdict(Removed(**known.get(place, {})) + removed)}
        )

    def finish(self, request_id: str) -> None:
        with self._writing() as connection:
            query = update(erasures).where(erasures.c.id == request_id, erasures.c.state == "approved")
            connection.execute(query.values(state="done", done_at=now()))

    def _change(self, request_id: str, column: str, change) -> None:
        with self._writing() as connection:
            query = select(erasures.c[column]).where(erasures.c.id == request_id).with_for_update()
            known = connection.execute(query).scalar_one()
            connection.execute(update(erasures).where(erasures.c.id == request_id).values({column: change(known)}))


def folder(settings: Settings, request_id: str) -> Path:
    if not _ID.fullmatch(request_id):
        raise UnknownRequest("This is not the number of a request for erasure; 'make erasures' lists them.")
    return settings.home / "state" / "erasures" / request_id


def ask(settings: Settings, asked: Mapping[str, str | None], reason: str) -> str:
    """Keep a request, in a file of its owner; returns its number."""
    request_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"
    given = {name: value for name in IDENTIFIERS if (value := asked.get(name))}
    said = {"asked_at": now().isoformat(), "reason": reason if reason in REASONS else REASONS[0], "given": given}
    files.write_atomically(folder(settings, request_id) / "request.json", json.dumps(said) + "\n")
    return request_id


def withdraw(settings: Settings, request_id: str) -> None:
    """Forget what was given: the request came to nothing, or is done."""
    shutil.rmtree(folder(settings, request_id), ignore_errors=True)


def given(settings: Settings, request_id: str) -> dict[str, str]:
    """What the person is to be found by; nothing when the request is done."""
    said = files.read_json(folder(settings, request_id) / "request.json")
    return dict(said["given"]) if said else {}


def take(settings: Settings, request_id: str) -> dict:
    """The row of a request, written when it is first asked for. Raises `UnknownRequest`."""
    said = files.read_json(folder(settings, request_id) / "request.json")
    with database.opened(settings) as engine:
        kept = Erasures(engine)
        if said:
            asked_at = datetime.fromisoformat(said["asked_at"])
            due_at = asked_at + timedelta(hours=settings.rules.erasure.due_hours)
            values = json.dumps(said["given"], sort_keys=True)
            person = hashes.digest(hashes.make_key(settings), "given", values)
            row = {"id": request_id, "reason": said["reason"], "asked_at": asked_at, "due_at": due_at, "person": person}
            kept.add(row)
        row = kept.get(request_id)
    if row is None:
        raise UnknownRequest(f"There is no request {request_id}; 'make erasures' lists them, 'make erase' asks anew.")
    return row


def everyone(settings: Settings) -> list[dict]:
    """All requests, also those that no run has taken up yet, in the order in which they were asked."""
    base = settings.home / "state" / "erasures"
    waiting = [path.name for path in base.glob("*") if _ID.fullmatch(path.name) and (path / "request.json").exists()]
    if not waiting and not database.path(settings).exists() and not settings.ledger.connection:
        return []
    for request_id in waiting:
        take(settings, request_id)
    with database.opened(settings) as engine:
        return Erasures(engine).all()


def overdue(settings: Settings) -> list[str]:
    """A sentence for each request that should be done and is not."""
    return [
        f"erasure {row['id']} is overdue since {row['due_at']:%Y-%m-%d %H:%M} UTC; {_next(row)}"
        for row in everyone(settings)
        if _is_late(row)
    ]


def late(settings: Settings) -> int:
    """How many requests that a run has taken up should be done and are not; for looking only, see `ledger.reading`."""
    with database.reading(settings) as engine:
        rows = Erasures(engine).all() if engine else []
    return sum(_is_late(row) for row in rows)


def _is_late(row: Mapping) -> bool:
    return row["state"] in ("asked", "approved") and row["due_at"] < now()


def _next(row: Mapping) -> str:
    if row["state"] == "asked":
        return f"nobody has decided: trigger crm_erase with it as request, or make erase REQUEST={row['id']}"
    still = [name for name, at in row["destinations"].items() if at is None]
    what = f"{', '.join(still)} did not acknowledge it" if still else "it has not come to its end"
    return f"{what}: trigger crm_erase with it as request, or make erase REQUEST={row['id']}"

"""The steps of an erasure, for the DAG and for `make erase`. Each may be done again, after a kill at any point."""

from __future__ import annotations

import fcntl
from dataclasses import asdict, replace
from pathlib import Path

from tangga import ledger
from tangga.erasure import certificate, finding, landed, ledger_rows, person, removal, requests, tombstones, tools
from tangga.erasure.person import NotOnePerson, Person
from tangga.erasure.removed import Removed
from tangga.erasure.requests import Erasures
from tangga.ledger import database
from tangga.settings import Settings


class Undecided(Exception):
    """The request is not approved; the message says what to do."""


def find(settings: Settings, request_id: str) -> dict[str, Removed]:
    """Find the person and count what would go where; changes nothing. A request that is decided already is not counted
    again. Raises `UnknownRequest`, and `NotOnePerson`, which ends the request: it has to be asked anew."""
    row = requests.take(settings, request_id)
    if row["state"] != "asked":
        return {place: Removed(**counts) for place, counts in row["removed"].items()}
    try:
        with tombstones.still(settings, fcntl.LOCK_SH):
            found = finding.find(settings, requests.given(settings, request_id))
    except NotOnePerson:
        decide(settings, request_id, False, "nobody: it did not say who is meant")
        raise
    person.write(_file(settings, request_id), found)
    return removal.look(settings, removal.subject(settings, found, requests.given(settings, request_id)))


def question(settings: Settings, request_id: str, counts: dict[str, Removed]) -> str:
    """What somebody is asked to agree to, in Markdown: counts and places, nobody's data."""
    row, found = requests.take(settings, request_id), person.read(_file(settings, request_id))
    lines = [
        f"Request `{request_id}`: {row['reason']}. Due {row['due_at']:%Y-%m-%d %H:%M} UTC.",
        "",
        *([_known(found), ""] if found else []),
        "| would be removed from | files | rows |",
        "|---|---|---|",
        *(f"| {place} | {each.files} | {each.rows} |" for place, each in counts.items()),
        "",
        f"And asked to forget them: {', '.join(_destinations(settings)) or 'no destination'}. "
        "Figures of groups stay. Nothing of this can be undone.",
    ]
    return "\n".join(lines)


def _known(found: Person) -> str:
    what = {
        "contact records": found.records,
        "addresses": found.emails,
        "telephone numbers": found.phones,
        "orders": found.orders,
        "browsers": found.anonymous,
    }
    said = ", ".join(f"{len(each)} {name}" for name, each in what.items())
    return f"The person is known by {said}; {found.shared} addresses or numbers that others have too are not blocked."


def decide(settings: Settings, request_id: str, is_yes: bool, by: str) -> None:
    """Keep what a person decided; a no forgets what was given."""
    requests.take(settings, request_id)
    with database.opened(settings) as engine:
        Erasures(engine).decide(request_id, "approved" if is_yes else "rejected", by)
        row = Erasures(engine).get(request_id)
    if row["state"] == "rejected":
        requests.withdraw(settings, request_id)


def bury(settings: Settings, request_id: str) -> None:
    """Keep the person out from now on; what came to be known of them since they were found counts too. Raises
    `Undecided`."""
    row = requests.take(settings, request_id)
    if row["state"] not in ("approved", "done"):
        raise Undecided(f"Erasure {request_id} is {row['state']}; approve it in crm_erase or with 'make erase'.")
    known = person.read(_file(settings, request_id))
    if known is None:
        return
    if not known.is_final:  # once anything is removed, what was given could point to somebody else
        known = _found_again(settings, request_id, known)
        person.write(_file(settings, request_id), known)
    tombstones.bury(settings, request_id, known.tombstones)
    with database.opened(settings) as engine:
        Erasures(engine).expect(request_id, _destinations(settings))


def _found_again(settings: Settings, request_id: str, known: Person) -> Person:
    try:
        with tombstones.still(settings, fcntl.LOCK_SH):
            now = finding.find(settings, requests.given(settings, request_id))
    except NotOnePerson:  # somebody else has come to look alike: what was agreed to holds
        now = known
    is_same = not known.customer_ids or not set(known.customer_ids).isdisjoint(now.customer_ids)
    return replace(known.with_all_of(now) if is_same else known, is_final=True)


def remove(settings: Settings, request_id: str) -> dict[str, Removed]:
    """Take the person out of every place of this home; returns what went where, over all tries. Raises `Undecided`."""
    bury(settings, request_id)
    known = person.read(_file(settings, request_id))
    if known:
        who = removal.subject(settings, known, requests.given(settings, request_id))
        with database.opened(settings) as engine:
            for place, removed in removal.remove(settings, who):
                Erasures(engine).removed(request_id, place, removed)
        left = {"rows of others that name the person in a text": landed.mentions(settings, who.words)}
        certificate.write(settings, requests.take(settings, request_id), left)
    return {place: Removed(**counts) for place, counts in requests.take(settings, request_id)["removed"].items()}


def forget(settings: Settings, request_id: str, destination: str) -> int:
    """Let one destination forget the person, then the ledger; returns how many of its contacts it was asked to forget.

    Raises `DestinationRefused`, `DestinationDown`, or `alone.Busy`: the certificate then says that it is open.
    """
    known = person.read(_file(settings, request_id))
    if known is None:
        return 0
    with ledger.opened(settings) as book, book.alone(destination, settings.home / "state"):
        asked = tools.forget(settings, destination, known, request_id)
        gone = ledger_rows.rows(settings, known, destination)
    with database.opened(settings) as engine:
        Erasures(engine).removed(request_id, "ledger", gone)
        Erasures(engine).acknowledge(request_id, destination)
    return asked


def certify(settings: Settings, request_id: str) -> Path:
    """Say how far it has come; once nothing is open, what was given is forgotten too. Returns the page."""
    row = requests.take(settings, request_id)
    is_removed = set(removal.PLACES) <= set(row["removed"])
    if row["state"] == "approved" and is_removed and all(row["destinations"].values()):
        with database.opened(settings) as engine:
            Erasures(engine).finish(request_id)
        row = requests.take(settings, request_id)
    page = certificate.write(settings, row, certificate.left(settings, request_id))
    if row["state"] in ("done", "rejected"):
        requests.withdraw(settings, request_id)
    return page


def open_destinations(settings: Settings, request_id: str) -> list[str]:
    """The destinations that have not acknowledged the erasure."""
    return sorted(name for name, at in requests.take(settings, request_id)["destinations"].items() if at is None)


def counted(counts: dict[str, Removed]) -> dict[str, dict[str, int]]:
    """Counts as Airflow keeps them."""
    return {place: asdict(each) for place, each in counts.items()}


def _destinations(settings: Settings) -> list[str]:
    """Those of the settings, and those in which somebody was once known."""
    with database.opened(settings) as engine:
        return sorted({*settings.destinations, *ledger_rows.Forgetting(engine).names()})


def _file(settings: Settings, request_id: str) -> Path:
    return requests.folder(settings, request_id) / "person.json"

"""The tasks of `crm_erase`: a person is found, taken out of every place, and a page certifies it."""

from __future__ import annotations

from tangga.progress import note
from tangga.tasks.common import load


def take_erasure(dag_run=None) -> str:
    """The number of the request that a run is for. Raises when an address got past the form, after painting it over."""
    from tangga.erasure import requests, traces
    from tangga.erasure.person import IDENTIFIERS

    settings, conf = load(), dag_run.conf or {}
    if words := [str(conf[name]) for name in IDENTIFIERS if conf.get(name)]:
        traces.airflow_database(settings, words)
        traces.texts(settings, words)
        raise ValueError(
            "What the person is found by was given past the form of the UI, so that Airflow has kept it; it was "
            "painted over in this home's database and logs. Ask again by the form, or by 'make erase'."
        )
    row = requests.take(settings, str(conf.get("request")))
    note(f"{row['id']}: {row['reason']}; due {row['due_at']:%Y-%m-%d %H:%M} UTC")
    return row["id"]


def find_person(request: str) -> str:
    """Find whom a request is about; returns the question for whoever is to agree: counts only."""
    from tangga.erasure import steps

    settings = load()
    counts = steps.find(settings, request)
    note(
        f"{sum(each.rows for each in counts.values()):,} rows in {sum(each.files for each in counts.values()):,} files"
    )
    return steps.question(settings, request, counts)


def remove_person(request: str) -> list[str]:
    """Take the person out of every place of this home; returns the destinations that are still to forget them."""
    from tangga.erasure import steps

    settings = load()
    counts = steps.remove(settings, request)
    note(f"{sum(each.rows for each in counts.values()):,} rows removed")
    return steps.open_destinations(settings, request)


def forget_person(request: str, destination: str) -> int:
    """Let one destination forget the person; returns how many of its contacts it was asked to."""
    from tangga.erasure import steps

    asked = steps.forget(load(), request, destination)
    note(f"{asked} forgotten")
    return asked


def certify_erasure(request: str) -> str:
    """Certify what was done; returns the page's path. Raises when something of an approved erasure is open."""
    from tangga.erasure import requests, steps

    settings = load()
    page = steps.certify(settings, request)
    note(str(page))
    if requests.take(settings, request)["state"] == "approved":
        still = ", ".join(steps.open_destinations(settings, request)) or "its removal"
        raise ValueError(f"Erasure {request} is not done, open: {still}; trigger crm_erase with it as request. {page}")
    return str(page)

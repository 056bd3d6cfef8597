"""What the gates found, as pages to read: a static site from the kept results, and from nothing else.

    docs/gates/index.html     the newest days, every source with its rows per day
               <day>.html     every check of every gate on a day

No network, no script, no clock: the same results are the same bytes.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from expectations.checks import GateResult
from expectations.data_docs import kept
from expectations.data_docs.sparkline import Bar, bars
from tangga import files
from tangga.settings import Settings

NEWEST = 30
"""So many days are told on the index; older ones are links there."""

_log = logging.getLogger(__name__)
_TEMPLATES = Path(__file__).parent / "templates"


def show(settings: Settings, results: Iterable[GateResult]) -> Path | None:
    """Bring the site up to date after a gate; the page to look at, None when it could not be written.

    A page is no reason to hold up a day: what it says is in the log, too.
    """
    days = {result.day for result in results}
    try:
        build(settings, days)
    except OSError as error:
        _log.warning(
            "The pages of the gates cannot be written (%s); see to %s.", error.strerror, settings.gate_pages.parent
        )
        return None
    return settings.gate_pages.with_name(f"{max(days)}.html") if days else settings.gate_pages


def build(settings: Settings, days: Iterable[str] | None = None) -> None:
    """Write the pages of these days, of those that have none yet, and the index; of all days when none is given.

    Raises OSError.
    """
    folder, known = settings.gate_pages.parent, kept.days(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = set(known if days is None else days)
    company, render = settings.business.name, _renderer()
    for day in known:
        page = folder / f"{day}.html"
        if day in wanted or not page.exists():
            _write(page, render("day.html", company=company, day=kept.read_day(settings, day)))
    newest = [kept.read_day(settings, day) for day in known[:NEWEST]]
    sources = _sources(newest)
    _write(
        settings.gate_pages, render("index.html", company=company, days=newest, earlier=known[NEWEST:], sources=sources)
    )


def _sources(days: list[kept.Day]) -> list[tuple[str, kept.Result, list[Bar]]]:
    """Every source and entity: the day it was last judged, what was said, and its rows per day."""
    seen: dict[str, tuple[str, kept.Result]] = {}
    rows: dict[str, list[tuple[str, int]]] = {}
    for day in days:
        for result in day.door("inbound").results:
            seen.setdefault(result.name, (day.name, result))
            if "rows" in result.landed:
                rows.setdefault(result.name, []).insert(0, (day.name, result.landed["rows"]))
    return [(day, result, bars(rows.get(name, []))) for name, (day, result) in sorted(seen.items())]


def _renderer() -> Any:
    import jinja2

    from expectations.data_docs import words

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"observed": words.observed, "count": words.count, "instant": words.instant}
    environment.globals |= {"bars": bars}
    return lambda template, **values: environment.get_template(template).render(values)


def _write(target: Path, text: str) -> None:
    """In one step, and beside another process that writes the same page: its own draft each."""
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    files.replace(Path(draft), target)

"""What has landed that speaks against sending the lists of a day: somebody's no may be in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tangga import landing, publish
from tangga.landing import freshness
from tangga.landing.partitions import days
from tangga.settings import REFUSALS, Settings

LOOK_AGAIN_SECONDS = 15


class ActivationRefused(Exception):
    """Nothing may be sent; the message says why and what to do."""


def refuse_stale_refusals(settings: Settings, as_of: date, version: publish.Version) -> None:
    """Who said no is read from consents and messages: without those of the day, and of each day before it that a
    source delivers by itself, nobody is written to; nor when some landed that the published version has not seen, be it
    of a later day, or of a source that the settings do not name any more."""
    refuse_later_refusals(settings, as_of)
    for entity in REFUSALS:
        for source in landing.sources_of(settings, entity):
            if source not in settings.sources or entity not in settings.sources[source].entities:
                raise ActivationRefused(
                    f"The {entity} of {source} have landed before, and {settings.config_path.name} does not name them "
                    f"any more: who said no there would be written to. Name the source again, or move its folder in "
                    f"landing/{entity} away if what was said there no longer counts."
                )
    for source, spec in settings.sources.items():
        for entity in (name for name in REFUSALS if name in spec.entities):
            known = freshness.of_entity(settings, source, entity, as_of)
            lacking = known.missing or ((as_of,) if known.is_stale else ())
            if lacking:
                raise ActivationRefused(
                    f"The {entity} of {source} for {freshness.named(lacking)} have not been landed and let in by the "
                    "inbound gate, so that nobody knows who said no since; land them, build the day again and "
                    "activate it."
                )
            _refuse_anew(known, version)


def refuse_later_refusals(settings: Settings, as_of: date) -> None:
    """Lists of a day are not sent any more once consents or messages of a later day have been let in."""
    for source, spec in settings.sources.items():
        for entity in (name for name in REFUSALS if name in spec.entities):
            later = landing.accepted_after(settings, entity, source, as_of)
            if later:
                raise ActivationRefused(
                    f"The {entity} of {source} for {freshness.named(later)} have landed, and may hold the no of "
                    f"somebody who is on the lists of {as_of}; build and activate the newest day."
                )


def refuse_newer_refusals(settings: Settings, version: publish.Version) -> None:
    """Lists are not sent any further once consents or messages have landed that their version has not seen."""
    day = date.fromisoformat(version.as_of_date)
    refuse_later_refusals(settings, day)
    for source, spec in settings.sources.items():
        for entity in (name for name in REFUSALS if name in spec.entities and f"{source}.{name}" in version.landing):
            _refuse_anew(freshness.of_entity(settings, source, entity, day), version)


def _refuse_anew(known: freshness.Freshness, version: publish.Version) -> None:
    if version.landing.get(known.key) != known.content:
        raise ActivationRefused(
            f"The {known.entity} of {known.source} have landed anew since {known.as_of} was published, and may hold "
            "the no of somebody who is on a list; build the day again and activate it."
        )


def stamp(settings: Settings, entities: Sequence[str]) -> tuple:
    """Changes whenever one of these lands or is let in. An object store tells no such thing: there it changes by itself
    every `LOOK_AGAIN_SECONDS`."""
    places = [
        path
        for entity in entities
        for source, spec in settings.sources.items()
        if entity in spec.entities
        for path in days(settings, entity, source, date.max)
    ]
    again = [] if settings.storage is None else [time.monotonic() // LOOK_AGAIN_SECONDS]
    return (*again, *((path.name, path.stat().st_mtime_ns) for path in places if isinstance(path, Path)))


def unseen(settings: Settings, entity: str, version: publish.Version) -> list[Path]:
    """The files of an entity as they are now, when some of them have landed since a version was published."""
    day = date.fromisoformat(version.as_of_date)
    named = [source for source, spec in settings.sources.items() if entity in spec.entities]
    has_changed = any(
        landing.accepted_after(settings, entity, source, day)
        or freshness.of_entity(settings, source, entity, day).content != version.landing.get(f"{source}.{entity}")
        for source in named
    )
    return landing.partitions(settings, entity, date.max) if has_changed else []

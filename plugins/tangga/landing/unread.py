"""Rows that have landed and that no build of today reads any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tangga.contracts import CONTRACTS
from tangga.landing.manifest import desk
from tangga.landing.partitions import accepted, days, landed, sources_of
from tangga.settings import Settings
from tangga.storage import Stored


def files(settings: Settings, as_of: date) -> Iterator[tuple[date, Path | Stored, Path]]:
    """The files of partitions that no build of `as_of` or of a day after it reads: each with the day of its partition,
    and where its copy lies if it is in a store.

    Of a snapshot the newest partition that the gate let in is read, of a daily entity all of them; the newest of each
    is never among these. Manifests stay, without rows and without personal data: what the gate compares a day with,
    and from where on a database is read, are in them.
    """
    for entity in CONTRACTS:
        for source in sources_of(settings, entity):
            for folder in _unread(settings, entity, source, as_of):
                day = date.fromisoformat(folder.name.removeprefix("ds="))
                for child in folder.iterdir():
                    if child.name.endswith(".parquet"):
                        yield day, child, desk(settings, entity, source, day) / child.name


def _unread(settings: Settings, entity: str, source: str, as_of: date) -> list[Path] | list[Stored]:
    spec = settings.sources[source].entities.get(entity) if source in settings.sources else None
    loads = {manifest.ds: manifest.load for manifest in landed(settings, entity, source, as_of)}
    let_in = {manifest.ds for manifest in accepted(settings, entity, source, as_of)}
    daily = {ds for ds in let_in if (spec.load if spec else loads[ds]) == "daily"}
    read = daily | {max(found) for found in (loads, let_in) if found}
    folders = days(settings, entity, source, as_of)
    return [folder for folder in folders if folder.name.removeprefix("ds=") not in read]

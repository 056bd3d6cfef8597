"""Partitions: which there are, and which of them count as the state of an entity on a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import islice
from pathlib import Path

from tangga import files, storage
from tangga.contracts import CONTRACTS
from tangga.landing.manifest import Manifest, children, folder, here, read_manifest
from tangga.landing.verdicts import accepted_manifest, has_verdict, is_accepted
from tangga.settings import Settings
from tangga.sources.records import SourceRefused
from tangga.storage import Stored

MANY = 16
"""So many small files are read at once: one after the other, years of days in a store take minutes."""


def days(settings: Settings, entity: str, source: str, until: date | str) -> list[Path] | list[Stored]:
    """The folders of the days of an entity and source up to one, in their order."""
    base = storage.root(settings) / "landing" / entity / f"source={source}"
    found = [path for path in children(base) if path.name.startswith("ds=") and path.name <= f"ds={until}"]
    return sorted(found, key=lambda path: path.name)


def manifests(settings: Settings, day: date) -> list[Manifest]:
    """The manifests of one day, in the order of the contracts."""
    found = [
        read_manifest(folder(settings, entity, source, day))
        for entity in CONTRACTS
        for source, spec in settings.sources.items()
        if entity in spec.entities
    ]
    return [manifest for manifest in found if manifest]


def partitions(settings: Settings, entity: str, as_of: date) -> list[Path]:
    """The files that are the state of an entity as of a day: of snapshot sources the newest that the
    gate let in, of daily sources all of them."""
    return [_unchanged(settings, manifest) for manifest in _counting(settings, entity, as_of)]


def _counting(settings: Settings, entity: str, as_of: date) -> list[Manifest]:
    chosen: list[Manifest] = []
    for source, spec in settings.sources.items():
        if entity not in spec.entities:
            continue
        if spec.entities[entity].load == "snapshot":
            newest = (accepted_manifest(path) for path in reversed(days(settings, entity, source, as_of)))
            chosen += islice((manifest for manifest in newest if manifest), 1)
        else:
            chosen += accepted(settings, entity, source, as_of)
    return chosen


def unrepeated(settings: Settings, as_of: date) -> list[str]:
    """The entities that have landed by a day with each key once: in one partition for each namespace, in which no key
    stands twice."""
    found = []
    for entity in CONTRACTS:
        counting = _counting(settings, entity, as_of)
        spaces = {settings.sources[manifest.source].namespace or manifest.source for manifest in counting}
        if counting and len(spaces) == len(counting) and not any(manifest.superseded for manifest in counting):
            found.append(entity)
    return found


def every(settings: Settings, area: str, entity: str) -> list[Path] | list[Stored]:
    """The folders of all days of an entity in `landing` or `rejects`, of whatever source, finished or not."""
    of_sources = [path for path in children(storage.root(settings) / area / entity) if path.name.startswith("source=")]
    found = [path for place in of_sources for path in children(place) if path.name.startswith("ds=")]
    return sorted(found, key=str)


def sources_of(settings: Settings, entity: str) -> list[str]:
    """The sources that have ever landed an entity, whether the settings still name them or not."""
    found = children(storage.root(settings) / "landing" / entity)
    return sorted(path.name.removeprefix("source=") for path in found if path.name.startswith("source="))


def accepted_after(settings: Settings, entity: str, source: str, day: date) -> list[date]:
    """The days after a day that the gate let in."""
    later = (path for path in days(settings, entity, source, date.max) if path.name > f"ds={day}")
    return [date.fromisoformat(manifest.ds) for manifest in _each(accepted_manifest, later)]


def accepted(settings: Settings, entity: str, source: str, as_of: date) -> list[Manifest]:
    """The partitions of one entity of one source that the gate let in, up to a day, in the order of the days."""
    return _each(accepted_manifest, days(settings, entity, source, as_of))


def landed(settings: Settings, entity: str, source: str, as_of: date) -> list[Manifest]:
    """All partitions of one entity of one source, let in or not, up to a day, in the order of the days."""
    return _each(read_manifest, days(settings, entity, source, as_of))


def _unchanged(settings: Settings, manifest: Manifest) -> Path:
    """The partition's file on this machine, if it is still what the gate let in. Raises `SourceRefused`."""
    try:
        file = here(settings, manifest)
        is_same = files.sha256(file) == manifest.sha256
    except FileNotFoundError:
        is_same = False
    if not is_same:
        file = folder(settings, manifest.entity, manifest.source, manifest.ds) / manifest.file
        raise SourceRefused(
            f"{file}: is missing, damaged or was changed after the gate let it in; land {manifest.entity} of "
            f"{manifest.source} for {manifest.ds} again."
        )
    return file


def recent(settings: Settings, entity: str, source: str, day: date) -> Iterator[tuple[str, Manifest | None]]:
    """The days before a day that the gate let in, the newest first, each with its manifest; with None where the
    manifest or the verdict is there and cannot be read."""
    for path in reversed(days(settings, entity, source, day)):
        if path.name == f"ds={day}" or not has_verdict(path):
            continue  # never finished, or never judged
        ds = path.name.removeprefix("ds=")
        try:
            manifest = read_manifest(path)
            if manifest is None or not files.read_json(path / "gate.json"):
                yield ds, None
            elif is_accepted(path):
                yield ds, manifest
        except (TypeError, KeyError):  # JSON, but neither a manifest nor a verdict
            yield ds, None


def _each(read, folders: Iterable[Path | Stored]) -> list[Manifest]:
    with ThreadPoolExecutor(MANY) as pool:
        return [manifest for manifest in pool.map(read, folders) if manifest]

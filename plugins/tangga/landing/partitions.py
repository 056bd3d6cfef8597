"""Partitions: where they lie, what their manifests say, and which of them count.

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/<checksum>.parquet
                                                   manifest.json    (names the file that counts)
                                                   gate.json        (what the inbound gate said of it)

They lie below the home or in an object store (`storage`), of which copies are kept on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from itertools import islice
from pathlib import Path

from tangga import files, storage
from tangga.contracts import CONTRACTS
from tangga.settings import Settings
from tangga.sources.records import SourceRefused
from tangga.storage import Stored

MANY = 16
"""So many small files are read at once: one after the other, years of days in a store take minutes."""

MISSED = "missed.json"
"""The file in a partition's folder that says: on this day the source was down, and the run went on without it."""


@dataclass(frozen=True)
class Manifest:
    """What a partition holds. Counts are rows; `watermark` is the last instant in it (UTC) that is not after
    its day, `mark` the highest id up to which a database was read, if an id says what is new there; of a `daily`
    source the `look_back_days` before the day were read as well. `erased` counts what was left out, or taken out later,
    because it was of people who were erased; `landed_sha256` is the checksum before anything was taken out."""

    entity: str
    source: str
    ds: str
    load: str
    file: str
    rows: int
    rejected: int
    emptied: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    superseded: int = 0
    quarantined: int = 0
    ignored_columns: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    watermark: str | None = None
    mark: int | None = None
    look_back_days: int = 0
    sha256: str = ""
    erased: int = 0
    landed_sha256: str = ""

    @property
    def content(self) -> str:
        """The checksum of what landed: an erasure since then makes no new landing of it."""
        return self.landed_sha256 or self.sha256

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share (0-1) of all rows read."""
        return self.rejected / max(1, self.rows + self.repeated + self.rejected)


_FIELDS = {each.name for each in fields(Manifest)}
_NEEDED = {each.name for each in fields(Manifest) if each.default is MISSING and each.default_factory is MISSING}


def folder(settings: Settings, entity: str, source: str, day: date | str, area: str = "landing") -> Path | Stored:
    """The folder of one partition, in `landing` or `rejects`."""
    return storage.root(settings) / area / entity / f"source={source}" / f"ds={day}"


def here(settings: Settings, manifest: Manifest) -> Path:
    """The file of a partition on this machine: itself, or a copy of it from the object store.

    A copy that is not what the manifest says is fetched anew. FileNotFoundError when there is nothing to fetch.
    """
    file = folder(settings, manifest.entity, manifest.source, manifest.ds) / manifest.file
    if isinstance(file, Path):
        return file
    copy = desk(settings, manifest.entity, manifest.source, manifest.ds) / manifest.file
    if not copy.exists() or files.sha256(copy) != manifest.sha256:
        part = copy.with_name(f".{copy.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.fetch(part)
        files.replace(part, copy)
        drop_others(copy.parent, manifest)
    return copy


def desk(settings: Settings, entity: str, source: str, day: date | str) -> Path:
    """Where a partition's file is written on this machine: its own folder, or that of its copy."""
    target = folder(settings, entity, source, day)
    below = f"cache/landing/{entity}/source={source}/ds={day}"
    return target if isinstance(target, Path) else settings.home / below


def drop_others(place: Path | Stored, manifest: Manifest) -> None:
    """What the partition held before, and what a killed run left; and the mark of a day without it."""
    for old in _children(place):
        if old.name == MISSED or (old.name.endswith(".parquet") and old.name != manifest.file):
            old.unlink()


def days(settings: Settings, entity: str, source: str, until: date | str) -> list[Path] | list[Stored]:
    """The folders of the days of an entity and source up to one, in their order."""
    base = storage.root(settings) / "landing" / entity / f"source={source}"
    found = [path for path in _children(base) if path.name.startswith("ds=") and path.name <= f"ds={until}"]
    return sorted(found, key=lambda path: path.name)


def _children(place: Path | Stored) -> list[Path] | list[Stored]:
    try:
        return list(place.iterdir())
    except FileNotFoundError:
        return []


def read_manifest(path: Path | Stored) -> Manifest | None:
    """The manifest in a partition's folder, None when the partition was never finished or is damaged."""
    said = files.read_json(path / "manifest.json")
    if not said:
        return None
    known = {name: value for name, value in said.items() if name in _FIELDS}  # a newer Tangga may have written more
    return Manifest(**known) if set(known) >= _NEEDED else None


def write_manifest(path: Path | Stored, manifest: Manifest) -> None:
    """From here on the partition is what its manifest says."""
    files.write_atomically(path / "manifest.json", json.dumps(asdict(manifest), indent=2) + "\n")


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
            newest = (_accepted(path) for path in reversed(days(settings, entity, source, as_of)))
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
    of_sources = [path for path in _children(storage.root(settings) / area / entity) if path.name.startswith("source=")]
    found = [path for place in of_sources for path in _children(place) if path.name.startswith("ds=")]
    return sorted(found, key=str)


def sources_of(settings: Settings, entity: str) -> list[str]:
    """The sources that have ever landed an entity, whether the settings still name them or not."""
    found = _children(storage.root(settings) / "landing" / entity)
    return sorted(path.name.removeprefix("source=") for path in found if path.name.startswith("source="))


def accepted_after(settings: Settings, entity: str, source: str, day: date) -> list[date]:
    """The days after a day that the gate let in."""
    later = (path for path in days(settings, entity, source, date.max) if path.name > f"ds={day}")
    return [date.fromisoformat(manifest.ds) for manifest in _each(_accepted, later)]


def accepted(settings: Settings, entity: str, source: str, as_of: date) -> list[Manifest]:
    """The partitions of one entity of one source that the gate let in, up to a day, in the order of the days."""
    return _each(_accepted, days(settings, entity, source, as_of))


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
        if path.name == f"ds={day}" or not _has_verdict(path):
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


def record_verdict(settings: Settings, manifest: Manifest, verdict: str, failures: list[str]) -> None:
    """Keep what the inbound gate said of a partition beside it; only accepted ones are built on."""
    text = json.dumps({"verdict": verdict, "sha256": manifest.sha256, "failures": failures}, indent=2) + "\n"
    path = folder(settings, manifest.entity, manifest.source, manifest.ds) / "gate.json"
    files.write_atomically(path, text)


def record_gate(path: Path | Stored, before: Manifest, after: Manifest) -> None:
    """Let the verdict on a partition hold for what is left of it when erased people are taken out, and, until its
    manifest is switched, for what it was."""
    said = files.read_json(path / "gate.json")
    if said and before.sha256 in (said.get("sha256"), said.get("without_erased")):
        said |= {"sha256": before.sha256, "without_erased": after.sha256}
        files.write_atomically(path / "gate.json", json.dumps(said, indent=2) + "\n")


def is_accepted(path: Path | Stored) -> bool:
    """True when the inbound gate let in exactly what the partition now holds."""
    return _accepted(path) is not None


def _accepted(path: Path | Stored) -> Manifest | None:
    manifest, said = read_manifest(path), files.read_json(path / "gate.json")
    if manifest is None or not said or said["verdict"] not in ("pass", "warn"):
        return None
    return manifest if manifest.sha256 in (said["sha256"], said.get("without_erased")) else None


def _has_verdict(path: Path | Stored) -> bool:
    return any(child.name == "gate.json" for child in _children(path))


def _each(read, folders: Iterable[Path | Stored]) -> list[Manifest]:
    with ThreadPoolExecutor(MANY) as pool:
        return [manifest for manifest in pool.map(read, folders) if manifest]

"""One partition: where it lies, what its manifest says, and its file on this machine.

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/<checksum>.parquet
                                                   manifest.json    (names the file that counts)
                                                   gate.json        (what the inbound gate said of it: `verdicts`)

Partitions lie below the home or in an object store (`storage`), of which copies are kept on this machine.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from pathlib import Path

from tangga import files, storage
from tangga.settings import Settings
from tangga.storage import Stored

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


def desk(settings: Settings, entity: str, source: str, day: date | str) -> Path:
    """Where a partition's file is written on this machine: its own folder, or that of its copy."""
    target = folder(settings, entity, source, day)
    below = f"cache/landing/{entity}/source={source}/ds={day}"
    return target if isinstance(target, Path) else settings.home / below


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


def drop_others(place: Path | Stored, manifest: Manifest) -> None:
    """What the partition held before, and what a killed run left; and the mark of a day without it."""
    for old in children(place):
        if old.name == MISSED or (old.name.endswith(".parquet") and old.name != manifest.file):
            old.unlink()


def children(place: Path | Stored) -> list[Path] | list[Stored]:
    """What lies in a folder, in no order; nothing where there is none."""
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

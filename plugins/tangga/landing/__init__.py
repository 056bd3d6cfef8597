"""Landing: one immutable Parquet partition per entity, source and day, with a manifest beside it.

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/<checksum>.parquet
                                                   manifest.json    (names the file that counts)
    rejects/<entity>/source=<name>/ds=<YYYY-MM-DD>/rejects.jsonl

The manifest is switched last and in one step, so that a reader sees a whole partition or the one
before it; a rerun that reads the same data changes no byte. With `storage:` both lie in an object store,
and what is read of them are copies below `cache/`, which cannot be out of date: a file is called by its content.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tangga import engine, files, storage
from tangga.contracts import CONTRACTS
from tangga.engine import literal, parquet_list
from tangga.landing import extract
from tangga.settings import Settings
from tangga.sources.records import SourceRefused
from tangga.sources.relations import Marks, Reading
from tangga.storage import Stored

log = logging.getLogger(__name__)

MANY = 16
"""So many small files are read at once."""


@dataclass(frozen=True)
class Manifest:
    """What a partition holds. Counts are rows; `watermark` is the last instant in it (UTC) that is not after
    its day, `mark` the highest id up to which a database was read, if an id says what is new there."""

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
    sha256: str = ""

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share (0-1) of all rows read."""
        return self.rejected / max(1, self.rows + self.repeated + self.rejected)


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
    copy = _desk(settings, manifest.entity, manifest.source, manifest.ds) / manifest.file
    if not copy.exists() or files.sha256(copy) != manifest.sha256:
        part = copy.with_name(f".{copy.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.fetch(part)
        files.replace(part, copy)
        _drop_others(copy.parent, manifest)
    return copy


def _desk(settings: Settings, entity: str, source: str, day: date | str) -> Path:
    """Where a partition's file is written on this machine: its own folder, or that of its copy."""
    target = folder(settings, entity, source, day)
    below = f"cache/landing/{entity}/source={source}/ds={day}"
    return target if isinstance(target, Path) else settings.home / below


def land(settings: Settings, source: str, entity: str, day: date) -> Manifest:
    """Read one entity of one source for one day and put it into its partition.

    Rows that break the contract go to the rejects. Raises `SourceRefused`, and changes nothing,
    when the source breaks it as a whole.
    """
    target, desk = folder(settings, entity, source, day), _desk(settings, entity, source, day)
    part = desk / ".part.parquet"
    with engine.scratch(settings) as con:
        extracted = extract.extract(con, Reading(settings, source, entity, day, _marks(settings, source, entity, day)))
        described = con.execute("describe _landed").fetchall()
        desk.mkdir(parents=True, exist_ok=True, mode=0o700)
        con.execute(
            f"copy (select * from _landed order by {_order(entity)}) to {literal(str(part))} "
            "(format parquet, compression zstd)"
        )
    checksum = files.sha256(part)
    manifest = Manifest(
        entity=entity,
        source=source,
        ds=day.isoformat(),
        load=settings.sources[source].entities[entity].load,
        file=f"{checksum[:16]}.parquet",
        columns={name: kind for name, kind, *_ in described},
        sha256=checksum,
        **extracted.counts,
    )
    files.write_atomically(
        folder(settings, entity, source, day, "rejects") / "rejects.jsonl",
        "".join(json.dumps(reject, ensure_ascii=False) + "\n" for reject in extracted.rejects),
    )
    files.replace(part, desk / manifest.file)
    if isinstance(target, Stored):
        (target / manifest.file).put(desk / manifest.file)
        _drop_others(desk, manifest)
    files.write_atomically(target / "manifest.json", json.dumps(asdict(manifest), indent=2) + "\n")
    _drop_others(target, manifest)
    _report(manifest)
    return manifest


def _drop_others(place: Path | Stored, manifest: Manifest) -> None:
    """What the partition held before, and what a killed run left."""
    for old in _children(place):
        if old.name.endswith(".parquet") and old.name != manifest.file:
            old.unlink()


def _marks(settings: Settings, source: str, entity: str, day: date) -> Marks:
    """What the manifests of the partition and of those before it (and its look-back) keep of an increasing id."""
    target = folder(settings, entity, source, day)
    base = storage.root(settings) / "landing" / entity / f"source={source}"
    first = day - timedelta(days=getattr(settings.sources[source].entities[entity], "look_back_days", 0))
    earlier = [path for path in _days(base) if path.name < f"ds={first}"]
    before = [found.mark for path in earlier if (found := read_manifest(path)) and found.mark is not None]
    own = read_manifest(target)
    return Marks(before[-1] if before else None, own.mark if own else None)


def _order(entity: str) -> str:
    """A total order: the same rows are the same bytes, however the source delivered them."""
    contract = CONTRACTS[entity]
    first = [name for name in (contract.occurred, *contract.key, "_file", "_line") if name]
    return ", ".join([*first, *(name for name in extract.landed_types(contract) if name not in first)])


def _days(base: Path | Stored) -> list[Path] | list[Stored]:
    """The folders of the days of an entity and source, in order."""
    return sorted((path for path in _children(base) if path.name.startswith("ds=")), key=lambda path: path.name)


def _children(place: Path | Stored) -> list[Path] | list[Stored]:
    try:
        return list(place.iterdir())
    except FileNotFoundError:
        return []


def read_manifest(path: Path | Stored) -> Manifest | None:
    """The manifest in a partition's folder, None when the partition was never finished or is damaged."""
    said = files.read_json(path / "manifest.json")
    return Manifest(**said) if said else None


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
    chosen: list[Path] = []
    for source, spec in settings.sources.items():
        if entity not in spec.entities:
            continue
        base = storage.root(settings) / "landing" / entity / f"source={source}"
        days = [path for path in _days(base) if path.name <= f"ds={as_of}"]
        if spec.entities[entity].load == "snapshot":
            days = [path for path in reversed(days) if is_accepted(path)][:1]
        else:  # one after the other, years of days in a store take minutes
            with ThreadPoolExecutor(MANY) as pool:
                days = [path for path, is_in in zip(days, pool.map(is_accepted, days), strict=True) if is_in]
        chosen += [_unchanged(settings, read_manifest(path)) for path in days]
    return chosen


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


def record_verdict(settings: Settings, manifest: Manifest, verdict: str, failures: list[str]) -> None:
    """Keep what the inbound gate said of a partition beside it; only accepted ones are built on."""
    text = json.dumps({"verdict": verdict, "sha256": manifest.sha256, "failures": failures}, indent=2) + "\n"
    path = folder(settings, manifest.entity, manifest.source, manifest.ds) / "gate.json"
    files.write_atomically(path, text)


def is_accepted(path: Path | Stored) -> bool:
    """True when the inbound gate let in exactly what the partition now holds."""
    manifest, said = read_manifest(path), files.read_json(path / "gate.json")
    return bool(manifest and said) and said["verdict"] in ("pass", "warn") and said["sha256"] == manifest.sha256


def recent(settings: Settings, entity: str, source: str, day: date) -> Iterator[tuple[str, Manifest | None]]:
    """The days before a day that the gate let in, the newest first, each with its manifest; with None where the
    manifest or the verdict is there and cannot be read."""
    base = folder(settings, entity, source, day).parent
    for path in sorted((path for path in base.glob("ds=*") if path.name < f"ds={day}"), reverse=True):
        if not (path / "gate.json").exists():
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


def create_views(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `landing.<entity>` for every contract: the rows as of a day, or none with the right columns."""
    con.execute("create schema if not exists landing")
    for entity, contract in CONTRACTS.items():
        typed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in extract.landed_types(contract).items())
        rows = f"select {typed} where false"
        paths = partitions(settings, entity, as_of)
        if paths:
            landed = f"read_parquet({parquet_list(paths)}, union_by_name=true, hive_partitioning=false)"
            rows += f" union all by name select * from {landed}"
        con.execute(f"create or replace view landing.{entity} as {rows}")


def _report(manifest: Manifest) -> None:
    what = f"{manifest.entity} of {manifest.source}"
    if manifest.superseded:
        log.warning("%s: %d rows repeat a key with other content; the latest wins", what, manifest.superseded)
    if manifest.ignored_columns:
        log.warning("%s: columns that nothing maps are kept out: %s", what, json.dumps(manifest.ignored_columns))
    for column, count in manifest.emptied.items():
        log.warning("%s: %d values of %s could not be read and were emptied", what, count, column)

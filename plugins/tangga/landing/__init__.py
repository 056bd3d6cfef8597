"""Landing: one immutable Parquet partition per entity, source and day, with a manifest beside it.

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/<checksum>.parquet
                                                   manifest.json    (names the file that counts)
                                                   missed.json      (instead: the source was down that day)
    rejects/<entity>/source=<name>/ds=<YYYY-MM-DD>/rejects.jsonl

The manifest is switched last and in one step, so that a reader sees a whole partition or the one
before it; a rerun that reads the same data changes no byte.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from tangga import engine, files
from tangga.contracts import CONTRACTS
from tangga.engine import literal, parquet_list
from tangga.landing import extract
from tangga.settings import Settings
from tangga.sources.records import SourceRefused
from tangga.sources.relations import Marks, Reading

log = logging.getLogger(__name__)

MISSED = "missed.json"
"""The file in a partition's folder that says: on this day the source was down, and the run went on without it."""


@dataclass(frozen=True)
class Manifest:
    """What a partition holds. Counts are rows; `watermark` is the last instant in it (UTC), `mark` the
    highest id up to which a database was read, if an id says what is new there; of a `daily` source the
    `look_back_days` before the day were read as well."""

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

    @property
    def reject_share(self) -> float:
        """Rejected rows as a share (0-1) of all rows read."""
        return self.rejected / max(1, self.rows + self.repeated + self.rejected)


def folder(settings: Settings, entity: str, source: str, day: date | str, area: str = "landing") -> Path:
    """The folder of one partition, in `landing` or `rejects`."""
    return settings.home / area / entity / f"source={source}" / f"ds={day}"


def land(settings: Settings, source: str, entity: str, day: date) -> Manifest:
    """Read one entity of one source for one day and put it into its partition.

    Rows that break the contract go to the rejects. Raises `SourceRefused`, and changes nothing,
    when the source breaks it as a whole.
    """
    target = folder(settings, entity, source, day)
    part = target / ".part.parquet"
    with engine.scratch(settings) as con:
        extracted = extract.extract(con, Reading(settings, source, entity, day, _marks(settings, source, entity, day)))
        described = con.execute("describe _landed").fetchall()
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        look_back_days=_look_back(settings, source, entity),
        sha256=checksum,
        **extracted.counts,
    )
    files.write_atomically(
        folder(settings, entity, source, day, "rejects") / "rejects.jsonl",
        "".join(json.dumps(reject, ensure_ascii=False) + "\n" for reject in extracted.rejects),
    )
    files.replace(part, target / manifest.file)
    files.write_atomically(target / "manifest.json", json.dumps(asdict(manifest), indent=2) + "\n")
    for old in target.glob("*.parquet"):
        if old.name != manifest.file:
            old.unlink()
    (target / MISSED).unlink(missing_ok=True)
    _report(manifest)
    return manifest


def _marks(settings: Settings, source: str, entity: str, day: date) -> Marks:
    """What the manifests of the partition and of those before it (and its look-back) keep of an increasing id."""
    target = folder(settings, entity, source, day)
    first = day - timedelta(days=_look_back(settings, source, entity))
    earlier = sorted(path for path in target.parent.glob("ds=*") if path.name < f"ds={first}")
    before = [found.mark for path in earlier if (found := read_manifest(path)) and found.mark is not None]
    own = read_manifest(target)
    return Marks(before[-1] if before else None, own.mark if own else None)


def _look_back(settings: Settings, source: str, entity: str) -> int:
    return getattr(settings.sources[source].entities[entity], "look_back_days", 0)


def _order(entity: str) -> str:
    """A total order: the same rows are the same bytes, however the source delivered them."""
    contract = CONTRACTS[entity]
    first = [name for name in (contract.occurred, *contract.key, "_file", "_line") if name]
    return ", ".join([*first, *(name for name in extract.landed_types(contract) if name not in first)])


def read_manifest(path: Path) -> Manifest | None:
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
        days = accepted(settings, entity, source, as_of)
        if spec.entities[entity].load == "snapshot":
            days = days[-1:]
        chosen += [_unchanged(folder(settings, entity, source, found.ds), found) for found in days]
    return chosen


def accepted(settings: Settings, entity: str, source: str, as_of: date) -> list[Manifest]:
    """The partitions of one entity of one source that the gate let in, up to a day, in the order of the days."""
    days = landed(settings, entity, source, as_of)
    return [found for found in days if is_accepted(folder(settings, entity, source, found.ds))]


def landed(settings: Settings, entity: str, source: str, as_of: date) -> list[Manifest]:
    """All partitions of one entity of one source, let in or not, up to a day, in the order of the days."""
    base = folder(settings, entity, source, as_of).parent
    days = sorted(path for path in base.glob("ds=*") if path.name <= f"ds={as_of}")
    return [manifest for path in days if (manifest := read_manifest(path))]


def _unchanged(path: Path, manifest: Manifest) -> Path:
    """The partition's file, if it is still what the gate let in. Raises `SourceRefused`."""
    file = path / manifest.file
    if not file.exists() or files.sha256(file) != manifest.sha256:
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


def is_accepted(path: Path) -> bool:
    """True when the inbound gate let in exactly what the partition now holds."""
    manifest, said = read_manifest(path), files.read_json(path / "gate.json")
    return bool(manifest and said) and said["verdict"] in ("pass", "warn") and said["sha256"] == manifest.sha256


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

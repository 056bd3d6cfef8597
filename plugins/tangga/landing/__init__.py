"""Landing: one immutable Parquet partition per entity, source and day, with a manifest beside it.

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/<checksum>.parquet
                                                   manifest.json    (names the file that counts)
                                                   missed.json      (instead: the source was down that day)
    rejects/<entity>/source=<name>/ds=<YYYY-MM-DD>/rejects.jsonl

The manifest is switched last and in one step, so that a reader sees a whole partition or the one
before it; a rerun that reads the same data changes no byte. With `storage:` both lie in an object store,
and what is read of them are copies below `cache/`, which cannot be out of date: a file is called by its content.
"""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

from tangga import engine, files
from tangga.contracts import CONTRACTS
from tangga.engine import literal, parquet_list
from tangga.landing import extract
from tangga.landing.manifest import (
    MISSED,
    Manifest,
    desk,
    drop_others,
    folder,
    here,
    read_manifest,
    write_manifest,
)  # fmt: skip
from tangga.landing.partitions import (
    accepted,
    accepted_after,
    days,
    landed,
    manifests,
    partitions,
    recent,
    sources_of,
    unrepeated,
)  # fmt: skip
from tangga.landing.verdicts import is_accepted, record_verdict
from tangga.settings import Settings
from tangga.sources.relations import Marks, Reading, printable
from tangga.storage import Stored

if TYPE_CHECKING:
    from tangga.erasure.blocked import Blocked

__all__ = [
    "MISSED", "Manifest", "accepted", "accepted_after", "create_views", "folder", "here", "is_accepted", "land",
    "landed", "manifests", "partitions", "read_manifest", "recent", "record_verdict", "sources_of", "unrepeated",
]  # fmt: skip

log = logging.getLogger(__name__)


def land(settings: Settings, source: str, entity: str, day: date) -> Manifest:
    """Read one entity of one source for one day and put it into its partition.

    Rows that break the contract go to the rejects, those of people who were erased nowhere. Raises `SourceRefused`, and
    changes nothing, when the source breaks it as a whole.
    """
    from tangga.erasure import tombstones  # which asks about what has landed

    with tombstones.held(settings) as blocked:
        manifest = _land(settings, source, entity, day, blocked)
    _report(manifest)
    return manifest


def _land(settings: Settings, source: str, entity: str, day: date, blocked: Blocked | None) -> Manifest:
    target, local = folder(settings, entity, source, day), desk(settings, entity, source, day)
    part = local / ".part.parquet"
    with engine.scratch(settings) as con:
        reading = Reading(settings, source, entity, day, _marks(settings, source, entity, day))
        extracted = extract.extract(con, reading, blocked)
        described = con.execute("describe _landed").fetchall()
        local.mkdir(parents=True, exist_ok=True, mode=0o700)
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
    files.replace(part, local / manifest.file)
    if isinstance(target, Stored):
        (target / manifest.file).put(local / manifest.file)
        drop_others(local, manifest)
    write_manifest(target, manifest)
    drop_others(target, manifest)
    return manifest


def _marks(settings: Settings, source: str, entity: str, day: date) -> Marks:
    """What the manifests of the partition and of those before it (and its look-back) keep of an increasing id."""
    target = folder(settings, entity, source, day)
    first = day - timedelta(days=_look_back(settings, source, entity))
    earlier = [path for path in days(settings, entity, source, first) if path.name < f"ds={first}"]
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
        log.warning("%s: columns that nothing maps are kept out: %s", what, printable(manifest.ignored_columns))
    for column, count in manifest.emptied.items():
        log.warning("%s: %d values of %s could not be read and were emptied", what, count, column)

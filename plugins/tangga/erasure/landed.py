"""Taking a person out of what has landed: partitions and rejects, in the home or in the object store.

The rows of others stay what they are, in their order. A manifest is switched in one step, as when its partition landed,
and the gate's verdict holds for what is left: `gate.json` says so before the switch, so that no partition is ever
taken for one that was not let in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from tangga import engine, files, landing
from tangga.contracts import CONTRACTS, Contract
from tangga.engine import literal
from tangga.erasure.blocked import Blocked
from tangga.erasure.removed import Removed
from tangga.landing import Manifest, extract
from tangga.landing.manifest import desk, drop_others, read_manifest, write_manifest
from tangga.landing.partitions import every
from tangga.landing.verdicts import record_gate
from tangga.settings import Settings
from tangga.storage import Stored


def partitions(settings: Settings, blocked: Blocked, dry: bool) -> Removed:
    """Take the rows of `blocked` people out of every partition; `dry` only counts."""
    removed = Removed()
    with engine.scratch(settings) as con:
        for entity, contract in CONTRACTS.items():
            for place in every(settings, "landing", entity):
                manifest = read_manifest(place)
                if manifest:
                    removed += _partition(con, settings, place, manifest, contract, blocked, dry)
                elif not dry:
                    removed += _unfinished(place)
    return removed


def _partition(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    place: Path | Stored,
    manifest: Manifest,
    contract: Contract,
    blocked: Blocked,
    dry: bool,
) -> Removed:
    file = literal(landing.here(settings, manifest))
    con.execute(f"create or replace temp view part as from read_parquet({file}, hive_partitioning=false)")
    condition = blocked.predicate(con, "part", contract, "namespace")
    if dry:
        found = con.execute(f"select count(*) from part where {condition}").fetchone()[0]
        return Removed(1 if found else 0, found)
    rows = 0
    if condition != "false":
        after = _written_anew(con, settings, place, manifest, contract, condition)
        record_gate(place, manifest, after)
        write_manifest(place, after)
        manifest, rows = after, manifest.rows - after.rows
    drop_others(place, manifest)  # also those of a removal that was killed
    local = desk(settings, manifest.entity, manifest.source, manifest.ds)
    if isinstance(place, Stored) and local.exists():
        drop_others(local, manifest)
    return Removed(files=1 if rows else 0, rows=rows)


def _written_anew(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    place: Path | Stored,
    manifest: Manifest,
    contract: Contract,
    condition: str,
) -> Manifest:
    """Put a file without the rows of a condition beside the partition's own; returns the manifest of it."""
    local = desk(settings, manifest.entity, manifest.source, manifest.ds)
    part = local / ".part.parquet"
    con.execute(f"create or replace temp view _landed as from part where not ({condition})")
    con.execute(f"copy _landed to {literal(part)} (format parquet, compression zstd)")
    measured = extract.measured(con, settings, contract, date.fromisoformat(manifest.ds))
    checksum = files.sha256(part)
    changes = measured | {
        "erased": manifest.erased + manifest.rows - measured["rows"],
        "landed_sha256": manifest.content,
    }
    after = replace(manifest, file=f"{checksum[:16]}.parquet", sha256=checksum, **changes)
    files.replace(part, local / after.file)
    if isinstance(place, Stored):
        (place / after.file).put(local / after.file)
    return after


def _unfinished(place: Path | Stored) -> Removed:
    """What a killed landing left, which nobody reads."""
    left = [path for path in place.iterdir() if path.name.endswith(".parquet")]
    for path in left:
        path.unlink()
    return Removed(files=len(left))


def rejects(settings: Settings, blocked: Blocked, dry: bool) -> Removed:
    """Take the rejected rows that are of `blocked` people, or name them, out of the rejects; `dry` only counts."""
    removed = Removed()
    for entity, contract in CONTRACTS.items():
        for place in every(settings, "rejects", entity):
            source = _parent(place).removeprefix("source=")
            spec = settings.sources.get(source)
            namespace = (spec.namespace if spec else None) or source
            removed += _rejects(settings, place, source, namespace, contract, blocked, dry)
    return removed


def _rejects(
    settings: Settings,
    place: Path | Stored,
    source: str,
    namespace: str,
    contract: Contract,
    blocked: Blocked,
    dry: bool,
) -> Removed:
    try:
        lines = (place / "rejects.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        return Removed()
    country = settings.business.country
    lines = [line for line in lines if line]
    kept = [line for line in lines if not blocked.holds(json.loads(line).get("row"), contract, namespace, country)]
    gone = len(lines) - len(kept)
    if dry or not gone:
        return Removed(1 if gone else 0, gone)
    files.write_atomically(place / "rejects.jsonl", "".join(f"{line}\n" for line in kept))
    partition = landing.folder(settings, contract.entity, source, place.name.removeprefix("ds="))
    manifest = read_manifest(partition)
    if manifest:
        counts = {"rejected": max(0, manifest.rejected - gone), "erased": manifest.erased + gone}
        write_manifest(partition, replace(manifest, **counts))
    return Removed(files=1, rows=gone)


def _parent(place: Path | Stored) -> str:
    return str(place).rsplit("/", 2)[-2]


def mentions(settings: Settings, words: Sequence[str]) -> int:
    """How many rows of others name the person in a text: they are not the person's."""
    found = 0
    with engine.scratch(settings) as con:
        for entity in CONTRACTS if words else ():
            for manifest in filter(None, map(read_manifest, every(settings, "landing", entity))):
                file = literal(landing.here(settings, manifest))
                con.execute(f"create or replace temp view part as from read_parquet({file}, hive_partitioning=false)")
                columns = con.execute("describe part").fetchall()
                text = "concat_ws(chr(31), " + ", ".join(name for name, kind, *_ in columns if kind == "VARCHAR") + ")"
                named = " or ".join(f"contains(lower({text}), lower(?))" for _ in words)
                found += con.execute(f"select count(*) from part where {named}", list(words)).fetchone()[0]
    return found

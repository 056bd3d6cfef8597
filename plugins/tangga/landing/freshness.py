"""How fresh the landing is: what stands in for a day that a source did not deliver, and which days are missing.

A source that is down may be passed over for a day (`when_down: use_last`). The day is then marked as missed,
and the mark goes when the day is landed after all:

    landing/<entity>/source=<name>/ds=<YYYY-MM-DD>/missed.json    {"stood_in": the day whose rows stood in}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb

from tangga import files, landing
from tangga.contracts import CONTRACTS
from tangga.landing import Manifest
from tangga.settings import Settings

MAX_DAYS_NAMED = 5


@dataclass(frozen=True)
class Freshness:
    """How far one entity of one source has come by a day.

    `last_day` is the last day that was landed and let in, `rows` and `watermark` (UTC) are its own. `missing`
    are the days of a `daily` entity, from its first one on, whose rows nothing that was let in holds.
    `was_down` is true when the run of the day went on without the source. `content` is a checksum of all
    that a build of the day reads.
    """

    source: str
    entity: str
    load: str
    as_of: date
    last_day: date | None
    rows: int | None
    watermark: datetime | None
    missing: tuple[date, ...]
    was_down: bool
    content: str

    @property
    def days_behind(self) -> int | None:
        return None if self.last_day is None else (self.as_of - self.last_day).days

    @property
    def is_stale(self) -> bool:
        """True when the day itself has not been landed and let in."""
        return self.last_day != self.as_of

    @property
    def sentences(self) -> list[str]:
        """What somebody who reads the day's figures has to know; nothing when all is there."""
        what, said = f"{self.entity} of {self.source}", []
        if self.is_stale:
            cause = "source was down" if self.was_down else f"{self.as_of} has not been let in"
            rest = f"the rows of {self.last_day} stand in" if self.load == "snapshot" else "the day's rows are missing"
            said.append(f"{what}: {cause}; {rest if self.last_day else 'there is nothing that could stand in'}")
        if earlier := [day for day in self.missing if day != self.as_of]:
            are, them = ("was", "it") if len(earlier) == 1 else ("were", "them")
            said.append(f"{what}: {named(earlier)} {are} never landed; backfill {them}")
        return said

    @property
    def key(self) -> str:
        return f"{self.source}.{self.entity}"


def of_day(settings: Settings, as_of: date) -> list[Freshness]:
    """The freshness of every entity of every source as of a day, in the order of the contracts."""
    return [
        of_entity(settings, source, entity, as_of)
        for entity in CONTRACTS
        for source, spec in settings.sources.items()
        if entity in spec.entities
    ]


def of_entity(settings: Settings, source: str, entity: str, as_of: date) -> Freshness:
    """The freshness of one entity of one source as of a day."""
    load = settings.sources[source].entities[entity].load
    found = landing.accepted(settings, entity, source, as_of)
    last = found[-1] if found else None
    read = found[-1:] if load == "snapshot" else found
    return Freshness(
        source=source,
        entity=entity,
        load=load,
        as_of=as_of,
        last_day=date.fromisoformat(last.ds) if last else None,
        rows=last.rows if last else None,
        watermark=datetime.fromisoformat(last.watermark) if last and last.watermark else None,
        missing=tuple(missing_days(settings, source, entity, as_of, found)) if load == "daily" else (),
        was_down=is_missed(settings, source, entity, as_of),
        content=hashlib.sha256(" ".join(manifest.content for manifest in read).encode()).hexdigest()[:16],
    )


def mark_missed(settings: Settings, source: str, entity: str, day: date) -> Freshness:
    """Keep that a source was down on a day; returns what the day has instead. A day that was landed before the
    source went down is not missed."""
    known = of_entity(settings, source, entity, day)
    target = landing.folder(settings, entity, source, day)
    if landing.read_manifest(target) is None:
        said = json.dumps({"stood_in": known.last_day and known.last_day.isoformat()}, indent=2) + "\n"
        files.write_atomically(target / landing.MISSED, said)
    return of_entity(settings, source, entity, day)


def is_missed(settings: Settings, source: str, entity: str, day: date) -> bool:
    """True when the source was down on that day, may be passed over, and has not been landed since."""
    target = landing.folder(settings, entity, source, day)
    allowed = settings.sources[source].when_down == "use_last"
    return allowed and landing.read_manifest(target) is None and files.read_json(target / landing.MISSED) is not None


def create_table(con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date) -> None:
    """Create `landing.freshness`: one row per source and entity, for staging and for the published version."""
    con.execute(
        "create or replace table landing.freshness (source varchar, entity varchar, load varchar, "
        "last_landed_day date, landed_rows bigint, watermark timestamp, days_behind integer, is_stale boolean, "
        "missing_days varchar, content varchar)"
    )
    for row in of_day(settings, as_of):
        missing = ", ".join(day.isoformat() for day in row.missing) or None
        con.execute(
            "insert into landing.freshness values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [row.source, row.entity, row.load, row.last_day, row.rows, row.watermark, row.days_behind, row.is_stale,
             missing, row.content],
        )  # fmt: skip


def named(days: Iterable[date]) -> str:
    """Days as a sentence has them: the first few, and how many more."""
    listed = [day.isoformat() for day in days]
    more = len(listed) - MAX_DAYS_NAMED
    return ", ".join(listed[:MAX_DAYS_NAMED]) + (f" and {more} more" if more > 0 else "")


def missing_days(settings: Settings, source: str, entity: str, as_of: date, landed: Iterable[Manifest]) -> list[date]:
    """The days of a `daily` entity, from its first to `as_of`, that are not among `landed` and that no later one of
    them has read: with its look-back, or by a growing id, which tells no day and reads all that lies beyond the
    partitions before it, let in or not."""
    ever = {date.fromisoformat(manifest.ds) for manifest in landing.landed(settings, entity, source, as_of)}
    there = {date.fromisoformat(manifest.ds): manifest for manifest in landed}
    missing, read_from, has_caught_up = [], date.max, False
    for number in range((as_of - min(ever)).days + 1 if ever else 0):
        day = as_of - timedelta(days=number)
        if manifest := there.get(day):
            read_from = min(read_from, day - timedelta(days=manifest.look_back_days))
            has_caught_up = has_caught_up or manifest.mark is not None
        elif day < read_from and (day in ever or not has_caught_up):
            missing.append(day)
    return missing[::-1]

"""What is old goes, as many days after its own as `retention` in `tangga.yml` says, area by area.

A thing is old when its day lies more than so many days before the newest published one and it was written more than
so many days ago as well: what a backfill has just made stays. Whatever its age, nothing goes that a run of today reads:
the partitions of a build (`landing.unread`), the published version and those of the day that the audit compares with
it, the plans of that version and those whose messages no build has heard of yet, the newest customer ids, what
destinations have acknowledged. Memberships and sends are never old: trends, steps, cooldowns and holdouts are read from
all of them.

Each thing goes in one step, so that a run that is killed leaves it whole or gone; whoever has a deleted file open reads
on.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tangga import daily_state, files, identities, ledger, publish
from tangga.contracts import CONTRACTS
from tangga.destinations.files import manifests
from tangga.landing import unread
from tangga.landing.partitions import every
from tangga.publish import Version
from tangga.settings import FilesDestination, Settings
from tangga.storage import Stored

_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Drop = Callable[[], None]


@dataclass(frozen=True)
class Now:
    """The published version and the moment that ages are counted to."""

    version: Version
    moment: datetime

    @property
    def day(self) -> date:
        return date.fromisoformat(self.version.as_of_date)

    def is_old(self, days: int, day: date, place: Path | Stored) -> bool:
        """Whether what is of a day, and lies there, is more than so many days old."""
        return (self.day - day).days > days and self.moment - _written(place) > timedelta(days)


def prune(settings: Settings, moment: datetime | None = None) -> dict[str, int]:
    """Let go of what is old at a moment (now); returns how many things went, by area. Before the first day is published
    nothing is.

    Raises OSError, `LedgerDown`, and `SourceRefused` when the object store cannot be asked.
    """
    version, gone = publish.current(settings), {}
    if version is None:
        return gone
    now = Now(version, moment or datetime.now(UTC))
    for area, old in _AREAS.items():
        if (days := getattr(settings.retention, area)) is not None:
            for gone[area], drop in enumerate(old(settings, now, days), start=1):
                drop()
    if settings.retention.ledger is not None:
        before = now.moment - timedelta(settings.retention.ledger)
        with ledger.opened(settings) as book:
            gone["ledger"] = book.forget(before, _plans_needed(settings, now))
    return {area: count for area, count in gone.items() if count}


def _landing(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    for day, file, copy in list(unread.files(settings, now.day)):
        if now.is_old(days, day, file):
            yield lambda file=file, copy=copy: _drop_rows(file, copy)


def _rejects(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    for entity in CONTRACTS:
        for folder in every(settings, "rejects", entity):
            day = _day_of(folder.name.removeprefix("ds="))
            for file in folder.iterdir() if day else ():
                if now.is_old(days, day, file):
                    yield file.unlink


def _versions(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    """The audit compares a day with the newest published one before it."""
    found = _folders(publish.folder(settings) / "versions")
    before = max((day for day, _ in found if day < now.day), default=None)
    for day, folder in found:
        is_needed = folder.name == now.version.version or day == before
        if not is_needed and now.is_old(days, day, folder):
            yield lambda folder=folder: _drop_folder(folder)


def _plans(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    needed = _plans_needed(settings, now)
    for day, folder in _folders(settings.home / "state" / "plans"):
        if not needed & _hashes(folder) and now.is_old(days, day, folder):
            yield lambda folder=folder: _drop_folder(folder)


def _plans_needed(settings: Settings, now: Now) -> set[str]:
    """Hashes of the plans that may still be delivered, of the last that was at each destination, where a tool may be at
    work on it, and of those whose messages have not been kept."""
    with ledger.opened(settings) as book:
        last = [delivery for name in settings.destinations for delivery in book.deliveries(name, limit=1)]
        needed = {delivery["plan_hash"] for delivery in (*last, *book.unrecorded())}
    for path in (settings.home / "state" / "plans").glob("*/plan.json"):
        if (files.read_json(path) or {}).get("published_version") == now.version.version:
            needed |= _hashes(path.parent)
    return needed


def _hashes(plan: Path) -> set[str]:
    """By what deliveries and decisions know a plan: what each destination is to change has a hash of its own."""
    said = files.read_json(plan / "plan.json") or {}
    return {entry["hash"] for entry in said.get("destinations", {}).values()} - {""}


def _gates(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    for door in (settings.home / "gates").glob("*"):
        for day, folder in _folders(door):
            if now.is_old(days, day, folder):
                yield lambda folder=folder: _drop_folder(folder)
    for page in settings.gate_pages.parent.glob("*.html"):
        day = _day_of(page.stem)
        if day and now.is_old(days, day, page):
            yield page.unlink


def _identities(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    """A day is built on the newest registry before it: that of the published day stays, and the one it was built on."""
    _sweep(settings.home / "state" / identities.NAME)
    for folder in daily_state.days_before(settings, identities.NAME, now.day)[:-1]:
        if now.is_old(days, date.fromisoformat(folder.name.removeprefix("ds=")), folder):
            yield lambda folder=folder: _drop_folder(folder)


def _lists(settings: Settings, now: Now, days: int) -> Iterator[Drop]:
    """Lists that have long been without anybody, and those of destinations that the settings do not name any more."""
    _sweep(settings.home / "exports")
    for folder in sorted((settings.home / "exports").glob("[a-z]*")):
        if isinstance(settings.destinations.get(folder.name), FilesDestination):
            with ledger.opened(settings) as book, book.alone(folder.name, settings.home / "state"):
                for name, (day, file) in manifests.empty_since(folder).items():
                    if now.is_old(days, day, folder / file):
                        yield lambda folder=folder, name=name: manifests.forget(folder, name)
        elif (day := manifests.day_of(folder)) and now.is_old(days, day, folder / "manifest.json"):
            yield lambda folder=folder: _drop_folder(folder)


_AREAS: dict[str, Callable[[Settings, Now, int], Iterator[Drop]]] = {
    "landing": _landing,
    "rejects": _rejects,
    "versions": _versions,
    "plans": _plans,
    "gates": _gates,
    "identities": _identities,
    "lists": _lists,
}


def _folders(base: Path) -> list[tuple[date, Path]]:
    """The folders whose names begin with a day."""
    _sweep(base)
    found = [(_day_of(path.name[:10]), path) for path in sorted(base.glob("[0-9]*"))]
    return [(day, path) for day, path in found if day]


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _written(place: Path | Stored) -> datetime:
    """When something was; long ago if it is gone already."""
    try:
        return datetime.fromtimestamp(place.stat().st_mtime, UTC) if isinstance(place, Path) else place.modified()
    except FileNotFoundError:
        return datetime.fromtimestamp(0, UTC)


def _sweep(base: Path) -> None:
    """What a killed run has left of folders that were to go."""
    for left_over in base.glob(".*.gone"):
        shutil.rmtree(left_over)


def _drop_rows(file: Path | Stored, copy: Path) -> None:
    file.unlink()
    copy.unlink(missing_ok=True)


def _drop_folder(folder: Path) -> None:
    """Gone at once, then file by file."""
    gone = folder.with_name(f".{folder.name}.gone")
    folder.rename(gone)
    shutil.rmtree(gone)

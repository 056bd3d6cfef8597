"""Every place that may know a person, and what takes them out of it. Each may be done twice, and killed at any step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tangga.erasure import hashes, kept, landed, published, tombstones, traces
from tangga.erasure.blocked import Blocked
from tangga.erasure.person import Person
from tangga.erasure.removed import Removed
from tangga.settings import Settings


@dataclass(frozen=True)
class Subject:
    """Whom to take out: what they are known by, the tombstones of it, and the words that name them in a text."""

    person: Person
    blocked: Blocked
    words: tuple[str, ...]


Place = Callable[[Settings, Subject, bool], Removed]

PLACES: dict[str, Place] = {
    "landing": lambda settings, who, dry: landed.partitions(settings, who.blocked, dry),
    "rejects": lambda settings, who, dry: landed.rejects(settings, who.blocked, dry),
    "working file": lambda settings, who, dry: published.working(settings, dry),
    "state of days": lambda settings, who, dry: kept.days(settings, who.person, dry),
    "plans": lambda settings, who, dry: kept.plans(settings, who.person, dry),
    "published versions": lambda settings, who, dry: published.versions(settings, who.person, dry),
    "exports": lambda settings, who, dry: kept.exports(settings, who.person, dry),
    "suppressions": lambda settings, who, dry: kept.suppressions(settings, who.person, dry),
    "logs and pages": lambda settings, who, dry: Removed() if dry else traces.texts(settings, who.words),
    "Airflow's database": lambda settings, who, dry: Removed() if dry else traces.airflow_database(settings, who.words),
}
"""In this order: what others are made of goes first. Callable(settings, whom, whether only to count)."""


def subject(settings: Settings, person: Person, given: dict[str, str]) -> Subject:
    """`given` is what was asked by, in its own spelling."""
    secret = hashes.make_key(settings)
    digests = frozenset((kind, hashes.digest(secret, kind, *parts)) for kind, parts in person.tombstones)
    words = {*person.emails, *person.phones, *(given[name] for name in ("email", "phone") if given.get(name))}
    return Subject(person, Blocked(secret, digests), tuple(sorted(words)))


def look(settings: Settings, who: Subject) -> dict[str, Removed]:
    """What would be removed where; changes nothing."""
    return {name: place(settings, who, True) for name, place in PLACES.items()}


def remove(settings: Settings, who: Subject) -> Iterator[tuple[str, Removed]]:
    """Take the person out of every place, one after the other; nothing lands meanwhile."""
    for name, place in PLACES.items():
        with tombstones.still(settings):
            yield name, place(settings, who, False)

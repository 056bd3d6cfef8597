"""A person who asked to be forgotten: what they were asked for by, and all that they are known by.

It is kept in the request's folder, its owner's only, until the last place has let go of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tangga import files
from tangga.erasure import blocked
from tangga.landing import normalise
from tangga.settings import Settings

IDENTIFIERS = ("email", "phone", "contact_id", "customer_id")
"""By what a person may be asked for."""


class NotOnePerson(Exception):
    """What was given does not say whose data are to be erased; the message has counts only."""


@dataclass
class Person:
    """What a person is known by. Pairs are (namespace, id); `known_as` has their customer ids on each day that the
    registry kept; `shared` counts the addresses and numbers that others have too, and which therefore stay usable.
    `is_final` when nobody looks for them any more."""

    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    records: list[tuple[str, str]] = field(default_factory=list)
    orders: list[tuple[str, str]] = field(default_factory=list)
    anonymous: list[tuple[str, str]] = field(default_factory=list)
    customer_ids: list[str] = field(default_factory=list)
    known_as: dict[str, list[str]] = field(default_factory=dict)
    shared: int = 0
    is_final: bool = False

    def ids_on(self, day: str) -> list[str]:
        """Their customer ids on a day, and today's."""
        return sorted({*self.customer_ids, *self.known_as.get(day, ())})

    def with_all_of(self, other: Person) -> Person:
        """Everything that either of two findings of the same person knows."""
        days = {*self.known_as, *other.known_as}
        known_as = {day: sorted({*self.known_as.get(day, ()), *other.known_as.get(day, ())}) for day in sorted(days)}
        single = {name: sorted({*getattr(self, name), *getattr(other, name)}) for name in ("emails", "phones")}
        pairs = {
            name: sorted({tuple(pair) for pair in (*getattr(self, name), *getattr(other, name))})
            for name in ("records", "orders", "anonymous")
        }
        ids = sorted({*self.customer_ids, *other.customer_ids})
        return Person(**single, **pairs, customer_ids=ids, known_as=known_as, shared=max(self.shared, other.shared))

    @property
    def tombstones(self) -> list[tuple[str, tuple[str, ...]]]:
        """What must not come back: kind, and the parts of what is hashed."""
        single = [("email", (value,)) for value in self.emails] + [("phone", (value,)) for value in self.phones]
        pairs = {"record": self.records, "order": self.orders, "anonymous": self.anonymous}
        return single + [(kind, tuple(pair)) for kind, found in pairs.items() for pair in found]


def write(file: Path, person: Person) -> None:
    files.write_atomically(file, json.dumps(asdict(person)) + "\n")


def read(file: Path) -> Person | None:
    """What was found of a person; None when nothing was, or all of it is done."""
    said = files.read_json(file)
    return Person(**said) if said else None


def values_of(settings: Settings, asked: dict[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """What tombstones are of what was given: kind, and the parts of what is hashed. Raises `NotOnePerson`."""
    given = normal(settings, asked)
    spaces = sorted({spec.namespace or name for name, spec in settings.sources.items()})
    single = [(kind, (given[kind],)) for kind in ("email", "phone") if kind in given]
    return single + [("record", (space, given["contact_id"])) for space in spaces if "contact_id" in given]


def normal(settings: Settings, asked: dict[str, str]) -> dict[str, str]:
    """What was given, as it stands in what landed. Raises `NotOnePerson`."""
    given = {name: value.strip(normalise.SPACES) for name, value in asked.items() if value and name in IDENTIFIERS}
    read_as = {"email": normalise.email, "phone": lambda raw: normalise.phone(raw, settings.business.country)}
    for name, convert in read_as.items():
        if name in given and convert(given[name]) is None:
            raise NotOnePerson(f"The {name} that was given cannot be read as one; correct it and ask again.")
        given |= {name: convert(given[name])} if name in given else {}
    if "contact_id" in given:
        given["contact_id"] = blocked.landed_id(given["contact_id"])
    if not any(given.values()):
        raise NotOnePerson("Nothing was given to find the person by; give an e-mail, a phone or an id.")
    return given

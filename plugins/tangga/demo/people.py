"""The people behind the contact list: who they are meant to be, when they came, and how they behave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangga.demo import names
from tangga.demo.archetypes import FOREVER, SHARES, among, habit
from tangga.demo.catalogue import CATEGORIES
from tangga.demo.world import DAY, World

# How an address stands in the shop's list.
GOOD, MESSY_CASE, SPACES, NBSP, INVALID, ROLE, NO_EMAIL = range(7)
_EMAIL_WEIGHTS = [92.2, 1.0, 0.4, 0.4, 0.5, 0.5, 5.0]
_DUPLICATE_SHARE = 0.02
_SHARED_PHONE_SHARE = 0.002
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class People:
    """One element a contact record, in the order of registration; times in local seconds.

    `person` is the position of the record that the person had first: itself, but for duplicates.
    `second_record` is the person's duplicate record, -1 without. `same_email` says whether a duplicate
    repeats the address (else the phone). `phone_of` is whose number is given, -1 for none.
    `stays_until`, `leaves_after`, `bounces_after`: when visits end, and after which moment the next
    mail is the one that makes them unsubscribe (or complain) or comes back.
    """

    archetype: np.ndarray
    registered: np.ndarray
    person: np.ndarray
    second_record: np.ndarray
    same_email: np.ndarray
    phone_of: np.ndarray
    shares_phone_with: np.ndarray
    email_kind: np.ndarray
    is_female: np.ndarray
    first_name: np.ndarray
    family: np.ndarray
    domain: np.ndarray
    city: np.ndarray
    category: np.ndarray
    opted_in: np.ndarray
    stays_until: np.ndarray
    leaves_after: np.ndarray
    leaves_in_anger: np.ndarray
    bounces_after: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    @property
    def is_duplicate(self) -> np.ndarray:
        return self.person != np.arange(len(self))

    @property
    def is_mailable(self) -> np.ndarray:
        """Whether the mailer knows the person: by the clean form of a usable address."""
        return (self.email_kind <= NBSP) & ~self.is_duplicate


def build_people(world: World) -> People:
    """Everybody who registers until the world's horizon, about `world.contacts_a_day` a day."""
    draws, rate = world.draws, world.contacts_a_day
    n = int(np.ceil((world.horizon - world.start) * rate))
    i = np.arange(n)
    day = world.start + np.floor(i / rate).astype(np.int64)
    registered = day * DAY + world.time_of_day("people.registered", i)
    registered = registered[np.lexsort((registered, day))]

    person = _same_person(world, i)
    is_duplicate = person != i
    archetype = draws.choose("people.archetype", SHARES, i)[person]
    second_record = np.full(n, -1)
    second_record[person[is_duplicate][::-1]] = i[is_duplicate][::-1]

    # Those whose rung hangs on their consent need an address that the consent can be found by.
    email_kind = draws.choose("people.email", _EMAIL_WEIGHTS, i)
    email_kind[among(archetype, "subscriber", "leaver", "regretter") & (email_kind > NBSP)] = GOOD
    same_email = is_duplicate & (email_kind[person] <= NBSP) & draws.chance("people.same_email", 0.6, i)

    shares_phone_with = np.where(
        ~is_duplicate & draws.chance("people.shared_phone", _SHARED_PHONE_SHARE, i) & (i > 0), person[i - 1], -1
    )
    has_phone = draws.chance("people.has_phone", 0.9, i) | (email_kind == NO_EMAIL) | (second_record >= 0)
    phone_of = np.where(has_phone, i, -1)
    phone_of = np.where(shares_phone_with >= 0, shares_phone_with, phone_of)
    phone_of = np.where(is_duplicate, np.where(same_email, -1, phone_of[person]), phone_of)

    stays = habit("stays", archetype)
    stays_days = draws.between("people.stays", stays[:, 0], stays[:, 1], i)
    opted_in = draws.chance("people.opt_in", habit("opt_in", archetype), i) & (email_kind <= NBSP) & ~is_duplicate
    # A prospect who leaves or bounces would no longer be one: only those who mean to, do.
    may_leave = ~among(archetype, "subscriber", "leaver", "regretter")
    leaves = among(archetype, "leaver") | (may_leave & draws.chance("people.leaves", 0.07, i))
    leaves_days = draws.between("people.leaves_after", 40, 250, i)
    bounces = may_leave & ~leaves & draws.chance("people.bounces", 0.04, i)
    bounces_days = draws.between("people.bounces_after", 0, 300, i)
    return People(
        archetype=archetype,
        registered=registered,
        person=person,
        second_record=second_record,
        same_email=same_email,
        phone_of=phone_of,
        shares_phone_with=shares_phone_with,
        email_kind=email_kind,
        is_female=draws.chance("people.female", 0.58, i)[person],
        first_name=draws.integers("people.first_name", 0, len(names.WOMEN) - 1, i)[person],
        family=draws.integers("people.family", 0, len(names.FAMILIES) - 1, i)[person],
        domain=draws.choose("people.domain", names.DOMAIN_WEIGHTS, i),
        city=draws.choose("people.city", names.CITY_WEIGHTS, i)[person],
        category=draws.integers("people.category", 0, len(CATEGORIES) - 1, i)[person],
        opted_in=opted_in,
        stays_until=np.where(stays_days < FOREVER, registered + (stays_days * DAY).astype(np.int64), _NEVER),
        leaves_after=np.where(leaves, registered + (leaves_days * DAY).astype(np.int64), _NEVER),
        leaves_in_anger=~among(archetype, "leaver") & draws.chance("people.complains", 0.1, i),
        bounces_after=np.where(bounces, registered + (bounces_days * DAY).astype(np.int64), _NEVER),
    )


def _same_person(world: World, i: np.ndarray) -> np.ndarray:
    """For each record the first record of its person: a few register again within two months."""
    back = np.maximum(1, np.minimum(i, int(60 * world.contacts_a_day)))
    first = i - world.draws.integers("people.duplicate_of", 1, back, i)
    wants = world.draws.chance("people.duplicate", _DUPLICATE_SHARE, i) & (i > 0)
    return np.where(wants & ~wants[np.maximum(first, 0)], first, i)

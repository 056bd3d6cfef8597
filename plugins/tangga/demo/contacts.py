"""shop/contacts.csv and shop/referrals.csv, and the clean address by which other systems know a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tangga.demo import names
from tangga.demo.archetypes import among
from tangga.demo.catalogue import CATEGORIES
from tangga.demo.dirt import Blemish, changing, extra_field, prefixed, setting, write_lines, years_ahead
from tangga.demo.people import INVALID, MESSY_CASE, NBSP, NO_EMAIL, ROLE, SPACES, People
from tangga.demo.referrals import Referrals
from tangga.demo.world import DAY, World
from tangga.demo.writing import Table, csv_lines, joined, local_time, numbers, only_where, padded, words

CONTACT_WIDTH = 7

_BLEMISHES = (
    Blemish("contacts.extra_field", 0.001, spoil=extra_field(",")),
    Blemish("contacts.no_id", 0.001, setting(id="")),
    Blemish("contacts.repeated", 0.003),
    Blemish(
        "contacts.older_state", 0.002, setting(city="Jakarta", modified_at="2000-01-01 00:00:00"), comes_first=True
    ),
    Blemish(
        "contacts.future", 0.001,
        lambda table: changing(id=prefixed("X"), registered_at=years_ahead, modified_at=years_ahead)(
            setting(email="", phone="")(table)
        ),
    ),
)  # fmt: skip
_REFERRAL_BLEMISHES = (Blemish("referrals.repeated", 0.01), Blemish("referrals.nobody", 0.01, setting(referrer="")))


def contact_id(contact: np.ndarray) -> pa.Array:
    """The shop's number for each contact, counted from 1, as text; nothing for a negative position."""
    return only_where(contact >= 0, padded(contact + 1, CONTACT_WIDTH))


def clean_emails(people: People, contact: np.ndarray) -> pa.Array:
    """The address that each of the contacts really has; it may stand otherwise in the shop's list."""
    first = words(_slugs(names.WOMEN + names.MEN), _first_name(people, contact))
    family = words(_slugs(names.FAMILIES), people.family[contact])
    return joined(first, ".", family, numbers(contact), "@", words(names.DOMAINS, people.domain[contact]))


def write_contacts(folder: Path, world: World, people: People) -> int:
    """Write contacts.csv as of the world's day; gives the number of rows."""
    contact = np.flatnonzero(people.registered < world.cutoff)
    table = _contacts(world, people, contact)
    return write_lines(
        folder / "contacts.csv", world.draws, table, contact, csv_lines(","), _BLEMISHES, header=",".join(table)
    )


def _contacts(world: World, people: People, contact: np.ndarray) -> Table:
    draws = world.draws
    registered = people.registered[contact]
    # Some edit their profile later, and of those half have moved.
    edited = registered + (draws.between("contacts.edited", 20, 600, contact) * DAY).astype(np.int64)
    has_edited = draws.chance("contacts.edits", 0.4, contact) & (edited < world.cutoff)
    moved = has_edited & draws.chance("contacts.moves", 0.3, contact)
    city = np.where(moved, draws.choose("contacts.new_city", names.CITY_WEIGHTS, contact), people.city[contact])

    strange = draws.chance("contacts.strange_name", 0.003, contact)
    strange_name = draws.integers("contacts.which_strange_name", 0, len(names.STRANGE_NAMES) - 1, contact)
    first_names = words([*names.WOMEN, *names.MEN], _first_name(people, contact))
    genders = np.where(draws.chance("contacts.has_gender", 0.85, contact), people.is_female[contact], -1)
    return {
        "id": contact_id(contact),
        "modified_at": local_time(np.where(has_edited, edited, registered)),
        "email": _emails(world, people, contact),
        "phone": _phones(world, people, contact),
        "first_name": pc.if_else(pa.array(strange), words(names.STRANGE_NAMES, strange_name), first_names),
        "last_name": words(names.FAMILIES, people.family[contact]),
        "gender": words(["L", "P"], genders.astype(np.int64)),
        "birth_date": _births(world, people, contact),
        "job": words(names.JOBS, draws.integers("contacts.job", 0, len(names.JOBS) - 1, people.person[contact])),
        "city": words(names.CITIES, city),
        "country": only_where(draws.chance("contacts.country", 0.97, contact), "ID"),
        "lang": words(["id", "en"], draws.choose("contacts.language", [88, 12], contact)),
        "registered_at": local_time(registered),
        "came_from": words(names.ORIGINS, _origins(world, people, contact)),
        "interests": _interests(world, people, contact),
    }


def _slugs(vocabulary: list[str]) -> list[str]:
    return ["".join(letter for letter in word.lower() if letter.isalpha()) for word in vocabulary]


def _first_name(people: People, contact: np.ndarray) -> np.ndarray:
    return people.first_name[contact] + np.where(people.is_female[contact], 0, len(names.WOMEN))


def _emails(world: World, people: People, contact: np.ndarray) -> pa.Array:
    """Addresses as the shop's list has them: typed by people, copied from messengers, or left out."""
    person, kind = people.person[contact], people.email_kind[contact]
    again = people.same_email[contact]
    clean = clean_emails(people, np.where(again, person, contact))
    kind = np.where(again, np.where(kind % 2 == 0, MESSY_CASE, SPACES), kind)
    invalid = world.draws.integers("contacts.invalid", 0, len(names.INVALID_ADDRESSES) - 1, contact)
    role = world.draws.integers("contacts.role", 0, len(names.ROLE_ADDRESSES) - 1, contact)
    forms = {
        MESSY_CASE: pc.utf8_upper(clean),
        SPACES: joined(" ", clean, "  "),
        NBSP: joined(clean, "\u00a0"),
        INVALID: words(names.INVALID_ADDRESSES, invalid),
        ROLE: words(names.ROLE_ADDRESSES, role),
        NO_EMAIL: "",
    }
    for form, texts in forms.items():
        clean = pc.if_else(pa.array(kind == form), texts, clean)
    return clean


def _phones(world: World, people: People, contact: np.ndarray) -> pa.Array:
    """Numbers in the notations that people use; different owners have different ones, as the factor and
    10^8 share no divisor."""
    owner = people.phone_of[contact]
    digits = padded((owner * 7_654_321 + 12_345_678) % 100_000_000, 8)
    operator = numbers(891 + owner % 4)
    a, b = pc.utf8_slice_codeunits(digits, 0, 4), pc.utf8_slice_codeunits(digits, 4, 8)
    notations = [
        joined("0", operator, digits), joined("0", operator, "-", a, "-", b), joined("+62 ", operator, " ", a, " ", b),
        joined("62", operator, digits), joined("+62", operator, digits), joined("(0", operator, ") ", digits),
    ]  # fmt: skip
    notation = world.draws.choose("contacts.notation", [40, 20, 15, 12, 8, 5], contact)
    return only_where(owner >= 0, pc.choose(pa.array(notation), *notations))


def _births(world: World, people: People, contact: np.ndarray) -> pa.Array:
    """DD/MM/YYYY; some unknown, some what forms put in when nobody answers."""
    draws, person = world.draws, people.person[contact]
    first, last = np.datetime64("1958-01-01"), np.datetime64("2008-12-31")
    day = draws.integers("contacts.birth", first.astype(int), last.astype(int), person)
    # One in 1,461 is born on a leap day: too few to be seen in a demo, so there are a few more.
    leap = (1960 + 4 * draws.integers("contacts.leap_year", 0, 11, person)).astype(str)
    leap_days = np.char.add(leap, "-02-29").astype("datetime64[D]").astype(np.int64)
    day = np.where(draws.chance("contacts.leap", 0.004, person), leap_days, day)
    iso = local_time(day * DAY)
    year, month, of_month = (pc.utf8_slice_codeunits(iso, *part) for part in ((0, 4), (5, 7), (8, 10)))
    births = joined(of_month, "/", month, "/", year)
    kind = draws.choose("contacts.birth_kind", [74, 25, 0.3, 0.2], contact)
    return pc.choose(pa.array(kind), births, "", "01/01/1900", "00/00/0000")


def _origins(world: World, people: People, contact: np.ndarray) -> np.ndarray:
    origin = world.draws.choose("contacts.origin", names.ORIGIN_WEIGHTS, contact)
    return np.where(among(people.archetype[contact], "passer_by"), names.ORIGINS.index("bazar"), origin)


def _interests(world: World, people: People, contact: np.ndarray) -> pa.Array:
    """One or two categories that people name; usually, but not always, what they go on to buy."""
    draws = world.draws
    other = draws.integers("contacts.interest", 0, len(CATEGORIES) - 1, contact)
    honest = draws.chance("contacts.honest", 0.7, contact)
    first = words(CATEGORIES, np.where(honest, people.category[contact], other))
    second = words(CATEGORIES, (other + 3) % len(CATEGORIES))
    two = draws.chance("contacts.two_interests", 0.4, contact)
    named = draws.chance("contacts.named", 0.6, contact)
    return only_where(named, pc.if_else(pa.array(two), joined(first, "|", second), first))


def write_referrals(folder: Path, world: World, referrals: Referrals) -> int:
    """Write referrals.csv, by time; gives the number of rows."""
    referrer, referred, time = referrals
    known = time < world.cutoff
    referrer, referred, time = referrer[known], referred[known], time[known]
    table = {
        "referrer": contact_id(referrer),
        "friend": contact_id(referred),
        "referred_at": local_time(time),
        "code": joined("AJAK", contact_id(referrer)),
    }
    return write_lines(
        folder / "referrals.csv", world.draws, table, referred, csv_lines(","), _REFERRAL_BLEMISHES,
        header=",".join(table),
    )  # fmt: skip

"""Customer ids from day to day: the models over random days, against the rule in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tangga import identities
from tests.dbt.harness import AS_OF, Compiled

MODELS = (
    "int_contact_records",
    "int_contact_values",
    "int_customer_clusters",
    "int_cluster_anchors",
    "int_customer_id_claims",
    "int_settled_claims",
    "int_cluster_customers",
    "int_customer_identities",
    "int_identity_changes",
    "int_customer_ids",
    "int_known_records",
    "int_known_addresses",
    "customer_id_aliases",
)
NOT_LINKING = {"info@example.com", "info+news@example.com", "+62811000000"}
MOST_RECORDS = 5

Record = tuple[str, str]
"""source, contact_id"""


@dataclass(frozen=True)
class Contact:
    seen: int | None = None
    """Day of June on which it was first seen, as its source says today."""
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Day:
    contacts: dict[Record, Contact]
    links: frozenset[tuple[Record, Record]] = frozenset()


@dataclass
class Known:
    """What is known at the end of a day; `ids` has each id's maker, first day, and the id that stands for it."""

    customers: dict[Record, str] = field(default_factory=dict)
    of: dict[Record, str] = field(default_factory=dict)
    ids: dict[str, tuple[Record, date, str | None]] = field(default_factory=dict)
    changes: set[tuple] = field(default_factory=set)


def clusters_of(day: Day) -> list[frozenset[Record]]:
    parent = {record: record for record in day.contacts}

    def root(record: Record) -> Record:
        while parent[record] != record:
            record = parent[record]
        return record

    holders: dict[str, list[Record]] = {}
    for record, contact in day.contacts.items():
        for value in (contact.email, contact.phone):
            if value and value not in NOT_LINKING:
                holders.setdefault(value, []).append(record)
    pairs = [pair for records in holders.values() if len(records) <= MOST_RECORDS for pair in pairwise(records)]
    # A link gives both records the name of the second, which need not be there for others to share it.
    declared: dict[Record, set[Record]] = {}
    for one, other in day.links:
        declared.setdefault(other, set()).update({one, other} & set(parent))
    pairs += [pair for records in declared.values() for pair in pairwise(sorted(records))]
    for one, other in pairs:
        parent[root(one)] = root(other)
    found: dict[Record, set[Record]] = {}
    for record in parent:
        found.setdefault(root(record), set()).add(record)
    return [frozenset(cluster) for cluster in found.values()]


def reference(before: Known, today: date, day: Day) -> Known:
    """The rule as it is written in docs/decisions/0010, one customer at a time."""
    clusters = clusters_of(day)
    anchor = {c: min(c, key=lambda r: (day.contacts[r].seen is None, day.contacts[r].seen, r)) for c in clusters}
    had = {c: Counter(before.of[record] for record in c if record in before.of) for c in clusters}

    def wishes(c):
        own = sorted(had[c], key=lambda i: (before.ids[i][1], -had[c][i], i))
        retired = [i for i, (maker, _, into) in before.ids.items() if into and maker in c]
        return own + sorted(retired, key=lambda i: (before.ids[i][1], i))

    refused: set[tuple] = set()
    while True:
        asked: dict[str, list] = {}
        for c in clusters:
            for wish in [i for i in wishes(c) if (c, i) not in refused][:1]:
                asked.setdefault(wish, []).append(c)
        losers = {
            (c, i)
            for i, asking in asked.items()
            for c in sorted(asking, key=lambda c: (before.ids[i][0] not in c, -had[c][i], anchor[c]))[1:]  # noqa: B023
        }
        if not losers:
            break
        refused |= losers
    name = {asking[0]: i for i, asking in asked.items()}
    for c in clusters:
        if c not in name:
            text = ":".join(anchor[c])
            name[c] = hashed(text) if hashed(text) not in before.ids else hashed(f"{text}:{today}")

    after = Known(changes=set(before.changes))
    after.customers = {record: name[c] for c in clusters for record in c}
    kept = set(name.values())
    into = {}
    for old in {i for c in clusters for i in had[c]}:
        claimants = sorted(
            (c for c in clusters if old in had[c]), key=lambda c: (before.ids[old][0] not in c, -had[c][old], anchor[c])
        )
        if old not in kept:
            into[old] = name[claimants[0]]
        for c in claimants:
            if name[c] != old:
                was_there = name[c] in before.ids and not before.ids[name[c]][2]
                kind = "moved" if was_there else "split"
                kind = "merged" if old in into and c == claimants[0] else kind
                after.changes.add((today, kind, old, name[c], had[c][old]))
    for i, (maker, first, stands) in before.ids.items():
        after.ids[i] = (maker, first, None if i in kept else into.get(i) or into.get(stands) or stands)
    for c in clusters:
        after.ids.setdefault(name[c], (anchor[c], today, None))
    after.of = {record: into.get(i, i) for record, i in before.of.items()} | after.customers
    return after


def hashed(text: str) -> str:
    return "c" + sha256(text.encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def models(compiled: Compiled):
    """The models over empty tables, which are empty again afterwards."""
    compiled.con.execute("begin")
    yield compiled
    compiled.con.execute("rollback")


def start(models: Compiled) -> None:
    for table in identities.TABLES:
        models.fill(f"registry.{table}", [])


def build(models: Compiled, today: date, day: Day) -> Known:
    """Let the models compute a day, and keep what they would for the next."""
    models.fill("stg_contacts", [
        {"source": source, "contact_id": number, "signup_at": c.seen and f"2026-06-{c.seen:02}", "email": c.email,
         "phone": c.phone}
        for (source, number), c in day.contacts.items()
    ])  # fmt: skip
    names = ("source", "contact_id", "other_source", "other_contact_id")
    models.fill("reference.links", [dict(zip(names, one + other, strict=True)) for one, other in day.links])
    for model in MODELS:
        models.put(model, today)
    rows = {table: table_rows(models, model, list(columns)) for table, (model, columns) in identities.TABLES.items()}
    for table, (_, columns) in identities.TABLES.items():
        models.fill(f"registry.{table}", [dict(zip(columns, row, strict=True)) for row in rows[table]])
    retired = {row[0]: row[4] for row in rows["customer_ids"] if row[4]}
    assert dict(table_rows(models, "customer_id_aliases", ["customer_id_before", "customer_id"])) == retired
    assert len(set(rows["changes"])) == len(rows["changes"])
    found = table_rows(models, "int_customer_identities", ["source", "contact_id", "customer_id"])
    assert len(found) == len(day.contacts)
    return Known(
        customers={(source, number): customer for source, number, customer in found},
        of={(source, number): customer for source, number, customer in rows["records"]},
        ids={i: ((source, number), first, into) for i, source, number, first, into in rows["customer_ids"]},
        changes=set(rows["changes"]),
    )


def table_rows(models: Compiled, table: str, columns: list[str]) -> list[tuple]:
    return models.ref(table).project(", ".join(columns)).fetchall()


RECORDS = st.tuples(st.sampled_from(["shop", "till"]), st.sampled_from("12345"))
CONTACTS = st.builds(
    Contact,
    st.one_of(st.none(), st.integers(1, 3)),
    st.sampled_from([None, "a@example.com", "b@example.com", "c@example.com", "info@example.com",
                     "info+news@example.com"]),
    st.sampled_from([None, None, "+62811", "+62812", "+62811000000"]),
)  # fmt: skip
DAYS = st.lists(
    st.builds(
        Day,
        st.dictionaries(RECORDS, CONTACTS, max_size=8),
        st.one_of(st.just(frozenset()), st.frozensets(st.tuples(RECORDS, RECORDS), max_size=2)),
    ),
    min_size=2,
    max_size=5,
)
S1, S2, S3, T1, T2 = ("shop", "1"), ("shop", "2"), ("shop", "3"), ("till", "1"), ("till", "2")
A, B = "a@example.com", "b@example.com"
MERGE_AND_BACK = [
    Day({S1: Contact(1, A), T1: Contact(2, B)}),
    Day({S1: Contact(1, A), T1: Contact(2, A)}),
    Day({S1: Contact(1, A), T1: Contact(2, B)}),
]


@hypothesis_settings(deadline=None, max_examples=60)
@given(DAYS)
@example(MERGE_AND_BACK)
@example([Day({S1: Contact(1, A)}), Day({S1: Contact(2, A), T1: Contact(1, A)}), Day({}), Day({S1: Contact(1, B)})])
def test_ids_go_on_by_the_rule(models, days):
    start(models)
    known = Known()
    for number, day in enumerate(days):
        today = AS_OF + timedelta(days=number)
        before, known = known, reference(known, today, day)
        found = build(models, today, day)
        assert found == known

        groups = {i: {r for r in found.customers if found.customers[r] == i} for i in found.customers.values()}
        assert set(map(frozenset, groups.values())) == set(clusters_of(day)), "a customer is not one cluster"
        previous = {i: {r for r in before.customers if before.customers[r] == i} for i in before.customers.values()}
        for i, group in previous.items():
            has_returned = any(before.of.get(record) == i for record in found.customers if record not in group)
            if group in groups.values() and not has_returned:
                assert groups.get(i) == group, "nothing happened to these records but their id changed"
        assert all(found.ids[into][2] is None for *_, into in found.ids.values() if into), "an alias of a retired id"
        assert {i for i in found.of.values() if found.ids[i][2]} == set(), "a record has a retired id"


def test_without_a_registry_the_id_is_the_hash_of_the_record_seen_first(models):
    start(models)
    found = build(models, AS_OF, Day({S1: Contact(None, A), T1: Contact(1, A), S2: Contact(1, B), T2: Contact(1, B)}))
    till, shop = hashed("till:1"), hashed("shop:2")
    assert found.customers == {S1: till, T1: till, S2: shop, T2: shop}
    assert found.changes == set()


def sequence(models: Compiled, *days: Day) -> Known:
    start(models)
    for number, day in enumerate(days):
        found = build(models, AS_OF + timedelta(days=number), day)
    return found


def test_late_data_do_not_rename_a_customer(models):
    """Another record turns out to be the earliest."""
    found = sequence(models, Day({S1: Contact(2, A)}), Day({S1: Contact(2, A), T1: Contact(1, A)}))
    assert set(found.customers.values()) == {hashed("shop:1")}
    assert found.changes == set()


def test_a_customer_outlives_the_record_that_its_id_was_made_from(models):
    found = sequence(models, Day({S1: Contact(1, A), T1: Contact(2, A)}), Day({T1: Contact(2, A)}))
    assert found.customers == {T1: hashed("shop:1")}


def test_who_comes_back_has_the_id_of_before(models):
    found = sequence(models, Day({S1: Contact(1, A), T1: Contact(2, A)}), Day({}), Day({T1: Contact(2, B)}))
    assert found.customers == {T1: hashed("shop:1")}


def test_a_merge_that_was_an_error_gives_both_their_ids_back(models):
    one, other = hashed("shop:1"), hashed("till:1")
    merged = sequence(models, *MERGE_AND_BACK[:2])
    assert merged.customers == {S1: one, T1: one}
    assert merged.ids[other][2] == one
    parted = sequence(models, *MERGE_AND_BACK)
    assert parted.customers == {S1: one, T1: other}
    assert parted.ids[other][2] is None
    assert sorted(parted.changes) == [
        (AS_OF + timedelta(days=1), "merged", other, one, 1),
        (AS_OF + timedelta(days=2), "split", one, other, 1),
    ]


def test_a_retired_id_leads_through_later_merges(models):
    oldest, older, old = hashed("shop:1"), hashed("shop:2"), hashed("shop:3")
    found = sequence(
        models,
        Day({S1: Contact(1, A)}),
        Day({S1: Contact(1, A), S2: Contact(1, B)}),
        Day({S1: Contact(1, A), S2: Contact(1, B), S3: Contact(1, "c@example.com")}),
        Day({S1: Contact(1, A), S2: Contact(1, B), S3: Contact(1, B)}),
        Day({S1: Contact(1, A), S2: Contact(1, A)}),
    )
    assert {i: into for i, (_, _, into) in found.ids.items()} == {oldest: None, older: oldest, old: oldest}
    assert found.of[S3] == oldest, "a record that is not seen does not follow its customer"


def test_the_name_of_a_new_customer_is_nobody_elses(models):
    """T1 joins S1's older customer, while T2 keeps the id that was made from T1; when T1 stands alone again, its name
    is taken."""
    taken = hashed("till:1")
    third = AS_OF + timedelta(days=3)
    found = sequence(
        models,
        Day({S1: Contact(1, A)}),
        Day({S1: Contact(1, A), T1: Contact(1, B), T2: Contact(2, B)}),
        Day({S1: Contact(1, A), T1: Contact(1, A), T2: Contact(2, B)}),
        Day({S1: Contact(1, A), T1: Contact(1, "c@example.com"), T2: Contact(2, B)}),
    )
    assert found.customers == {S1: hashed("shop:1"), T1: hashed(f"till:1:{third}"), T2: taken}

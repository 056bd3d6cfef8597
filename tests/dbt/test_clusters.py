"""Which records are one person: the Python model against a union-find over random records and values."""

from __future__ import annotations

from collections import defaultdict

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tangga import dbt
from tests.dbt.harness import load_model

FILE = dbt.PROJECT / "models" / "intermediate" / "int_customer_clusters.py"

Record = tuple[str, str]
"""source, contact_id"""


class Context:
    """As much of dbt as the model uses, over tables in memory."""

    def __init__(self, records: list[Record], values: list[tuple[str, str, str, str]]) -> None:
        self.con = duckdb.connect()
        self.con.execute("create table int_contact_records (source varchar, contact_id varchar)")
        self.con.execute(
            "create table int_contact_values "
            "(source varchar, contact_id varchar, kind varchar, value varchar, is_linking boolean)"
        )
        if records:
            self.con.executemany("insert into int_contact_records values (?, ?)", records)
        if values:
            self.con.executemany("insert into int_contact_values values (?, ?, ?, ?, true)", values)

    def config(self, **_: object) -> None:
        """Where the table goes is not the question here."""

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.con.table(name)


def cluster(records: list[Record], values: list[tuple[str, str, str, str]]) -> dict[Record, int]:
    """The model's answer: record -> number of its cluster."""
    context = Context(records, values)
    rows = load_model(FILE)(context, context.con).to_pylist()
    assert len(rows) == len(records)
    return {(row["source"], row["contact_id"]): row["cluster_number"] for row in rows}


def together(numbers: dict[Record, int]) -> set[frozenset[Record]]:
    """The clusters themselves, whatever their numbers."""
    groups = defaultdict(set)
    for record, number in numbers.items():
        groups[number].add(record)
    return {frozenset(group) for group in groups.values()}


def union_find(records: list[Record], values: list[tuple[str, str, str, str]]) -> set[frozenset[Record]]:
    parent = {record: record for record in records}

    def root(record: Record) -> Record:
        while parent[record] != record:
            record = parent[record]
        return record

    first: dict[tuple[str, str], Record] = {}
    for source, contact_id, kind, value in values:
        record = (source, contact_id)
        parent[root(record)] = root(first.setdefault((kind, value), record))
    return together({record: hash(root(record)) for record in records})


@st.composite
def graphs(draw):
    records = draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("0123456789")), max_size=20, unique=True))
    if not records:
        return [], []
    value = st.tuples(st.sampled_from(records), st.sampled_from(["email", "phone"]), st.sampled_from("uvwxyz"))
    return records, [(*record, *rest) for record, *rest in draw(st.lists(value, max_size=25, unique=True))]


@hypothesis_settings(deadline=None, max_examples=60)
@given(graphs())
def test_clusters_are_those_of_a_union_find(graph):
    records, values = graph
    numbers = cluster(records, values)
    assert together(numbers) == union_find(records, values)
    assert cluster(records[::-1], values[::-1]) == numbers, "the order of rows changes the numbers"


@pytest.mark.parametrize("length", [0, 1, 2000])
def test_a_chain_of_any_length_is_one_person(length):
    records = [("shop", f"{number:05}") for number in range(length)]
    values = [
        (*record, "email", f"{number + step}@example.com") for number, record in enumerate(records) for step in (0, 1)
    ]
    assert len(set(cluster(records, values).values())) == min(length, 1)


def test_an_address_is_no_telephone_number():
    values = [("shop", "1", "email", "same"), ("shop", "2", "phone", "same")]
    assert len(set(cluster([("shop", "1"), ("shop", "2")], values).values())) == 2

"""Which rows of Tangga's own tables and files are of a person, told by the names of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

from tangga.erasure.blocked import address_id
from tangga.erasure.person import Person

VALUES = ("email", "phone", "address", "key", "recipient")
"""Columns that hold an address or a number."""


def load(con: duckdb.DuckDBPyConnection, person: Person, ids: Iterable[str]) -> None:
    """Temp tables of what a person is known by; `ids` are the customer ids that count where rows are looked for."""
    values = [*person.emails, *person.phones]
    addresses = [f"{prefix}{address_id(value)[6:]}" for value in values for prefix in ("email:", "phone:")]
    columns = {
        "_person_ids": pa.table({"value": pa.array(sorted(set(ids)), pa.string())}),
        "_person_values": pa.table({"value": pa.array(values, pa.string())}),
        "_person_addresses": pa.table({"value": pa.array(addresses, pa.string())}),
        "_person_records": pa.table({
            "source": pa.array([source for source, _ in person.records], pa.string()),
            "contact_id": pa.array([contact for _, contact in person.records], pa.string()),
        }),
    }  # fmt: skip
    for name, table in columns.items():
        con.register("_arrow", table)
        con.execute(f"create or replace temp table {name} as from _arrow")
        con.unregister("_arrow")


def condition(columns: Sequence[str], relation: str) -> str | None:
    """A SQL condition, true for the rows of `relation` that are of the person; None when no column could tell."""
    found = []
    for name in columns:
        if name.endswith("customer_id") or name == "customer_id_before":
            found.append(f"{name} in (select value from _person_ids)")
        if name in VALUES:
            found.append(f"lower(cast({name} as varchar)) in (select value from _person_values)")
        if name == "key":
            found.append("cast(key as varchar) in (select value from _person_ids)")
        if name == "address_id":
            found.append("address_id in (select value from _person_addresses)")
    if {"source", "contact_id"} <= set(columns):
        same = f"r.source = {relation}.source and r.contact_id = {relation}.contact_id"
        found.append(f"exists (select 1 from _person_records as r where {same})")
    return " or ".join(f"coalesce({part}, false)" for part in found) or None

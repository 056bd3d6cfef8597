"""What differs between the lists as they should be and what a destination has acknowledged, frozen in the plan.

    state/plans/<...>/changes/<destination>.parquet    one row a person and operation, in the order of sending

Its columns: chunk, operation, list_name, key, customer_id, address, remote_id, fields_hash; for upsert and replace
those of the plan's members besides. People are rows by address: two customers with one address are one person there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tangga import audiences, files
from tangga.activation import checksums
from tangga.activation.lists import LISTS, WHOLE_LISTS
from tangga.destinations.destination import Destination, Operation
from tangga.engine import literal
from tangga.ledger import Ledger
from tangga.settings import Settings
from tangga.settings.destinations import PACE

BASE = ("key", "customer_id", "address", "remote_id")
NARROW = (*BASE, "fields_hash")
OF_LISTS = ("audience", "channel", "why", "entry_key", "entered_on", "step", "template", "is_due")
"""Columns of the plan's members that say something of a membership; the others are of the person."""

NOES = (
    *("complained", "unsubscribed", "suppressed", "said no since"),
    *("consent revoked", "somebody with the same address said no"),
)
"""The reasons of `customer_contactability` that are a person's no. Those without a yes, or whose address is of no use,
are only taken off the lists."""


@dataclass(frozen=True)
class Part:
    """Rows that are sent at once. `rows` has what the destination is given, and `fields_hash`."""

    number: int
    operation: Operation
    list_name: str | None
    rows: pa.Table


def freeze(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    book: Ledger,
    name: str,
    destination: Destination,
    file: Path,
) -> dict:
    """Write the changes of a destination; returns what the plan says of them.

    `con` holds the plan's `members` and `messages`, `kept` (members of the audiences that are left out) and
    `published`. `basis` is the destination's position in the ledger that the changes were made from, none for one that
    is given whole lists; `noes` is how many chunks take off who said no, the first ones; `hash` is what a person
    approves.
    """
    is_whole = "replace" in destination.sizes
    basis = None if is_whole else book.destination(name)["position"]  # first: what comes after makes the plan void
    load(con, "acknowledged_people", book.contacts(name), PEOPLE)
    load(con, "acknowledged_lists", book.memberships(name), MEMBERSHIPS)
    listed = wanted(con, settings, name, is_whole)
    con.execute("create or replace temp table wanted (audience varchar)")
    con.executemany("insert into wanted values (?)", [[audience] for audience in listed] or [[None]])
    columns = [column for column, *_ in con.execute("describe members").fetchall()]
    told = [column for column in columns if is_whole or column not in OF_LISTS]
    _hash_fields(con, told, settings.destinations[name].model_dump_json(exclude=PACE))
    _say_who_refuses(con, book, name)
    con.execute((WHOLE_LISTS if is_whole else LISTS).format(identity=_IDENTITIES[destination.identity]))
    emptied = _emptied(con) if is_whole else []
    rows, noes = _write(con, destination.sizes, told, len(emptied), file)
    said = {"sha256": files.sha256(file), "basis": basis, "audiences": listed, "emptied": emptied, "noes": noes}
    said["settings"] = checksums.of_settings(settings, name)
    said |= {"people": _counts(con, "people").get("", {}), "lists": _counts(con, "list_counts"), "operations": rows}
    return {"hash": checksums.of_changes(name, said), **said}


def wanted(con: duckdb.DuckDBPyConnection, settings: Settings, name: str, is_whole: bool) -> list[str]:
    """The audiences of the plan, those that are left out among them, that go to a destination: those that `audiences`
    names, by themselves or by their family; else all that are of no family, and to one that is given whole lists simply
    all."""
    named, entries = settings.destinations[name].audiences, audiences.load()
    query = "select audience from members union select audience from kept order by 1"
    planned = [audience for (audience,) in con.execute(query).fetchall()]
    family = {audience: entry and entry.family and entry.name for audience in planned
              if (entry := audiences.entry_of(audience, entries)) or True}  # fmt: skip
    if named is not None:
        return [audience for audience in planned if audience in named or family[audience] in named]
    return [audience for audience in planned if is_whole or not family[audience]]


def parts(folder: Path, name: str, entry: Mapping) -> Iterator[Part]:
    """The chunks of a destination in the order of sending, read one after the other. `entry` is what the plan says of
    the destination."""
    nobody = pa.table({column: pa.array([], pa.string()) for column in NARROW})
    for number, list_name in enumerate(entry["emptied"]):
        yield Part(number, "replace", list_name, nobody)
    with pq.ParquetFile(folder / "changes" / f"{name}.parquet") as file:
        rest = file.schema_arrow.empty_table()
        for batch in file.iter_batches(50_000):
            rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
            ends = np.flatnonzero(np.diff(rest["chunk"].to_numpy())) + 1
            for begin, end in pairwise([0, *ends.tolist()]):
                yield _part(rest.slice(begin, end - begin))
            rest = rest.slice(ends[-1]) if len(ends) else rest
    if rest.num_rows:
        yield _part(rest)


def _part(rows: pa.Table) -> Part:
    number, operation, list_name = (rows[column][0].as_py() for column in ("chunk", "operation", "list_name"))
    rows = rows.drop_columns(["chunk", "operation", "list_name"])
    return Part(number, operation, list_name, rows if operation in ("upsert", "replace") else rows.select(list(NARROW)))


PEOPLE = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "customer_id", "address", "remote_id", "fields_hash")),
        ("is_stopped", pa.bool_()),
    ]
)
REFUSALS = pa.schema([(name, pa.string()) for name in ("destination", "address", "status")])
MEMBERSHIPS = pa.schema(
    [*((name, pa.string()) for name in ("list_name", "key", "customer_id", "fields_hash")), ("is_certain", pa.bool_())]
)
_IDENTITIES = {"address": "email", "customer_id": "customer_id"}


def load(con: duckdb.DuckDBPyConnection, table: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
    """Create a temp table of what the ledger gives."""
    con.register("_batches", pa.RecordBatchReader.from_batches(schema, batches))
    con.execute(f"create or replace temp table {table} as from _batches")
    con.unregister("_batches")


def _hash_fields(con: duckdb.DuckDBPyConnection, told: Sequence[str], salt: str) -> None:
    """Create `listed`: the plan's members with an address, with a checksum of what the destination is told of them. It
    changes with the destination's settings, too: fields that are called differently there are told anew (how fast
    it is asked makes no difference)."""
    texts = ", ".join(f"coalesce(cast({column} as varchar), chr(30))" for column in told)
    con.execute(
        f"""create or replace temp table listed as
        select *, sha256(concat_ws(chr(31), {literal(salt)}, {texts})) as fields_hash
        from members where email is not null"""
    )


def _say_who_refuses(con: duckdb.DuckDBPyConnection, book: Ledger, name: str) -> None:
    """Create `refusing`: the keys of those who said no, also under an address or a customer's id that they had before,
    unless somebody else has the address now. `is_news`: the destination has not told us so itself."""
    load(con, "refused", book.refusals(), REFUSALS)
    con.execute(
        f"""create or replace temp table refusing as
        with noes as (
            select customers.customer_id, customers.email
            from published.core.dim_customers as customers
            left join published.customer.customer_contactability as said
                on customers.customer_id = said.customer_id and said.channel = 'email'
            where list_contains({list(NOES)}, said.reason)
                or customers.customer_id in (select customer_id from silent where coalesce(channel, 'email') = 'email')
        ),

        others as (
            select email from published.core.dim_customers
            where customer_id not in (select customer_id from noes) and email is not null
        )

        select distinct
            known.key,
            coalesce(known.address not in (select address from refused where destination = {literal(name)}), true)
                as is_news
        from (
            select key, address, coalesce(aliases.customer_id, people.customer_id) as customer_id
            from (
                select key, customer_id, address from acknowledged_people
                union all
                select key, customer_id, null from acknowledged_lists
                where key not in (select key from acknowledged_people)
            ) as people
            left join published.core.customer_id_aliases as aliases
                on people.customer_id = aliases.customer_id_before
        ) as known
        where known.address in (select address from refused)
            or known.address in (select email from noes)
            or 'email:' || sha256(known.address) in (
                select address from suppressions where coalesce(channel, 'email') = 'email'
            )
            or (
                known.customer_id in (select customer_id from noes)
                and coalesce(known.address not in (select email from others), true)
            )"""
    )


def _emptied(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Lists that a destination of whole lists holds and that nobody is on any more."""
    query = "select distinct list_name from acknowledged_lists anti join changes using (list_name) order by 1"
    return [name for (name,) in con.execute(query).fetchall()]


def _write(
    con: duckdb.DuckDBPyConnection, sizes: Mapping[Operation, int], told: Sequence[str], first: int, file: Path
) -> tuple[dict[str, int], int]:
    """Cut `changes` into chunks and write them, of those who said no first; returns rows per operation, and how many
    chunks these are."""
    known = [operation for operation in ("remove", "stop", "upsert", "add", "replace") if operation in sizes]
    order = " ".join(f"when {literal(operation)} then {number}" for number, operation in enumerate(known))
    size = " ".join(f"when {literal(operation)} then {sizes[operation]}" for operation in known)
    own = [column for column in told if column not in BASE]
    con.execute(f"delete from changes where not list_contains({known}, operation)")
    con.execute(
        f"""create or replace temp table chunked as
        select
            dense_rank() over (order by is_no desc, place, list_name nulls first, slice) - 1 + {first} as chunk,
            operation, list_name, {", ".join(BASE)}, fields_hash, {", ".join(own)}, is_no
        from (
            select
                * exclude (is_no),
                coalesce(is_no, false) as is_no,
                case operation {order} end as place,
                (row_number() over (partition by operation, list_name, coalesce(is_no, false) order by key) - 1)
                    // case operation {size} end as slice
            from changes
        )"""
    )
    rows = "select * exclude (is_no) from chunked order by chunk, key"
    con.execute(f"copy ({rows}) to {literal(file)} (format parquet, compression zstd)")
    counts = con.execute("select operation, count(*) from changes group by operation order by 1").fetchall()
    return dict(counts), con.execute("select count(distinct chunk) from chunked where is_no").fetchone()[0]


def _counts(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, int]]:
    """List -> before, added, removed, updated, unchanged, after; and of lists how many of those removed said_no.
    `before` are those that the destination has acknowledged; of whom nobody knows, they are added."""
    found = con.execute(f"from {table} order by list_name")
    _, *names = (column for column, *_ in found.description)
    return {name: dict(zip(names, map(int, counts), strict=True)) for name, *counts in found.fetchall()}

"""Finding a person: from an address, a number or an id to all that is known of them, over all sources and days.

What landed says who is mentioned where, the registry of customer ids (`identities`) which of these records are one
customer.
"""

from __future__ import annotations

import duckdb

from tangga import daily_state, engine, identities, landing
from tangga.contracts import CONTRACTS
from tangga.engine import literal, parquet_list
from tangga.erasure import blocked
from tangga.erasure.person import NotOnePerson, Person, normal
from tangga.landing import extract
from tangga.landing.manifest import read_manifest
from tangga.landing.partitions import every
from tangga.settings import Settings


def find(settings: Settings, asked: dict[str, str]) -> Person:
    """Everything that one person is known by. `asked` has some of `IDENTIFIERS`; several narrow it down.

    Somebody of whom nothing is known, but an address or a number was given, is found by just that. Raises
    `NotOnePerson`.
    """
    given = normal(settings, asked)
    with engine.scratch(settings) as con:
        _load(con, settings)
        _match(con, given, settings.rules.identity.max_records_per_value)
        return _collect(con, settings, given)


def _load(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Temp tables `mentions` (namespace, contact_id, email, phone, record) of all days, and of the newest registry
    `known` (source, contact_id, customer_id as of today), `former` (addresses), `retired` ids."""
    selects = []
    for entity, contract in CONTRACTS.items():
        relation, names = _landed(settings, entity), contract.column_names
        con.execute(f"create temp view {entity} as {relation}")
        for column in (name for name in blocked.RECORD_COLUMNS if name in names):
            others = [name if name in names else f"cast(null as varchar) as {name}" for name in ("email", "phone")]
            selects.append(f"select distinct namespace, {column} as contact_id, {', '.join(others)} from {entity}")
    con.execute(
        "create temp table mentions as select distinct *, coalesce(contact_id, 'email:' || sha256(email)) as record "
        f"from ({' union all '.join(selects)}) where contact_id is not null or email is not null"
    )
    base = daily_state.folder(settings, identities.NAME, "x").parent
    newest = sorted(path for path in base.glob("ds=*") if (path / "manifest.json").exists())[-1:]
    found = daily_state.files_of(newest[0], list(identities.TABLES), _DAMAGED) if newest else {}
    for table, (_, columns) in identities.TABLES.items():
        daily_state.create_view(con, table, columns, [found[table]] if found else [])
    con.execute(
        """create temp table known as
        select records.source, records.contact_id, coalesce(ids.into_customer_id, records.customer_id) as customer_id
        from registry.records as records left join registry.customer_ids as ids using (customer_id)"""
    )


_DAMAGED = "the customer ids of this day are damaged; build and publish it again, then ask for the erasure again."


def _landed(settings: Settings, entity: str) -> str:
    """All partitions of an entity, of sources that the settings do not name any more as well."""
    typed = extract.landed_types(CONTRACTS[entity])
    rows = f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in typed.items())} where false"
    found = (read_manifest(place) for place in every(settings, "landing", entity))
    paths = [landing.here(settings, manifest) for manifest in found if manifest]
    if paths:
        rows += (
            f" union all by name from read_parquet({parquet_list(paths)}, union_by_name=true, hive_partitioning=false)"
        )
    return rows


_MENTIONED = "select namespace as source, record as contact_id from mentions where"
_HITS = {
    "email": f"{_MENTIONED} email = $1 or record = 'email:' || sha256($1)",
    "phone": f"{_MENTIONED} phone = $1",
    "contact_id": f"{_MENTIONED} record = $1",
    "customer_id": """
        select source, contact_id from known where customer_id = coalesce(
            (select into_customer_id from registry.customer_ids where customer_id = $1), $1)
    """,
}
"""The records that something given points to."""

_FORMER = "select source, contact_id from registry.addresses where address_id = 'email:' || sha256($1)"


def _match(con: duckdb.DuckDBPyConnection, given: dict[str, str], max_records: int) -> None:
    """Temp table `person` (source, contact_id): the records of the one customer whom all that was given points to."""
    candidates: set[str | None] | None = None
    con.execute("create temp table hits (source varchar, contact_id varchar)")
    for name, value in given.items():
        query = _HITS[name]
        con.execute(f"create or replace temp table hit as select distinct * from ({query})", [value])
        if name == "email" and not con.execute("select count(*) from hit").fetchone()[0]:
            con.execute(f"insert into hit {_FORMER}", [value])
        found = con.execute(
            "select distinct known.customer_id from hit left join known using (source, contact_id)"
        ).fetchall()
        con.execute("insert into hits select * from hit")
        if found:
            ids = {customer for (customer,) in found}
            candidates = ids if candidates is None else (candidates & ids) or _nobody(given)
    customers = sorted(found for found in candidates or () if found)
    if len(customers) > 1:
        raise NotOnePerson(
            f"{len(customers)} customers match what was given; ask again with the customer_id or contact_id of the one "
            "who asked."
        )
    new = con.execute("select count(*) from (select distinct source, contact_id from hits anti join known "
                      "using (source, contact_id))").fetchone()[0]  # fmt: skip
    if not customers and new > max_records:
        raise NotOnePerson(f"{new} records match what was given, too many for one person; give a contact_id.")
    if candidates is None and not {"email", "phone"} & set(given):
        raise NotOnePerson("Nobody has the id that was given; look it up, or give the e-mail or phone instead.")
    con.execute("create temp table person as select source, contact_id from known where customer_id = $1 union "
                "select source, contact_id from hits anti join known using (source, contact_id)",
                [customers[0] if customers else None])  # fmt: skip


def _nobody(given: dict[str, str]) -> set[str]:
    raise NotOnePerson(f"No customer has all of {' and '.join(given)} that were given; ask for each by itself.")


def _collect(con: duckdb.DuckDBPyConnection, settings: Settings, given: dict[str, str]) -> Person:
    values, shared = {}, 0
    for kind in ("email", "phone"):
        found = con.execute(
            f"""with own as (
                select distinct {kind} as value from mentions
                semi join person on mentions.namespace = person.source and mentions.record = person.contact_id
                where {kind} is not null union select $1 where $1 is not null
            )
            select value, exists (
                select 1 from mentions anti join person
                    on mentions.namespace = person.source and mentions.record = person.contact_id
                where mentions.{kind} = own.value and mentions.contact_id is not null
            ) from own order by 1""",
            [given.get(kind)],
        ).fetchall()
        values[kind] = [value for value, is_shared in found if not is_shared]
        shared += sum(is_shared for _, is_shared in found)
    con.execute("create temp table addresses as select unnest($1::varchar[]) as email", [values["email"]])
    con.execute(
        """insert into person
        select source, contact_id from known where customer_id in (
            select customer_id from known where contact_id in (select 'email:' || sha256(email) from addresses)
        ) union select namespace, record from mentions where contact_id is null and email in (from addresses)"""
    )
    con.execute("create temp view own as select distinct source, contact_id from person")
    ids = _column(con, """
        with today as (select distinct customer_id from known semi join own using (source, contact_id))
        select customer_id from today
        union select customer_id from registry.customer_ids where into_customer_id in (from today)""")  # fmt: skip
    return Person(
        emails=values["email"],
        phones=values["phone"],
        records=_pairs(con, "select source, contact_id from own"),
        orders=_pairs(con, "select namespace, order_id from orders "
                           "semi join own on namespace = own.source and orders.contact_id = own.contact_id"),
        anonymous=_pairs(con, """
            with used as (
                select distinct namespace, anonymous_id, contact_id from events
                where anonymous_id is not null and contact_id is not null
            )
            select namespace, anonymous_id from used
            left join own on used.namespace = own.source and used.contact_id = own.contact_id
            group by all having bool_and(own.source is not null)"""),
        customer_ids=ids,
        known_as=_known_as(con, settings),
        shared=shared,
    )  # fmt: skip


def _known_as(con: duckdb.DuckDBPyConnection, settings: Settings) -> dict[str, list[str]]:
    """Day -> the customer ids that the person's records had on it; a customer of then may be two people today."""
    found = {}
    base = daily_state.folder(settings, identities.NAME, "x").parent
    for kept in sorted(base.glob("ds=*")):
        if (kept / "manifest.json").exists():
            file = daily_state.files_of(kept, ["records"], _DAMAGED)["records"]
            rows = f"read_parquet({literal(file)}, hive_partitioning=false)"
            query = f"select customer_id from {rows} semi join own using (source, contact_id)"
            found[kept.name.removeprefix("ds=")] = _column(con, query)
    return found


def _column(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [value for (value,) in con.execute(f"select distinct * from ({query}) order by 1").fetchall()]


def _pairs(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    return con.execute(f"select distinct * from ({query}) order by all").fetchall()

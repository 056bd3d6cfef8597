"""The members of an audience as lines of a file, read some thousand at a time: a million need no more memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv

from tangga import audiences
from tangga.activation import plan
from tangga.destinations.files.formats import FORMATS
from tangga.web.published import Open

KINDS = ("plain", "mailchimp", "hubspot", "spreadsheet")
BY_ADDRESS = ("mailchimp", "hubspot")
ROWS_AT_ONCE = 20_000


def lines(published: Open, audience: str, kind: str, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[bytes]:
    """What the files destination would write of the newest version, in one of `KINDS`; first the header."""
    is_campaign = audience in {entry.name for entry in audiences.with_campaigns(audiences.load())}
    query = FORMATS[kind].query(audience, is_campaign)
    with published.cursor() as cursor:
        if kind in BY_ADDRESS:
            cursor.execute(SHARED, {"audience": audience})
        conditions = f"{RANGE} and {FIRST_OF_ADDRESS if kind in BY_ADDRESS else 'true'}"
        part, before = f"with list as ({plan.MEMBERS} where {conditions}) {query}", 0
        yield _header(cursor.execute(part, _range(audience, "", "", 0, 0)))
        while found := _next(cursor, audience, rows_at_once, before):
            first, last, number = found
            yield _text(cursor.execute(part, _range(audience, first, last, number, before)).to_arrow_table())
            before += number


def _next(cursor: duckdb.DuckDBPyConnection, audience: str, rows: int, before: int) -> tuple[str, str, int] | None:
    """The first and the last id of the next members, and how many they are; None when there are no more."""
    found = cursor.execute(NEXT, {"audience": audience, "rows": rows, "before": before}).fetchone()
    return found if found[2] else None


def _range(audience: str, first: str, last: str, rows: int, before: int) -> dict[str, str | int]:
    return {"audience": audience, "first": first, "last": last, "rows": rows, "before": before}


def _header(found: duckdb.DuckDBPyConnection) -> bytes:
    """Not Arrow's, which puts quotes around names: a byte order mark would not come first."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(column[0] for column in found.description)
    return line.getvalue().encode()


def _text(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    arrow_csv.write_csv(rows, sink, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue()


# Tables are published in the order of their rows (publish): the next members are the next ids.
SOME = """
    select customer_id
    from audiences.audience_members
    where audience = $audience
    limit $rows offset $before
"""

NEXT = f"select min(customer_id), max(customer_id), count(*) from ({SOME})"

# Said of each table that is joined: DuckDB would read the whole of it to join a part.
RANGE = f"""
    members.audience = $audience
    and members.customer_id in ({SOME})
    and members.customer_id between $first and $last
    and customers.customer_id between $first and $last
    and lifecycle.customer_id between $first and $last
    and personalization.customer_id between $first and $last
"""

# Those tools tell people apart by their address: of several who share one, the first is told, wherever they stand. Who
# may share one is found by numbers made of the addresses, which takes less than half the time.
SHARED = """
    create or replace temp table shared as
    with more_than_one as (
        select hash(email) as number
        from published.core.dim_customers
        where email is not null
        group by all
        having count(*) > 1
    ),

    customers as (
        select email, customer_id
        from published.core.dim_customers
        where hash(email) in (select number from more_than_one)
    )

    select customers.email, min(customers.customer_id) as first_id
    from published.audiences.audience_members as members
    inner join customers on members.customer_id = customers.customer_id
    where members.audience = $audience
    group by customers.email
    having count(*) > 1
"""

FIRST_OF_ADDRESS = """
    not exists (
        select 1 from temp.shared where shared.email = customers.email and shared.first_id <> customers.customer_id
    )
"""

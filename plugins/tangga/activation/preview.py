"""A plan as somebody looks at it before it is sent: counts, who is left out and why, examples that name nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tangga import engine, publish
from tangga.activation.limits import ListCounts
from tangga.engine import literal
from tangga.settings import Settings

EXAMPLES = 5


def counts(planned: dict, destination: str) -> dict[str, ListCounts]:
    """The lists of a destination, as its plan would leave them."""
    lists = planned["destinations"][destination]["lists"]
    return {name: ListCounts(**{key: said.get(key, 0) for key in ListCounts._fields}) for name, said in lists.items()}


def table(planned: dict, destination: str) -> Iterator[str]:
    """The lists that change, most changed first, as the lines of a table in Markdown; then what changes of people."""
    lists = counts(planned, destination)
    changed = [(found.added + found.removed, name) for name, found in lists.items() if found.added or found.removed]
    yield "| list | before | join | leave | after |"
    yield "|---|---:|---:|---:|---:|"
    for _, name in sorted(changed, key=lambda entry: (-entry[0], entry[1])):
        yield f"| {name} | {' | '.join(f'{number:,}' for number in lists[name][:4])} |"
    yield ""
    if said_no := sum(found.said_no for found in lists.values()):
        yield f"{said_no:,} of those who leave said no: they are taken off without waiting for anybody."
        yield ""
    yield f"{len(lists) - len(changed)} other lists stay as they are; {of_people(planned, destination)}"


def of_people(planned: dict, destination: str) -> str:
    """What the destination is told of people, in a few words."""
    operations = planned["destinations"][destination]["operations"]
    told, stopped = operations.get("upsert", 0), operations.get("stop", 0)
    return f"{told:,} contacts are new or updated, {stopped:,} are stopped."


def left_out(settings: Settings, planned: dict) -> list[tuple[str, str, int | None]]:
    """(audience, why, how many) of those who would be on a list and are not, and of campaigns that are not sent."""
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(publish.database(settings))} as published (read_only)")
        rows = con.execute(
            "select audience, reason, count(*) from published.audiences.audience_exclusions "
            "group by audience, reason order by audience, count(*) desc, reason"
        ).fetchall()
    return [*rows, *((name, sentence, None) for name, why in planned["left_out"].items() for sentence in why)]


def examples(settings: Settings, folder: Path, destination: str) -> list[tuple[str, ...]]:
    """(list, person, rung, segment, why) of a few who join a list: whoever they are, they cannot be told from it."""
    changes, members = folder / "changes" / f"{destination}.parquet", folder / "members.parquet"
    with engine.scratch(settings) as con:
        rows = con.execute(
            f"""
            select joins.list_name, joins.customer_id, members.rung, coalesce(members.segment, ''), members.why
            from read_parquet({literal(changes)}) as joins
            inner join read_parquet({literal(members)}) as members
                on joins.customer_id = members.customer_id and members.audience = split_part(joins.list_name, ':', 1)
            where joins.operation in ('add', 'replace')
            qualify row_number() over (partition by joins.list_name order by sha256(joins.customer_id)) = 1
            order by sha256(joins.list_name)
            limit {EXAMPLES}
            """
        ).fetchall()
    return [(name, hashlib.sha256(customer.encode()).hexdigest()[:8], *rest) for name, customer, *rest in rows]

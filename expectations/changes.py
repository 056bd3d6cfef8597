"""What the door out asks of what a plan is to change at each destination.

Who may be written to is judged for the plan's members; here nobody else may come in by a destination's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from expectations.checks import Check, CheckResult
from tangga.destinations.destination import Operation
from tangga.engine import literal

_INVITING = "('upsert', 'add', 'replace')"
"""Operations after which somebody may be written to; the others take people off."""


def assets(folder: Path, destinations: Mapping[str, Mapping[str, Any]], address: str) -> dict[str, list[Check]]:
    """Query -> checks, for the file of each destination that can be used. `address` matches one in its normal form."""
    found = {}
    for name, entry in destinations.items():
        if not entry.get("refused"):
            found[_rows(folder, name, address)] = _each(name)
            found[_counted(folder, name, entry)] = [
                _true("is_planned", f"{name}: the numbers of rows are those of the plan")
            ]
    return found


def unusable(destinations: Mapping[str, Mapping[str, Any]]) -> list[CheckResult]:
    """A warning for each destination that nothing can be sent to as things are; it does not hold up the others."""
    return [
        CheckResult("destination", f"{name} can be used", "warn", False, {"found": entry["refused"]})
        for name, entry in destinations.items()
        if entry.get("refused")
    ]


def _rows(folder: Path, name: str, address: str) -> str:
    """Of each row of a destination what has to be true of it."""
    operations = ", ".join(literal(operation) for operation in get_args(Operation) if operation != "erase")
    return f"""
        with changes as (from {_file(folder, f"changes/{name}.parquet")}),
        members as (select distinct audience, email from {_file(folder, "members.parquet")} where channel = 'email'),
        due as (
            select distinct members.audience || ':' || cast(messages.step as varchar) as list_name, members.email
            from {_file(folder, "messages.parquet")} as messages
            inner join {_file(folder, "members.parquet")} as members using (audience, customer_id)
            where messages.test_group = 'member' and messages.channel = 'email'
        )
        select
            coalesce(operation in ({operations}), false) as is_known,
            key is not null and customer_id is not null as is_somebody,
            operation not in {_INVITING} or coalesce(regexp_matches(address, {literal(address)}), false) as is_valid,
            operation not in {_INVITING} or coalesce(address in (select email from members), false) as is_of_the_plan,
            operation not in ('add', 'replace')
                or coalesce((list_name, address) in (select (audience, email) from members), false)
                or coalesce((list_name, address) in (select (list_name, email) from due), false) as is_member,
            count(*) over (partition by operation, list_name, key) = 1 as is_once,
            operation <> 'add' or not contains(list_name, ':')
                or count(*) over (partition by operation, contains(list_name, ':'), key) = 1 as is_one_step
        from changes
    """


def _each(name: str) -> list[Check]:
    return [
        _true("is_known", f"{name}: every operation is one that takes part in a plan"),
        _true("is_somebody", f"{name}: every row is of somebody"),
        _true("is_valid", f"{name}: every address that may be written to is in its normal form"),
        _true("is_of_the_plan", f"{name}: everybody whom it is told of is a member of the plan"),
        _true("is_member", f"{name}: everybody who joins a list belongs to its audience, or is due"),
        _true("is_once", f"{name}: nobody is twice in a list"),
        _true("is_one_step", f"{name}: no address joins the steps of two campaigns on a day", "warn"),
    ]


def _counted(folder: Path, name: str, entry: Mapping[str, Any]) -> str:
    """Of each operation, and of each list that people join, whether there are as many rows as planned."""
    planned = [(operation, "", rows) for operation, rows in entry["operations"].items()]
    for list_name, counts in entry["lists"].items():
        joining = {"add": counts["added"]} if entry["basis"] is not None else {"replace": counts["after"]}
        planned += [(operation, list_name, rows) for operation, rows in joining.items() if rows]
    said = ", ".join(
        f"({literal(operation)}, {literal(list_name)}, {int(rows)})" for operation, list_name, rows in planned
    )
    return f"""
        with changes as (from {_file(folder, f"changes/{name}.parquet")}),
        counted as (
            select operation, '' as list_name, count(*) as n from changes group by operation
            union all
            select operation, list_name, count(*) as n from changes
            where operation in ('add', 'replace') group by operation, list_name
        )
        select counted.n is not distinct from planned.n as is_planned
        from counted
        full outer join (select * from (values {said or "(null, null, null)"}) where col0 is not null) as planned
            (operation, list_name, n) using (operation, list_name)
    """


def _file(folder: Path, name: str) -> str:
    return f"read_parquet({literal(folder / name)}, hive_partitioning = false)"


def _true(column: str, sentence: str, severity: str = "stop") -> Check:
    return Check(column, sentence, "ExpectColumnValuesToBeInSet", {"column": column, "value_set": [True]}, severity)

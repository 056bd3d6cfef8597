"""The door out on what each destination is told: every rule is broken once and seen to fail."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from expectations import outbound
from expectations.checks import GateStopped
from tangga import files
from tangga.engine import literal
from tests.unit.gates import DAY, errors, failing, make_plan, make_settings, verdicts

A, B = "ani@x.example", "budi@x.example"
MEMBERS = f"""
select * from (values
    ('winback', 'a', 'email', 'gone', 'k', '{A}', null::text, null::text, 'id', 2, true),
    ('winback', 'b', 'email', 'gone', 'k', '{B}', null, null, 'id', null, false),
    ('birthday', 'b', 'email', 'born', 'k', '{B}', null, null, 'id', 1, true)
) as t(audience, customer_id, channel, why, entry_key, email, phone, first_name, language, step, is_due)
"""
MESSAGES = f"""
select * from (values
    ('winback', 'a', 'k', 2, 'email', 'hello', 'member', date '{DAY}'),
    ('birthday', 'b', 'k', 1, 'email', 'hello', 'member', date '{DAY}')
) as t(audience, customer_id, entry_key, step, channel, template, test_group, as_of_date)
"""
SAID = "from (values ('a', 'email', true, null), ('b', 'email', true, null))"
PLANNED = {"winback": ("email", 2), "birthday": ("email", 1)}

GOOD = [
    ("remove", "winback", "gone@x.example", "c", None),
    ("stop", None, "gone@x.example", "c", None),
    ("upsert", None, A, "a", A),
    ("upsert", None, B, "b", B),
    ("add", "winback", A, "a", A),
    ("add", "winback:2", A, "a", A),
    ("add", "birthday:1", B, "b", B),
]
OPERATIONS = {"remove": 1, "stop": 1, "upsert": 2, "add": 3}
LISTS = {"winback": 1, "winback:2": 1, "birthday:1": 1}


def plan(
    tmp_path: Path, rows: list[tuple], operations: dict, lists: dict, *, basis: int | None = 0
) -> tuple[object, Path]:
    """A plan with these changes (operation, list, key, customer, address) at one destination, and what it says."""
    config = make_settings(tmp_path)
    folder = make_plan(config, MEMBERS, PLANNED, SAID, MESSAGES)
    (folder / "changes").mkdir()
    file = folder / "changes" / "tool.parquet"
    cells = ["(" + ", ".join("null" if cell is None else literal(cell) for cell in row) + ")" for row in rows]
    values = ", ".join(cells or ["(null, null, null, null, null)"])
    query = (
        f"select cast(column0 as varchar) as operation, cast(column1 as varchar) as list_name, "
        "cast(column2 as varchar) as key, cast(column3 as varchar) as customer_id, cast(column4 as varchar) as address "
        f"from (values {values}) as t(column0, column1, column2, column3, column4) where column3 is not null"
    )
    duckdb.sql(f"copy ({query}) to {literal(file)} (format parquet)")
    said = json.loads((folder / "plan.json").read_text())
    counts = {name: {"before": 0, "added": n, "removed": 0, "after": n} for name, n in lists.items()}
    entry = {"sha256": files.sha256(file), "basis": basis, "operations": operations, "lists": counts}
    said["destinations"] = {"tool": entry}
    (folder / "plan.json").write_text(json.dumps(said))
    return config, folder


def judged(*given, **rest):
    found = outbound.check(*plan(*given, **rest))
    assert errors(found) == set()
    return found


def test_what_is_as_planned_passes(tmp_path):
    found = judged(tmp_path, GOOD, OPERATIONS, LISTS)
    assert (verdicts(found), failing(found)) == ({"pass"}, set())


def test_nothing_to_change_passes(tmp_path):
    assert verdicts(judged(tmp_path, [], {}, {})) == {"pass"}


def test_whole_lists_are_counted_as_they_will_be(tmp_path):
    rows = [("replace", "winback", key, key, address) for key, address in (("a", A), ("b", B))]
    assert verdicts(judged(tmp_path, rows, {"replace": 2}, {"winback": 2}, basis=None)) == {"pass"}
    other = judged(tmp_path / "other", rows[:1], {"replace": 1}, {"winback": 2}, basis=None)
    assert failing(other) == {"tool: the numbers of rows are those of the plan"}


KNOWN = "tool: every operation is one that takes part in a plan"
BELONGS = "tool: everybody who joins a list belongs to its audience, or is due"
OF_THE_PLAN = "tool: everybody whom it is told of is a member of the plan"


@pytest.mark.parametrize(
    ("number", "row", "sentences"),
    [
        (0, ("erase", "winback", "gone@x.example", "c", None), {KNOWN}),
        (0, (None, "winback", "gone@x.example", "c", None), {KNOWN, "tool: the numbers of rows are those of the plan"}),
        (0, ("remove", "winback", None, "c", None), {"tool: every row is of somebody"}),
        (3, ("upsert", None, B, "b", "BUDI@x.example"),
         {"tool: every address that may be written to is in its normal form", OF_THE_PLAN}),
        (3, ("upsert", None, B, "b", None),
         {"tool: every address that may be written to is in its normal form", OF_THE_PLAN}),
        (3, ("upsert", None, "gone@x.example", "c", "gone@x.example"), {OF_THE_PLAN}),
        (3, ("upsert", None, A, "a", A), {"tool: nobody is twice in a list"}),
        (4, ("add", "winback", A, "a", None),
         {"tool: every address that may be written to is in its normal form", OF_THE_PLAN, BELONGS}),
        (4, ("add", None, A, "a", A), {BELONGS, "tool: the numbers of rows are those of the plan"}),
        (4, ("add", "winback", "gone@x.example", "c", "gone@x.example"), {OF_THE_PLAN, BELONGS}),
        (5, ("add", "winback:2", B, "b", B), {BELONGS, "tool: no address joins the steps of two campaigns on a day"}),
    ],
)  # fmt: skip
def test_what_must_not_be(tmp_path, number, row, sentences):
    rows = [*GOOD[:number], row, *GOOD[number + 1 :]]
    operations = {name: sum(operation == name for operation, *_ in rows) for name in dict.fromkeys(r[0] for r in rows)}
    found = judged(tmp_path, rows, operations, LISTS)
    assert failing(found) == sentences
    assert verdicts(found) == {"stop"}


@pytest.mark.parametrize(
    ("operations", "lists"),
    [
        (OPERATIONS | {"add": 4}, LISTS),
        ({"remove": 1, "stop": 1, "upsert": 2}, LISTS),
        (OPERATIONS | {"replace": 1}, LISTS),
        (OPERATIONS, LISTS | {"winback": 2}),
        (OPERATIONS, {"winback": 1, "winback:2": 1}),
    ],
)
def test_more_or_less_than_planned(tmp_path, operations, lists):
    found = judged(tmp_path, GOOD, operations, lists)
    assert failing(found) == {"tool: the numbers of rows are those of the plan"}


def test_changes_that_were_changed(tmp_path):
    config, folder = plan(tmp_path, GOOD, OPERATIONS, LISTS)
    with (folder / "changes" / "tool.parquet").open("ab") as handle:
        handle.write(b" ")
    with pytest.raises(GateStopped, match="changes/tool.parquet was changed after it was planned"):
        outbound.check(config, folder)


def test_a_destination_that_cannot_be_used_holds_up_no_other(tmp_path):
    config, folder = plan(tmp_path, GOOD, OPERATIONS, LISTS)
    said = json.loads((folder / "plan.json").read_text())
    said["destinations"]["other"] = {"refused": "other: its key was revoked; make a new one.", "lists": {}}
    (folder / "plan.json").write_text(json.dumps(said))
    found = outbound.check(config, folder)
    assert (verdicts(found), failing(found)) == ({"warn"}, {"other can be used"})

"""Where the rows are that break a check: file and line, and never a value."""

from __future__ import annotations

import json

import duckdb
import pytest

from expectations import inbound
from expectations.checks import CheckResult
from tangga import landing, settings
from tangga.contracts import CONTRACTS
from tangga.engine import literal
from tests.unit.gates import DAY, SECRETS, good_row, make_settings, put


def failed(known: settings.Settings) -> list[CheckResult]:
    return [check for result in inbound.check(known, DAY) for check in result.checks if not check.success]


def test_the_first_five_places_are_kept_in_their_order(tmp_path):
    known = make_settings(tmp_path, "orders")
    places = [("b.csv", 1), ("a.csv", 10), (None, 3), ("a.csv", 9), ("a.csv", None), ("c.csv", 1), ("a.csv", 9)]
    put(known, "orders", [good_row("orders") | {"order_id": None, "_file": f, "_line": n} for f, n in places])
    [check] = failed(known)
    assert check.samples == (("a.csv", 9), ("a.csv", 10), ("a.csv", None), ("b.csv", 1), ("c.csv", 1))


def test_rows_of_a_repeated_key_and_of_a_later_day_are_named(tmp_path):
    known = make_settings(tmp_path, "orders")
    good = good_row("orders")
    rows = [
        good | {"order_id": "1", "_line": 2},
        good | {"order_id": "2", "_line": 3},
        good | {"order_id": "2", "_line": 4},
        good | {"order_id": "4", "_line": 5, "ordered_at": "2024-02-01 16:59:59.999"},
        good | {"order_id": "5", "_line": 6, "ordered_at": "2024-02-01 17:00:00"},  # midnight in Jakarta
    ]
    put(known, "orders", rows, superseded=1, quarantined=1)
    found = {check.name: [place.line for place in check.samples] for check in failed(known)}
    assert found == {"repeated_keys": [3, 4], "later_rows": [6]}


def test_rejected_rows_are_named(tmp_path):
    known = make_settings(tmp_path, "orders")
    put(known, "orders", [good_row("orders")], rejected=6)
    rejects = landing.folder(known, "orders", "shop", DAY, "rejects") / "rejects.jsonl"
    rejects.parent.mkdir(parents=True)
    lines = [{"file": "x.csv", "line": n, "reason": "r", "row": {"email": SECRETS[0]}} for n in (9, 8, 12, 10, 7, 11)]
    rejects.write_text("".join(json.dumps(line) + "\n" for line in lines))
    [check] = failed(known)
    assert [place.line for place in check.samples] == [7, 8, 9, 10, 11]


@pytest.mark.parametrize("content", [None, "not json\n"])
def test_places_that_cannot_be_found_change_nothing(tmp_path, content):
    known = make_settings(tmp_path, "orders")
    put(known, "orders", [good_row("orders")], rejected=6)
    if content:
        rejects = landing.folder(known, "orders", "shop", DAY, "rejects") / "rejects.jsonl"
        rejects.parent.mkdir(parents=True)
        rejects.write_text(content)
    [check] = failed(known)
    assert (check.name, check.stops, check.samples) == ("rejects", True, ())


@pytest.mark.parametrize("entity", CONTRACTS)
def test_a_kept_result_holds_no_value_of_any_row(tmp_path, entity):
    """Every text value and every number of a row that breaks everything it can, searched in what is kept."""
    known = make_settings(tmp_path, entity)
    contract = CONTRACTS[entity]
    mark = {"text": "Zq-text", "id": "Zq-id", "email": "zq@example.com", "phone": "+62819999777", "json": "Zq-json"}
    bad = good_row(entity) | {column.name: mark[column.type] for column in contract.columns if column.type in mark}
    bad |= {c.name: 98765432 for c in contract.columns if c.type in ("money", "quantity", "integer")}
    bad |= {name: False for name in bad if name.endswith("_valid")} | {contract.required_names[0]: None}
    put(known, entity, [bad, bad], superseded=1, quarantined=1, rejected=1, emptied={contract.columns[-1].name: 1})
    [result] = inbound.check(known, DAY)
    assert result.verdict == "stop"
    assert any(check.samples for check in result.checks)
    kept = [path.read_text() for path in (known.home / "gates").rglob("*.json")]
    kept.append((landing.folder(known, entity, "shop", DAY) / "gate.json").read_text())
    assert len(kept) == 2
    file = literal(str(landing.folder(known, entity, "shop", DAY) / "rows.parquet"))
    values = {str(value) for row in duckdb.sql(f"from read_parquet({file})").fetchall() for value in row}
    harmless = {"None", "True", "False", "shop", "x.csv", "1", DAY.isoformat()}
    assert len(values - harmless) > 2
    assert [value for value in values - harmless if any(value in text for text in kept)] == []


def test_a_hostile_file_name_is_kept_as_it_is(tmp_path):
    known = make_settings(tmp_path, "orders")
    name = "<script>{x} :y %s 'o\".csv"
    put(known, "orders", [good_row("orders") | {"order_id": None, "_file": name}])
    [check] = failed(known)
    assert check.samples == ((name, 1),)

"""Partitions and days for the tests of the gates."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb

from expectations.checks import Check, GateResult
from tangga import landing, settings
from tangga.contracts import CONTRACTS, Column
from tangga.engine import literal
from tangga.landing.extract import landed_types

DAY = date(2024, 2, 1)
SECRETS = ("ani.secret@example.com", "+6281234567890", "6281234567890", "Nyai Rahasia")
HAS_ROWS = Check("row_count", "There are rows", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def make_settings(folder: Path, *entities: str, limits: str = "", rules: str = "{}") -> settings.Settings:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "tangga.yml"
    listed = "".join(f"\n      {entity}: {{path: {entity}.csv{limits}}}" for entity in entities or ("contacts",))
    config.write_text(
        "business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}\n"
        f"rules: {rules}\nsources:\n  shop:\n    path: .\n    entities:{listed}\n"
    )
    return settings.load(config, folder / "home")


def failing(results: list[GateResult]) -> set[str]:
    return {check.description for result in results for check in result.checks if not check.success}


def errors(results: list[GateResult]) -> set[str]:
    return {check.description for result in results for check in result.checks if "error" in check.observed}


def verdicts(results: list[GateResult]) -> set[str]:
    return {result.verdict for result in results}


def good_value(column: Column):
    if column.allowed:
        return column.allowed[0]
    return {
        "instant": "2024-01-01 00:00:00", "date": "2000-01-01", "money": 1, "quantity": 1, "integer": 1,
        "email": SECRETS[0], "phone": SECRETS[1], "text": SECRETS[3],
    }.get(column.type, "1")  # fmt: skip


def good_row(entity: str) -> dict:
    contract = CONTRACTS[entity]
    row = {column.name: good_value(column) for column in contract.columns}
    row |= {f"is_{column.name}_valid": True for column in contract.columns if column.type in ("email", "phone")}
    return row | {"namespace": "shop", "_source": "shop", "_ds": DAY.isoformat(), "_file": "x.csv", "_line": 1}


def put(
    config: settings.Settings, entity: str, landed: list[dict], types: dict | None = None, times: int = 1, **figures
) -> None:
    """A landed partition of these rows, whatever they are, so many times over, with a manifest."""
    types = types or landed_types(CONTRACTS[entity])

    def value(row: dict, name: str) -> str:
        given = row.get(name)
        return f"cast({'null' if given is None else literal(str(given))} as {types[name]}) as {name}"

    folder = landing.folder(config, entity, "shop", DAY)
    folder.mkdir(parents=True, exist_ok=True)
    selects = [f"select {', '.join(value(row, name) for name in types)}" for row in landed or [{}]]
    query = f"select * from ({' union all by name '.join(selects)}), range({times if landed else 0}) as t(n)"
    query = f"select * exclude (n) from ({query})"
    duckdb.sql(f"copy ({query}) to {literal(str(folder / 'rows.parquet'))} (format parquet)")
    manifest = {"entity": entity, "source": "shop", "ds": DAY.isoformat(), "load": "snapshot", "file": "rows.parquet"}
    manifest |= {"rows": len(landed) * times, "rejected": 0, "sha256": "abc"} | figures
    (folder / "manifest.json").write_text(json.dumps(manifest))


def accepted(config: settings.Settings, entity: str, day: date, rows: int, verdict: str = "pass", **figures) -> Path:
    """What is kept of a day that was judged: the manifest and the verdict."""
    folder = landing.folder(config, entity, "shop", day)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"entity": entity, "source": "shop", "ds": day.isoformat(), "load": "snapshot", "file": "rows.parquet"}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"rows": rows, "rejected": 0, "sha256": "x"} | figures))
    (folder / "gate.json").write_text(json.dumps({"verdict": verdict, "sha256": "x", "failures": []}))
    return folder

"""Lists as CSV files: one an audience, and a manifest that says what they are and where they came from.

exports/<destination>/<audience>.csv
                      manifest.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tangga import engine, files
from tangga.activation import plan
from tangga.settings import Settings

COLUMNS = ("email", "first_name", "last_name", "language", "customer_id", "rung", "segment", "why", "entry_key")

FORMULA = "^[=+\\-@\\t\\r\uff1d\uff0b\uff0d\uff20]"
"""Beginnings that a spreadsheet would run as a formula."""


@dataclass(frozen=True)
class Delivery:
    """What a delivery did: lists written anew, and lists that were right already."""

    written: int
    unchanged: int
    rows: int


def deliver(settings: Settings, destination: str, plan_folder: Path, run_id: str) -> Delivery:
    """Make the files say what the plan says. Files that already do are left alone, and so is the
    manifest when all of them do. An audience that has nobody any more becomes a list without rows."""
    folder = settings.home / "exports" / destination
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    planned = plan.read(plan_folder)
    before = _read_manifest(folder)
    listed: dict[str, dict] = {}
    written = 0
    names = sorted(set(planned["audiences"]) | set(before.get("audiences", {})))
    with engine.scratch(settings) as con:
        for name in names:
            entry = planned["audiences"].get(
                name, {"rows": 0, "label": before.get("audiences", {}).get(name, {}).get("label")}
            )
            part = folder / f".{name}.csv.part"
            con.execute(f"copy ({_list_of(plan_folder, name)}) to '{part}' (format csv, header true, delimiter ',')")
            checksum = files.sha256(part)
            files.replace(part, folder / f"{name}.csv")
            if before.get("audiences", {}).get(name, {}).get("sha256") != checksum:
                written += 1
            listed[name] = {
                "label": entry["label"], "file": f"{name}.csv", "rows": entry["rows"], "sha256": checksum,
            }  # fmt: skip
    manifest = {
        "as_of_date": planned["as_of_date"],
        "plan": planned["hash"],
        "published_version": planned["published_version"],
        "code_version": planned["code_version"],
        "run_id": run_id,
        "audiences": listed,
    }
    if {**manifest, "run_id": None} != {**before, "run_id": None}:
        files.write_atomically(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    return Delivery(written, len(names) - written, sum(entry["rows"] for entry in listed.values()))


def _read_manifest(folder: Path) -> dict:
    file = folder / "manifest.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _list_of(plan_folder: Path, audience: str) -> str:
    cells = ", ".join(
        f"case when regexp_matches({c}, '{FORMULA}') then '''' || {c} else {c} end as {c}" for c in COLUMNS
    )
    members = str(plan_folder / "members.parquet").replace("'", "''")
    return f"select {cells} from read_parquet('{members}') where audience = '{audience}' order by customer_id"

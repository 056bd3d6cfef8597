"""Lists as CSV files: one an audience, and a manifest that says what they are and where they came from.

exports/<destination>/<audience>.csv
                      manifest.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tangga import audiences, engine, files
from tangga.activation import plan
from tangga.campaigns import fields
from tangga.engine import literal
from tangga.settings import Settings

COLUMNS = (
    *("email", "first_name", "last_name", "customer_id", "rung", "segment", "why", "entry_key"),
    *fields.FIELDS,
)
OF_CAMPAIGNS = ("entered_on", "step", "template", "is_due")
"""Columns that the lists of campaigns have besides: the step that is due, and whether it is to be sent now."""

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
    planned, before = plan.confirm(settings, plan_folder), _read_manifest(folder)
    delivered = before.get("audiences", {})
    gone = {name: {**entry, "rows": 0} for name, entry in delivered.items()}
    lists: dict[str, dict] = {}
    campaigns = {audience.name for audience in audiences.with_campaigns(audiences.load())}
    with engine.scratch(settings) as con:
        for name, entry in sorted((gone | planned["audiences"]).items()):
            part = folder / f".{name}.csv.part"
            con.execute(f"copy ({_list_of(plan_folder, name, campaigns)}) to {literal(part)} (format csv, header true)")
            checksum = files.sha256(part)
            files.replace(part, folder / f"{name}.csv")
            lists[name] = {"label": entry["label"], "file": f"{name}.csv", "rows": entry["rows"], "sha256": checksum}
    manifest = {
        "as_of_date": planned["as_of_date"],
        "plan": planned["hash"],
        "published_version": planned["published_version"],
        "code_version": planned["code_version"],
        "stale_sources": planned.get("stale_sources", []),
        "run_id": run_id,
        "audiences": lists,
    }
    if {**manifest, "run_id": None} != {**before, "run_id": None}:
        files.write_atomically(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    written = sum(entry != delivered.get(name) for name, entry in lists.items())
    return Delivery(written, len(lists) - written, sum(entry["rows"] for entry in lists.values()))


def _read_manifest(folder: Path) -> dict:
    """What was delivered before, and the lists that lie there besides: a delivery that was killed had not come to its
    manifest, and nobody stays on one by that."""
    before = files.read_json(folder / "manifest.json") or {}
    lying = {path.stem: {"label": path.stem.replace("_", " ")} for path in folder.glob("*.csv")}
    return before | {"audiences": lying | before.get("audiences", {})}


def _list_of(plan_folder: Path, audience: str, campaigns: set[str]) -> str:
    texts = {name: f"cast({name} as varchar)" for name in COLUMNS}
    cells = [
        f"case when regexp_matches({t}, '{FORMULA}') then '''' || {t} else {t} end as {n}" for n, t in texts.items()
    ]
    cells += OF_CAMPAIGNS if audience in campaigns else ()
    members = literal(plan_folder / "members.parquet")
    return (
        f"select {', '.join(cells)} from read_parquet({members}) where audience = {literal(audience)} "
        "order by customer_id"
    )

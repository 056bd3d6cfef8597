"""The standard load: 1 M customers, 10 M orders, 25 M lines and 50 M events, landed, let in and ready to be built.

    PYTHONPATH=plugins:. .venv/bin/python bench/load.py [--scale 0.01] [--home DIRECTORY]

Made once, by the plain arithmetic of load.sql, into a home below the temporary directory (`home` says where). The
Parquet is what landing would have written: the contract's columns, sorted by time, with a manifest and the gate's word.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb

from tangga import engine, files, landing, settings
from tangga.contracts import CONTRACTS
from tangga.engine import literal
from tangga.landing import Manifest
from tangga.landing.extract import landed_types
from tangga.settings import Settings

DAY = date(2026, 6, 30)
CUSTOMERS, EVENTS = 1_000_000, 50_000_000

CONFIG = """
business: {name: Bench, time_zone: Asia/Jakarta, currency: IDR, country: ID}
reference: {discount_campaigns: discount_campaigns.csv}
sources:
  shop:
    path: inbox
    entities:
"""
TILL = "  till: {path: inbox, entities: {contacts: {path: contacts.parquet}}}\n"
CAMPAIGNS = "campaign,starts_on,ends_on,scope\n" + "".join(
    f"sale {year}-{month},{year}-{month:02}-01,{year}-{month:02}-10,all\n"
    for year in range(2023, 2027)
    for month in (3, 6, 9)
)


def home(scale: float) -> Path:
    """Where the load of a size lies unless said otherwise."""
    return Path(tempfile.gettempdir()) / "tangga-bench" / f"load-{scale:g}"


def made(folder: Path, scale: float) -> Settings:
    """The settings of a home with the load of a size; made if it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = folder / "load.json"
    entities = "".join(f"      {entity}: {{path: {entity}.parquet}}\n" for entity in CONTRACTS)
    (folder / "tangga.yml").write_text(CONFIG + entities + TILL, encoding="utf-8")
    (folder / "discount_campaigns.csv").write_text(CAMPAIGNS, encoding="utf-8")
    found = known(folder)
    said = {"scale": scale, "sql": files.sha256(Path(__file__).with_suffix(".sql"))}
    if files.read_json(done) != said:
        _make(found, scale)
        done.write_text(json.dumps(said), encoding="utf-8")
    return found


def known(folder: Path) -> Settings:
    """The settings of a home that has been made."""
    return settings.load(folder / "tangga.yml", folder)


def _make(known: Settings, scale: float) -> None:
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    text = text.format(customers=int(CUSTOMERS * scale), events=int(EVENTS * scale))
    first, *rest = re.split(r"^-- name: (\w+\.\w+)\n", text, flags=re.MULTILINE)
    with engine.scratch(known) as con:
        con.execute(first)
        for name, query in zip(rest[::2], rest[1::2], strict=True):
            source, entity = name.split(".")
            manifest = _land(con, known, source, entity, query)
            print(f"{name:24} {manifest.rows:>12,} rows", flush=True)


def _land(con: duckdb.DuckDBPyConnection, known: Settings, source: str, entity: str, query: str) -> Manifest:
    contract, types = CONTRACTS[entity], landed_types(CONTRACTS[entity])
    target = landing.folder(known, entity, source, DAY)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target / ".part.parquet"
    con.execute(f"create or replace temp view drawn as {query}")
    there = {name for name, *_ in con.execute("describe drawn").fetchall()}
    order = ", ".join(name for name in (contract.occurred, *contract.key) if name in there)
    lineage = {
        "namespace": literal(source),
        "_source": literal(source),
        "_ds": literal(DAY.isoformat()),
        "_file": literal(f"{entity}.parquet"),
        "_line": "row_number() over ()",
        "_is_deleted": "false",
    }
    values = lineage | {name: name for name in there}
    values |= {f"is_{name}_valid": f"{name} is not null or null" for name in ("email", "phone") if name in there}
    items = ", ".join(f"cast({values.get(name, 'null')} as {kind}) as {name}" for name, kind in types.items())
    # Events and lines come in their order already, and to sort so many would take long.
    rows = "drawn" if entity in ("events", "order_lines") else f"(select * from drawn order by {order})"
    con.execute(f"copy (select {items} from {rows}) to {literal(part)} (format parquet, compression zstd)")
    checksum = files.sha256(part)
    counts = f"select count(*), max({contract.occurred or 'null'}) from read_parquet({literal(part)})"
    count, last = con.execute(counts).fetchone()
    manifest = Manifest(
        entity=entity,
        source=source,
        ds=DAY.isoformat(),
        load="snapshot",
        file=f"{checksum[:16]}.parquet",
        rows=count,
        rejected=0,
        columns=types,
        watermark=last.isoformat() if last else None,
        sha256=checksum,
    )
    files.replace(part, target / manifest.file)
    files.write_atomically(target / "manifest.json", json.dumps(asdict(manifest), indent=2) + "\n")
    landing.record_verdict(known, manifest, "pass", [])
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    made(options.home or home(options.scale), options.scale)


if __name__ == "__main__":
    main()

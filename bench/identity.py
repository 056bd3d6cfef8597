"""How long it takes to tell who is who: the identity models over made-up contacts, on the first day and on the next.

    PYTHONPATH=plugins:. .venv/bin/python bench/identity.py [records ...]      (1,250,000 and 5,000,000 unless said)

About three in ten records share an address or a number with another; on the second day one in fifty has a new address.
Prints per size and day the seconds of the models, the CPU seconds and the peak memory of the process that runs them
(dbt, DuckDB and scipy together), and what keeping the registry takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import psutil

from tangga import dbt, identities, settings, warehouse
from tangga.engine import literal
from tangga.settings import Settings

DAY = date(2026, 6, 30)
MODELS = (
    "int_contact_records int_contact_values int_customer_clusters int_cluster_anchors int_customer_id_claims "
    "int_settled_claims int_cluster_customers int_customer_identities int_identity_changes int_customer_ids "
    "int_known_records int_known_addresses int_refused_addresses int_refusal_reach"
)
CONFIG = """
business: {name: Bench, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources: {shop: {path: inbox, entities: {contacts: {path: contacts.parquet}}}}
"""

# Of ten records the first three are of the person of the record before them; every twentieth has the number of one
# five before it, so that clusters chain.
CONTACTS = """
select
    case when i % 5 < 3 then 'shop' else 'till' end as namespace,
    cast(i as varchar) as contact_id,
    timestamp '2026-01-01' + to_seconds(i % 10000000) as updated_at,
    timestamp '2025-01-01' + to_seconds((i * 7919) % 30000000) as signup_at,
    case
        when {day} = 1 and i % 50 = 7 then 'new' || i || '@example.com'
        when i % 10 < 3 then 'p' || (i - i % 10 - 1) || '@example.com'
        when i % 4 <> 3 then 'p' || i || '@example.com'
    end as email,
    case when i % 2 = 0 then '+62' || (81000000000 + (case when i % 20 = 10 then i - 4 else i end)) end as phone
from range({records}) as numbers (i)
"""


def main(sizes: list[int]) -> None:
    """Measure every size in a home of its own."""
    print(f"DuckDB may take {os.environ.setdefault('TANGGA_MEMORY_LIMIT', '2GB')}")
    for records in sizes:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "tangga.yml"
            config.write_text(CONFIG, encoding="utf-8")
            home = settings.load(config, Path(folder) / "var")
            for number in (0, 1):
                measure(home, records, number)


def measure(home: Settings, records: int, number: int) -> None:
    """Build one day, print what it took, and keep its registry for the next."""
    day = DAY + timedelta(days=number)
    warehouse.prepare(home, day)
    file = home.home / "contacts.parquet"
    with duckdb.connect(str(warehouse.path(home))) as con:
        query = CONTACTS.format(day=number, records=records)
        con.execute(f"copy ({query}) to {literal(file)} (format parquet)")
        columns = con.execute("describe landing.contacts").fetchall()
        typed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind, *_ in columns)
        con.execute(
            f"create or replace view landing.contacts as select {typed} where false "
            f"union all by name select * from read_parquet({literal(file)})"
        )
    run(home, day, "path:seeds path:models/staging int_carried_addresses")
    seconds, cpu, memory, models = run(home, day, MODELS)
    began = time.perf_counter()
    identities.keep(home, day)
    kept = time.perf_counter() - began
    size = sum(path.stat().st_size for path in identities.folder(home, day).iterdir())
    print(
        f"{records:>10,} records, day {number + 1}: {seconds:.1f} s in the models, {cpu:.1f} s of CPU, "
        f"peak {memory / 2**30:.2f} GiB; registry {size / 2**20:.0f} MiB in {kept:.1f} s"
    )
    print("           " + ", ".join(f"{name.removeprefix('int_')} {took:.1f}" for name, took in models), flush=True)


def run(home: Settings, day: date, select: str) -> tuple[float, float, int, list[tuple[str, float]]]:
    """Run models in a process of dbt; returns their seconds, its CPU seconds and peak memory in bytes, and the seconds
    of each model."""
    command = [
        *(str(Path(sys.executable).with_name("dbt")), "build", "--quiet", "--select", *select.split()),
        *("--exclude-resource-type", "test", "unit_test"),
        *("--project-dir", str(dbt.PROJECT), "--profiles-dir", str(dbt.PROJECT)),
        *("--vars", json.dumps(dbt.variables(home, day))),
    ]
    process = psutil.Popen(command, env=dbt.environment(home), stdout=subprocess.PIPE, text=True)
    peak, cpu = 0, 0.0
    while process.poll() is None:
        try:
            peak, cpu = max(peak, process.memory_info().rss), sum(process.cpu_times()[:2])
        except psutil.Error:
            break
        time.sleep(0.05)
    if process.wait():
        raise SystemExit(process.stdout.read())
    results = json.loads((dbt.target(home) / "run_results.json").read_text(encoding="utf-8"))["results"]
    models = [(result["unique_id"].rsplit(".", 1)[-1], result["execution_time"]) for result in results]
    return sum(took for _, took in models), cpu, peak, models


if __name__ == "__main__":
    main([int(argument.replace(",", "")) for argument in sys.argv[1:]] or [1_250_000, 5_000_000])

"""What a day's `dbt run` costs beside a hand-written script that computes the same from the same Parquet.

    PYTHONPATH=plugins:. .venv/bin/python bench/warehouse.py [--scale 0.1] [--home DIRECTORY] [--tests] [--publish]

The script (warehouse.sql: R, F, M, scores, segment, rung, NPS of 90 days, customers) runs right before the four layers
of Tangga, dbt's own start among them; what both say of the customers must agree. Prints CPU seconds (user and
system), seconds on the clock and peak memory of each, the ratio, and what each model took: in CPU seconds too, as
models run one after the other; `--publish` publishes what was built, too. `TANGGA_MEMORY_LIMIT` is what DuckDB may
take.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from bisect import bisect
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import load
import psutil

from tangga import dbt, engine, landing, publish, reference, warehouse
from tangga.contracts import CONTRACTS
from tangga.engine import literal, parquet_list
from tangga.settings import Settings

ASKED = ("dim_customers", "customer_rfm", "customer_lifecycle", "nps")
"""The models that hold what the script computes."""

OWN = "select * from script.{} inner join pairs using (customer)"
SAME = {
    "R, F, M and segments": (
        OWN.format("rfm"),
        "select *, recency_days as recency from tangga.customer.customer_rfm",
        "recency frequency monetary r_score f_score m_score segment",
    ),
    "rungs": (OWN.format("ladder"), "select * from tangga.customer.customer_lifecycle", "rung"),
    "profiles": (OWN.format("customers"), "select * from tangga.core.dim_customers", "n_records email phone city"),
    "NPS": (
        "select *, 'all' as customer_id from script.nps",
        "select *, 'all' as customer_id from tangga.metrics.nps where period_grain = 'window' and dimension = 'all'",
        "n_responses promoters detractors nps",
    ),
}
"""What must be equal: rows of the script, rows of Tangga, and the columns."""


@dataclass
class Watch:
    """CPU seconds, seconds and peak memory of the processes that are started while it runs."""

    cpu: float = 0.0
    seconds: float = 0.0
    peak: int = 0
    samples: list[tuple[float, float]] = field(default_factory=list)

    def __enter__(self) -> Watch:
        self._began, self._before, self._over = time.time(), _worked(), threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()
        self.seconds, self.cpu = time.time() - self._began, _worked() - self._before

    def _look(self) -> None:
        while not self._over.wait(0.1):
            peak, cpu = 0, 0.0
            for process in psutil.Process().children(recursive=True):
                try:
                    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
                    peak += int(status.partition("VmHWM:")[2].split()[0]) * 1024
                    cpu += sum(process.cpu_times()[:2])
                except (psutil.Error, OSError, IndexError):
                    continue
            self.peak = max(self.peak, peak)
            self.samples.append((time.time(), cpu))

    def __str__(self) -> str:
        return f"{self.cpu:7.1f} CPU s {self.seconds:7.1f} s, peak {self.peak / 2**30:.2f} GiB"

    def between(self, first: float, last: float) -> float:
        """CPU seconds from one moment to another, by the samples next to them."""
        at = [self.samples[min(bisect(self.samples, (moment, 0.0)), len(self.samples) - 1)] for moment in (first, last)]
        return max(at[1][1] - at[0][1], 0.0)


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_script(known: Settings, file: Path) -> Watch:
    """The script in a process of its own, into a new file."""
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    with Watch() as watch:
        process = psutil.Popen([sys.executable, __file__, "--script", str(file), "--home", str(known.home)])
        if process.wait():
            raise SystemExit("the script failed")
    return watch


def script(known: Settings, file: Path) -> None:
    """What `--script` does."""
    with duckdb.connect(str(file), config={"memory_limit": engine.memory_limit()}) as con:
        con.execute("set timezone = 'UTC'")
        for entity in CONTRACTS:
            files = parquet_list(landing.partitions(known, entity, load.DAY))
            con.execute(f"create view {entity} as select * from read_parquet({files}, hive_partitioning=false)")
        for seed in ("rfm_segments", "role_addresses", "placeholder_phones"):
            rows = f"read_csv({literal(dbt.PROJECT / 'seeds' / f'{seed}.csv')}, all_varchar = {seed[0] == 'p'})"
            con.execute(f"create view {seed} as select * from {rows}")
        reference.create_table(con, known, "discount_campaigns")
        con.execute("create view campaigns as select * from discount_campaigns")
        con.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def run_layers(known: Settings, *, with_tests: bool) -> tuple[Watch, dict[str, tuple[float, float]]]:
    """All four layers; returns what they took, and the seconds and CPU seconds of each node."""
    total, nodes = Watch(), {}
    for layer, select in dbt.LAYERS.items():
        with Watch() as watch:
            if with_tests:
                dbt.build(known, load.DAY, layer)
            else:
                dbt.run(known, load.DAY, "build", "--quiet", "--exclude-resource-type", "test", "unit_test",
                        "--select", *select.split())  # fmt: skip
        total.cpu, total.seconds = total.cpu + watch.cpu, total.seconds + watch.seconds
        total.peak = max(total.peak, watch.peak)
        print(f"  {layer:13} {watch}", flush=True)
        results = json.loads((dbt.target(known) / "run_results.json").read_text(encoding="utf-8"))["results"]
        for result in results:
            first, last = _moment(result["timing"][0]["started_at"]), _moment(result["timing"][-1]["completed_at"])
            nodes[result["unique_id"]] = (result["execution_time"], watch.between(first, last))
    return total, nodes


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def needed(known: Settings) -> set[str]:
    """The models that hold what the script computes, and all that these are made of."""
    manifest = json.loads((dbt.target(known) / "manifest.json").read_text(encoding="utf-8"))
    found, ahead = set(), [f"model.tangga.{name}" for name in ASKED]
    while ahead:
        node = ahead.pop()
        if node not in found and node.split(".")[0] in ("model", "seed"):
            found.add(node)
            ahead += manifest["parent_map"][node]
    return found


def disagreements(known: Settings, file: Path) -> dict[str, int]:
    """How many customers, or figures, the script and Tangga tell otherwise. All must be 0."""
    with duckdb.connect() as con:
        con.execute(f"attach {literal(file)} as script (read_only)")
        con.execute(f"attach {literal(warehouse.path(known))} as tangga (read_only)")
        con.execute(
            "create temp table pairs as select distinct own.customer, theirs.customer_id from script.identities as own "
            "full join tangga.core.customer_identities as theirs using (source, contact_id)"
        )
        count = {"customers": "select 2 * count(*) - count(distinct customer) - count(distinct customer_id) from pairs"}
        for what, (own, theirs, columns) in SAME.items():
            left, right = (", ".join(f"{side}.{name}" for name in columns.split()) for side in ("own", "theirs"))
            count[what] = (
                f"select count(*) from ({own}) as own full join ({theirs}) as theirs using (customer_id) "
                f"where ({left}) is distinct from ({right})"
            )
        return {what: con.execute(query).fetchone()[0] for what, query in count.items()}


def report(ours: Watch, nodes: dict[str, tuple[float, float]], cpu: float, asked: set[str], top: int) -> None:
    start = ours.cpu - sum(cpu for _, cpu in nodes.values())
    same = start + sum(taken[1] for node, taken in nodes.items() if node in asked)
    print(f"Tangga          {ours}")
    print(f"  the same      {same:7.1f} CPU s = {same / cpu:.2f} x the script (dbt's start and end: {start:.1f})")
    print(f"  all           {ours.cpu:7.1f} CPU s = {ours.cpu / cpu:.2f} x the script")
    print(f"{'CPU s':>8} {'s':>7}   node (* holds what the script computes, or leads to it)")
    for node, (seconds, worked) in sorted(nodes.items(), key=lambda item: -item[1][1])[:top]:
        print(f"{worked:8.2f} {seconds:7.2f} {'*' if node in asked else ' '} {node.replace('.tangga.', ' ', 1)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--tests", action="store_true", help="with dbt's tests")
    parser.add_argument("--publish", action="store_true", help="publish it, too")
    parser.add_argument("--top", type=int, default=30, help="so many nodes")
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.home or load.home(options.scale)
    if options.script:
        script(load.known(folder), options.script)
        return
    known = load.made(folder, options.scale)
    file = folder / "script.duckdb"
    print(f"scale {options.scale:g}, DuckDB may take {engine.memory_limit()}", flush=True)
    theirs = run_script(known, file)
    print(f"script          {theirs}", flush=True)
    began = time.process_time()
    warehouse.prepare(known, load.DAY)
    prepared = time.process_time() - began
    ours, nodes = run_layers(known, with_tests=options.tests)
    print(f"prepare         {prepared:7.1f} CPU s")
    report(ours, nodes, theirs.cpu, needed(known), options.top)
    wrong = disagreements(known, file)
    print("disagreements:  " + ", ".join(f"{what} {count}" for what, count in wrong.items()))
    if any(wrong.values()):
        raise SystemExit("the script and Tangga do not compute the same")
    if options.publish:
        began, clock = time.process_time(), time.time()
        publish.publish(known, load.DAY, "bench")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        worked = time.process_time() - began
        print(f"publish         {worked:7.1f} CPU s {time.time() - clock:7.1f} s, peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()

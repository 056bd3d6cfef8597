"""Where the demo company's people stand against where they were meant to stand.

.venv/bin/python -m tests.reference.confusions HOME ...
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

RUNGS = range(1, 8)
Pair = tuple[int, int]
"""The rung that was meant, and the one that was computed."""


def confusions(truth: Iterable[Mapping[str, str]], crm: duckdb.DuckDBPyConnection) -> Counter[Pair]:
    """How many persons whose truth is decidable stand where. `truth` holds the rows of `demo_truth/rungs.csv`."""
    rungs = dict(
        crm.sql(
            "select identities.contact_id, lifecycle.rung from core.customer_identities as identities "
            "inner join customer.customer_lifecycle as lifecycle using (customer_id) where identities.source = 'shop'"
        ).fetchall()
    )
    persons = {
        (row["person_id"], int(row["intended_rung"]), rungs[row["contact_id"]])
        for row in truth
        if row["is_decidable"] == "true"
    }
    return Counter((meant, computed) for _, meant, computed in persons)


def share_right(found: Counter[Pair]) -> float:
    """The share (0-1) of persons who stand where they were meant to."""
    return sum(count for (meant, computed), count in found.items() if meant == computed) / found.total()


def as_table(found: Counter[Pair]) -> str:
    """The matrix as Markdown: a row for each rung that was meant, a column for each that was computed."""
    lines = [
        ["meant \\ computed", *map(str, RUNGS)],
        ["---"] * 8,
        *([f"**{meant}**", *(str(found[meant, computed] or "") for computed in RUNGS)] for meant in RUNGS),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(home: Path) -> None:
    """Print the matrix of the newest build that was published in `home`, whose truth has to be of the same day."""
    with (home / "demo_truth" / "rungs.csv").open(encoding="utf-8", newline="") as handle:
        truth = list(csv.DictReader(handle))
    with duckdb.connect(str((home / "published" / "crm.duckdb").resolve()), read_only=True) as crm:
        found = confusions(truth, crm)
    print(f"{home}: {share_right(found):.2%} of {found.total():,}\n\n{as_table(found)}\n")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        main(Path(folder))

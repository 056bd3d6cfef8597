"""A company's own rule tables (`reference:` in tangga.yml), checked before anything is built on them.

Each stands in for the dbt seed of the same name.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import product
from pathlib import Path

import duckdb

from tangga.settings import REPOSITORY, Settings, SettingsError

TABLES: dict[str, dict[str, str]] = {
    "rfm_segments": {"scheme": "varchar", "r": "integer", "f": "integer", "m": "integer", "segment": "varchar"},
    "rfm_cutoffs": {"metric": "varchar", "score": "integer", "lower_bound": "decimal(18,2)"},
    "exchange_rates": {"rate_date": "date", "currency": "varchar", "rate": "decimal(18,8)"},
    "discount_campaigns": {"campaign": "varchar", "starts_on": "date", "ends_on": "date", "scope": "varchar"},
}


def path_of(settings: Settings, table: str) -> Path:
    """The file that holds a rule table: the company's own, or the seed."""
    own = getattr(settings.reference, table)
    return settings.resolve(own) if own else REPOSITORY / "dbt_project" / "seeds" / f"{table}.csv"


def create_table(con: duckdb.DuckDBPyConnection, settings: Settings, table: str, schema: str = "main") -> None:
    """Create `<schema>.<table>` from its file. Raises `SettingsError` when the file is not usable."""
    path = path_of(settings, table)
    columns = TABLES[table]
    if not path.is_file():
        raise SettingsError(f"{path}: does not exist; 'reference.{table}' in {settings.config_path} names it")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
        header = [] if not rows else list(rows[0])
    missing = set(columns) - set(header) if rows else set()
    if missing:
        raise SettingsError(f"{path}: has no column {', '.join(sorted(missing))}; it needs {', '.join(columns)}")
    if table == "rfm_segments":
        _prove_segments(path, rows)
    con.execute(f"create or replace table {schema}.{table} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
    for number, row in enumerate(rows, start=2):
        try:
            con.execute(
                f"insert into {schema}.{table} values ({', '.join('?' for _ in columns)})",
                [row[name] or None for name in columns],
            )
        except duckdb.Error:
            raise SettingsError(f"{path}, line {number}: cannot be read; it needs {columns}") from None


def _prove_segments(path: Path, rows: list[dict[str, str]]) -> None:
    """Every scheme maps each of the 125 cells exactly once."""
    cells = set(product("12345", repeat=3))
    for scheme in {row["scheme"] for row in rows}:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", scheme or ""):
            raise SettingsError(f"{path}: '{scheme}' cannot be a scheme's name; use small letters, digits and _")
        count = Counter((row["r"], row["f"], row["m"]) for row in rows if row["scheme"] == scheme)
        wrong = [cell for cell in sorted(cells | set(count)) if count[cell] != 1 or cell not in cells]
        if wrong:
            shown = ", ".join("".join(cell) for cell in wrong[:5])
            raise SettingsError(f"{path}: scheme {scheme} must map each (r, f, m) from 111 to 555 once; see {shown}")

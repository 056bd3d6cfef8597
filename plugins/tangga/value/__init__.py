"""What customers are expected to bring in the next months, by BG/NBD and Gamma-Gamma: an extra that may be off.

The task writes two tables of the working file, which the marts read: `estimates.customers`, no row unless there is a
fit, and `estimates.fits`, one row unless it is off. The models run in a process of their own (`estimate`): their
library is large, and reads how many threads it may use, and where it may write, when it is first imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

from tangga import engine, warehouse
from tangga.engine import literal
from tangga.settings import REPOSITORY, Settings
from tangga.value import histories

TABLES: dict[str, dict[str, str]] = {
    "customers": {
        "customer_id": "varchar",
        "purchase_days": "integer",
        "first_purchase_date": "date",
        "last_purchase_date": "date",
        "probability_alive": "decimal(5,4)",
        "expected_purchases": "decimal(18,4)",
        "expected_average_value": "decimal(18,2)",
        "expected_net_value": "decimal(18,2)",
    },
    "fits": {
        "status": "varchar",
        "reason": "varchar",
        "horizon_end_date": "date",
        "holdout_start_date": "date",
        "customers": "integer",
        "repeat_customers": "integer",
        "customers_fitted": "integer",
        "repeat_customers_fitted": "integer",
        "r": "double",
        "alpha": "double",
        "a": "double",
        "b": "double",
        "purchases_log_likelihood": "double",
        "p": "double",
        "q": "double",
        "v": "double",
        "value_log_likelihood": "double",
        "correlation": "double",
        "holdout_purchases": "integer",
        "holdout_purchases_expected": "double",
        "holdout_error": "double",
        "holdout_value": "decimal(18,2)",
        "holdout_value_expected": "decimal(18,2)",
        "holdout_value_error": "double",
    },
}
"""Table of the schema `estimates` -> its columns; what they mean is said with the marts (`_expected_value.yml`)."""


class ExtraMissing(Exception):
    """The rules ask for expected values, but the library that computes them is not installed."""


class EstimateFailed(Exception):
    """The process of the models ended without an answer; that a model does not fit is one."""


def create_tables(con: duckdb.DuckDBPyConnection, database: str = "") -> None:
    """Create `estimates.<table>` in a database that is attached, or the main one: no rows, the right columns."""
    schema = f"{database}.estimates" if database else "estimates"
    con.execute(f"create schema if not exists {schema}")
    for table, columns in TABLES.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        con.execute(f"create or replace table {schema}.{table} ({listed})")


def expect(settings: Settings, as_of: date) -> str:
    """Fill `estimates` in the working file as of a day; returns in words what came of it.

    Raises `ExtraMissing` and `EstimateFailed`.
    """
    is_on = settings.rules.value.expected
    if is_on and importlib.util.find_spec("pymc_marketing") is None:
        raise ExtraMissing(
            f"rules.value.expected is true in {settings.config_path}, but pymc-marketing is not installed: run "
            "`make setup EXTRAS=value`, or set it to false."
        )
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(warehouse.path(settings))} as working")
        create_tables(con, "working")
        if not is_on:
            return "off (rules.value.expected)"
        folder = engine.spill_folder(con)
        days = histories.write(con, folder, as_of, settings.rules.value)
        request = days | {"rules": settings.rules.value.model_dump(mode="json")}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        _run(folder)
        fit = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        con.execute(
            f"insert into working.estimates.fits by name select {', '.join(f'? as {name}' for name in fit)}",
            list(fit.values()),
        )
        if fit["status"] != "fitted":
            return f"no fit: {fit['reason']}"
        con.execute(
            f"insert into working.estimates.customers select {', '.join(TABLES['customers'])} "
            f"from read_parquet({literal(folder / 'estimates.parquet')}) order by customer_id"
        )
        return f"fitted on {fit['customers_fitted']:,} of {fit['customers']:,} buyers"


def _run(folder: Path) -> None:
    """Run the models on what was written into a folder. Raises `EstimateFailed`."""
    command = [sys.executable, "-m", "tangga.value.estimate", str(folder)]
    done = subprocess.run(command, env=_environment(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        # The process says kind and place of an error itself: a traceback could quote somebody's data.
        said = done.stdout.strip() or f"exit code {done.returncode}"
        raise EstimateFailed(
            f"The models of expected value ended with {said}; report it, and set rules.value.expected to false."
        )


def _environment(folder: Path) -> dict[str, str]:
    """One thread and one order of sets, so that sums are added in one order; no compiler, so that it needs none; and
    nothing that is read from, or left in, the user's own folders."""
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(REPOSITORY / "plugins"), os.environ.get("PYTHONPATH")))),
        "PYTENSOR_FLAGS": f"mode=FAST_COMPILE,cxx=,base_compiledir={folder / 'pytensor'}",
        "PYTENSORRC": os.devnull,
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PYTHONHASHSEED": "0",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    }

"""The process in which the models run: `python -m tangga.value.estimate <folder>`.

Reads `request.json` and `histories.parquet` of the folder; writes `fit.json`, the row of `estimates.fits`, and if there
is a fit `estimates.parquet`, the rows of `estimates.customers`. Single-threaded, by its environment.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tangga.settings.rules.customers import Value
from tangga.value import checks
from tangga.value.histories import History

if TYPE_CHECKING:
    from tangga.value import models


class NoFit(Exception):
    """A check has failed; the message says which, in words."""


def estimate(folder: Path) -> None:
    """Fit, check, and expect."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    rules = Value(**request["rules"])
    table = pq.read_table(folder / "histories.parquet")
    fit: dict = {name: request[name] for name in ("horizon_end_date", "holdout_start_date")}
    try:
        estimates = _estimate(table, request, rules, fit)
    except NoFit as why:
        (folder / "fit.json").write_text(json.dumps({"status": "no fit", "reason": str(why)} | fit), encoding="utf-8")
        return
    pq.write_table(estimates, folder / "estimates.parquet")
    remark = checks.in_what_alike(fit)
    (folder / "fit.json").write_text(json.dumps({"status": "fitted", "reason": remark} | fit), encoding="utf-8")


def _estimate(table: pa.Table, request: dict, rules: Value, fit: dict) -> pa.Table:
    """The customers' estimates; `fit` gets what is known by the time that a check fails, but never a parameter before
    all have passed. Raises `NoFit`."""
    column = {name: table[name].to_numpy() for name in table.column_names if not name.endswith(("_id", "_date"))}
    was_known = ~np.isnan(column["before_frequency"].astype(float))
    is_fitted = column["is_fitted"].astype(bool)
    again = column["frequency"] > 0
    fit |= {"customers": table.num_rows, "repeat_customers": int(again.sum())}
    before_again = np.nan_to_num(column["before_frequency"].astype(float)) > 0
    held = column["held_purchases"][was_known]
    _pass(checks.is_enough(int(was_known.sum()), int(before_again.sum()), int(held.sum()), rules))

    now = History(*(column[name] for name in ("frequency", "recency_days", "age_days", "repeat_value")))
    before = History(
        column["before_frequency"][was_known].astype(int),
        column["before_recency_days"][was_known].astype(int),
        column["before_age_days"][was_known].astype(int),
        column["before_repeat_value"][was_known],
    )
    fit["correlation"] = _correlation(now)
    _pass(checks.is_independent(fit["correlation"], rules))

    # Only now: with nothing to go on, what takes seconds to import is not needed.
    from tangga.value import models

    purchases, values = _fit(before.where(is_fitted[was_known]))
    _, expected = models.expected_purchases(purchases, before, request["holdout_days"])
    holdout = checks.compare(
        before.frequency, held, expected, column["held_value"][was_known],
        expected * models.expected_value(values, before),
    )  # fmt: skip
    fit |= {
        "holdout_purchases": holdout.purchases,
        "holdout_purchases_expected": round(holdout.purchases_expected, 1),
        "holdout_error": round(holdout.error, 4),
        "holdout_value": round(holdout.value, 2),
        "holdout_value_expected": round(holdout.value_expected, 2),
        "holdout_value_error": round(holdout.value_error, 4) if holdout.value > 0 else None,
    }
    _pass(checks.holds(holdout, rules))

    sample = now.where(is_fitted)
    purchases, values = _fit(sample)
    alive, expected = models.expected_purchases(purchases, now, request["horizon_days"])
    value = models.expected_value(values, now)
    _pass(checks.is_possible(alive, expected, models.most_purchases(purchases, now, request["horizon_days"]), value))
    fit |= {
        "customers_fitted": int(is_fitted.sum()),
        "repeat_customers_fitted": int(sample.has_repeat_value.sum()),
        **purchases.parameters,
        "purchases_log_likelihood": purchases.log_likelihood,
        **values.parameters,
        "value_log_likelihood": values.log_likelihood,
    }
    return pa.table(
        {
            "customer_id": table["customer_id"],
            "purchase_days": pa.array(now.frequency + 1),
            "first_purchase_date": table["first_purchase_date"],
            "last_purchase_date": table["last_purchase_date"],
            "probability_alive": pa.array(alive.round(4)),
            "expected_purchases": pa.array(expected.round(4)),
            "expected_average_value": pa.array(value.round(2)),
            "expected_net_value": pa.array((expected * value).round(2)),
        }
    )


def _pass(why_not: str | None) -> None:
    if why_not:
        raise NoFit(why_not)


def _fit(history: History) -> tuple[models.Fitted, models.Fitted]:
    """Both models, each held to its checks."""
    from tangga.value import models

    if not history.has_repeat_value.any():
        raise NoFit("nobody has paid anything on a later day than their first")
    purchases, values = models.fit_purchases(history), models.fit_values(history)
    _pass(checks.is_settled("BG/NBD", purchases.parameters, purchases.steepness))
    _pass(checks.is_settled("Gamma-Gamma", values.parameters, values.steepness))
    _pass(checks.has_mean(values.parameters, values.scale))
    return purchases, values


def _correlation(history: History) -> float:
    """Pearson's, of how often and for how much; 0 where one of them is the same for all."""
    repeat = history.where(history.has_repeat_value)
    pair = np.array([repeat.frequency, repeat.repeat_value], dtype=float)
    return round(float(np.corrcoef(pair)[0, 1]), 4) if (np.ptp(pair, axis=1) > 0).all() else 0.0


def main() -> None:
    """Says of an error only what it is and where, on standard output: its text could quote somebody's data."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    try:
        estimate(Path(sys.argv[1]))
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "tangga" in frame.filename]
        print(f"{type(error).__name__} in {Path(own[-1].filename).name}, line {own[-1].lineno}")
        sys.exit(1)


if __name__ == "__main__":
    main()

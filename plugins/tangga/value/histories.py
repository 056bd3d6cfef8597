"""What the models know of a customer: how often and when they bought, and for how much, as of two days.

One is the day of the run. The other lies before it: what customers did since is held out, so that it can be compared
with what the models would have said. Only days on which somebody bought count, however often they did on one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from tangga.engine import literal
from tangga.settings.rules.customers import Value

_HISTORY = """
    select
        customer_id,
        min(purchase_date) as first_purchase_date,
        max(purchase_date) as last_purchase_date,
        cast(count(*) - 1 as integer) as frequency,
        cast(max(purchase_date) - min(purchase_date) as integer) as recency_days,
        cast(date '{day}' - min(purchase_date) as integer) as age_days,
        cast(sum(case when nth > 1 then net_amount else 0 end) as double) / greatest(count(*) - 1, 1) as repeat_value
    from days
    where purchase_date <= date '{day}'
    group by customer_id
"""
"""Frequency: days bought on after the first. Recency: from the first to the last. Age: from the first to the day.
Repeat value: the mean of what the days after the first brought, 0 if there is none."""


@dataclass(frozen=True)
class History:
    """Customers' histories, as arrays of one length: as `write` writes them."""

    frequency: np.ndarray
    recency_days: np.ndarray
    age_days: np.ndarray
    repeat_value: np.ndarray

    def where(self, chosen: np.ndarray) -> History:
        """Those of some customers, by a mask."""
        return History(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @property
    def has_repeat_value(self) -> np.ndarray:
        """Whose spending is known: they bought again, and not for nothing."""
        return (self.frequency > 0) & (self.repeat_value > 0)


def write(con: duckdb.DuckDBPyConnection, folder: Path, as_of: date, rules: Value) -> dict[str, str | int]:
    """Write `histories.parquet`: one row per customer who has bought, in the order of their ids.

    Columns of the day of the run as in `_HISTORY`; of the day before the holdout the same with `before_` in front, null
    for who bought first in it; `held_purchases` and `held_value` of the holdout; and `is_fitted`, true of at most
    `rules.max_customers_fitted` customers, the same from day to day. The working file is attached as `working`.

    Returns the days: `horizon_end_date`, `holdout_start_date`, and the lengths `horizon_days` and `holdout_days`.
    """
    (end,) = con.execute(f"select cast(date '{as_of}' + interval {rules.horizon_months} month as date)").fetchone()
    (first,) = con.execute("select min(purchase_date) from working.intermediate.int_purchase_days").fetchone()
    horizon = (end - as_of).days
    held = min(int(((as_of - first).days if first else 0) * rules.holdout_share), horizon)
    cutoff = as_of - timedelta(days=held)
    # What decides who is fitted on must not change with DuckDB's version, as its own hash() may.
    con.execute(
        f"""
        copy (
            with days as (
                select
                    customer_id,
                    purchase_date,
                    net_amount,
                    row_number() over (partition by customer_id order by purchase_date) as nth
                from working.intermediate.int_purchase_days
                where purchase_date <= date '{as_of}'
            ),
            now as ({_HISTORY.format(day=as_of)}),
            before as ({_HISTORY.format(day=cutoff)}),
            held as (
                select
                    customer_id,
                    cast(count(*) as integer) as held_purchases,
                    cast(sum(net_amount) as double) as held_value
                from days
                where purchase_date > date '{cutoff}' and nth > 1
                group by customer_id
            )
            select
                now.*,
                before.frequency as before_frequency,
                before.recency_days as before_recency_days,
                before.age_days as before_age_days,
                before.repeat_value as before_repeat_value,
                coalesce(held.held_purchases, 0) as held_purchases,
                coalesce(held.held_value, 0) as held_value,
                row_number() over (order by sha256(now.customer_id), now.customer_id) <= {rules.max_customers_fitted}
                    as is_fitted
            from now
            left join before on now.customer_id = before.customer_id
            left join held on now.customer_id = held.customer_id
            order by now.customer_id
        ) to {literal(folder / "histories.parquet")} (format parquet)
        """
    )
    return {
        "horizon_end_date": end.isoformat(),
        "horizon_days": horizon,
        "holdout_start_date": (cutoff + timedelta(days=1)).isoformat(),
        "holdout_days": held,
    }

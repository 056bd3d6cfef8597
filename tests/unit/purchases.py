"""Purchases for the tests of expected value: made by the models' own story; and a working file with them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tangga import settings as tangga_settings
from tangga import value, warehouse
from tangga.settings import Settings

CONFIG = """
business: {{name: Tests, time_zone: UTC, currency: EUR, country: DE}}
sources: {{shop: {{type: files, path: inbox, entities: {{contacts: {{path: contacts.csv}}}}}}}}
rules: {{value: {rules}}}
"""


def simulate(
    n: int,
    end: date,
    days: int,
    purchases: tuple[float, float, float, float],
    values: tuple[float, float, float],
    seed: int,
) -> pd.DataFrame:
    """Purchases (customer_id, purchase_date, net_amount) until `end` of people who first buy on one of `days` days.

    `purchases` are r, alpha (weeks), a and b: rates are drawn from a gamma, chances to leave after a purchase from a
    beta distribution. `values` are p, q and v: each one's scale is drawn from a gamma, what they pay from another.
    """
    draw = np.random.default_rng(seed)
    (r, alpha, a, b), (p, q, v) = purchases, values
    first = draw.integers(0, days, n)
    rate, leaving, scale = draw.gamma(r, 1 / alpha, n), draw.beta(a, b, n), draw.gamma(q, 1 / v, n)
    who, when = [np.arange(n)], [first.astype(float)]
    time, stays = first.astype(float), np.ones(n, bool)
    while stays.any():
        time[stays] += draw.exponential(7 / rate[stays])
        stays &= time < days
        bought = np.flatnonzero(stays)
        who.append(bought)
        when.append(time[bought])
        stays[bought[draw.random(len(bought)) < leaving[bought]]] = False
    who, when = np.concatenate(who), np.concatenate(when)
    amounts = draw.gamma(p, 1 / scale[who])
    begin = end - timedelta(days=days - 1)
    return pd.DataFrame(
        {
            "customer_id": [f"{number:08}" for number in who],
            "purchase_date": [begin + timedelta(days=int(day)) for day in when],
            "net_amount": amounts,
        }
    )


def working_file(folder: Path, purchases: pd.DataFrame, rules: str = "{expected: true}") -> Settings:
    """The settings of a home whose working file holds the purchase days; `rules` is `rules.value`."""
    config = folder / "tangga.yml"
    config.write_text(CONFIG.format(rules=rules), encoding="utf-8")
    settings = tangga_settings.load(config, folder / "var")
    file = warehouse.path(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(file)) as con:
        value.create_tables(con)
        con.execute("create schema if not exists intermediate")
        con.register("purchases", purchases)
        con.execute(
            """
            create or replace table intermediate.int_purchase_days as
            select customer_id, cast(purchase_date as date) as purchase_date,
                cast(sum(cast(net_amount as decimal(18, 2))) as decimal(18, 2)) as net_amount
            from purchases
            group by all
            """
        )
    return settings


def read(settings: Settings, table: str) -> list[dict]:
    """The rows of `estimates.<table>`."""
    with duckdb.connect(str(warehouse.path(settings)), read_only=True) as con:
        return con.execute(f"from estimates.{table}").to_arrow_table().to_pylist()

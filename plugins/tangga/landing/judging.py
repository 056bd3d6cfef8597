"""Whether a row keeps its contract; if not, why."""

from __future__ import annotations

import duckdb

from tangga import reference
from tangga.contracts import SURVEY_SCORES, Column, Contract
from tangga.engine import literal
from tangga.settings import Settings

_KIND = {
    "money": "an amount",
    "quantity": "a quantity",
    "integer": "a whole number",
    "instant": "a time",
    "date": "a date",
}


def judge(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract) -> None:
    """Temp table `_judged`: `_typed` with the `_reason` for which a row is rejected, '' when there is none."""
    rules = [rule for column in contract.columns for rule in _column_rules(column)]
    if contract.any_of:
        rules.append((
            f"coalesce({', '.join(contract.any_of)}) is null",
            f"none of {', '.join(contract.any_of)} has a value that can be used",
        ))  # fmt: skip
    if contract.entity == "survey_responses":
        rules += _score_rules()
    if contract.entity == "orders":
        rules.append(_rate_rule(con, settings))
    reasons = ", ".join(f"case when {condition} then {literal(reason)} end" for condition, reason in rules)
    con.execute(f"create temp table _judged as select *, concat_ws('; ', {reasons}) as _reason from _typed")


def _column_rules(column: Column) -> list[tuple[str, str]]:
    name, raw = column.name, f"{column.name}__raw"
    rules = []
    if column.required:
        rules.append((f"{raw} is null", f"{name} is missing"))
    if column.is_strict:
        kind = f"one of {', '.join(column.allowed)}" if column.allowed else _KIND.get(column.type, "readable")
        rules.append((f"{raw} is not null and {name} is null", f"{name} is not {kind}"))
    if column.minimum is not None:
        rules.append((f"{name} < {column.minimum}", f"{name} is below {column.minimum}"))
    if column.maximum is not None:
        rules.append((f"{name} > {column.maximum}", f"{name} is above {column.maximum}"))
    return rules


def _score_rules() -> list[tuple[str, str]]:
    unreadable = ("score__raw is not null and score is null", "score is not a whole number")
    return [unreadable] + [
        (f"kind = '{kind}' and score not between {low} and {high}", f"score is outside {low} to {high} for {kind}")
        for kind, (low, high) in SURVEY_SCORES.items()
    ]


def _rate_rule(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[str, str]:
    """A foreign amount needs a rate of its day, in the business's time zone, or of the days just before it."""
    con.execute("create schema reference")
    reference.create_table(con, settings, "exchange_rates", schema="reference")
    day = f"cast(timezone({literal(settings.business.time_zone)}, timezone('UTC', _typed.ordered_at)) as date)"
    return (
        f"currency <> {literal(settings.business.currency)} "
        "and not exists (select 1 from reference.exchange_rates as rates "
        f"where rates.currency = _typed.currency and rates.rate_date <= {day} "
        f"and rates.rate_date >= {day} - {settings.rules.currency.max_rate_age_days})",
        "there is no exchange rate for its currency on that day",
    )

"""A contract as checks of the rows of a partition."""

from __future__ import annotations

from expectations.checks import Check, unexpected_rows
from expectations.history import percent
from tangga.contracts import SURVEY_SCORES, Column, Contract
from tangga.engine import literal
from tangga.settings.rules.guards import Gate
from tangga.sources.relations import quoted


def of(contract: Contract, rows: str, rules: Gate) -> list[Check]:
    """What every row of a partition must keep. `rows` is the query of the rows, by which those that do not are
    found again."""
    checks = [
        Check("required", f"{name} is never empty", "ExpectColumnValuesToNotBeNull", {"column": name},
              places=_where(rows, f"{quoted(name)} is null"))
        for name in contract.required_names
    ]  # fmt: skip
    for column in contract.columns:
        if column.allowed:
            checks.append(_allowed(column, rows))
        if column.minimum is not None or column.maximum is not None:
            checks.append(_limits(column, rows))
        if column.type == "email":
            checks.append(_valid(column, rows, rules.max_invalid_email_share))
    if contract.any_of:
        checks.append(_any_of(contract, rows))
    if contract.entity == "survey_responses":
        checks += [_scores(kind, low, high, rows) for kind, (low, high) in SURVEY_SCORES.items()]
    return checks


def _allowed(column: Column, rows: str) -> Check:
    sentence = f"{column.name} is one of {', '.join(column.allowed)}"
    arguments = {"column": column.name, "value_set": list(column.allowed)}
    others = f"{quoted(column.name)} not in ({', '.join(map(literal, column.allowed))})"
    return Check("allowed", sentence, "ExpectColumnValuesToBeInSet", arguments, places=_where(rows, others))


def _limits(column: Column, rows: str) -> Check:
    limits = [("at least", "<", column.minimum), ("at most", ">", column.maximum)]
    given = [(words, beyond, limit) for words, beyond, limit in limits if limit is not None]
    sentence = f"{column.name} is {' and '.join(f'{words} {limit}' for words, _, limit in given)}"
    arguments = {"column": column.name, "min_value": column.minimum, "max_value": column.maximum}
    broken = " or ".join(f"{quoted(column.name)} {beyond} {limit}" for _, beyond, limit in given)
    return Check("limits", sentence, "ExpectColumnValuesToBeBetween", arguments, places=_where(rows, broken))


def _valid(column: Column, rows: str, most: float) -> Check:
    flag = f"is_{column.name}_valid"
    sentence = f"At most {percent(most)} of the addresses in {column.name} are invalid"
    arguments = {"column": flag, "value_set": [True], "mostly": 1 - most}
    return Check("emails", sentence, "ExpectColumnValuesToBeInSet", arguments, places=_where(rows, f"not {flag}"))


def _any_of(contract: Contract, rows: str) -> Check:
    # An invalid address counts as one: landing empties what it cannot read and keeps the row.
    given = [*contract.any_of, *(["is_email_valid"] if "email" in contract.any_of else [])]
    sentence = f"Every row has a value for one of {', '.join(contract.any_of)}"
    return _no_row(
        "any_of", sentence, f"coalesce({', '.join(f'cast({name} as varchar)' for name in given)}) is null", rows
    )


def _scores(kind: str, low: int, high: int, rows: str) -> Check:
    condition = f"kind = '{kind}' and score not between {low} and {high}"
    return _no_row("scores", f"score is {low} to {high} where kind is {kind}", condition, rows)


def _no_row(name: str, sentence: str, condition: str, rows: str) -> Check:
    query = f"select 1 from {{batch}} where {condition}"
    return unexpected_rows(name, sentence, query, places=_where(rows, condition))


def _where(rows: str, condition: str) -> str:
    return f"select _file, _line from ({rows}) where {condition}"

"""When a fit is to be believed. Each check gives a sentence that says why not, or None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangga.settings.rules import Value

MAX_STEEPNESS = 1e-3
"""At a maximum the mean log-likelihood of a customer does not rise by more than this for a parameter e times as large."""

SHAPES = (1e-3, 1e3)
"""Beyond these a parameter of shape runs away: customers are all alike, or nobody or everybody leaves, and the likelihood
is flat in it."""

SCALES = {"alpha": (1e-3, 1e5), "v": (1e-4, 1e5)}
"""The same of the scales: of alpha in weeks, of v in mean purchases."""

GROUPS = 4
"""The holdout is compared by how often customers had bought again before: never, once, twice, and three times or more."""


@dataclass(frozen=True)
class Holdout:
    """What customers did in the days held out, and what the models, fitted on the days before, expected of them."""

    purchases: int
    purchases_expected: float
    error: float
    value: float
    value_expected: float

    @property
    def value_error(self) -> float:
        return abs(self.value_expected - self.value) / self.value if self.value > 0 else float("inf")


def compare(
    before_frequency: np.ndarray,
    purchases: np.ndarray,
    purchases_expected: np.ndarray,
    value: np.ndarray,
    value_expected: np.ndarray,
) -> Holdout:
    """The holdout's figures from arrays of one length, one entry per customer.

    The error is the sum of the groups' differences as a share of all purchases: a total that is right because one group
    makes up for another does not pass.
    """
    group = np.minimum(before_frequency, GROUPS - 1)
    found = np.bincount(group, weights=purchases, minlength=GROUPS)
    expected = np.bincount(group, weights=purchases_expected, minlength=GROUPS)
    error = float(np.abs(expected - found).sum() / found.sum()) if found.sum() else float("inf")
    return Holdout(
        int(purchases.sum()), float(purchases_expected.sum()), error, float(value.sum()), float(value_expected.sum())
    )


def is_enough(customers: int, repeat_customers: int, held_purchases: int, rules: Value) -> str | None:
    """Whether there is enough to fit on and to compare with."""
    for number, least, of_what in (
        (customers, rules.minimum_customers, "customers before the days held out"),
        (repeat_customers, rules.minimum_repeat_customers, "customers who had bought again before the days held out"),
        (held_purchases, rules.minimum_holdout_purchases, "purchases of theirs in the days held out"),
    ):
        if number < least:
            return f"{number:,} {of_what}, where {least:,} are needed"
    return None


def is_independent(correlation: float, rules: Value) -> str | None:
    """Whether how often customers buy has nothing to do with how much they pay, as Gamma-Gamma takes it."""
    if abs(correlation) <= rules.max_correlation:
        return None
    return (
        f"how often customers buy goes with how much they pay (correlation {correlation:.2f}, at most "
        f"{rules.max_correlation:g}), which Gamma-Gamma rules out"
    )


def is_settled(name: str, parameters: dict[str, float], steepness: float, scale: float = 1.0) -> str | None:
    """Whether the optimiser has ended on a maximum, at parameters that mean something. `scale` is the unit of v."""
    if not all(np.isfinite([*parameters.values(), steepness])) or steepness > MAX_STEEPNESS:
        return f"{name} has no maximum of the likelihood that could be found"
    for parameter, value in parameters.items():
        least, most = SCALES.get(parameter, SHAPES)
        if not least <= (value / scale if parameter == "v" else value) <= most:
            return f"{name} has run away ({parameter} = {value:g}): the data do not say how customers differ"
    if parameters.get("q", np.inf) <= 1:
        return f"{name} gives no mean (q = {parameters['q']:g}, not above 1): a few customers spend too much more than others"
    return None


def holds(holdout: Holdout, rules: Value) -> str | None:
    """Whether the models would have foretold what customers did in the days held out."""
    most = rules.holdout_tolerance
    if not holdout.error <= most:
        return (
            f"of the {holdout.purchases:,} purchases held out {holdout.purchases_expected:,.0f} were expected, off by "
            f"{holdout.error:.0%} when compared by how often customers had bought (at most {most:.0%})"
        )
    if not holdout.value_error <= most:
        return (
            f"of the net value of {holdout.value:,.0f} held out {holdout.value_expected:,.0f} was expected, off by "
            f"{holdout.value_error:.0%} (at most {most:.0%})"
        )
    return None


def is_possible(alive: np.ndarray, purchases: np.ndarray, most: np.ndarray, values: np.ndarray) -> str | None:
    """Whether every customer's figures are numbers, and none would buy more often than if they were sure to stay."""
    fine = (alive >= 0) & (alive <= 1) & (purchases >= 0) & (purchases <= alive * most * (1 + 1e-6) + 1e-9)
    wrong = int((~(fine & np.isfinite(values) & (values >= 0))).sum())
    return f"the figures of {wrong:,} customers cannot be computed with these parameters" if wrong else None

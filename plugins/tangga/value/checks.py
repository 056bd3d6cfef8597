"""When a fit is to be believed. Each check gives a sentence that says why not, or None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tangga.settings.rules.customers import Value

MAX_STEEPNESS = 1e-3
"""At a maximum the mean log-likelihood of a customer rises by no more than this for a parameter e times as large."""

POSSIBLE = (1e-6, 1e9)
"""Beyond these a parameter is not where the data led to."""

ALIKE = 1e3
"""Where r, a + b or q is larger, customers hardly differ. The likelihood is flat there, and so is all that follows from
it: how large the parameter is means nothing, and makes no difference."""

MAX_MEAN_FACTOR = 3
"""The mean purchase by Gamma-Gamma may be so many times the mean of what it was fitted on, or that part of it."""

GROUPS = 4
"""The holdout is compared by how often customers had bought again before: never, once, twice, three times or more."""


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


def is_settled(name: str, parameters: dict[str, float], steepness: float) -> str | None:
    """Whether the optimiser has ended on a maximum of the likelihood."""
    least, most = POSSIBLE
    if steepness <= MAX_STEEPNESS and all(least <= value <= most for value in parameters.values()):
        return None
    return f"no maximum of the likelihood of {name} was found"


def has_mean(parameters: dict[str, float], mean_value: float) -> str | None:
    """Whether Gamma-Gamma's mean purchase exists and is near to the mean of what it was fitted on."""
    p, q, v = (parameters[name] for name in "pqv")
    if q > 1 and 1 / MAX_MEAN_FACTOR <= p * v / (q - 1) / mean_value <= MAX_MEAN_FACTOR:
        return None
    return f"Gamma-Gamma gives no mean purchase that could be (q = {q:g}): a few customers pay far more than the others"


def in_what_alike(parameters: dict[str, float]) -> str | None:
    """In what customers hardly differ, of the parameters of both models."""
    sizes = {
        "how often they buy": parameters["r"],
        "how readily they leave": parameters["a"] + parameters["b"],
        "how much they pay": parameters["q"],
    }
    alike = [what for what, size in sizes.items() if size > ALIKE]
    return f"customers hardly differ in {' and '.join(alike)}" if alike else None


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

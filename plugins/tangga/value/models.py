"""The two models, fitted by maximum likelihood: BG/NBD (how often) and Gamma-Gamma (for how much), of pymc-marketing.

Flat priors make its maximum a posteriori the maximum of the likelihood, as in the papers: Fader, Hardie & Lee (2005),
"Counting your customers the easy way"; Fader & Hardie (2013), "The Gamma-Gamma model of monetary value". Time is in
weeks. Parameters are rounded before anything is computed from them: what is published is what was used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing.clv import BetaGeoModel, GammaGammaModel
from pymc_marketing.clv.models import CLVModel

from tangga.value.histories import History

DAYS_PER_WEEK = 7
DIGITS = 6
"""Significant digits of a parameter: fewer than the optimiser settles, more than the data do."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model. `steepness` is the greatest slope of a customer's mean log-likelihood in the logarithm of any
    parameter, 0 at a maximum; `scale` is the unit that the model counts values in: the mean of what it was given."""

    model: CLVModel
    parameters: dict[str, float]
    log_likelihood: float
    steepness: float
    scale: float = 1.0


def fit_purchases(history: History) -> Fitted:
    """BG/NBD: r, alpha (in weeks), a, b."""
    names = ("r", "alpha", "a", "b")
    return _fit(BetaGeoModel(model_config={name: Prior("HalfFlat") for name in names}), names, _frame(history))


def fit_values(history: History) -> Fitted:
    """Gamma-Gamma on those whose spending is known: p, q, v (in the currency)."""
    repeat = history.where(history.has_repeat_value)
    # The optimiser starts at 1, which is far from rupiah and near to their mean.
    scale = float(repeat.repeat_value.mean())
    names = ("p", "q", "v")
    return _fit(
        GammaGammaModel(model_config={name: Prior("HalfFlat") for name in names}), names, _frame(repeat, scale), scale
    )


def expected_purchases(fitted: Fitted, history: History, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Per customer: the probability that they still buy, and the days they are expected to buy on within so many."""
    frame = _frame(history)
    alive = fitted.model.expected_probability_alive(data=frame)
    purchases = fitted.model.expected_purchases(data=frame, future_t=days / DAYS_PER_WEEK)
    return alive.to_numpy().ravel(), purchases.to_numpy().ravel()


def most_purchases(fitted: Fitted, history: History, days: int) -> np.ndarray:
    """What each would be expected to buy if they were sure to stay: more than `expected_purchases` can be."""
    rate = (fitted.parameters["r"] + history.frequency) / (
        fitted.parameters["alpha"] + history.age_days / DAYS_PER_WEEK
    )
    return rate * days / DAYS_PER_WEEK


def expected_value(fitted: Fitted, history: History) -> np.ndarray:
    """Per customer: what a day on which they buy is expected to bring, in the currency."""
    spend = fitted.model.expected_customer_spend(data=_frame(history, fitted.scale))
    return spend.to_numpy().ravel() * fitted.scale


def _frame(history: History, scale: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": np.arange(len(history.frequency)),
            "frequency": history.frequency.astype(float),
            "recency": history.recency_days / DAYS_PER_WEEK,
            "T": history.age_days / DAYS_PER_WEEK,
            "monetary_value": history.repeat_value / scale,
        }
    )


def _fit(model: CLVModel, names: tuple[str, ...], frame: pd.DataFrame, scale: float = 1.0) -> Fitted:
    model.fit(data=frame, method="map", progressbar=False)
    found = {name: float(model.fit_result[name].item()) for name in names}
    at = {f"{name}_log__": np.array(np.log(value)) for name, value in found.items()}
    slopes = model.model.compile_dlogp(jacobian=False)(at)
    log_likelihood = float(model.model.compile_logp(jacobian=False)(at)) - len(frame) * np.log(scale)
    units = {"v": scale}
    parameters = {name: float(f"{value * units.get(name, 1.0):.{DIGITS}g}") for name, value in found.items()}
    for name, value in parameters.items():
        model.fit_result[name].values[...] = value / units.get(name, 1.0)
    return Fitted(model, parameters, round(log_likelihood, 2), float(np.abs(slopes).max() / len(frame)), scale)

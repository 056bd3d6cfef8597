"""Rules of who customers are, what they buy, and what is made of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tangga.settings.types import Name, Strict


class CurrencyRules(Strict):
    """A foreign amount is converted with the rate of its day, or of the days before it up to this age."""

    max_rate_age_days: int = Field(7, ge=0)


class Identity(Strict):
    """Addresses and numbers shared by more records than this do not make them one person."""

    max_records_per_value: int = Field(5, ge=2)


class Rfm(Strict):
    """`window_days` counts back from the as-of date; empty means all history. The history holds the last
    `history_months` month ends. With `damping_days` a new segment counts once it has held so many days running; 0 is
    off. For that every day is evaluated since the last month end that lies `damping_lookback_days` or more back."""

    binning: Literal["quantile", "fixed", "r_rfm"] = "quantile"
    scheme: Name = "standard_11"
    window_days: int | None = Field(None, gt=0)
    history_months: int = Field(12, ge=0, le=120)
    damping_days: int = Field(0, ge=0, le=90)
    damping_lookback_days: int = Field(30, ge=1, le=180)

    @model_validator(mode="after")
    def _damping_fits_its_lookback(self) -> Rfm:
        if self.damping_days > self.damping_lookback_days:
            raise ValueError(
                f"damping_days ({self.damping_days}) is more than damping_lookback_days "
                f"({self.damping_lookback_days}): no segment could ever hold that long; make the look-back longer"
            )
        return self


class Lifecycle(Strict):
    """Where the rungs of the ladder begin, and how many days its history goes back."""

    engaged_days: int = Field(90, gt=0)
    majority_purchase_days: int = Field(4, ge=2)
    majority_gap_factor: float = Field(2.0, gt=0)
    sieve_ratio: float = Field(0.8, gt=0)
    sieve_min_full_price_orders: int = Field(2, ge=0)
    satisfaction_days: int = Field(365, gt=0)
    satisfied_csat: int = Field(4, ge=1, le=5)
    satisfied_nps: int = Field(7, ge=0, le=10)
    referral_days: int = Field(365, gt=0)
    history_days: int = Field(730, gt=0)


class Journey(Strict):
    """A buyer is at risk, then gone, when they stay away that many times longer than they used to."""

    at_risk_gap_factor: float = Field(2.0, gt=0)
    churned_gap_factor: float = Field(3.0, gt=0)
    usual_gap_floor_days: int = Field(30, gt=0)
    usual_gap_cap_days: int = Field(365, gt=0)


class Retention(Strict):
    """Who buys again within that many days of the first purchase counts as bought again soon."""

    repurchase_days: int = Field(90, gt=0)


class Economics(Strict):
    """The share (0-1) of net value that is left when the goods are paid, and the days that contacts are judged by."""

    margin_share: float = Field(0.3, ge=0, le=1)
    window_days: int = Field(365, gt=0)


class Value(Strict):
    """What customers are expected to bring in the next months, if `expected` is true ([value](value.md) explains it).
    Held out to compare with is the last `holdout_share` (0-1) of the days since the first purchase, at most the
    horizon. A fit needs so many customers before it, of them who had bought again, and purchases in it; it may miss its
    purchases and value by the tolerance (0-1), and how often customers buy may go with how much they pay up to the
    correlation (0-1)."""

    expected: bool = False
    horizon_months: int = Field(12, ge=1, le=60)
    minimum_customers: int = Field(500, ge=50)
    minimum_repeat_customers: int = Field(100, ge=20)
    minimum_holdout_purchases: int = Field(100, ge=1)
    max_customers_fitted: int = Field(50_000, ge=500)
    holdout_share: float = Field(0.25, gt=0, le=0.5)
    holdout_tolerance: float = Field(0.3, gt=0, le=1)
    max_correlation: float = Field(0.3, ge=0, le=1)


class Needs(Strict):
    """What counts as a sign of what somebody likes, over how many days; shares (0-1) of orders with a discount up to
    which a customer pays the full price, and from which they wait for discounts."""

    window_days: int = Field(365, gt=0)
    minimum_views: int = Field(3, ge=1)
    full_price_share: float = Field(0.2, ge=0, le=1)
    discount_share: float = Field(0.8, ge=0, le=1)


class Recommendations(Strict):
    """Products bought together by fewer customers than the minimum are not related; of a customer's products the latest
    count, so many for what goes together and so many for what to offer; of a product its nearest neighbours."""

    minimum_customers: int = Field(5, ge=2)
    products_considered: int = Field(50, ge=2)
    recent_products: int = Field(10, ge=1)
    neighbours: int = Field(10, ge=1)
    sold_within_days: int = Field(180, gt=0)
    per_customer: int = Field(3, ge=1, le=100)

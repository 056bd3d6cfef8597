"""`rules:` in `tangga.yml`: the business rules that are single numbers or names, with their defaults."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tangga.contracts import CHANNELS
from tangga.settings.types import Name, Strict


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


class Identity(Strict):
    """Addresses and numbers shared by more records than this do not make them one person."""

    max_records_per_value: int = Field(5, ge=2)


class Nps(Strict):
    """The window of the current score; below the minimum number of answers no score is shown."""

    window_days: int = Field(90, gt=0)
    minimum_responses: int = Field(10, ge=1)


class CurrencyRules(Strict):
    """A foreign amount is converted with the rate of its day, or of the days before it up to this age."""

    max_rate_age_days: int = Field(7, ge=0)


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


class Consent(Strict):
    """Channels on which a yes counts only once it was confirmed (`method: double_opt_in`)."""

    double_opt_in_channels: list[Literal[*CHANNELS]] = []


class Journey(Strict):
    """A buyer is at risk, then gone, when they stay away that many times longer than they used to."""

    at_risk_gap_factor: float = Field(2.0, gt=0)
    churned_gap_factor: float = Field(3.0, gt=0)
    usual_gap_floor_days: int = Field(30, gt=0)
    usual_gap_cap_days: int = Field(365, gt=0)


class Audiences(Strict):
    """Windows of the audiences, in days unless the name says hours."""

    welcome_days: int = Field(7, gt=0)
    cart_delay_hours: int = Field(4, ge=0)
    cart_days: int = Field(7, gt=0)
    birthday_days_ahead: int = Field(7, gt=0)
    first_birth_year: int = 1901
    second_purchase_from_days: int = Field(14, ge=0)
    second_purchase_to_days: int = Field(60, gt=0)
    recovery_days: int = Field(14, gt=0)
    full_price_from_rung: int = Field(5, ge=1, le=7)
    feedback_from_days: int = Field(7, ge=0)
    feedback_to_days: int = Field(30, gt=0)
    feedback_rest_days: int = Field(90, gt=0)
    sunset_days: int = Field(180, gt=0)


class Caps(Strict):
    """The most messages to a person within `pressure.window_days` on each channel."""

    email: int = Field(3, ge=0)
    sms: int = Field(1, ge=0)
    push: int = Field(3, ge=0)
    whatsapp: int = Field(1, ge=0)
    telegram: int = Field(1, ge=0)
    messenger: int = Field(1, ge=0)
    in_app: int = Field(5, ge=0)
    news_feed: int = Field(5, ge=0)


class Pressure(Strict):
    """How much anybody is written to: at most `caps` messages on a channel within so many days, counted where the
    customer is. The lists of a day are taken to be sent on the next, at that hour of the business; nothing is sent on
    quiet weekdays (1 is Monday) and dates."""

    window_days: int = Field(7, gt=0)
    sent_at_hour: int = Field(9, ge=0, le=23)
    quiet_weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()
    quiet_dates: tuple[date, ...] = ()


class Uplift(Strict):
    """What campaigns bring is measured that many days after the entry, over entries of `window_days`; of fewer
    customers on either side than the minimum nothing is said."""

    after_days: tuple[Annotated[int, Field(gt=0)], ...] = (14, 30)
    window_days: int = Field(365, gt=0)
    minimum_customers: int = Field(30, ge=5)


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


class Gate(Strict):
    """What the inbound gate takes for normal. A partition is compared with the accepted runs of the days before it,
    at most `history_runs` of them: a snapshot from `snapshot_history` on, a daily load from `daily_history` on.
    `large_drop_share` fewer rows than their median stop, `small_drop_share` fewer warn, and so do more than
    `max_growth_factor` times as many; below `min_expected_rows` only a large drop is told, and only warns. Shares are
    0 to 1."""

    history_runs: int = Field(7, ge=1, le=366)
    snapshot_history: int = Field(1, ge=1)
    daily_history: int = Field(3, ge=1)
    large_drop_share: float = Field(0.4, gt=0, le=1)
    small_drop_share: float = Field(0.2, gt=0, le=1)
    max_growth_factor: float = Field(3.0, gt=1)
    min_expected_rows: int = Field(20, ge=1)
    max_extra_lag_days: float = Field(2.0, ge=0)
    max_emptied_share: float = Field(0.05, ge=0, le=1)
    max_invalid_email_share: float = Field(0.05, ge=0, le=1)
    max_quarantined_share: float = Field(0.01, ge=0, le=1)


class Activation(Strict):
    """What is sent without asking anybody. A list may lose or gain so many rows, or the share of it that the registry
    gives the audience, whichever is more; become empty when it had at most `emptied_rows`; and hold `max_list_rows`.
    Of the contacts that a tool knows it stops so many, or the share `max_stopped_share` (0-1), whichever is more.
    Beyond that somebody has to agree within `approval_hours`, which is also for how long a yes counts. A delivery fails
    when the tool has rejected more than `max_rejected_share` (0-1) of its rows; the others arrive."""

    removal_rows: int = Field(50, ge=0)
    growth_rows: int = Field(50, ge=0)
    emptied_rows: int = Field(10, ge=0)
    max_list_rows: int | None = Field(None, ge=1)
    stopped_rows: int = Field(50, ge=0)
    max_stopped_share: float = Field(0.05, ge=0, le=1)
    approval_hours: int = Field(24, ge=1, le=720)
    max_rejected_share: float = Field(0.05, ge=0, le=1)


class Csat(Strict):
    """The window of the current satisfaction score, the fewest answers it is shown for, and the lowest score that is
    satisfied, of 1-5."""

    window_days: int = Field(90, gt=0)
    minimum_responses: int = Field(10, ge=1)
    satisfied_score: int = Field(4, ge=1, le=5)


class Ces(Strict):
    """The window of the current effort score; below the minimum number of answers no score is shown."""

    window_days: int = Field(90, gt=0)
    minimum_responses: int = Field(10, ge=5)


class Feedback(Strict):
    """An answer that names no order is about the customer's latest purchase of that many days, and follows on their
    latest ticket of that many days."""

    order_days: int = Field(30, gt=0)
    ticket_days: int = Field(30, gt=0)


class Service(Strict):
    """Targets in business hours (seed `business_hours`), the days in which a customer comes back or does not, and the
    fewest tickets that a share or median is shown for."""

    first_response_hours: float = Field(4.0, gt=0)
    resolution_hours: float = Field(24.0, gt=0)
    recovery_days: int = Field(90, gt=0)
    minimum_tickets: int = Field(10, ge=1)


class Retention(Strict):
    """Who buys again within that many days of the first purchase counts as bought again soon."""

    repurchase_days: int = Field(90, gt=0)


class Erasure(Strict):
    """Hours after somebody asks to be forgotten: by which it has to be done, and by which somebody has to decide."""

    due_hours: int = Field(72, gt=0)
    approval_hours: int = Field(48, gt=0)


class Rules(Strict):
    """The business rules that are single numbers; those that are tables live in dbt_project/seeds."""

    currency: CurrencyRules = CurrencyRules()
    identity: Identity = Identity()
    rfm: Rfm = Rfm()
    lifecycle: Lifecycle = Lifecycle()
    journey: Journey = Journey()
    consent: Consent = Consent()
    nps: Nps = Nps()
    audiences: Audiences = Audiences()
    caps: Caps = Caps()
    pressure: Pressure = Pressure()
    uplift: Uplift = Uplift()
    economics: Economics = Economics()
    value: Value = Value()
    needs: Needs = Needs()
    recommendations: Recommendations = Recommendations()
    gate: Gate = Gate()
    activation: Activation = Activation()
    csat: Csat = Csat()
    ces: Ces = Ces()
    feedback: Feedback = Feedback()
    service: Service = Service()
    retention: Retention = Retention()
    erasure: Erasure = Erasure()

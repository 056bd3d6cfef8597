"""`rules:` in `tangga.yml`: the business rules that are single numbers or names, with their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tangga.contracts import CHANNELS
from tangga.settings.types import Name, Strict


class Rfm(Strict):
    """`window_days` counts back from the as-of date; empty means all history."""

    binning: Literal["quantile", "fixed", "r_rfm"] = "quantile"
    scheme: Name = "standard_11"
    window_days: int | None = Field(None, gt=0)


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
    """Where the rungs of the ladder begin."""

    engaged_days: int = Field(90, gt=0)
    majority_purchase_days: int = Field(4, ge=2)
    majority_gap_factor: float = Field(2.0, gt=0)
    sieve_ratio: float = Field(0.8, gt=0)
    sieve_min_full_price_orders: int = Field(2, ge=0)
    satisfaction_days: int = Field(365, gt=0)
    satisfied_csat: int = Field(4, ge=1, le=5)
    satisfied_nps: int = Field(7, ge=0, le=10)
    referral_days: int = Field(365, gt=0)


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


class Economics(Strict):
    """The share (0-1) of net value that is left when the goods are paid, and the days that contacts are judged by."""

    margin_share: float = Field(0.3, ge=0, le=1)
    window_days: int = Field(365, gt=0)


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
    economics: Economics = Economics()
    needs: Needs = Needs()
    recommendations: Recommendations = Recommendations()
    gate: Gate = Gate()
    csat: Csat = Csat()
    ces: Ces = Ces()
    feedback: Feedback = Feedback()
    service: Service = Service()
    retention: Retention = Retention()

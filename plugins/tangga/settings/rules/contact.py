"""Rules of whom campaigns are for, how often anybody is written to, and what that brings."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from tangga.contracts import CHANNELS
from tangga.settings.types import Strict


class Consent(Strict):
    """Channels on which a yes counts only once it was confirmed (`method: double_opt_in`)."""

    double_opt_in_channels: list[Literal[*CHANNELS]] = []


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

"""Rules of what customers say of the company, and of how it answers them."""

from __future__ import annotations

from pydantic import Field

from tangga.settings.types import Strict


class Nps(Strict):
    """The window of the current score; below the minimum number of answers no score is shown."""

    window_days: int = Field(90, gt=0)
    minimum_responses: int = Field(10, ge=1)


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

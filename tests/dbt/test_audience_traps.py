"""The traps of consent and of the audiences, each by itself, from what lands to who may be contacted and belongs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.dbt.harness import AS_OF, Compiled
from tests.dbt.test_audience_truth import make, models, problems, rows  # noqa: F401 (a fixture)
from tests.reference.contactability import SHARED, Facts, address_id

END = datetime(2026, 6, 30, 17)
AGREED = END - timedelta(days=300)
LANDED = {"_source": "s", "_ds": "2026-06-30", "_file": "f", "_line": 1, "_is_deleted": False}


class Land:
    """Lands rows; instants are so long before the day's end, below zero after it."""

    def __init__(self, end: datetime = END) -> None:
        self.facts, self.end = Facts(), end

    def contact(
        self, name: str, *also: str, email: str | None = None, phone: str | None = None, **more: object
    ) -> None:
        """A person with a record in each source, who agreed long ago to e-mail at the first."""
        for source in ("shop", *also):
            self.facts.contacts.append(LANDED | {
                "namespace": source, "contact_id": name, "updated_at": self.end - timedelta(days=400),
                "email": email or f"{name.replace(' ', '.')}@example.com", "is_email_valid": True, "phone": phone,
                "signup_at": None, "birth_date": None,
            } | more)  # fmt: skip
        self.consent(name, "granted", timedelta(days=300))

    def consent(
        self, name: str, status: str, ago: timedelta, source: str = "shop", purpose: str | None = None,
        channel: str = "email",
    ) -> None:  # fmt: skip
        self.facts.consents.append(LANDED | {
            "namespace": source, "contact_id": name, "email": None, "channel": channel, "status": status,
            "status_at": self.end - ago, "purpose": purpose, "method": "double_opt_in",
        })  # fmt: skip

    def message(self, name: str, event: str, ago: timedelta, source: str = "shop") -> None:
        self.facts.messages.append(LANDED | {
            "namespace": source, "contact_id": name, "email": None, "message_id": f"{name}{ago}", "channel": "email",
            "event": event, "occurred_at": self.end - ago, "audience": None,
        })  # fmt: skip

    def cart(self, name: str, ago: timedelta) -> None:
        self.facts.events.append(LANDED | {
            "namespace": "shop", "contact_id": name, "event_id": f"{name}{ago}", "event_type": "add_to_cart",
            "occurred_at": self.end - ago, "cart_id": name,
        })  # fmt: skip

    def order(self, name: str, ago: timedelta, status: str = "completed") -> None:
        self.facts.orders.append(LANDED | {
            "namespace": "shop", "contact_id": name, "order_id": f"{name}{ago}", "ordered_at": self.end - ago,
            "status": status, "currency": "IDR", "total_amount": 10_000,
        })  # fmt: skip


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_who_may_be_contacted(models: Compiled):  # noqa: F811
    land = Land()
    for name in (
        "agrees", "withdrew after the day", "unsubscribed after the day", "denied another purpose",
        "denied a separate purpose", "denied a separate purpose after the day", "agreed again",
        "agreed to service again", "unsubscribed and agreed again", "complained and agreed again", "bounced",
        "bounced and arrived",
    ):  # fmt: skip
        land.contact(name)
    for name in ("records in conflict", "unsubscribed and agreed elsewhere", "bounced and arrived elsewhere"):
        land.contact(name, "till")
    land.contact("role", email="info+news@example.com")
    for name in ("suppressed number", "shares a number", "says no at it"):
        land.contact(name, phone="+62811000000")
    land.consent("withdrew after the day", "revoked", days(-0.1))
    land.message("unsubscribed after the day", "unsubscribed", days(0))
    land.consent("denied another purpose", "denied", days(10), purpose="newsletter")
    land.consent("denied a separate purpose", "denied", days(10), purpose="service")
    land.consent("denied a separate purpose after the day", "denied", days(-0.1), purpose="service")
    land.consent("agreed again", "revoked", days(10))
    land.consent("agreed again", "granted", days(9))
    land.consent("agreed to service again", "revoked", days(10))
    land.consent("agreed to service again", "granted", days(9), purpose="service")
    land.consent("records in conflict", "denied", days(800), source="till")
    for name in ("unsubscribed and agreed again", "unsubscribed and agreed elsewhere"):
        land.message(name, "unsubscribed", days(10))
    land.consent("unsubscribed and agreed again", "granted", days(9))
    land.consent("unsubscribed and agreed elsewhere", "granted", days(9), source="till")
    land.message("complained and agreed again", "complained", days(10))
    land.consent("complained and agreed again", "granted", days(9))
    for name in ("bounced", "bounced and arrived", "bounced and arrived elsewhere"):
        land.message(name, "bounced", days(10))
    land.message("bounced and arrived", "delivered", days(9))
    land.message("bounced and arrived elsewhere", "delivered", days(9), source="till")
    land.consent("shares a number", "granted", days(9), channel="whatsapp")
    land.consent("says no at it", "revoked", days(9), channel="whatsapp")
    land.facts.suppressions.append({"address": address_id("phone", "+62811000000"), "channel": "sms"})
    company = make(models, land.facts)
    assert problems(models, company) == []
    found = {
        (name.split(":")[1], channel): reason
        for name, channel, reason in rows(models, "customer_contactability", "customer_id", "channel", "reason")
    }
    assert {name: reason for (name, channel), reason in found.items() if channel == "email"} == {
        "agrees": None,
        "withdrew after the day": "said no since",
        "unsubscribed after the day": "said no since",
        "denied another purpose": "consent revoked",
        "denied a separate purpose": None,
        "denied a separate purpose after the day": None,
        "agreed again": None,
        "agreed to service again": "consent revoked",
        "records in conflict": "consent revoked",
        "unsubscribed and agreed again": None,
        "unsubscribed and agreed elsewhere": "unsubscribed",
        "complained and agreed again": "complained",
        "bounced": "bounced",
        "bounced and arrived": None,
        "bounced and arrived elsewhere": "bounced",
        "role": "role address",
        "suppressed number": None,
        "shares a number": None,
        "says no at it": None,
    }
    assert found["suppressed number", "sms"] == "suppressed"
    assert found["shares a number", "whatsapp"] == SHARED
    assert found["says no at it", "whatsapp"] == "consent revoked"


def members(models: Compiled, company, audience: str) -> dict[str, str]:  # noqa: F811
    assert problems(models, company) == []
    found = rows(models, "audience_candidates", "audience", "customer_id", "why")
    return {name.split(":")[1]: why for each, name, why in found if each == audience}


def test_a_cart_is_over_with_any_order_since_it_began(models: Compiled):  # noqa: F811
    land = Land()
    ordered = {
        "never": None,
        "before": 50,
        "at once": 48,
        "before the delay was over": 46,
        "cancelled": 47,
        "after": -1,
    }
    for name, hours in ordered.items():
        land.contact(name)
        land.cart(name, timedelta(hours=48))
        if hours is not None:
            land.order(name, timedelta(hours=hours), "cancelled" if name == "cancelled" else "completed")
    why = "left a cart on 2026-06-29 and has not ordered since it was begun"
    assert members(models, make(models, land.facts), "cart_abandonment") == {"never": why, "before": why, "after": why}


def test_welcome_ends_with_the_first_order(models: Compiled):  # noqa: F811
    land = Land()
    for name in ("new", "bought", "waits to pay", "cancelled"):
        land.contact(name, signup_at=END - days(2))
    for name, status in (("bought", "completed"), ("waits to pay", "pending"), ("cancelled", "cancelled")):
        land.order(name, days(1), status)
    land.contact("agreed again")
    land.consent("agreed again", "granted", days(1))
    assert members(models, make(models, land.facts), "welcome") == {
        "new": "signed up on 2026-06-29 and has not ordered yet",
        "agreed again": "agreed to be written to on 2026-06-30 and has not ordered yet",
    }


def test_nobody_is_silent_who_has_ordered(models: Compiled):  # noqa: F811
    land = Land()
    for name in ("silent", "bought", "cancelled"):
        land.contact(name)
    land.order("bought", days(100))
    land.order("cancelled", days(100), "cancelled")
    why = f"no open, click, visit or order since {AGREED.date() + days(1)}"
    assert members(models, make(models, land.facts), "sunset") == {"silent": why}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2026, 12, 28), {"2 January": 5, "31 December": 3}),
        (date(2027, 2, 21), {"28 February": 7, "29 February": 7}),
        (date(2028, 2, 22), {"28 February": 6, "29 February": 7}),
        (date(2028, 2, 28), {"29 February": 1}),
        (date(2027, 2, 28), {}),
    ],
    ids=str,
)
def test_birthdays_at_the_end_of_a_year_and_of_february(models: Compiled, as_of, expected):  # noqa: F811
    land = Land(datetime(as_of.year, as_of.month, as_of.day, 17))
    born = {"2 January": date(1990, 1, 2), "31 December": date(1990, 12, 31), "28 February": date(1990, 2, 28),
            "29 February": date(1992, 2, 29), "of no year": date(1900, 1, 2)}  # fmt: skip
    for name, day in born.items():
        land.contact(name, birth_date=day)
    found = members(models, make(models, land.facts, as_of), "birthday")
    assert found == {name: f"birthday in {ahead} day{'s' * (ahead > 1)}" for name, ahead in expected.items()}


def test_who_was_asked_is_not_asked_again(models: Compiled):  # noqa: F811
    """Also where no tool tells what a message was sent for; what was withheld from a holdout asked nobody."""
    land = Land()
    for name in ("nobody asked", "asked", "withheld"):
        land.contact(name)
        land.order(name, days(10))
        land.facts.survey_responses.append(LANDED | {
            "namespace": "shop", "contact_id": name, "email": None, "response_id": name, "survey": "s", "kind": "nps",
            "sent_at": None, "answered_at": END - days(200), "score": 10,
        })  # fmt: skip
    for audience in ("advocates", "feedback_request"):
        land.facts.sends += [
            (AS_OF - days(1), f"shop:{name}", audience, name == "asked") for name in ("asked", "withheld")
        ]
    company = make(models, land.facts)
    for audience in ("advocates", "feedback_request"):
        assert set(members(models, company, audience)) == {"nobody asked", "withheld"}

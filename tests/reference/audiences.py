"""Who belongs to each audience, from the definitions and the raw facts of a small company.

The design (5) and docs/audiences.md say what is meant; where they are silent:

- "No order" means no order of whatever status: who waits to pay has ordered. A purchase is what decision 0004 says.
- Signing up is that of the first record; opting in is any yes to marketing.
- A promoter was asked, and a buyer was surveyed, also when Tangga handed the message out and no tool tells of it.
- A cart is its id within its source.
"""

from __future__ import annotations

from calendar import isleap
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from tests.reference.contactability import ADDRESS_OF, Contactability
from tests.reference.definitions import NO_PURCHASE
from tests.reference.ladder import Bought, Cadence, Person, cadences, rungs


@dataclass
class Company(Contactability):
    """What everybody did until the end of the day, and which audiences that makes them part of."""

    # What customers did ---------------------------------------------------------------------------------------------

    @cached_property
    def orders(self) -> dict[str, list[tuple[datetime, int, bool]]]:
        """Customer -> when, net in cents, and whether it was a purchase, of each order."""
        refunded = defaultdict(int)
        for row in self.facts.refunds:
            if self.known(row["refunded_at"]):
                refunded[row["namespace"], row["order_id"]] += row["amount"]
        found = defaultdict(list)
        for row in self.facts.orders:
            if self.known(row["ordered_at"]):
                net = max(row["total_amount"] - refunded[row["namespace"], row["order_id"]], 0)
                is_purchase = row["status"] not in NO_PURCHASE and net > 0
                found[self.customer[self.record(row)]].append((row["ordered_at"], net, is_purchase))
        return found

    @cached_property
    def purchase_days(self) -> dict[str, list[date]]:
        return {c: sorted(self.day(at) for at, _, counts in rows if counts) for c, rows in self.orders.items()}

    @cached_property
    def cadence(self) -> dict[str, Cadence]:
        return cadences(self.purchase_days, self.as_of)

    def answers(self, customer: str, kind: str) -> list[tuple[datetime, int]]:
        rows = self.of(self.facts.survey_responses, customer, "answered_at")
        found = [(r["answered_at"], r["score"]) for r in rows if r["kind"] == kind and r["score"] is not None]
        if kind == "csat":
            found += [
                (r["resolved_at"], r["csat_score"])
                for r in self.tickets(customer)
                if self.known(r["resolved_at"]) and r["csat_score"] is not None
            ]
        return sorted(found)

    def latest(self, customer: str, kind: str) -> tuple[datetime, int] | None:
        """The last answer of the year."""
        return next((a for a in reversed(self.answers(customer, kind)) if self.day(a[0]) > self.since(365)), None)

    def tickets(self, customer: str) -> list[dict]:
        return self.of(self.facts.tickets, customer, "opened_at")

    def has_open_complaint(self, customer: str) -> bool:
        return any(t["kind"] == "complaint" and not self.known(t["resolved_at"]) for t in self.tickets(customer))

    def has_opted_in(self, customer: str) -> bool:
        def agreed(channel: str) -> bool:
            against = self.against[customer, channel]
            return not against & {"no consent", "not confirmed", "consent revoked", "complained", "unsubscribed"}

        return any(agreed(channel) for channel in ADDRESS_OF)

    def engaged(self, customer: str) -> list[date]:
        visits = [self.day(r["occurred_at"]) for r in self.of(self.facts.events, customer, "occurred_at")]
        messages = self.of(self.facts.messages, customer, "occurred_at")
        return visits + [self.day(r["occurred_at"]) for r in messages if r["event"] in ("opened", "clicked")]

    def grants(self, customer: str) -> list[date]:
        rows = self.of(self.facts.consents, customer, "status_at")
        return [self.day(r["status_at"]) for r in rows if r["status"] == "granted" and self.purpose(r) == "marketing"]

    def signup(self, customer: str) -> date | None:
        rows = [self.contacts.get(record, {}).get("signup_at") for record in self.people[customer]]
        return min((self.day(at) for at in rows if self.known(at)), default=None)

    def brought(self, customer: str) -> list[tuple[date, str]]:
        """Whom a customer referred, and when: of one pair what landed last."""
        last = {
            (r["namespace"], r["referrer_contact_id"], r["referred_contact_id"]): self.day(r["referred_at"])
            for r in self.facts.referrals
            if self.known(r["referred_at"])
        }
        return [
            (day, self.customer[n, whom]) for (n, who, whom), day in last.items() if self.customer[n, who] == customer
        ]

    @cached_property
    def lives(self) -> dict[str, Person]:
        def scores(customer: str, kind: str) -> list[tuple[date, int]]:
            answer = self.latest(customer, kind)
            return [(self.day(answer[0]), answer[1])] if answer else []

        return {
            c: Person(
                purchases=[Bought(self.day(at), net) for at, net, counts in self.orders[c] if counts],
                has_opted_in=self.has_opted_in(c),
                engaged=self.engaged(c),
                csat=scores(c, "csat"),
                nps=scores(c, "nps"),
                content=[self.day(at) for at, _ in self.answers(c, "ces")]
                + [self.day(t["opened_at"]) for t in self.tickets(c) if t["kind"] != "complaint"],
                has_open_complaint=self.has_open_complaint(c),
                brought=self.brought(c),
            )
            for c in self.people
        }

    @cached_property
    def rung(self) -> dict[str, int]:
        return rungs(self.lives, self.campaigns, self.as_of)

    # Audiences ------------------------------------------------------------------------------------------------------

    def welcome(self, c: str) -> bool:
        arrived = [*self.grants(c), *[day for day in [self.signup(c)] if day]]
        return not self.orders[c] and any(day > self.since(7) for day in arrived)

    def left_carts(self, c: str) -> list[tuple[datetime, datetime]]:
        """When each cart that was left was begun and last touched."""
        carts = defaultdict(list)
        for row in self.of(self.facts.events, c, "occurred_at"):
            if row["event_type"] in ("add_to_cart", "checkout") and row["cart_id"]:
                carts[row["namespace"], row["cart_id"]].append(row["occurred_at"])
        return [
            (min(times), max(times))
            for times in carts.values()
            if self.end - timedelta(days=7) <= max(times) <= self.end - timedelta(hours=4)
            and not any(at >= min(times) for at, *_ in self.orders[c])
        ]

    def cart_abandonment(self, c: str) -> bool:
        return bool(self.left_carts(c))

    def winback(self, c: str) -> bool:
        own = self.cadence.get(c)
        return own is not None and (own.is_churned or own.is_at_risk)

    def days_to_birthday(self, c: str) -> int | None:
        """Days until the next birthday, which is not today's."""
        born = self.profile(c, "birth_date")
        if born is None or born.year < 1901 or born > self.as_of:
            return None
        for ahead in range(1, 367):
            day = self.as_of + timedelta(ahead)
            is_leap_child = (born.month, born.day) == (2, 29) and not isleap(day.year)
            if (day.month, day.day) == ((2, 28) if is_leap_child else (born.month, born.day)):
                return ahead
        return None

    def birthday(self, c: str) -> bool:
        ahead = self.days_to_birthday(c)
        return ahead is not None and ahead <= 7

    def second_purchase(self, c: str) -> bool:
        own = self.cadence.get(c)
        return own is not None and own.purchase_days == 1 and 14 <= own.current_gap <= 60

    def resolved(self, c: str) -> list[date]:
        return [
            self.day(t["resolved_at"])
            for t in self.tickets(c)
            if t["kind"] == "complaint" and self.known(t["resolved_at"])
            and self.day(t["resolved_at"]) > self.since(14)
        ]  # fmt: skip

    def is_unanswered_detractor(self, c: str) -> bool:
        answer = self.latest(c, "nps")
        if answer is None or answer[1] > 6 or self.day(answer[0]) <= self.since(90):
            return False
        replies = [t["first_replied_at"] if self.known(t["first_replied_at"]) else t["resolved_at"]
                   for t in self.tickets(c)]  # fmt: skip
        return not any(self.known(at) and at > answer[0] for at in replies)

    def service_recovery(self, c: str) -> bool:
        return bool(self.resolved(c) and not self.has_open_complaint(c)) or self.is_unanswered_detractor(c)

    def asked(self, c: str, audience: str) -> list[date]:
        """The days on which a message of an audience went to a customer."""
        messages = self.of(self.facts.messages, c, "occurred_at")
        told = [self.day(r["occurred_at"]) for r in messages if (r["audience"], r["event"]) == (audience, "sent")]
        return told + [
            day
            for day, customer, name, is_member in self.facts.sends
            if (customer, name) == (c, audience) and is_member
        ]

    def advocates(self, c: str) -> bool:
        answer = self.latest(c, "nps")
        is_promoter = answer is not None and answer[1] >= 9 and not self.has_open_complaint(c)
        return self.rung[c] == 7 or (is_promoter and not self.asked(c, "advocates"))

    def full_price(self, c: str) -> bool:
        return self.rung[c] >= 5

    def surveyed(self, c: str) -> list[date]:
        rows = [r for r in self.facts.survey_responses if self.customer.get(self.record(r)) == c]
        days = [r["sent_at"] or r["answered_at"] for r in rows]
        return [self.day(at) for at in days if self.known(at)] + self.asked(c, "feedback_request")

    def feedback_request(self, c: str) -> bool:
        bought = [day for day in self.purchase_days.get(c, []) if 7 <= (self.as_of - day).days <= 30]
        return bool(bought) and not any(day > self.since(90) for day in self.surveyed(c))

    def signs_of_life(self, c: str) -> list[date]:
        return self.engaged(c) + [self.day(at) for at, *_ in self.orders[c]]

    def sunset(self, c: str) -> bool:
        return self.has_opted_in(c) and all(day <= self.since(180) for day in self.signs_of_life(c) + self.grants(c))

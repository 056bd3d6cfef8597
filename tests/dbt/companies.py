"""Random small companies, as the raw facts that land: people who share addresses, change their minds and contradict
themselves, at instants that lie on the limits of the rules as often as between them."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, timedelta
from itertools import count
from random import Random

from tests.dbt.harness import AS_OF
from tests.reference.contactability import ADDRESS_OF, Facts, address_id

MICROSECOND = timedelta(microseconds=1)
PHONES = ["+62811", "+62812", "+62811000000", "+62822000000"]
EMAILS = ["shared@example.com", "family@example.com", "info@example.com", "info+news@example.com"]
LIMITS = [0, 1, 6, 7, 8, 13, 14, 15, 29, 30, 31, 59, 60, 61, 89, 90, 91, 179, 180, 181, 364, 365, 366]
CHANNELS = ["email"] * 5 + ["sms", "sms", "whatsapp", "push"]


class Company:
    """Draws a company in Jakarta, as of a day; `facts` is what lands of it."""

    def __init__(self, seed: int, people: int, as_of: date = AS_OF) -> None:
        self.as_of, self.end = as_of, datetime(as_of.year, as_of.month, as_of.day, 17)
        self.random = Random(seed)
        self.facts = Facts()
        self.number = count()
        self.people = people
        for person in range(people):
            self._draw_person(person)
        self._draw_suppressions()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def instant(self, longest: int = 400, late: float = 0.06) -> datetime:
        """An instant: at a limit of the rules or anywhere, now and then after the day has ended."""
        if self.chance(late):
            return self.end + self.random.choice([timedelta(0), timedelta(hours=2), timedelta(hours=9)])
        days = self.random.choice(LIMITS) if self.chance(0.6) else self.random.randint(0, longest)
        at = self.end - timedelta(days=min(days, longest))
        return at - self.random.choice([MICROSECOND, timedelta(0), timedelta(hours=3), timedelta(hours=20)])

    def unique(self, at: datetime) -> datetime:
        """A little earlier, so that no two are at the same instant."""
        return at - MICROSECOND * (10 + next(self.number))

    def add(self, entity: str, row: dict) -> None:
        number = next(self.number)
        meta = {"_source": "s", "_ds": "2026-06-30", "_file": "f", "_line": number, "_is_deleted": False}
        getattr(self.facts, entity).append(meta | row)

    def _draw_person(self, person: int) -> None:
        own = [f"p{person}@example.com", f"q{person}@example.com"]
        phone = f"+6281300{person:03}1"
        records = [("shop", str(person))]
        if self.chance(0.35):
            records.append(("till", f"t{person}"))
        for record in records:
            if self.chance(0.9):
                self._draw_contact(record, own, phone)
        self.records, self.own = records, own
        self._draw_consents()
        if self.chance(0.12):
            self._draw_devotion()
        for draw, share in ((self._draw_messages, 0.6), (self._draw_orders, 0.7), (self._draw_carts, 0.4),
                            (self._draw_answers, 0.5), (self._draw_tickets, 0.4), (self._draw_referrals, 0.3),
                            (self._draw_sends, 0.3)):  # fmt: skip
            if self.chance(share):
                draw()

    def who(self) -> dict:
        namespace, contact_id = self.random.choice(self.records)
        return {"namespace": namespace, "contact_id": contact_id}

    def who_with_address(self) -> dict:
        """By id, by id and address, or by address or number alone."""
        drawn = self.random.random()
        email = self.random.choice(self.own + EMAILS[:2])
        if drawn < 0.75:
            return self.who() | {"email": None}
        if drawn < 0.85:
            return self.who() | {"email": self.own[0]}
        if drawn < 0.97:
            return {"namespace": self.random.choice(["shop", "tool"]), "contact_id": None, "email": email}
        number = address_id("phone", self.random.choice(PHONES))
        return {"namespace": "tool", "contact_id": number, "email": None}

    def _draw_contact(self, record: tuple[str, str], own: list[str], phone: str) -> None:
        def row(ds: str, updated_at: datetime) -> dict:
            drawn = self.random.random()
            email = own[0] if drawn < 0.6 else own[1] if drawn < 0.7 else self.random.choice([*EMAILS, None, None])
            is_valid = None if email is None and self.chance(0.5) else email is not None
            return {
                "namespace": record[0], "contact_id": record[1], "_ds": ds, "updated_at": updated_at,
                "email": email, "is_email_valid": is_valid,
                "phone": phone if self.chance(0.4) else self.random.choice([None, None, *PHONES]),
                "birth_date": self._birth_date(), "signup_at": signup,
            }  # fmt: skip

        signup = self.instant() if self.chance(0.6) else None
        if self.chance(0.3):
            self.add("contacts", row("2026-06-01", self.end - timedelta(days=30)))
        self.add("contacts", row("2026-06-30", self.unique(self.instant(late=0.1))))

    def _birth_date(self) -> date | None:
        if self.chance(0.4):
            return None
        near = self.as_of + timedelta(days=self.random.randint(-1, 9))
        is_leap_day = (near.month, near.day) == (2, 29)
        year = self.random.choice([1904, 1988, 2024] if is_leap_day else [1900, 1901, 1988, 2025])
        drawn = [near.replace(year=year), date(2000, 2, 29), date(1990, 1, 1), self.as_of + timedelta(days=2)]
        return self.random.choice(drawn[:1] * 4 + drawn[1:])

    def _draw_consents(self) -> None:
        """Most agree at first; what they say later may be anything."""
        purposes = [None, "marketing", "Marketing", "marketing", "service", "newsletter"]
        for number in range(self.random.choice([0, 1, 1, 2, 3, 4])):
            is_first = number == 0 and self.chance(0.8)
            self.add("consents", (self.who() | {"email": None} if is_first else self.who_with_address()) | {
                "channel": self.random.choice(CHANNELS),
                "status": "granted" if is_first else self.random.choice(["granted"] * 4 + ["denied", "revoked"]),
                "status_at": self.instant(),
                "purpose": "marketing" if is_first else self.random.choice(purposes),
                "method": self.random.choice([None, "double_opt_in", "double_opt_in", "single_opt_in"]),
            })  # fmt: skip

    def _draw_messages(self) -> None:
        events = ["sent", "delivered", "opened", "clicked"] * 4 + ["bounced", "bounced", "unsubscribed", "complained"]
        audiences = [None, None, None, "advocates", "feedback_request", "welcome"]
        for _ in range(self.random.choice([1, 1, 2, 3])):
            self.add("messages", self.who_with_address() | {
                "message_id": f"m{next(self.number)}",
                "channel": self.random.choice(CHANNELS),
                "event": self.random.choice(events),
                "occurred_at": self.instant(),
                "audience": self.random.choice(audiences),
            })  # fmt: skip

    def _draw_orders(self) -> None:
        regular = self.chance(0.3)
        gap, last = self.random.choice([7, 14, 20, 31, 45]), self.random.choice([0, 1, 10, 28, 62, 93])
        days = [last + gap * n for n in range(self.random.randint(2, 9))] if regular else []
        at = [self.end - timedelta(days=n, hours=5) for n in days] + [
            self.instant(700) for _ in range(self.random.choice([0, 1, 1, 2, 4]))
        ]
        for ordered_at in at:
            who, status = (
                self.who(),
                self.random.choice(["completed"] * 7 + ["paid", "pending", "cancelled", "returned"]),
            )
            order = self._add_order(who, ordered_at, status, self.random.choice([10_000, 50_000, 50_000, 0]))
            if self.chance(0.1):
                self.add("refunds", {
                    "namespace": who["namespace"], "refund_id": f"r{order}", "order_id": order,
                    "refunded_at": self.instant(), "amount": self.random.choice([5_000, 50_000]),
                })  # fmt: skip

    def _draw_devotion(self) -> None:
        """Who buys every fortnight, is pleased and brings others: hardly anybody gets there by chance."""
        for number in range(10):
            self._add_order(self.who(), self.end - timedelta(days=3 + 14 * number, hours=5), "completed", 50_000)
        self.add("survey_responses", self.who() | {
            "email": None, "response_id": f"a{next(self.number)}", "survey": "s", "kind": "csat", "sent_at": None,
            "answered_at": self.unique(self.instant(300)), "score": 5,
        })  # fmt: skip
        for _ in range(self.random.choice([0, 2, 4])):
            self._draw_referrals()

    def _add_order(self, who: dict, ordered_at: datetime, status: str, amount: int) -> str:
        order = f"o{next(self.number)}"
        self.add("orders", who | {
            "order_id": order, "ordered_at": ordered_at, "status": status, "currency": "IDR", "total_amount": amount,
        })  # fmt: skip
        return order

    def _draw_carts(self) -> None:
        recent = [*(timedelta(hours=hours) for hours in (-1, 3, 4, 26, 48, 168)), timedelta(hours=4) - MICROSECOND,
                  timedelta(days=7) + MICROSECOND]  # fmt: skip
        cart = self.random.choice([f"cart{next(self.number)}", "cart1", None])
        for _ in range(self.random.choice([1, 2, 3])):
            at = self.end - self.random.choice(recent)
            kind = self.random.choice(["add_to_cart", "checkout", "product_view"])
            who = self.who()
            self.add("events", who | {
                "event_id": f"e{next(self.number)}", "occurred_at": at, "event_type": kind, "cart_id": cart,
            })  # fmt: skip
            if self.chance(0.2):
                ordered_at = at + self.random.choice([-MICROSECOND, timedelta(0), timedelta(minutes=30)])
                self._add_order(
                    self.who(), ordered_at, self.random.choice(["completed", "pending", "cancelled"]), 10_000
                )
        if self.chance(0.5):
            self.add("events", self.who() | {
                "event_id": f"e{next(self.number)}", "occurred_at": self.instant(), "event_type": "page_view",
                "cart_id": None,
            })  # fmt: skip

    def _draw_answers(self) -> None:
        for _ in range(self.random.choice([1, 1, 2, 3])):
            kind, lowest, highest = self.random.choice([("nps", 0, 10), ("nps", 9, 10), ("csat", 1, 5), ("ces", 1, 7)])
            answered_at = self.unique(self.instant()) if self.chance(0.85) else None
            sent_at = self.instant() if answered_at is None else None
            if answered_at and self.chance(0.3):
                sent_at = answered_at - timedelta(days=self.random.choice([0, 1, 10, 89, 90, 91]))
            self.add("survey_responses", self.who_with_address() | {
                "response_id": f"a{next(self.number)}", "survey": "s", "kind": kind, "sent_at": sent_at,
                "answered_at": answered_at, "score": self.random.randint(lowest, highest) if answered_at else None,
            })  # fmt: skip

    def _draw_tickets(self) -> None:
        for _ in range(self.random.choice([1, 1, 2])):
            opened_at = self.instant()
            later = [timedelta(hours=1), timedelta(days=2), timedelta(days=8), timedelta(days=60)]
            resolved_at = self.unique(opened_at + self.random.choice(later)) if self.chance(0.7) else None
            self.add("tickets", self.who_with_address() | {
                "ticket_id": f"t{next(self.number)}", "opened_at": opened_at,
                "kind": self.random.choice(["complaint", "complaint", "question", "request"]),
                "first_replied_at": opened_at + self.random.choice(later) if self.chance(0.5) else None,
                "resolved_at": resolved_at,
                "csat_score": self.random.choice([None, None, 1, 4, 5]) if resolved_at else None,
            })  # fmt: skip

    def _draw_referrals(self) -> None:
        referrer = self.random.choice(self.records)
        self.add("referrals", {
            "namespace": "shop", "referrer_contact_id": referrer[1] if referrer[0] == "shop" else self.records[0][1],
            "referred_contact_id": str(self.random.randrange(self.people)), "referred_at": self.instant(500),
        })  # fmt: skip

    def _draw_sends(self) -> None:
        """To a record, for the customers are not known yet: who they are is for the test to say."""
        day = self.as_of - timedelta(days=self.random.choice([n for n in LIMITS if n]))
        audience = self.random.choice(["advocates", "feedback_request", "welcome"])
        self.facts.sends.append((day, self.random.choice(self.records), audience, self.chance(0.8)))

    def _draw_suppressions(self) -> None:
        addresses = [("email", e) for e in [*EMAILS[:2], "p1@example.com", "q2@example.com"]]
        addresses += [("phone", p) for p in PHONES]
        for kind, value in addresses:
            if self.chance(0.12):
                channel = self.random.choice([None, *sorted({c for c in ADDRESS_OF if ADDRESS_OF[c] == kind})])
                self.facts.suppressions.append({"address": address_id(kind, value), "channel": channel})


ENTITIES = tuple(field.name for field in fields(Facts) if field.name not in ("sends", "suppressions"))

"""Who belongs to each audience and who may be contacted, from the definitions and the raw facts of a small company.

`Facts` are the rows of the landing contracts, in one place each; instants are naive and in UTC. Shared/DESIGN.md (5), docs/audiences.md and the decisions
0004, 0006, 0010 say what is meant. What they leave open is decided here as follows.

- "No order" means no order of whatever status: who waits to pay has ordered. A purchase is what it is in 0004.
- Signing up is that of the first record; opting in is any yes to marketing.
- A promoter was asked, and a buyer was surveyed, when Tangga handed the message out, too, not only when a tool says so.
- A cart is its id within its source.
- A no reaches everybody who has, or once had, an address that its record has or had; of addresses that too many records
  share only those of today, and whoever would be written to at that address.
"""

from __future__ import annotations

from calendar import isleap
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from tests.reference.definitions import NO_PURCHASE
from tests.reference.ladder import Bought, Cadence, Campaign, Person, cadences, rungs

ADDRESS_OF = {"email": "email", "sms": "phone", "whatsapp": "phone", "telegram": "phone", "messenger": None,
              "push": None, "in_app": None, "news_feed": None}  # fmt: skip
REASONS = ("no address", "invalid address", "role address", "complained", "unsubscribed", "suppressed", "said no since",
           "bounced", "consent revoked", "not confirmed", "no consent")  # fmt: skip
"""The gravest first. A no that was said outweighs a yes that waits."""
SHARED = "somebody with the same address said no"
ARRIVED = {"delivered", "opened", "clicked"}
Record = tuple[str, str]


def address_id(kind: str, value: str) -> str:
    return f"{kind}:{sha256(value.encode()).hexdigest()}"


@dataclass
class Facts:
    """Rows by entity, as dictionaries with the columns of the contracts; `sends` are (day, customer, audience)."""

    contacts: list[dict] = field(default_factory=list)
    consents: list[dict] = field(default_factory=list)
    messages: list[dict] = field(default_factory=list)
    orders: list[dict] = field(default_factory=list)
    refunds: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    survey_responses: list[dict] = field(default_factory=list)
    tickets: list[dict] = field(default_factory=list)
    referrals: list[dict] = field(default_factory=list)
    suppressions: list[dict] = field(default_factory=list)
    sends: list[tuple[date, str, str]] = field(default_factory=list)


@dataclass
class Company:
    """What is known of everybody at the end of a day. `customer` is record -> customer, which is given."""

    facts: Facts
    customer: dict[Record, str]
    as_of: date
    zone: str
    roles: frozenset[str]
    separate: frozenset[str]
    most_records: int = 5
    double_opt_in: frozenset[str] = frozenset()
    campaigns: list[Campaign] = field(default_factory=list)

    @cached_property
    def end(self) -> datetime:
        """The first instant (UTC) that is not of the day."""
        midnight = datetime.combine(self.as_of + timedelta(1), datetime.min.time(), ZoneInfo(self.zone))
        return midnight.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

    def day(self, instant: datetime) -> date:
        return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self.zone)).date()

    def known(self, instant: datetime | None) -> bool:
        return instant is not None and instant < self.end

    def record(self, row: dict) -> Record:
        return row["namespace"], row.get("contact_id") or address_id("email", row["email"])

    def is_role(self, email: str) -> bool:
        return email.split("@")[0].split("+")[0] in self.roles

    def since(self, days: int) -> date:
        """Within so many days is later than this."""
        return self.as_of - timedelta(days)

    # People ---------------------------------------------------------------------------------------------------------

    @cached_property
    def contacts(self) -> dict[Record, dict]:
        """The row of each contact that holds on the day."""
        found: dict[Record, dict] = {}
        for row in sorted(self.facts.contacts, key=lambda r: (self.known(r["updated_at"]), r["updated_at"], r["_ds"])):
            signup = row["signup_at"]
            if self.known(row["updated_at"]) or signup is None or self.known(signup):
                found[self.record(row)] = row
        return found

    @cached_property
    def people(self) -> dict[str, list[Record]]:
        found = defaultdict(list)
        for record, customer in self.customer.items():
            found[customer].append(record)
        return dict(found)

    def profile(self, customer: str, column: str) -> object:
        """The latest value that a record of the customer has."""
        rows = [self.contacts[record] for record in self.people[customer] if record in self.contacts]
        rows = [row for row in rows if row[column] is not None]
        rows.sort(key=lambda row: (min(row["updated_at"], self.end), self.record(row)))
        return rows[-1][column] if rows else None

    def of(self, rows: list[dict], customer: str, when: str) -> list[dict]:
        """The rows of a customer that are known on the day."""
        return [r for r in rows if self.known(r[when]) and self.customer.get(self.record(r)) == customer]

    # Addresses ------------------------------------------------------------------------------------------------------

    @cached_property
    def emails_now(self) -> dict[Record, set[str]]:
        found = defaultdict(set)
        for record, row in self.contacts.items():
            found[record] |= {row["email"]} - {None}
        for rows, when in ((self.facts.consents, "status_at"), (self.facts.messages, "occurred_at"),
                           (self.facts.tickets, "opened_at")):  # fmt: skip
            for row in rows:
                if self.known(row[when]) and row["email"]:
                    found[self.record(row)].add(row["email"])
        for row in self.facts.survey_responses:
            if self.known(row["sent_at"] or row["answered_at"]) and row["email"]:
                found[self.record(row)].add(row["email"])
        return found

    @cached_property
    def emails_before(self) -> dict[Record, set[str]]:
        """Addresses that have landed for a contact, but those of too many."""
        found = defaultdict(set)
        for row in self.facts.contacts:
            if row["email"] and self.known(row["updated_at"]) and not self.is_role(row["email"]):
                found[row["email"]].add(self.record(row))
        had = defaultdict(set)
        for email, records in found.items():
            if len(records) <= self.most_records:
                for record in records:
                    had[record].add(email)
        return had

    @cached_property
    def n_sharing(self) -> Counter[str]:
        """Address -> how many records have it today; one that is known by its address only does not count."""
        return Counter(
            email
            for record in self.emails_now
            if not record[1].startswith("email:")
            for email in self._personal(record)
        )

    def reached(self, record: Record, also: frozenset[str] = frozenset()) -> set[str]:
        """The customers whom a no of a record reaches; `also` are addresses that came with it."""
        own = {e for e in self._personal(record) if self.n_sharing[e] <= self.most_records}
        ids = {address_id("email", e) for e in own | self.emails_before[record] | also}
        ids |= {record[1]} if record[1].startswith(("email:", "phone:")) else set()
        return {self.customer[record]} & set(self.people) | self.holders(ids) if record in self.customer else (
            self.holders(ids)
        )

    def holders(self, ids: set[str]) -> set[str]:
        found = set()
        for record, customer in self.customer.items():
            emails = self._personal(record) | self.emails_before[record]
            if ids & ({address_id("email", e) for e in emails} | self._phones(record)):
                found.add(customer)
        return found

    def _personal(self, record: Record) -> set[str]:
        return {email for email in self.emails_now[record] if not self.is_role(email)}

    def _phones(self, record: Record) -> set[str]:
        phone = self.contacts.get(record, {}).get("phone")
        return {address_id("phone", phone)} if phone else set()

    def has_today(self, address: str) -> set[str]:
        return {
            customer
            for record, customer in self.customer.items()
            if address in {address_id("email", e) for e in self._personal(record)} | self._phones(record)
        }

    # Consent --------------------------------------------------------------------------------------------------------

    def is_confirmed(self, row: dict) -> bool:
        return row["channel"] not in self.double_opt_in or row["method"] == "double_opt_in"

    def purpose(self, row: dict) -> str:
        return (row["purpose"] or "marketing").lower()

    @cached_property
    def words(self) -> dict[tuple[Record, str], str]:
        """Record and channel -> yes, no or unconfirmed: the last word that counts."""
        heard = defaultdict(list)
        for row in self.facts.consents:
            is_yes, purpose = row["status"] == "granted", self.purpose(row)
            if self.known(row["status_at"]) and (
                purpose == "marketing" or (not is_yes and purpose not in self.separate)
            ):
                word = "no" if not is_yes else "yes" if self.is_confirmed(row) else "unconfirmed"
                key = (word != "unconfirmed", row["status_at"], word == "no", word)
                heard[self.record(row), row["channel"]].append(key)
        return {name: max(keys)[-1] for name, keys in heard.items()}

    @cached_property
    def against(self) -> dict[tuple[str, str], set[str]]:
        """Customer and channel -> everything that speaks against writing to them there."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)

        def say(reason: str, channel: str, customers: set[str]) -> None:
            for customer in customers:
                found[customer, channel].add(reason)

        heard = defaultdict(lambda: defaultdict(list))
        for row in self.facts.messages:
            if self.known(row["occurred_at"]):
                heard[self.record(row), row["channel"]][row["event"]].append(row["occurred_at"])
            elif row["event"] in ("unsubscribed", "complained"):
                say("said no since", row["channel"], self.reached(self.record(row), frozenset({row["email"]} - {None})))
        yes = defaultdict(lambda: datetime.min)
        for row in self.facts.consents:
            name = self.record(row), row["channel"]
            if not self.known(row["status_at"]):
                if row["status"] != "granted" and self.purpose(row) not in self.separate:
                    say("said no since", row["channel"], self.reached(name[0], frozenset({row["email"]} - {None})))
            elif row["status"] == "granted" and self.purpose(row) == "marketing" and self.is_confirmed(row):
                yes[name] = max(yes[name], row["status_at"])
        for (record, channel), events in heard.items():
            if events["complained"]:
                say("complained", channel, self.reached(record))
            if events["unsubscribed"] and max(events["unsubscribed"]) >= yes[record, channel]:
                say("unsubscribed", channel, self.reached(record))
            arrived = [at for event in ARRIVED for at in events[event]]
            if events["bounced"] and max(events["bounced"]) >= max(arrived, default=datetime.min):
                say("bounced", channel, {self.customer[record]} | self.has_today(record[1]))
        for row in self.facts.suppressions:
            for channel in [row["channel"]] if row["channel"] else ADDRESS_OF:
                say("suppressed", channel, self.holders({row["address"]}))
        said = defaultdict(set)
        for (record, channel), word in self.words.items():
            said[self.customer[record], channel].add(word)
            if word == "no":
                say("consent revoked", channel, self.reached(record))
        for customer in self.people:
            for channel, kind in ADDRESS_OF.items():
                here, words = found[customer, channel], said[customer, channel]
                here |= {"not confirmed"} if "unconfirmed" in words else set()
                here |= {"no consent"} if not words else set()
                here |= self._address_problems(customer, kind)
        return found

    def _address_problems(self, customer: str, kind: str | None) -> set[str]:
        if kind is None:
            return set()
        address = self.address(customer, kind)
        if address is None:
            rows = [self.contacts.get(record, {}) for record in self.people[customer]]
            is_invalid = kind == "email" and any(row.get("is_email_valid") is False for row in rows)
            return {"invalid address" if is_invalid else "no address"}
        return {"role address"} if kind == "email" and self.is_role(address) else set()

    def address(self, customer: str, kind: str) -> str | None:
        """Where the customer would be written to."""
        own = self.profile(customer, kind)
        if own is None and kind == "email":
            own = max((e for r in self.people[customer] for e in self.emails_now[r]), default=None)
        return own

    @cached_property
    def refusals(self) -> dict[tuple[str, str], list[str]]:
        """Customer and channel -> why not, the gravest first; empty where they may be contacted."""
        noes = {"complained", "unsubscribed", "suppressed", "said no since", "bounced", "consent revoked"}
        found = {}
        for customer in self.people:
            for channel, kind in ADDRESS_OF.items():
                own = [reason for reason in REASONS if reason in self.against[customer, channel]]
                address = kind and self.address(customer, kind)
                if address and any(
                    noes & self.against[other, channel] for other in self._at(kind, address) - {customer}
                ):
                    own.append(SHARED)
                found[customer, channel] = own
        return found

    def _at(self, kind: str, address: str) -> set[str]:
        """The customers who have an address today."""
        if kind == "email":
            return {c for record, c in self.customer.items() if address in self.emails_now[record]}
        return {c for record, c in self.customer.items() if self.contacts.get(record, {}).get("phone") == address}

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
        return [
            self.day(r["status_at"]) for r in rows if r["status"] == "granted" and self.purpose(r) == "marketing"
        ]

    def signup(self, customer: str) -> date | None:
        rows = [self.contacts.get(record, {}).get("signup_at") for record in self.people[customer]]
        return min((self.day(at) for at in rows if self.known(at)), default=None)

    def brought(self, customer: str) -> list[tuple[date, str]]:
        return [
            (self.day(r["referred_at"]), self.customer[r["namespace"], r["referred_contact_id"]])
            for r in self.facts.referrals
            if self.known(r["referred_at"])
            and self.customer[r["namespace"], r["referrer_contact_id"]] == customer
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
        return told + [day for day, customer, name, is_member in self.facts.sends
                       if (customer, name) == (c, audience) and is_member]

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
        return self.has_opted_in(c) and all(
            day <= self.since(180) for day in self.signs_of_life(c) + self.grants(c)
        )

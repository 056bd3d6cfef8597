"""Who may be contacted on each channel, and why not, from the raw facts of a small company.

`Facts` are the rows of the landing contracts, instants naive and in UTC. The design (5), docs/audiences.md and the
decisions 0004, 0006 and 0010 say what is meant; where they are silent:

- A no reaches everybody who has, or once had, an address that its record has or had. Of addresses that too many records
  share only who would be written to at one that the other has today is kept off, and so is everybody who has it where
  the no came with the address itself.
- Of several reasons the gravest is told (`REASONS`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from tests.reference.ladder import Campaign

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
    """Rows by entity, as dictionaries with the columns of the contracts; `sends` are (day, customer, audience, whether
    it was handed out or withheld)."""

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
    sends: list[tuple[date, str, str, bool]] = field(default_factory=list)


@dataclass
class Contactability:
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
        return ({self.customer[record]} if record in self.customer else set()) | self.holders(ids)

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
    def consents(self) -> list[dict]:
        """Of rows that say the same of the same instant, and differ in how it was given, the one that landed last."""
        landed = sorted(self.facts.consents, key=lambda row: (row["_ds"], row["_file"], row["_line"], row["_source"]))
        said = ("channel", "status", "status_at")
        return list({(self.record(row), self.purpose(row), *(row[n] for n in said)): row for row in landed}.values())

    @cached_property
    def words(self) -> dict[tuple[Record, str], str]:
        """Record and channel -> yes, no or unconfirmed: the last word that counts."""
        heard = defaultdict(list)
        for row in self.consents:
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
        for row in self.consents:
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

"""Who belongs, who may be contacted, and whether each `why` is true: the models from landing to the lists, over random
companies, against the definitions in plain Python (tests/reference/audiences.py)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.dbt import companies
from tests.dbt.harness import AS_OF, Compiled
from tests.reference.audiences import ADDRESS_OF, Company, Facts, Record
from tests.reference.ladder import Campaign

AUDIENCES = ("welcome", "cart_abandonment", "winback", "birthday", "second_purchase", "service_recovery", "advocates",
             "full_price", "feedback_request", "sunset")  # fmt: skip
CHAIN = (
    *(f"stg_{name}" for name in companies.ENTITIES), "stg_contact_addresses", "stg_late_refusals",
    "int_carried_addresses", "int_contact_values", "int_known_addresses", "int_customer_addresses", "int_refusal_reach", "int_consent_states",
    "int_suppressions", "dim_customers", "customer_contactability", "int_orders_valued", "fct_orders", "int_calendar",
    "int_purchase_days", "int_customer_cadence", "int_discount_days", "int_engagement", "int_feedback_answers",
    "fct_events", "fct_messages", "fct_consents", "fct_tickets", "fct_survey_responses", "fct_referrals",
    "customer_discount_sieve", "customer_satisfaction", "customer_lifecycle", "customer_journey", "int_sends",
    "fct_sends", "customer_pressure", *(f"aud_{name}" for name in AUDIENCES), "aud_lifecycle_rungs", "aud_nps_groups",
    "audience_entries", "audience_candidates", "audience_turns", "audience_contest", "audience_outcomes",
    "audience_members", "audience_due",
)  # fmt: skip
MOST_RECORDS = 2
"""More people who share an address than in life."""
DOUBLE_OPT_IN = frozenset({"sms"})
REPLACING = {
    "int_contact_values": {"n_records <= 5": "n_records <= 2"},
    "int_known_addresses": {"n_records <= 5": "n_records <= 2"},
    "int_consent_states": {"true or consents.status": "(consents.channel <> 'sms' or coalesce(consents.method = 'double_opt_in', false)) or consents.status"},
    "int_suppressions": {"and true": "and (channel <> 'sms' or coalesce(method = 'double_opt_in', false))"},
}  # fmt: skip
SALE = Campaign("sale", AS_OF - timedelta(60), AS_OF - timedelta(46), True)
PLACEHOLDERS = ("000000",)


@pytest.fixture(scope="module")
def models(compiled: Compiled):
    """The models with a sale, empty again afterwards."""
    compiled.con.execute("begin")
    for model, texts in REPLACING.items():
        assert all(text in compiled.sql(model) for text in texts), model
    compiled.fill("discount_campaigns", [
        {"campaign": SALE.name, "starts_on": SALE.starts, "ends_on": SALE.ends, "scope": "all"}
    ])  # fmt: skip
    for model in ("audience_campaigns", "audience_steps"):
        compiled.put(model)
    yield compiled
    compiled.con.execute("rollback")


def names(models: Compiled, seed: str) -> frozenset[str]:
    return frozenset(value for (value,) in models.ref(seed).fetchall())


def identify(company: Company) -> dict[Record, str]:
    """Record -> customer, of everybody who is known: one customer by shared addresses and numbers (test_identities)."""
    facts, known = company.facts, company.known
    records = set(company.contacts)
    whens = {"consents": "status_at", "messages": "occurred_at", "orders": "ordered_at", "events": "occurred_at",
             "tickets": "opened_at"}  # fmt: skip
    for entity, when in whens.items():
        records |= {company.record(row) for row in getattr(facts, entity) if known(row[when])}
    records |= {company.record(r) for r in facts.survey_responses if known(r["sent_at"] or r["answered_at"])}
    for row in facts.referrals:
        if known(row["referred_at"]):
            records |= {(row["namespace"], row[c]) for c in ("referrer_contact_id", "referred_contact_id")}
    parent = {record: record for record in records}

    def root(record: Record) -> Record:
        while parent[record] != record:
            record = parent[record]
        return record

    holders: dict[str, list[Record]] = {}
    for record in sorted(records):
        values = {email for email in company.emails_now[record] if not company.is_role(email)}
        phone = company.contacts.get(record, {}).get("phone")
        values |= {phone} if phone and not phone.endswith(PLACEHOLDERS) else set()
        for value in values:
            holders.setdefault(value, []).append(record)
    for sharing in holders.values():
        if sum(not number.startswith("email:") for _, number in sharing) <= company.most_records:
            for one, other in pairwise(sharing):
                parent[root(one)] = root(other)
    return {record: ":".join(root(record)) for record in records}


def make(models: Compiled, facts: Facts, as_of: date = AS_OF) -> Company:
    company = Company(
        facts, {}, as_of, "Asia/Jakarta", names(models, "role_addresses"), names(models, "separate_purposes"),
        MOST_RECORDS, DOUBLE_OPT_IN, [SALE],
    )  # fmt: skip
    company.customer = identify(company)
    return company


def build(models: Compiled, company: Company) -> None:
    facts = company.facts
    for entity in companies.ENTITIES:
        models.fill(f"landing.{entity}", getattr(facts, entity))
    models.fill("reference.suppressions", facts.suppressions)
    models.fill("int_customer_identities", [
        {"customer_id": customer, "source": source, "contact_id": number, "is_listed": (source, number) in company.contacts}
        for (source, number), customer in company.customer.items()
    ])  # fmt: skip
    models.fill("registry.sends", [
        {"as_of_date": day, "customer_id": customer, "audience": audience, "entry_key": "before", "step": 1,
         "channel": "email", "test_group": "member" if is_member else "holdout"}
        for day, customer, audience, is_member in facts.sends
    ])  # fmt: skip
    for model in CHAIN:
        models.put(model, company.as_of, REPLACING.get(model, {}))


def rows(models: Compiled, model: str, *columns: str) -> list[tuple]:
    return models.ref(model).project(", ".join(columns)).fetchall()


def days(text: str) -> float:
    """The number of "1 day" or "12.5 days"."""
    number, word = text.split(" ")
    assert word == ("day" if number == "1" else "days"), text
    return float(number)


def ago(text: str) -> int:
    return 0 if text == "today" else int(days(text.removesuffix(" ago")))


def to_day(text: str) -> date:
    return date.fromisoformat(text)


GAP = r"([\d.]+ days?)"
AGO = r"(today|\d+ days? ago)"
DAY = r"(\d{4}-\d\d-\d\d)"


class Truth:
    """Each sentence taken at its word: what it says is looked up in the raw facts."""

    def __init__(self, company: Company) -> None:
        self.of = company

    def holds(self, audience: str, customer: str, why: str) -> bool:
        """Whether a sentence is one that is known, and true."""
        name = "rung" if audience.startswith("rung_") else "nps" if audience.startswith("nps_") else audience
        for pattern, judge in self.SENTENCES[name]:
            found = re.fullmatch(pattern, why)
            if found:
                return judge(self, customer, *found.groups())
        return False

    def signed_up(self, c: str, day: str) -> bool:
        return self.of.signup(c) == to_day(day) > self.of.since(7) and not self.of.orders[c]

    def agreed(self, c: str, day: str) -> bool:
        return to_day(day) in self.of.grants(c) and to_day(day) > self.of.since(7) and not self.of.orders[c]

    def left_a_cart(self, c: str, day: str) -> bool:
        return to_day(day) in {self.of.day(touched) for _, touched in self.of.left_carts(c)}

    def stays_away(self, c: str, state: str, last: str, expected: str, usual: str, counted: str) -> bool:
        own = self.of.cadence[c]
        said = days(expected or counted or usual)
        return (
            own.is_churned == (state == "gone")
            and own.current_gap == ago(last) == (self.of.as_of - self.of.purchase_days[c][-1]).days
            and abs(float(own.usual_gap) - said) <= 0.05
            and (own.median_gap is None) == (usual is None)
            and (usual is None or abs(float(own.median_gap) - days(usual)) <= 0.05)
        )

    def has_birthday(self, c: str, number: str) -> bool:
        return self.of.days_to_birthday(c) == days(number)

    def bought_once(self, c: str, number: str) -> bool:
        return set(self.of.purchase_days[c]) == {self.of.as_of - timedelta(ago(number))}

    def was_resolved(self, c: str, day: str) -> bool:
        return to_day(day) in self.of.resolved(c) and not self.of.has_open_complaint(c)

    def waits_since(self, c: str, day: str) -> bool:
        return self.of.is_unanswered_detractor(c) and self.of.day(self.of.latest(c, "nps")[0]) == to_day(day)

    def customers_brought(self, c: str) -> int:
        return len({
            whom
            for day, whom in self.of.brought(c)
            if day > self.of.since(365) and whom != c and min(self.of.purchase_days.get(whom) or [date.min]) >= day
        })  # fmt: skip

    def brought(self, c: str, number: str) -> bool:
        return self.customers_brought(c) == int(number)

    def promoted(self, c: str, day: str) -> bool:
        at, score = self.of.latest(c, "nps")
        return self.of.day(at) == to_day(day) and score >= 9 and not self.of.asked(c, "advocates")

    def bought_and_not_asked(self, c: str, day: str, number: str) -> bool:
        asked = self.of.surveyed(c)
        return to_day(day) in self.of.purchase_days[c] and all(on <= self.of.since(int(number)) for on in asked)

    def silent_since(self, c: str, day: str) -> bool:
        return not any(on > to_day(day) for on in self.of.signs_of_life(c)) and to_day(day) <= self.of.since(180)

    def answered(self, c: str, score: str, day: str) -> bool:
        at, given = self.of.latest(c, "nps")
        return given == int(score) and self.of.day(at) == to_day(day)

    def has_bought(self, c: str) -> bool:
        return bool(self.of.purchase_days.get(c))

    def engaged_lately(self, c: str) -> bool:
        return any(day > self.of.since(90) for day in self.of.engaged(c))

    def is_regular(self, c: str, number: str) -> bool:
        own = self.of.cadence[c]
        return own.purchase_days == int(number) >= 4 and own.current_gap <= 2 * own.median_gap

    def is_away(self, c: str, number: str, last: str, gap: str) -> bool:
        own = self.of.cadence[c]
        return (
            own.purchase_days == int(number) >= 4 and own.current_gap == ago(last)
            and own.current_gap > 2 * days(gap) and float(own.median_gap) == days(gap)
        )  # fmt: skip

    def is_content(self, c: str) -> bool:
        return bool(self.of.rung[c] >= 6)

    TOP = r"bought on (\d+) days, keeps the rhythm and buys outside discount campaigns, too; "
    RUNG = (
        (r"suspect: known, but does not agree to be written to and showed no interest in the last 90 days",
         lambda self, c: not self.of.has_opted_in(c) and not self.engaged_lately(c) and not self.has_bought(c)),
        (r"prospect: no purchase so far; agrees to be written to",
         lambda self, c: self.of.has_opted_in(c) and not self.has_bought(c)),
        (r"prospect: no purchase so far; showed interest in the last 90 days",
         lambda self, c: self.engaged_lately(c) and not self.has_bought(c)),
        (rf"first-time customer: bought on one day only, {AGO}",
         lambda self, c, last: set(self.of.purchase_days[c]) == {self.of.as_of - timedelta(ago(last))}),
        (r"repeat customer: bought on (\d+) days; a regular customer buys on 4 or more",
         lambda self, c, number: len(set(self.of.purchase_days[c])) == int(number) < 4),
        (rf"repeat customer: bought on (\d+) days; last {AGO}, more than 2 times the usual gap of {GAP}", is_away),
        (r"repeat customer: bought on (\d+) days; has bought at full price fewer than 2 times", lambda *_: False),
        (r"repeat customer: bought on (\d+) days; (?:buys clearly less often outside discount campaigns|whether they "
         r"buy without a discount cannot be told yet)", is_regular),
        (rf"majority customer[:,] {TOP}a complaint is open",
         lambda self, c, number: self.is_regular(c, number) and self.of.has_open_complaint(c)),
        (rf"majority customer[:,] {TOP}not known to be satisfied",
         lambda self, c, number: self.is_regular(c, number) and self.of.rung[c] == 5),
        (rf"loyal customer[:,] {TOP}satisfied",
         lambda self, c, number: self.is_regular(c, number) and self.of.rung[c] == 6),
        (rf"advocate[:,] {TOP}satisfied, and brought (\d+) customers? in the last 365 days",
         lambda self, c, number, people: self.is_regular(c, number) and self.customers_brought(c) == int(people) > 0),
    )  # fmt: skip
    SENTENCES = {
        "welcome": (
            (rf"signed up on {DAY} and has not ordered yet", signed_up),
            (rf"agreed to be written to on {DAY} and has not ordered yet", agreed),
        ),
        "cart_abandonment": ((rf"left a cart on {DAY} and has not ordered since it was begun", left_a_cart),),
        "winback": ((
            rf"(gone|at risk): last bought {AGO}(?:; after a first purchase the next is expected within {GAP}"
            rf"| against a usual gap of {GAP}(?:, counted as {GAP})?)", stays_away,
        ),),
        "birthday": ((r"birthday in (\d+ days?)", has_birthday),),
        "second_purchase": ((r"bought on one day, (\d+ days ago)", bought_once),),
        "service_recovery": (
            (rf"a complaint was resolved on {DAY}", was_resolved),
            (rf"a detractor not answered since {DAY}", waits_since),
        ),
        "advocates": (
            (r"brought (\d+) within the year", brought),
            (rf"promoter on {DAY}, never asked", promoted),
        ),
        "full_price": RUNG,
        "feedback_request": ((rf"bought on {DAY}, not asked in the last (90) days", bought_and_not_asked),),
        "sunset": ((rf"no open, click, visit or order since {DAY}", silent_since),),
        "nps": ((rf"answered (\d+) on {DAY}", answered),),
        "rung": RUNG,
    }  # fmt: skip


def problems(models: Compiled, company: Company) -> list[tuple]:
    """Everything that the models say and the definitions do not, or the other way round."""
    build(models, company)
    found = []
    candidates = rows(models, "audience_candidates", "audience", "customer_id", "why")
    assert all(times == 1 for times in Counter((a, c) for a, c, _ in candidates).values())
    for audience in AUDIENCES:
        belongs = getattr(company, audience)
        expected = {c for c in company.people if belongs(c)}
        actual = {c for name, c, _ in candidates if name == audience}
        found += [("not in", audience, c) for c in sorted(expected - actual)]
        found += [("in", audience, c, why) for name, c, why in candidates if name == audience and c not in expected]
    truth = Truth(company)
    found += [("untrue", *each) for each in candidates if not truth.holds(*each)]
    refusals = {
        (c, channel): reason
        for c, channel, reason in rows(models, "customer_contactability", "customer_id", "channel", "reason")
    }
    assert set(refusals) == {(c, channel) for c in company.people for channel in ADDRESS_OF}
    found += [
        ("contact", *name, reason, company.refusals[name])
        for name, reason in refusals.items()
        if reason != next(iter(company.refusals[name]), None)
    ]
    members = rows(models, "audience_members", "customer_id", "channel", "audience")
    members += rows(models, "audience_due", "customer_id", "channel", "audience")
    return found + [("member", *each) for each in members if company.refusals[each[:2]]]


def draw(models: Compiled, seed: int, people: int) -> Company:
    facts = companies.Company(seed, people).facts
    company = make(models, facts)
    sends = {(day, company.customer.get(record), audience, is_member)
             for day, record, audience, is_member in facts.sends}  # fmt: skip
    return replace(company, facts=replace(facts, sends=sorted(each for each in sends if each[1])))


@hypothesis_settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9))
def test_lists_say_what_the_definitions_say(models, seed):
    assert problems(models, draw(models, seed, 30)) == []

"""Who belongs, who may be contacted, and whether each `why` is true: the models from landing to the lists, over random
companies, against the definitions in plain Python (tests/reference/audiences.py)."""

from __future__ import annotations

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
from tests.dbt.truths import is_true
from tests.reference.audiences import Company
from tests.reference.contactability import ADDRESS_OF, Facts, Record
from tests.reference.ladder import Campaign

AUDIENCES = ("welcome", "cart_abandonment", "winback", "birthday", "second_purchase", "service_recovery", "advocates",
             "full_price", "feedback_request", "sunset")  # fmt: skip
CHAIN = (
    *(f"stg_{name}" for name in companies.ENTITIES), "stg_contact_addresses", "stg_late_refusals",
    "int_carried_addresses", "int_contact_values", "int_known_addresses", "int_customer_addresses",
    "int_refused_addresses", "int_refusal_reach", "int_consent_states", "int_record_suppressions", "int_suppressions",
    "int_customer_profiles", "dim_customers", "customer_contactability",
    "int_orders_valued", "fct_orders", "int_calendar", "int_purchase_days", "int_customer_cadence",
    "int_discount_days", "int_visits", "int_engagement", "int_feedback_answers", "fct_events", "fct_messages",
    "fct_consents", "fct_tickets", "fct_survey_responses", "fct_referrals", "customer_discount_sieve",
    "customer_satisfaction", "customer_lifecycle", "customer_journey", "int_sends", "fct_sends", "customer_pressure",
    *(f"aud_{name}" for name in AUDIENCES), "aud_lifecycle_rungs", "aud_nps_groups", "audience_entries",
    "audience_candidates", "audience_turns", "audience_contest", "audience_outcomes", "audience_members",
    "audience_due",
)  # fmt: skip
"""From landing to the lists, in order; who is one customer is given."""
MOST_RECORDS = 2
"""More people who share an address than in life."""
DOUBLE_OPT_IN = frozenset({"sms"})
TO_CONFIRM = "(channel <> 'sms' or coalesce(method = 'double_opt_in', false))"
REPLACING = {
    "int_contact_values": {"n_records <= 5": "n_records <= 2"},
    "int_known_addresses": {"n_records <= 5": "n_records <= 2"},
    "int_consent_states": {"true or consents.status": f"{TO_CONFIRM} or consents.status"},
    "int_record_suppressions": {"and true": f"and {TO_CONFIRM}"},
}
"""The texts of the default rules in the SQL, and those of the rules of this test."""
DAYS = (AS_OF, date(2026, 12, 28), date(2027, 2, 22), date(2028, 2, 24))
"""Before the end of a year and of February, in a year with and in one without its 29th, and a usual one."""
PLACEHOLDERS = ("000000",)
"""Of those of the seed the one that `companies` uses."""


@pytest.fixture(scope="module")
def models(compiled: Compiled):
    """The models over empty tables, which are empty again afterwards."""
    compiled.con.execute("begin")
    for model, texts in REPLACING.items():
        assert all(text in compiled.sql(model) for text in texts), model
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
        MOST_RECORDS, DOUBLE_OPT_IN, [Campaign("sale", as_of - timedelta(60), as_of - timedelta(46), True)],
    )  # fmt: skip
    company.customer = identify(company)
    return company


def build(models: Compiled, company: Company) -> None:
    facts = company.facts
    for entity in companies.ENTITIES:
        models.fill(f"landing.{entity}", getattr(facts, entity))
    models.fill("reference.suppressions", facts.suppressions)
    models.fill("discount_campaigns", [
        {"campaign": sale.name, "starts_on": sale.starts, "ends_on": sale.ends, "scope": "all"}
        for sale in company.campaigns
    ])  # fmt: skip
    models.fill("int_customer_identities", [
        {"customer_id": customer, "source": record[0], "contact_id": record[1]}
        for record, customer in company.customer.items()
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
    found += [("untrue", *each) for each in candidates if not is_true(company, *each)]
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


def draw(models: Compiled, seed: int, people: int, as_of: date) -> Company:
    facts = companies.Company(seed, people, as_of).facts
    company = make(models, facts, as_of)
    sends = {(day, company.customer.get(record), audience, is_member)
             for day, record, audience, is_member in facts.sends}  # fmt: skip
    return replace(company, facts=replace(facts, sends=sorted(each for each in sends if each[1])))


@hypothesis_settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**9), st.sampled_from(DAYS))
def test_lists_say_what_the_definitions_say(models, seed, as_of):
    assert problems(models, draw(models, seed, 30, as_of)) == []

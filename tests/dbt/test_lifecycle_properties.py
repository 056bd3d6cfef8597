"""The history of the ladder says of every day what customer_lifecycle said when that day was today, and the transitions
count what the stays say: the SQL that dbt compiles, over random small companies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tangga import dbt, warehouse
from tests.dbt.harness import AS_OF, Compiled, make_settings

ROUNDS = hypothesis_settings(deadline=None, max_examples=6)

DAYS = 32
"""A company lives so many days, up to AS_OF; its history goes back HISTORY_DAYS of them."""

HISTORY_DAYS = 25
RULES = f"""
    consent: {{double_opt_in_channels: [sms]}},
    lifecycle: {{
      engaged_days: 5, majority_purchase_days: 3, majority_gap_factor: 1.5, sieve_ratio: 0.85,
      sieve_min_full_price_orders: 1, satisfaction_days: 7, referral_days: 9, history_days: {HISTORY_DAYS}
    }}"""
"""Windows that a month is long enough for."""

RECORDS = {f"{number}{letter}": str(number) for number in range(24) for letter in ("ab" if number % 6 == 0 else "a")}
"""Record -> customer."""


@dataclass(frozen=True)
class Company:
    """Facts as tuples that begin with (day number, record); minutes are those of an instant of the day."""

    orders: list[tuple[int, str, bool, bool]]
    visits: list[tuple[int, str]]
    messages: list[tuple[int, str, int, str, str]]
    consents: list[tuple[int, str, int, str, str, str, str]]
    tickets: list[tuple[int, str, str, int | None]]
    answers: list[tuple[int, str, int, str, int]]
    referrals: list[tuple[int, str, str]]
    offers: list[tuple[int, int, bool]]
    reach: set[tuple[str, str]]


def company_of(seed: int) -> Company:
    """Half of the people buy in a rhythm, which may end."""
    chance = Random(seed)

    def some(record: str, most: int, *parts: Sequence) -> list[tuple]:
        return [
            (chance.randrange(DAYS), record, *(chance.choice(part) for part in parts))
            for _ in range(chance.randint(0, most))
        ]

    def purchases(record: str) -> list[int]:
        if not record.endswith("a") or chance.random() < 0.4:
            return [chance.randrange(DAYS) for _ in range(chance.choice([0, 0, 0, 1, 2]))]
        start, gap, times = chance.randrange(14), chance.randint(1, 4), chance.randint(3, 14)
        days = [start + gap * number + chance.choice([0, 0, 0, 1]) for number in range(times)]
        return [day for day in days if day < DAYS and chance.random() < 0.95]

    minutes, channels, records = range(3), ["email", "sms"], sorted(RECORDS)
    scores = [("nps", 6), ("nps", 7), ("nps", 10), ("csat", 3), ("csat", 4), ("csat", 5), ("ces", 1)]
    waits = [None, *range(12)]
    events = ["sent", "sent", "opened", "unsubscribed", "complained"]
    statuses = ["granted", "granted", "denied", "revoked"]
    methods = ["single_opt_in", "double_opt_in"]
    return Company(
        orders=[
            (day, record, chance.random() < 0.95, chance.random() < 0.2)
            for record in records
            for day in purchases(record)
        ],
        visits=[fact for record in records for fact in some(record, 1)],
        messages=[fact for record in records for fact in some(record, 3, minutes, channels, events)],
        consents=[
            fact
            for record in records
            for fact in some(record, 6, minutes, channels, statuses, ["marketing", "marketing", "anything"], methods)
        ],
        tickets=[fact for record in records for fact in some(record, 1, ["complaint", "question"], waits)],
        answers=[
            (day, record, minute, *score)
            for each in records
            for day, record, minute, score in some(each, 3, minutes, scores)
        ],
        referrals=[fact for record in records for fact in some(record, 3, records)],
        offers=[
            (chance.randrange(DAYS), chance.randint(0, 6), chance.random() < 0.5) for _ in range(chance.randint(1, 5))
        ],
        reach={(chance.choice(records), RECORDS[chance.choice(records)]) for _ in range(4)},
    )


def day(number: int) -> date:
    return AS_OF - timedelta(DAYS - 1 - number)


def instant(number: int, minute: int = 0) -> datetime:
    """UTC, at noon in Jakarta."""
    return datetime.combine(day(number), time(5, minute))


def fill(models: Compiled, company: Company, today: int) -> None:
    """What is known of the company at the end of a day. Of the past of a record's owner and reach nothing is known."""
    facts = [
        company.orders, company.visits, company.messages, company.consents, company.tickets, company.answers,
        company.referrals, [(number, other) for number, _, other in company.referrals],
    ]  # fmt: skip
    seen: dict[str, int] = {}
    for number, record, *_ in (fact for kind in facts for fact in kind):
        seen[record] = min(number, seen.get(record, DAYS))
    known = {record: number for record, number in seen.items() if number <= today}
    first = {
        customer: min(number for record, number in known.items() if RECORDS[record] == customer)
        for customer in {RECORDS[record] for record in known}
    }

    def rows(kind: list[tuple]) -> Iterator[tuple[int, tuple]]:
        return ((number, fact) for number, fact in enumerate(kind) if fact[0] <= today)

    models.fill("dim_customers", [
        {"customer_id": customer, "first_seen_date": day(number)} for customer, number in sorted(first.items())
    ])  # fmt: skip
    models.fill("int_customer_identities", [
        {"customer_id": RECORDS[record], "source": "s", "contact_id": record, "first_seen_at": instant(number)}
        for record, number in known.items()
    ])  # fmt: skip
    models.fill("int_refusal_reach", [
        {"source": "s", "contact_id": record, "customer_id": customer, "has_its_address": True}
        for record, customer in company.reach
        if RECORDS[record] != customer and customer in first
    ])  # fmt: skip
    models.fill("int_orders_valued", [
        {
            "customer_id": RECORDS[record], "order_id": str(key), "order_date": day(number), "net_amount": 1,
            "is_purchase": bought, "is_discounted": discounted, "gross_amount": 1, "discount_amount": 0,
        }
        for key, (number, record, bought, discounted) in rows(company.orders)
    ])  # fmt: skip
    models.fill("stg_events", [
        {"source": "s", "contact_id": record, "occurred_at": instant(number), "event_date": day(number)}
        for _, (number, record) in rows(company.visits)
    ])  # fmt: skip
    models.fill("stg_messages", [
        {
            "source": "s", "contact_id": record, "channel": channel, "event": event, "campaign": "offer 0",
            "occurred_at": instant(number, minute), "message_date": day(number),
        }
        for _, (number, record, minute, channel, event) in rows(company.messages)
    ])  # fmt: skip
    models.fill("stg_consents", [
        {
            "source": "s", "contact_id": record, "channel": channel, "status": status, "purpose": purpose,
            "status_at": instant(number, minute),
            "method": method,
        }
        for _, (number, record, minute, channel, status, purpose, method) in rows(company.consents)
    ])  # fmt: skip
    tickets = [
        {
            "source": "s", "ticket_id": str(key), "contact_id": record, "kind": kind, "opened_date": day(number),
            "resolved_at": None if wait is None or number + wait > today else instant(number + wait),
        }
        for key, (number, record, kind, wait) in rows(company.tickets)
    ]  # fmt: skip
    models.fill("stg_tickets", tickets)
    models.fill("fct_tickets", [
        {
            "customer_id": RECORDS[ticket["contact_id"]], "ticket_id": ticket["ticket_id"], "kind": ticket["kind"],
            "opened_date": ticket["opened_date"], "is_resolved": ticket["resolved_at"] is not None,
        }
        for ticket in tickets
    ])  # fmt: skip
    models.fill("int_feedback_answers", [
        {
            "customer_id": RECORDS[record], "source": "s", "response_id": f"{key:03}", "kind": kind, "score": score,
            "answered_at": instant(number, minute), "answer_date": day(number),
        }
        for key, (number, record, minute, kind, score) in rows(company.answers)
    ])  # fmt: skip
    models.fill("stg_referrals", [
        {
            "source": "s", "referrer_contact_id": record, "referred_contact_id": other,
            "referred_at": instant(number), "referral_date": day(number),
        }
        for _, (number, record, other) in rows(company.referrals)
    ])  # fmt: skip
    models.fill("discount_campaigns", [
        {
            "campaign": f"offer {key}", "starts_on": day(number), "ends_on": day(number + length),
            "scope": "all" if everybody else "recipients",
        }
        for key, (number, length, everybody) in enumerate(company.offers)
    ])  # fmt: skip


FACTS = ["int_calendar", "int_discount_days", "int_purchase_days", "int_customer_cadence", "fct_referrals"]
TODAY = [
    "int_consent_states", "int_record_suppressions", "int_suppressions", "int_visits", "int_engagement",
    "customer_satisfaction", "customer_discount_sieve",
]  # fmt: skip
HISTORY = [
    "int_lifecycle_starts", "int_word_changes", "int_opt_in_changes", "int_engagement_changes",
    "int_lifecycle_prospects", "int_purchase_steps", "int_discount_calendar", "int_sieve_spans", "int_sieve_runs",
    "int_sieve_changes", "int_lifecycle_buying", "int_satisfaction_signs", "int_satisfaction_changes",
    "int_referral_changes", "int_lifecycle_changes", "customer_lifecycle_history",
]  # fmt: skip


@pytest.fixture(scope="module")
def models(settings, tmp_path_factory) -> Compiled:
    """The models, compiled with `RULES`."""
    other = make_settings(tmp_path_factory.mktemp("lifecycle"), others=RULES)
    warehouse.path(other).parent.mkdir(parents=True)
    names = [*FACTS, *TODAY, *HISTORY, "customer_lifecycle", "rung_transitions"]
    dbt.run(other, AS_OF, "compile", "--quiet", "--select", *names)
    return Compiled(dbt.target(other), warehouse.path(settings))


def lifecycle(models: Compiled, company: Company, today: int) -> dict[str, dict]:
    """Customer -> the row of customer_lifecycle as of a day."""
    fill(models, company, today)
    for model in (*FACTS, *TODAY):
        models.put(model, day(today))
    return {row["customer_id"]: row for row in models.run("customer_lifecycle", day(today))}


def history(models: Compiled, company: Company) -> dict[str, list[dict]]:
    """Customer -> their stays, as of AS_OF."""
    fill(models, company, DAYS - 1)
    for model in (*FACTS, *HISTORY):
        models.put(model)
    stays: dict[str, list[dict]] = {}
    for row in sorted(models.run("customer_lifecycle_history"), key=lambda row: row["valid_from"]):
        stays.setdefault(row["customer_id"], []).append(row)
    return stays


def check_stays(rows: list[dict]) -> None:
    """They follow each other without gap or overlap, each on another rung than the one before, and the last is open."""
    assert rows[0]["previous_rung"] is None
    assert rows[0]["valid_from"] >= day(DAYS - HISTORY_DAYS)
    assert [row["is_current"] for row in rows] == [row["valid_to"] is None for row in rows]
    assert [row["is_current"] for row in rows] == [False] * (len(rows) - 1) + [True]
    assert not any(row["began_before"] for row in rows[1:])
    for one, other in pairwise(rows):
        assert one["valid_to"] == other["valid_from"] > one["valid_from"]
        assert one["rung"] == other["previous_rung"] != other["rung"]


def count_moves(stays: list[tuple[str, int, date, date | None]], month: date) -> Counter[tuple[int | None, int]]:
    """(rung on the day before the month, rung on its last day) -> customers."""

    def standing(on: date) -> dict[str, int]:
        return {who: rung for who, rung, since, until in stays if since <= on and (until is None or on < until)}

    before, after = standing(month - timedelta(1)), standing(next_month(month) - timedelta(1))
    return Counter((before.get(who), rung) for who, rung in after.items())


def next_month(month: date) -> date:
    return (month + timedelta(31)).replace(day=1)


class TestHistory:
    @ROUNDS
    @given(
        seed=st.integers(0, 2**32),
        days=st.sets(st.integers(DAYS - HISTORY_DAYS, DAYS - 2), min_size=3, max_size=3),
    )
    def test_it_says_what_was_said_when_the_day_was_today(self, models, seed, days):
        company = company_of(seed)
        stays = history(models, company)
        for rows in stays.values():
            check_stays(rows)
        for today in sorted(days | {DAYS - 1}):
            then = lifecycle(models, company, today)
            assert then
            found = {
                row["customer_id"]: row
                for rows in stays.values()
                for row in rows
                if row["valid_from"] <= day(today) < (row["valid_to"] or date.max)
            }
            assert {who: row["rung"] for who, row in found.items()} == {who: row["rung"] for who, row in then.items()}
            began = {who: row["reason"] for who, row in found.items() if row["valid_from"] == day(today)}
            assert began == {who: then[who]["reason"] for who in began}


class TestTransitions:
    @ROUNDS
    @given(
        seed=st.integers(0, 2**32),
        as_of=st.one_of(
            st.sampled_from([date(2026, 5, 30), date(2026, 5, 31)]), st.dates(date(2026, 2, 1), date(2026, 6, 30))
        ),
    )
    def test_they_count_what_the_stays_say(self, compiled, seed, as_of):
        chance = Random(seed)
        stays = []
        for who in map(str, range(30)):
            first = date(2025, 10, 1) + timedelta(chance.randrange(270))
            changes = {first + timedelta(chance.randrange(90)) for _ in range(chance.randrange(6))}
            days = sorted(each for each in {first, *changes} if each <= as_of)
            rungs = [chance.randint(1, 7)]
            while len(rungs) < len(days):
                rungs.append(chance.choice([rung for rung in range(1, 8) if rung != rungs[-1]]))
            stays += zip([who] * len(days), rungs, days, [*days[1:], None], strict=False)
        columns = ("customer_id", "rung", "valid_from", "valid_to")
        compiled.fill("customer_lifecycle_history", [dict(zip(columns, stay, strict=True)) for stay in stays])
        found: dict[date, Counter] = {}
        for row in compiled.run("rung_transitions", as_of):
            moves = found.setdefault(row["month"], Counter())
            moves[row["from_rung"], row["to_rung"]] = row["customers"]
            if row["customers_before"]:
                assert abs(row["share"] - Decimal(row["customers"]) / row["customers_before"]) <= Decimal("0.00005")
            else:
                assert row["share"] is None
        expected = {}
        month = min((since for _, _, since, _ in stays), default=as_of).replace(day=1)
        while next_month(month) <= as_of + timedelta(1):
            expected[month] = count_moves(stays, month)
            month = next_month(month)
        assert {month: +moves for month, moves in found.items()} == expected

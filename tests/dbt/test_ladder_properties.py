"""Cadence, journey, sieve, rungs: the SQL that dbt compiles, against `tests/reference`, over random lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.dbt.harness import AS_OF, Compiled
from tests.reference.ladder import Bought, Campaign, Person, Sieve, cadences, journey_stage, rungs, sieve

ROUNDS = hypothesis_settings(max_examples=100, deadline=None)

CHAIN = (
    "int_calendar",
    "int_purchase_days",
    "int_customer_cadence",
    "int_discount_days",
    "int_visits",
    "int_engagement",
    "fct_referrals",
    "customer_discount_sieve",
    "customer_satisfaction",
    "customer_lifecycle",
    "customer_journey",
)
"""What lies between the tables that a test fills and the rung, in order."""


def days(longest: int = 800) -> st.SearchStrategy[date]:
    """Days up to the as-of day: near it, near the limits of the rules, or any."""
    ago = st.one_of(st.integers(0, 10), st.sampled_from([89, 90, 91, 364, 365, 366]), st.integers(0, longest))
    return ago.map(lambda n: AS_OF - timedelta(n))


purchase_days = st.one_of(
    st.lists(days(), max_size=6),
    # Somebody with a rhythm: so many days apart, the last so long ago, beyond the limits of cadence or just within.
    st.builds(
        lambda gaps, ago: [AS_OF - timedelta(ago + sum(gaps[:n])) for n in range(len(gaps) + 1)],
        st.one_of(
            st.lists(st.integers(1, 130), max_size=12),
            st.tuples(st.sampled_from([7, 10, 14, 15, 16, 30, 121, 122]), st.integers(0, 12)).map(
                lambda gap_and_times: [gap_and_times[0]] * gap_and_times[1]
            ),
        ),
        st.one_of(st.integers(0, 40), st.sampled_from([60, 61, 90, 91, 92, 730, 731])),
    ),
)

bought = st.builds(
    Bought,
    st.just(AS_OF),
    net=st.integers(1, 10**7),
    discount=st.one_of(st.just(0), st.just(0), st.integers(1, 10**6)),
    has_coupon=st.integers(0, 5).map(lambda drawn: drawn == 0),
)


@st.composite
def purchases(draw) -> list[Bought]:
    on = draw(purchase_days)
    return [each._replace(day=day) for day, each in zip(on, draw(st.tuples(*[bought] * len(on))), strict=True)]


@st.composite
def campaigns(draw) -> list[Campaign]:
    """Up to four, some of them on the same days, some longer than all that is known."""
    drawn = draw(st.lists(st.tuples(days(), st.one_of(st.integers(0, 40), st.just(1000)), st.booleans()), max_size=4))
    return [
        Campaign(f"k{n}", starts, starts + timedelta(length), for_all)
        for n, (starts, length, for_all) in enumerate(drawn)
    ]


offers = st.lists(st.tuples(days(), st.sampled_from(["k0", "k1", "k2", "k3", "no discount"])), max_size=3)
NAMES = "abcde"


@st.composite
def lives(draw) -> dict[str, Person]:
    score_days = st.lists(days(400), max_size=3, unique=True)

    def scores(highest: int) -> list[tuple[date, int]]:
        return [(day, draw(st.integers(highest // 10, highest))) for day in draw(score_days)]

    return {
        name: Person(
            purchases=draw(purchases()),
            offers=draw(offers),
            has_opted_in=draw(st.booleans()),
            engaged=draw(st.lists(days(), max_size=2)),
            csat=[(day, max(score, 1)) for day, score in scores(5)],
            nps=scores(10),
            content=draw(st.lists(days(400), max_size=2)),
            has_open_complaint=draw(st.integers(0, 4)) == 0,
            brought=draw(st.lists(st.tuples(days(400), st.sampled_from(NAMES)), max_size=2)),
        )
        for name in NAMES[: draw(st.integers(1, len(NAMES)))]
    }


def noon(day: date) -> datetime:
    return datetime.combine(day, time(5))


def fill_purchases(models: Compiled, people: Mapping[str, Person]) -> None:
    models.fill("dim_customers", [{"customer_id": name} for name in people])
    models.fill("int_customer_identities", [
        {"source": "shop", "contact_id": name, "customer_id": name} for name in NAMES
    ])  # fmt: skip
    models.fill("int_orders_valued", [
        {
            "source": "shop",
            "order_id": f"{name}{number}",
            "customer_id": name,
            "order_date": each.day,
            "gross_amount": Decimal(each.net).scaleb(-2),
            "net_amount": Decimal(each.net).scaleb(-2),
            "discount_amount": Decimal(each.discount).scaleb(-2),
            "is_purchase": True,
            "is_discounted": each.is_discounted,
        }
        for name, person in people.items()
        for number, each in enumerate(person.purchases)
    ])  # fmt: skip


def fill_offers(models: Compiled, people: Mapping[str, Person], campaigns: Sequence[Campaign]) -> None:
    models.fill("discount_campaigns", [
        {
            "campaign": each.name,
            "starts_on": each.starts,
            "ends_on": each.ends,
            "scope": "all" if each.is_for_all else "recipients",
        }
        for each in campaigns
    ])  # fmt: skip
    sent = [(name, day, "sent", offer) for name, person in people.items() for day, offer in person.offers]
    opened = [(name, day, "opened", None) for name, person in people.items() for day in person.engaged[1:]]
    models.fill("stg_messages", [
        {
            "source": "shop",
            "message_id": str(number),
            "contact_id": name,
            "channel": "email",
            "event": event,
            "occurred_at": noon(day),
            "message_date": day,
            "campaign": offer,
        }
        for number, (name, day, event, offer) in enumerate(sent + opened)
    ])  # fmt: skip


def fill_feedback(models: Compiled, people: Mapping[str, Person]) -> None:
    scores = [
        (name, kind, day, score)
        for name, person in people.items()
        for kind, given in (("csat", person.csat), ("nps", person.nps))
        for day, score in given
    ]
    efforts = [(name, "ces", day, 4) for name, person in people.items() for day in person.content[:1]]
    models.fill("int_feedback_answers", [
        {
            "given_in": "survey",
            "source": "shop",
            "response_id": str(number),
            "customer_id": name,
            "kind": kind,
            "answered_at": noon(day),
            "answer_date": day,
            "score": score,
        }
        for number, (name, kind, day, score) in enumerate(scores + efforts)
    ])  # fmt: skip
    written = [(name, "question", day, True) for name, person in people.items() for day in person.content[1:]]
    complaints = [
        (name, "complaint", AS_OF - timedelta(500), not person.has_open_complaint) for name, person in people.items()
    ]
    models.fill("fct_tickets", [
        {
            "ticket_id": str(number),
            "source": "shop",
            "customer_id": name,
            "kind": kind,
            "opened_date": day,
            "is_resolved": is_resolved,
        }
        for number, (name, kind, day, is_resolved) in enumerate(written + complaints)
    ])  # fmt: skip


def fill_people(models: Compiled, people: Mapping[str, Person]) -> None:
    models.fill("int_consent_states", [
        {"customer_id": name, "channel": "email", "is_granted": person.has_opted_in} for name, person in people.items()
    ])  # fmt: skip
    models.fill("stg_events", [
        {"source": "shop", "event_id": name, "contact_id": name, "occurred_at": noon(day), "event_date": day}
        for name, person in people.items()
        for day in person.engaged[:1]
    ])  # fmt: skip
    models.fill("stg_referrals", [
        {
            "source": "shop",
            "referrer_contact_id": name,
            "referred_contact_id": whom,
            "referred_at": noon(day),
            "referral_date": day,
        }
        for name, person in people.items()
        for day, whom in person.brought
    ])  # fmt: skip


def fill_all(models: Compiled, people: Mapping[str, Person], campaigns: Sequence[Campaign]) -> None:
    fill_purchases(models, people)
    fill_offers(models, people, campaigns)
    fill_feedback(models, people)
    fill_people(models, people)
    for model in CHAIN:
        models.put(model)


def a_regular(**known: object) -> dict[str, Person]:
    """Who buys every fortnight whether or not there is a sale, and nothing else; the sale of `SALE` lies within."""
    on = [Bought(AS_OF - timedelta(14 * n), 10_000) for n in range(12)]
    return {"a": Person(purchases=on, **known), "b": Person(purchases=[Bought(AS_OF - timedelta(5), 500)])}


SALE = [Campaign("k0", AS_OF - timedelta(60), AS_OF - timedelta(30), True)]
YESTERDAY = AS_OF - timedelta(1)


class TestLadder:
    @ROUNDS
    @example(people=a_regular(), campaigns=SALE)
    @example(people=a_regular(csat=[(YESTERDAY, 4)]), campaigns=SALE)
    @example(people=a_regular(content=[YESTERDAY], has_open_complaint=True), campaigns=SALE)
    @example(people=a_regular(content=[YESTERDAY], brought=[(AS_OF - timedelta(5), "b")]), campaigns=SALE)
    @example(people=a_regular(content=[YESTERDAY], brought=[(AS_OF - timedelta(4), "b")]), campaigns=SALE)
    @example(people=a_regular(nps=[(YESTERDAY, 7)], csat=[(YESTERDAY, 1)]), campaigns=SALE)
    @given(people=lives(), campaigns=campaigns())
    def test_rungs_and_stages_are_those_of_the_reference(self, compiled, people, campaigns):
        fill_all(compiled, people, campaigns)
        expected = rungs(people, campaigns, AS_OF)
        found = {row["customer_id"]: row["rung"] for row in compiled.run("customer_lifecycle")}
        assert found == expected
        cadence = cadences({name: [each.day for each in person.purchases] for name, person in people.items()}, AS_OF)
        assert {
            row["customer_id"]: (row["stage"], row["is_at_risk"], row["current_gap_days"], row["usual_gap_days"])
            for row in compiled.run("customer_journey")
        } == {
            name: (
                journey_stage(expected[name], own),
                own is not None and own.is_at_risk,
                own and own.current_gap,
                own and float(own.usual_gap),
            )
            for name, own in ((name, cadence.get(name)) for name in people)
        }

    @pytest.mark.parametrize(
        ("known", "rung"),
        [
            ({}, 5),
            ({"content": [YESTERDAY]}, 6),
            ({"content": [YESTERDAY], "brought": [(AS_OF - timedelta(5), "b")]}, 7),
        ],
    )
    def test_the_upper_rungs_can_be_reached(self, compiled, known, rung):
        """Chance alone hardly ever climbs them: the examples above do."""
        people = a_regular(**known)
        fill_all(compiled, people, SALE)
        assert rungs(people, SALE, AS_OF)["a"] == rung
        assert {row["customer_id"]: row["rung"] for row in compiled.run("customer_lifecycle")} == {"a": rung, "b": 3}


class TestSieve:
    @ROUNDS
    @example(
        # Exactly 0.8: 4 in 5 days without, 5 in 5 days with.
        people={
            "a": Person(purchases=[Bought(AS_OF - timedelta(n), 100) for n in (*range(4), 5, 6, 7, 8, 9)], offers=[])
        },
        campaigns=[Campaign("k0", AS_OF - timedelta(9), AS_OF - timedelta(5), True)],
    )
    @given(people=st.dictionaries(
        st.sampled_from(NAMES), st.builds(Person, purchases=purchases(), offers=offers), min_size=1,
    ), campaigns=campaigns())  # fmt: skip
    def test_verdicts_and_numbers_are_those_of_the_reference(self, compiled, people, campaigns):
        fill_purchases(compiled, people)
        fill_offers(compiled, people, campaigns)
        for model in ("int_calendar", "int_discount_days"):
            compiled.put(model)
        found = {
            row["customer_id"]: Sieve(*(row[name] for name in ("sieve_verdict", *Sieve._fields[1:])))
            for row in compiled.run("customer_discount_sieve")
        }
        assert found == {
            name: sieve(person.purchases, person.offers, campaigns, AS_OF)
            for name, person in people.items()
            if person.purchases
        }

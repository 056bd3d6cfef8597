"""Models that join a seed with the company's own table of the same name, which dbt's unit tests cannot tell apart."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.dbt.harness import Compiled


@pytest.fixture(autouse=True)
def as_before(compiled: Compiled):
    """The seeds as they were, for the tests that come after."""
    compiled.con.execute("begin")
    yield
    compiled.con.execute("rollback")


def rate(day: str, currency: str, value: int) -> dict:
    return {"rate_date": day, "currency": currency, "rate": value}


def test_currency_rates_may_be_seven_days_old(compiled):
    compiled.fill("exchange_rates", [
        rate("2026-06-01", "USD", 16000),
        rate("2026-06-05", "USD", 16100),
        rate("2026-06-06", "EUR", 17000),
        rate("2026-06-06", "IDR", 1),
    ])  # fmt: skip
    used = {
        "rate of the day": ("USD", "2026-06-05", 16100),
        "again": ("USD", "2026-06-05", 16100),
        "rate of the days before": ("USD", "2026-06-04", 16000),
        "seven days old": ("USD", "2026-06-12", 16100),
        "eight days old": ("USD", "2026-06-13", None),
        "before any rate": ("USD", "2026-05-31", None),
        "rate of tomorrow": ("EUR", "2026-06-05", None),
        "no rate at all": ("JPY", "2026-06-05", None),
        "own currency": ("IDR", "2026-06-06", None),
    }
    compiled.fill("stg_orders", [
        {"order_id": name, "currency": currency, "order_date": day} for name, (currency, day, _) in used.items()
    ])  # fmt: skip
    found = {
        (row["currency"], row["order_date"].isoformat()): row["rate"] for row in compiled.run("int_currency_rates")
    }
    assert found == {(currency, day): value for currency, day, value in used.values() if value}


def test_own_currency_rates_come_before_the_seed_on_the_same_day_only(compiled):
    compiled.fill("exchange_rates", [rate("2026-06-05", "SGD", 12000), rate("2026-06-06", "SGD", 12100)])
    compiled.fill("reference.exchange_rates", [rate("2026-06-05", "SGD", 11900), rate("2026-06-05", "SGD", 11800)])
    compiled.fill("stg_orders", [{"currency": "SGD", "order_date": f"2026-06-0{day}"} for day in (5, 6)])
    found = {row["order_date"].day: row["rate"] for row in compiled.run("int_currency_rates")}
    assert found == {5: 11900, 6: 12100}


def test_discount_days_are_of_everybody_or_of_who_was_sent_the_offer(compiled):
    compiled.fill("int_calendar", [{"day": f"2026-06-{day}"} for day in range(26, 31)])
    names = ("campaign", "starts_on", "ends_on", "scope")
    compiled.fill("discount_campaigns", [
        dict(zip(names, ("payday", "2026-06-28", "2026-06-28", "all"), strict=True)),
        dict(zip(names, ("flash", "2026-06-28", "2026-06-29", "all"), strict=True)),
    ])  # fmt: skip
    compiled.fill("reference.discount_campaigns", [
        dict(zip(names, ("yours", "2026-06-27", "2026-07-02", "recipients"), strict=True)),
        dict(zip(names, ("again", "2026-06-30", "2026-06-30", "recipients"), strict=True)),
    ])  # fmt: skip
    people = [
        ("ani", "shop", "1"),
        ("ani", "mail", "a"),
        ("budi", "shop", "2"),
        ("citra", "shop", "3"),
        ("dewi", "shop", "4"),
    ]
    compiled.fill("int_customer_identities", [
        {"customer_id": customer, "source": source, "contact_id": contact} for customer, source, contact in people
    ])  # fmt: skip
    messages = [
        ("shop", "1", "yours", "sent", 20),
        ("shop", "1", "yours", "opened", 21),
        ("mail", "a", "again", "sent", 20),
        ("shop", "2", "yours", "bounced", 20),
        ("shop", "3", "another", "sent", 20),
        ("shop", "4", "yours", "sent", 30),
    ]
    compiled.fill("stg_messages", [
        {"source": s, "contact_id": c, "campaign": campaign, "event": event, "message_date": f"2026-06-{day}"}
        for s, c, campaign, event, day in messages
    ])  # fmt: skip
    found = [(row["customer_id"], row["day"].day) for row in compiled.run("int_discount_days")]
    # an offer begins when it is sent
    # nobody's own are the days on which everybody has a discount; of those after the as-of date nothing is known
    assert sorted(found, key=str) == [("ani", 27), ("ani", 30), ("dewi", 30), (None, 28), (None, 29)]


def test_own_hours_replace_the_whole_week(compiled):
    def week() -> set[tuple]:
        return {(row["weekday"], row["opens_at"], row["closes_at"]) for row in compiled.run("int_weekly_hours")}

    assert week() == {(weekday, "09:00", "17:00") for weekday in range(1, 6)}
    compiled.fill("reference.business_hours", [{"weekday": 6, "opens_at": "08:00", "closes_at": "24:00"}])
    assert week() == {(6, "08:00", "24:00")}


def test_own_holidays_replace_those_of_tangga(compiled):
    compiled.fill("holidays", [{"date": "2026-01-01", "name": "ours"}])
    assert [row["holiday_date"].isoformat() for row in compiled.run("int_holidays")] == ["2026-01-01"]
    compiled.fill(
        "reference.holidays", [{"date": "2026-03-20", "name": "Idul Fitri"}, {"date": "2026-03-21", "name": None}]
    )
    assert [row["holiday_date"].isoformat() for row in compiled.run("int_holidays")] == ["2026-03-20", "2026-03-21"]


def test_own_cut_offs_replace_those_of_their_metric(compiled):
    compiled.fill("reference.rfm_cutoffs", [
        {"metric": "monetary", "score": score, "lower_bound": score * 10} for score in range(1, 6)
    ])  # fmt: skip
    found = compiled.run("int_rfm_cutoffs")
    assert {row["score"]: row["lower_bound"] for row in found if row["metric"] == "monetary"} == {
        score: Decimal(score * 10) for score in range(1, 6)
    }
    assert {row["lower_bound"] for row in found if row["metric"] == "recency"} == {0, 31, 91, 181, 366}
    assert len(found) == 15


def test_own_segments_stand_beside_the_schemes_of_tangga(compiled):
    compiled.fill("reference.rfm_segments", [{"scheme": "ours", "r": 5, "f": 5, "m": 5, "segment": "top"}])
    found = compiled.run("int_rfm_segment_map")
    assert [row["segment"] for row in found if row["scheme"] == "ours"] == ["top"]
    assert {row["scheme"] for row in found} == {"ours", "standard_11", "rf_grid_10"}
    assert len(found) == 251


def test_own_contact_costs_come_before_the_seed_in_the_business_s_currency_only(compiled):
    def cost(channel: str, currency: str, value: int) -> dict:
        return {"channel": channel, "currency": currency, "cost_per_message": value}

    compiled.fill("contact_costs", [cost("email", "IDR", 15), cost("sms", "IDR", 450), cost("push", "USD", 1)])
    compiled.fill("reference.contact_costs", [cost("email", "IDR", 9), cost("sms", "USD", 2)])
    found = {row["channel"]: row["cost_per_message"] for row in compiled.run("int_contact_costs")}
    assert found == {"email": 9, "sms": 450}

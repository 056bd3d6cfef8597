"""RFM on past days, the moves between them and their reasons, over random orders, against `tests/reference`."""

from __future__ import annotations

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tangga import dbt, warehouse
from tests.dbt.harness import AS_OF, Compiled, make_settings
from tests.dbt.test_rfm_properties import LOWER_BOUNDS, STANDARD_11, seed
from tests.reference.definitions import Order, Refund, quantile_type_7, rfm, score_and_segment, value_orders

ROUNDS = hypothesis_settings(deadline=None, max_examples=25)
WINDOW = 40
HELD, LOOKBACK = 3, 8
KINDS = {
    "quantile": "{}",
    "r_rfm": "{binning: r_rfm, history_months: 2}",
    "fixed": f"{{binning: fixed, history_months: 2, window_days: {WINDOW}}}",
    "window": f"{{history_months: 2, window_days: {WINDOW}}}",
    "damped": f"{{history_months: 2, damping_days: {HELD}, damping_lookback_days: {LOOKBACK}}}",
}
WINDOWED = ("fixed", "window")
MODELS = (
    "int_currency_rates",
    "int_orders_valued",
    "int_calendar",
    "int_rfm_days",
    "int_refunded_order_values",
    "int_rfm_values",
    "int_rfm_cutoffs",
    "int_rfm_cuts",
    "int_rfm_cut_points",
    "int_rfm_scores",
    "customer_rfm_history",
    "customer_rfm",
    "customer_segment_moves",
)
"""In the order in which they are built, on top of staging."""

COLUMNS = ("customer_id", "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "segment")
BEGINS = date(2026, 1, 1)


class Shop(NamedTuple):
    orders: list[Order]
    refunds: list[Refund]
    as_of: date


@pytest.fixture(scope="session")
def models_of(settings, compiled, tmp_path_factory) -> dict[str, Compiled]:
    """Kind -> the models, compiled with its rules."""

    def compile_with(kind: str) -> Compiled:
        other = make_settings(tmp_path_factory.mktemp(kind), KINDS[kind])
        warehouse.path(other).parent.mkdir(parents=True)
        dbt.run(other, AS_OF, "compile", "--quiet", "--select", *MODELS)
        return Compiled(dbt.target(other), warehouse.path(settings))

    others = [kind for kind in KINDS if kind != "quantile"]
    with ThreadPoolExecutor(2) as pool:
        return {"quantile": compiled} | dict(zip(others, pool.map(compile_with, others), strict=True))


@st.composite
def shops(draw) -> Shop:
    """A few customers who buy within half a year; some pay little, some by the bounds of the fixed scores."""
    cents = st.one_of(st.sampled_from([100, 150, 200, 250, 499_999_99, 500_000_00, 1_500_000_00]), st.integers(1, 1000))
    days = st.one_of(st.integers(0, 180), st.integers(100, 180))
    status = st.sampled_from(["completed"] * 9 + ["cancelled"])
    drawn = draw(st.lists(st.tuples(st.sampled_from("abcdefg"), days, cents, status), min_size=1, max_size=30))
    orders = [
        Order(str(n), who, instant(BEGINS + timedelta(day)), state, total)
        for n, (who, day, total, state) in enumerate(drawn)
    ]
    paid_back = st.tuples(st.sampled_from(orders), st.integers(-5, 60), st.sampled_from([1, 2, 3]))
    refunds = [
        Refund(f"r{n}", order.order_id, order.ordered_at + timedelta(later), -(-order.total // part))
        for n, (order, later, part) in enumerate(draw(st.lists(paid_back, max_size=8)))
    ]
    return Shop(orders, refunds, BEGINS + timedelta(draw(st.one_of(st.just(179), st.integers(60, 182)))))


def instant(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def at_the_edges() -> Shop:
    """The last day of the window and the one after, and refunds on the as-of date and before the order."""
    as_of = BEGINS + timedelta(170)
    bought = [("a", WINDOW), ("b", WINDOW - 1), ("b", 10), ("c", 5)]
    orders = [
        Order(str(n), who, instant(as_of - timedelta(ago)), "completed", 100) for n, (who, ago) in enumerate(bought)
    ]
    return Shop(
        orders, [Refund("r1", "2", instant(as_of), 100), Refund("r2", "3", instant(as_of - timedelta(9)), 50)], as_of
    )


def build(models: Compiled, shop: Shop, as_of: date) -> None:
    """Everything from the orders on as of a day: what is later is left out, as staging does it."""
    orders = [order for order in shop.orders if order.ordered_at.date() <= as_of]
    models.fill("int_rfm_segment_map", seed("rfm_segments"))
    models.fill("int_customer_identities", [
        {"customer_id": who, "source": "shop", "contact_id": who} for who in "abcdefg"
    ])  # fmt: skip
    models.fill("stg_orders", [
        {
            "source": "shop",
            "order_id": order.order_id,
            "contact_id": order.customer,
            "ordered_at": order.ordered_at.replace(tzinfo=None),
            "order_date": order.ordered_at.date(),
            "status": order.status,
            "currency": "IDR",
            "total_amount": Decimal(order.total).scaleb(-2),
            "discount_amount": 0,
        }
        for order in orders
    ])  # fmt: skip
    models.fill("stg_refunds", [
        {
            "source": "shop",
            "refund_id": refund.refund_id,
            "order_id": refund.order_id,
            "refund_date": refund.refunded_at.date(),
            "amount": Decimal(refund.amount).scaleb(-2),
        }
        for refund in shop.refunds
        if refund.refunded_at.date() <= as_of
    ])  # fmt: skip
    for model in MODELS:
        models.put(model, as_of)


def rows_of(models: Compiled, table: str) -> list[dict[str, Any]]:
    cursor = models.con.execute(f"select * from working.customer.{table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def binning_of(kind: str) -> str:
    return kind if kind in ("r_rfm", "fixed") else "quantile"


def by_the_reference(shop: Shop, kind: str, day: date) -> dict[str, tuple]:
    """Customer -> the row of `COLUMNS` as the definitions have it on a day."""
    valued = value_orders(shop.orders, shop.refunds, day, "Asia/Jakarta")
    if kind in WINDOWED:
        valued = [order for order in valued if order.order_date > day - timedelta(WINDOW)]
    values = rfm(valued, day)
    scored = score_and_segment(values, binning_of(kind), "standard_11", STANDARD_11, LOWER_BOUNDS)
    return {row.customer: (*row, *scored[row.customer][0], scored[row.customer][1]) for row in values}


def evaluation_days(kind: str, as_of: date) -> list[date]:
    ends = {(as_of.replace(day=1) - timedelta(1))}
    for _ in range(12 if kind == "quantile" else 2):
        ends.add(min(ends).replace(day=1) - timedelta(1))
    ends.remove(min(ends))
    days = ends | {as_of - timedelta(1), as_of}
    if kind == "damped":
        start = (as_of - timedelta(LOOKBACK - 1)).replace(day=1) - timedelta(1)
        days |= {start + timedelta(n) for n in range((as_of - start).days)}
    return sorted(days)


@pytest.mark.parametrize("kind", KINDS)
@ROUNDS
@example(shop=at_the_edges(), back=0)
@given(shop=shops(), back=st.integers(0, 400))
def test_each_day_is_what_that_day_was(models_of, kind, shop, back):
    """By the definitions, and as a build of that day made it."""
    models = models_of[kind]
    build(models, shop, shop.as_of)
    history: dict[date, dict[str, dict]] = defaultdict(dict)
    for row in rows_of(models, "customer_rfm_history"):
        history[row["as_of_date"]][row["customer_id"]] = row
    days = evaluation_days(kind, shop.as_of)
    assert set(history) <= set(days)
    for day in days:
        found = {
            who: tuple(row[name] for name in (*COLUMNS[:-1], "segment_by_scores")) for who, row in history[day].items()
        }
        assert found == by_the_reference(shop, kind, day)
    day = days[back % len(days)]
    build(models, shop, day)
    names = COLUMNS[:-1] if kind == "damped" else COLUMNS  # a look-back of its own may keep another segment
    assert {tuple(row[name] for name in names) for row in rows_of(models, "customer_rfm")} == {
        tuple(row[name] for name in names) for row in history[day].values()
    }


SCORE = re.compile(r"(?P<letter>[RFM]) (?P<turn>rose|fell) from (?P<was>\d) to (?P<now>\d)(?P<rest>.*)")
VALUE = re.compile(
    r"(?:last bought|made|spent) (?P<value>[\d.]+)(?: days? ago| purchases?)?(?: \((?P<before>[\d.]+) before\))?"
)
MOVED = re.compile(
    r"(?P<but>, and|, but|:) the cut point (?P<turn>rose|fell) from (?P<then>[\d.]+) to (?P<now>[\d.]+)(?: days)?$"
)
STAYED = re.compile(r", (?P<side>(?:not |at or )?(?:past|above)|below) the cut point of (?P<now>[\d.]+)(?: days)?$")
METRICS = {"R": "recency_days", "F": "frequency", "M": "monetary"}
SEEDED = {"R": "recency", "F": "frequency", "M": "monetary"}


def cut_points(rows: list[dict], letter: str, binning: str) -> list[Fraction]:
    """The four cut points of a day's customers, by the definitions."""
    if binning == "fixed":
        return sorted(map(Fraction, LOWER_BOUNDS[SEEDED[letter]].values()))[1:]
    values = [row[METRICS[letter]] for row in rows]
    return [quantile_type_7(values, Fraction(fifth, 5)) + (binning == "r_rfm") for fifth in (1, 2, 3, 4)]


def check_change(
    told: re.Match, was: dict, now: dict, then_cuts: list[Fraction], now_cuts: list[Fraction], binning: str
):
    """One part of a reason, against the rows and cut points of both days; returns whose doing it says it was."""

    def passes(value: Any, cut: Fraction) -> bool:
        return value > cut if binning == "quantile" else value >= cut

    letter, rest = told["letter"], told["rest"]
    before, after = was[METRICS[letter]], now[METRICS[letter]]
    score = f"{letter.lower()}_score"
    assert (int(told["was"]), int(told["now"])) == (was[score], now[score])
    assert (told["turn"] == "rose") == (now[score] > was[score])
    passed = (told["turn"] == "rose") == (letter != "R")
    value = VALUE.search(rest)
    assert Fraction(value["value"]) == after
    assert ("as before" in rest) == (before == after)
    if value["before"]:
        assert Fraction(value["before"]) == before
    moved, stayed = MOVED.search(rest), STAYED.search(rest)
    assert bool(moved) != bool(stayed)
    cut = Fraction((moved or stayed)["now"])
    assert passes(after, cut) is passed
    if stayed:
        closed_right = {True: ("past", "above"), False: ("not past", "not above")}
        closed_left = {True: ("at or past", "at or above"), False: ("below", "below")}
        words = closed_right if binning == "quantile" else closed_left
        assert stayed["side"] == words[passed][letter != "R"]
        pairs = [then for then, here in zip(then_cuts, now_cuts, strict=True) if here == cut]
        assert any(passes(before, then) is not passed and passes(after, then) is passed for then in pairs)
        return "customer"
    then = Fraction(moved["then"])
    assert (then, cut) in list(zip(then_cuts, now_cuts, strict=True))
    assert (moved["turn"] == "rose") == (cut > then)
    assert passes(before, then) is not passed
    assert passes(after, then) is not passed
    assert moved["but"] == (":" if before == after else ", and" if (after > before) is passed else ", but")
    return "cut points" if passes(before, cut) is passed else "both"


@pytest.mark.parametrize("kind", KINDS)
@ROUNDS
@given(shop=shops())
def test_reasons_are_true(models_of, kind, shop):
    models, binning = models_of[kind], binning_of(kind)
    build(models, shop, shop.as_of)
    history: dict[date, dict[str, dict]] = defaultdict(dict)
    for row in rows_of(models, "customer_rfm_history"):
        history[row["as_of_date"]][row["customer_id"]] = row
    days = evaluation_days(kind, shop.as_of)
    moves = {(row["customer_id"], row["to_date"]): row for row in rows_of(models, "customer_segment_moves")}
    expected = {
        (who, day): (history[before].get(who, {}).get("segment"), history[day].get(who, {}).get("segment"))
        for before, day in zip(days, days[1:], strict=False)
        for who in {*history[before], *history[day]}
    }
    assert {key: (move["from_segment"], move["to_segment"]) for key, move in moves.items()} == {
        key: segments for key, segments in expected.items() if segments[0] != segments[1]
    }
    for (who, day), move in moves.items():
        was, now = history[move["from_date"]].get(who), history[day].get(who)
        reason = move["reason"]
        if move["from_segment"] is None:
            known = any(who in history[earlier] for earlier in days if earlier < day)
            assert reason == (
                f"came {'back' if known else 'in'}: last bought {in_days(now['recency_days'])} ago "
                f"(R {now['r_score']}), "
                f"made {now['frequency']} purchase{'s' * (now['frequency'] != 1)} (F {now['f_score']}), "
                f"spent {now['monetary']} (M {now['m_score']})"
            )
        elif move["to_segment"] is None:
            away = was["recency_days"] + (day - move["from_date"]).days
            if kind not in WINDOWED:
                assert reason == "left: all that they bought was refunded"
            elif away >= WINDOW:
                assert reason == f"left the window of {WINDOW} days: last bought {away} days ago"
            else:
                assert reason == "left: what they bought was refunded, or lies outside the window"
        else:
            assert was["segment_by_scores"] == move["from_segment"]
            if kind == "damped" and day > days[0] and f"; so for {HELD} days" in reason:
                reason = reason.removesuffix(f"; so for {HELD} days")
                held = [history[day - timedelta(n)][who]["segment_by_scores"] for n in range(HELD)]
                assert held == [move["to_segment"]] * HELD
            told = {part[0]: SCORE.fullmatch(part) for part in reason.split("; ")}
            changed = {letter for letter in METRICS if was[f"{letter.lower()}_score"] != now[f"{letter.lower()}_score"]}
            assert set(told) == changed
            causes = {
                check_change(
                    part,
                    was,
                    now,
                    cut_points(list(history[move["from_date"]].values()), letter, binning),
                    cut_points(list(history[day].values()), letter, binning),
                    binning,
                )
                for letter, part in told.items()
            }
            assert move["cause"] == (causes.pop() if len(causes) == 1 else "both")


def in_days(number: int) -> str:
    return f"{number} day{'s' * (number != 1)}"


def counting(segments: list[str | None]) -> list[str | None]:
    """The segment that counts on each of consecutive days; None is a day without one."""
    counts, run = [], 0
    for day, segment in enumerate(segments):
        run = run + 1 if day and segment == segments[day - 1] else 1
        kept = counts[-1] if counts else None
        counts.append(segment if segment is None or kept is None or run >= HELD else kept)
    return counts


DAMPING_DAYS = (AS_OF - date(2026, 5, 31)).days + 1
"""31 May is the last month end that lies the look-back before 30 June."""


@hypothesis_settings(deadline=None, max_examples=60)
@example(people=[["A", "B"] * 15 + ["A"]])
@example(
    people=[["A"] * 20 + ["B"] * (HELD - 1) + ["A"] * (11 - HELD + 1), ["A"] * 20 + ["B"] * HELD + ["A"] * (11 - HELD)]
)
@given(
    people=st.lists(
        st.lists(
            st.one_of(st.sampled_from("AAAB"), st.sampled_from(["A", "B", "C", None])),
            min_size=DAMPING_DAYS,
            max_size=DAMPING_DAYS,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_a_segment_counts_once_it_has_held(models_of, people):
    models = models_of["damped"]
    days = [date(2026, 5, 31) + timedelta(n) for n in range(DAMPING_DAYS)]
    models.fill("int_rfm_scores", [
        {"customer_id": str(who), "evaluation_date": day, "segment": segment}
        for who, segments in enumerate(people)
        for day, segment in zip(days, segments, strict=True)
        if segment
    ])  # fmt: skip
    found = {(row["customer_id"], row["as_of_date"]): row["segment"] for row in models.run("customer_rfm_history")}
    assert found == {
        (str(who), day): segment
        for who, segments in enumerate(people)
        for day, segment in zip(days, counting(segments), strict=True)
        if segment
    }


def test_who_flickers_every_other_day_never_moves():
    """What the reference above says of it, so that it is said once in figures."""
    assert set(counting(["A", "B"] * 15)) == {"A"}
    assert counting(["A"] * 3 + ["B"] * HELD)[-2:] == ["A", "B"]

"""RFM, NPS, cohorts, repeat purchases: the SQL that dbt compiles, against `tests/reference`, over random customers."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tangga import dbt, warehouse
from tests.dbt.harness import AS_OF, Compiled, make_settings
from tests.reference.definitions import RfmRow, ValuedOrder, cohorts, nps, score_and_segment
from tests.reference.service import repeat_purchases

BINNINGS = ("quantile", "r_rfm", "fixed")
SCHEMES = ("standard_11", "rf_grid_10")
DEFAULT = BINNINGS[0]
RFM_MODELS = ("int_rfm_cuts", "int_rfm_cutoffs", "int_rfm_scores")
MOST_CENTS = 10**13
"""Cut points are exact up to here: a hundred thousand million in any currency."""

SEEDS = dbt.PROJECT / "seeds"
ROUNDS = hypothesis_settings(deadline=None, max_examples=60)


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


STANDARD_11 = {
    row["r"] + row["f"] + row["m"]: row["segment"] for row in seed("rfm_segments") if row["scheme"] == SCHEMES[0]
}

LOWER_BOUNDS: dict[str, dict[int, Decimal]] = defaultdict(dict)
for bound in seed("rfm_cutoffs"):
    LOWER_BOUNDS[bound["metric"]][int(bound["score"])] = Decimal(bound["lower_bound"])


@pytest.fixture(scope="module")
def rfm_of(settings, compiled, tmp_path_factory) -> dict[str, tuple[str, Compiled]]:
    """Binning -> the models compiled with it, and the scheme that they were compiled with: both schemes occur."""

    def compile_with(binning: str) -> tuple[str, Compiled]:
        other = make_settings(tmp_path_factory.mktemp(binning), f"{{binning: {binning}, scheme: {SCHEMES[1]}}}")
        warehouse.path(other).parent.mkdir(parents=True)
        dbt.run(other, AS_OF, "compile", "--quiet", "--select", *RFM_MODELS)
        return SCHEMES[1], Compiled(dbt.target(other), warehouse.path(settings))

    with ThreadPoolExecutor(2) as pool:
        return {DEFAULT: (SCHEMES[0], compiled)} | dict(
            zip(BINNINGS[1:], pool.map(compile_with, BINNINGS[1:]), strict=True)
        )


def amounts(most: int = MOST_CENTS) -> st.SearchStrategy[int]:
    """Cents: few and small, so that they repeat and lie a whole unit apart, or anything."""
    return st.one_of(
        st.sampled_from([1, 50, 99, 100, 101, 150, 199, 200, 201, 250]), st.integers(1, 2_000), st.integers(1, most)
    )


@st.composite
def customers(draw) -> list[RfmRow]:
    """Between one and forty; of some draws all are equal, of most many are."""
    days = st.one_of(st.integers(0, 5), st.integers(0, 4000))
    orders = st.one_of(st.integers(1, 3), st.integers(1, 10_000))
    values = st.tuples(days, orders, amounts())
    kinds = draw(st.lists(values, min_size=1, max_size=12))
    rows = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=40))
    return [RfmRow(f"c{n}", r, f, Decimal(m).scaleb(-2)) for n, (r, f, m) in enumerate(rows)]


def everybody(*rows: tuple[int, int, str]) -> list[RfmRow]:
    return [RfmRow(f"c{number}", r, f, Decimal(m)) for number, (r, f, m) in enumerate(rows)]


class TestRfm:
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("binning", BINNINGS)
    @ROUNDS
    @example(rows=everybody((0, 1, "0.01")))
    @example(rows=everybody((3, 2, "9.99"), (3, 2, "9.99"), (3, 2, "9.99"), (3, 2, "9.99")))
    # 5.60 lies exactly one above the 60 % quantile of 4.60, which is 4.6000000000000005 in floats
    @example(rows=everybody((1, 1, "5.30"), (2, 2, "5.60"), (3, 3, "1.80")))
    @example(rows=everybody((1, 1, "1"), (2, 2, "2"), (3, 3, "3"), (4, 4, "4")))
    @example(rows=everybody((30, 1, "499999.99"), (31, 2, "500000"), (365, 4, "10000000"), (366, 12, "9999999.99")))
    @given(rows=customers())
    def test_scores_and_segments_are_those_of_the_reference(self, rfm_of, binning, scheme, rows):
        compiled_with, models = rfm_of[binning]
        assert models.sql("int_rfm_scores").count(f"'{compiled_with}'") == 1, "a scheme is a name in one place"
        models.fill("int_rfm_segment_map", seed("rfm_segments"))
        models.fill("int_rfm_days", [{"evaluation_date": AS_OF}])
        models.fill("int_rfm_values", [
            dict(zip(("customer_id", "recency_days", "frequency", "monetary"), row, strict=True))
            | {"evaluation_date": AS_OF}
            for row in rows
        ])  # fmt: skip
        models.put("int_rfm_cutoffs")
        models.put("int_rfm_cuts")
        found = {
            row["customer_id"]: ((row["r_score"], row["f_score"], row["m_score"]), row["segment"])
            for row in models.run("int_rfm_scores", replacing={f"'{compiled_with}'": f"'{scheme}'"})
        }
        assert found == score_and_segment(rows, binning, scheme, STANDARD_11, LOWER_BOUNDS)
        assert len({(row.recency, row.frequency, row.monetary) for row in rows}) >= len(set(found.values()))

    def test_a_real_build_runs_no_unit_tests(self, rfm_of):
        """They cost time and stand on a day and rules of their own."""
        for binning, (_, models) in rfm_of.items():
            if binning != DEFAULT:
                assert not json.loads((models.target / "manifest.json").read_text(encoding="utf-8"))["unit_tests"]


@st.composite
def orders(draw) -> list[ValuedOrder]:
    """Orders of few customers around the ends of months, some of them no purchases."""
    day = st.one_of(
        st.sampled_from([date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 1)]),
        st.dates(date(2023, 11, 1), date(2024, 4, 30)),
    )
    drawn = draw(st.lists(st.tuples(st.sampled_from("abcde"), day, st.integers(1, 10**7), st.booleans()), max_size=25))
    return [ValuedOrder(str(n), who, when, cents, bought) for n, (who, when, cents, bought) in enumerate(drawn)]


def fill_orders(models: Compiled, valued: list[ValuedOrder]) -> None:
    models.fill("int_orders_valued", [
        {
            "customer_id": order.customer,
            "order_id": order.order_id,
            "order_date": order.order_date,
            "net_amount": Decimal(order.net).scaleb(-2),
            "is_purchase": order.is_purchase,
        }
        for order in valued
    ])  # fmt: skip


class TestOrders:
    @ROUNDS
    @given(valued=orders(), later=st.one_of(st.sampled_from([0, 1, 30]), st.integers(0, 120)))
    def test_cohorts_are_those_of_the_reference(self, compiled, valued, later):
        """Of the first month something can always be said: everybody of the cohort bought in it."""
        as_of = max((order.order_date for order in valued), default=AS_OF) + timedelta(later)
        fill_orders(compiled, valued)
        compiled.put("int_calendar", as_of)
        compiled.put("int_purchase_days", as_of)
        found = {
            (row["cohort_month"], row["months_since"]): (row["customers"], row["retained"], row["retention_rate"])
            for row in compiled.run("retention_cohorts", as_of)
        }
        expected = {}
        for (month, since), cell in cohorts(valued, as_of).items():
            retained = cell.customers if since == 0 else cell.retained
            rate = None if retained is None else Decimal(str(round(retained / cell.customers, 4)))
            expected[month, since] = (cell.customers, retained, rate)
        assert found == expected

    @ROUNDS
    @given(valued=orders(), later=st.one_of(st.sampled_from([0, 89, 90, 91]), st.integers(0, 200)))
    def test_repeat_purchases_are_those_of_the_reference(self, compiled, valued, later):
        as_of = min((order.order_date for order in valued), default=AS_OF) + timedelta(later)
        valued = [order for order in valued if order.order_date <= as_of]
        fill_orders(compiled, valued)
        compiled.put("int_purchase_days", as_of)
        found = {row["cohort_month"]: row for row in compiled.run("repeat_purchase", as_of)}
        expected = repeat_purchases(valued, as_of)
        assert {
            month: (row["customers"], row["repeat_customers"], row["customers_observed"], row["repurchased"])
            for month, row in found.items()
        } == {
            month: (*cohort[:3], cohort.repurchased if cohort.observed else None) for month, cohort in expected.items()
        }
        for month, row in found.items():
            customers, repeat, observed, repurchased = expected[month]
            assert row["repeat_rate"] == Decimal(str(round(repeat / customers, 4)))
            assert row["repurchase_rate"] == (Decimal(str(round(repurchased / observed, 4))) if observed else None)


Answer = tuple[str | None, str, int, int | None]
"""customer, survey, day of the month, score"""


class TestNps:
    @ROUNDS
    @given(answers=st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from("abcdefghijklmnop")),
            st.sampled_from(["yearly", "after delivery"]),
            st.integers(1, 30),
            st.one_of(st.none(), st.integers(0, 10)),
        ),
        max_size=60,
    ))  # fmt: skip
    def test_it_is_that_of_the_reference(self, compiled, answers: list[Answer]):
        compiled.fill("int_feedback_answers", [
            {
                "given_in": "survey",
                "kind": "nps",
                "source": "shop",
                "response_id": f"{number:03}",
                "customer_id": customer,
                "survey": survey,
                "answered_at": datetime(2026, 6, day),
                "answer_date": date(2026, 6, day),
                "score": score,
            }
            for number, (customer, survey, day, score) in enumerate(answers)
        ])  # fmt: skip
        compiled.put("int_feedback_periods")
        latest: dict[tuple, tuple] = {}
        for number, (customer, survey, day, score) in enumerate(answers):
            who = (customer or number, survey)
            if score is not None and (day, number) >= latest.get(who, (0, 0))[:2]:
                latest[who] = (day, number, score)
        expected = nps(score for *_, score in latest.values())
        found = {row["period_grain"]: row for row in compiled.run("nps") if row["dimension"] == "all"}
        assert set(found) == ({"all", "window", "month"} if expected else set())
        for row in found.values():
            assert (row["n_responses"], row["promoters"], row["passives"], row["detractors"]) == (
                expected.n, expected.promoters, expected.passives, expected.detractors,
            )  # fmt: skip
            if expected.n < 10:
                assert (row["nps"], row["ci_low"], row["ci_high"]) == (None, None, None)
            else:
                assert abs(Fraction(row["nps"]) - expected.score) <= Fraction(1, 200)
                assert float(row["ci_low"]) == pytest.approx(max(expected.ci_low, -100), abs=0.01)
                assert float(row["ci_high"]) == pytest.approx(min(expected.ci_high, 100), abs=0.01)

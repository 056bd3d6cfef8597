"""The reference itself, on cases small enough to be worked out by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from tests.reference import samples
from tests.reference.definitions import (
    Cell,
    Order,
    Refund,
    RfmRow,
    Scores,
    cohorts,
    nps,
    quantile_type_7,
    revenue,
    rf_grid_10,
    rfm,
    score,
    score_and_segment,
    segment,
    value_orders,
)

needs_samples = pytest.mark.skipif(
    not samples.SAMPLES.is_dir(), reason=f"the real samples are not part of Tangga and not in {samples.SAMPLES}"
)
needs_standard_11 = pytest.mark.skipif(
    not samples.STANDARD_11.is_file(), reason=f"the scheme beside the design is not at {samples.STANDARD_11}"
)


def order(order_id: str, customer: str, at: str, total: int, status: str = "completed") -> Order:
    return Order(order_id, customer, datetime.fromisoformat(at).replace(tzinfo=UTC), status, total)


def refund(order_id: str, at: str, amount: int) -> Refund:
    return Refund(f"r{order_id}", order_id, datetime.fromisoformat(at).replace(tzinfo=UTC), amount)


class TestOrders:
    def test_net_value_and_what_a_purchase_is(self):
        orders = [
            order("plain", "a", "2024-03-01", 1000),
            order("partly", "a", "2024-03-01", 1000),
            order("fully", "a", "2024-03-01", 1000),
            order("beyond", "a", "2024-03-01", 1000),
            order("free", "a", "2024-03-01", 0),
            order("called off", "a", "2024-03-01", 1000, "cancelled"),
        ]
        refunds = [
            refund("partly", "2024-03-02", 250),
            refund("fully", "2024-02-01", 1000),
            refund("beyond", "2024-03-02", 1001),
            refund("of no order", "2024-03-02", 500),
        ]
        valued = {o.order_id: (o.net, o.is_purchase) for o in value_orders(orders, refunds, date(2024, 3, 31), "UTC")}
        assert valued == {
            "plain": (1000, True),
            "partly": (750, True),
            "fully": (0, False),
            "beyond": (0, False),
            "free": (0, False),
            "called off": (1000, False),
        }
        assert revenue(value_orders(orders, refunds, date(2024, 3, 31), "UTC")) == 1750

    @pytest.mark.parametrize("status", ["pending", "cancelled", "returned", "refunded"])
    def test_statuses_that_are_no_purchase(self, status):
        assert not value_orders([order("1", "a", "2024-03-01", 1, status)], [], date(2024, 3, 1), "UTC")[0].is_purchase

    @pytest.mark.parametrize("status", ["paid", "shipped", "completed"])
    def test_statuses_that_are_one(self, status):
        assert value_orders([order("1", "a", "2024-03-01", 1, status)], [], date(2024, 3, 1), "UTC")[0].is_purchase

    def test_nothing_after_the_day_counts_as_the_business_sees_the_day(self):
        # 2024-03-02 03:00 UTC is still 1 March in New York and already 2 March in London.
        orders = [order("1", "a", "2024-03-01 12:00", 1000), order("2", "a", "2024-03-02 03:00", 500)]
        refunds = [refund("1", "2024-03-02 03:00", 400)]
        new_york = value_orders(orders, refunds, date(2024, 3, 1), "America/New_York")
        assert [(o.order_id, o.order_date, o.net) for o in new_york] == [
            ("1", date(2024, 3, 1), 600),
            ("2", date(2024, 3, 1), 500),
        ]
        london = value_orders(orders, refunds, date(2024, 3, 1), "Europe/London")
        assert [(o.order_id, o.net) for o in london] == [("1", 1000)]


class TestRfm:
    def test_values(self):
        orders = [
            order("1", "a", "2024-03-01", 1000),
            order("2", "a", "2024-03-01", 234),
            order("3", "a", "2024-03-20", 999, "returned"),
            order("4", "b", "2024-02-29", 5),
            order("5", "c", "2024-03-05", 700, "pending"),
        ]
        valued = value_orders(orders, [refund("1", "2024-03-09", 1)], date(2024, 3, 10), "UTC")
        assert rfm(valued, date(2024, 3, 10)) == [
            RfmRow("a", 9, 2, Decimal("12.33")),
            RfmRow("b", 10, 1, Decimal("0.05")),
        ]

    def test_quantiles_are_those_of_r_type_7(self):
        # R: quantile(c(1, 2, 4, 7), c(.2, .4, .6, .8)) is 1.6 2.4 3.6 5.2
        values = [7, 1, 4, 2]
        cuts = [quantile_type_7(values, Fraction(fifth, 5)) for fifth in (1, 2, 3, 4)]
        assert cuts == [Fraction(8, 5), Fraction(12, 5), Fraction(18, 5), Fraction(26, 5)]
        assert quantile_type_7([3], Fraction(1, 5)) == 3

    def test_quantile_binning_closes_intervals_on_the_right(self):
        # Six values 1 ... 6: the cut points are 2, 3, 4, 5 exactly, and a value on one belongs below it.
        rows = [RfmRow(str(n), n, n, n) for n in range(1, 7)]
        assert score(rows) == {
            "1": Scores(5, 1, 1),
            "2": Scores(5, 1, 1),
            "3": Scores(4, 2, 2),
            "4": Scores(3, 3, 3),
            "5": Scores(2, 4, 4),
            "6": Scores(1, 5, 5),
        }

    def test_r_rfm_binning_adds_one_to_the_quantiles_and_closes_on_the_left(self):
        # Days 10 ... 60 have cut points 20, 30, 40, 50 and so edges 21, 31, 41, 51: as closed on the right.
        # Amounts 0.5, 1, 1.5, ..., 3 have 1, 1.5, 2, 2.5, hence edges 2, 2.5, 3, 3.5: only 2, 2.5 and 3 reach any.
        rows = [RfmRow(str(n), 10 * n, n, Decimal(n) / 2) for n in range(1, 7)]
        assert {customer: (s.r, s.m) for customer, s in score(rows, "r_rfm").items()} == {
            "1": (5, 1),
            "2": (5, 1),
            "3": (4, 1),
            "4": (3, 2),
            "5": (2, 3),
            "6": (1, 4),
        }

    def test_fixed_binning_begins_at_the_lower_bound(self):
        bounds = {
            "recency": {5: 0, 4: 31, 3: 91, 2: 181, 1: 366},
            "frequency": {1: 1, 2: 2, 3: 3, 4: 5, 5: 10},
            "monetary": {1: 0, 2: 50, 3: 100, 4: 250, 5: Decimal("500.50")},
        }
        rows = [RfmRow("a", 30, 1, Decimal("49.99")), RfmRow("b", 31, 5, 50), RfmRow("c", 400, 12, Decimal("500.50"))]
        assert score(rows, "fixed", bounds) == {
            "a": Scores(5, 1, 1),
            "b": Scores(4, 4, 2),
            "c": Scores(1, 5, 5),
        }

    @pytest.mark.parametrize("binning", ["quantile", "r_rfm"])
    def test_equal_values_get_equal_scores_however_few_customers(self, binning):
        assert score([], binning) == {}
        for count in range(1, 8):
            scores = score([RfmRow(str(n), 4, 2, 7) for n in range(count)], binning)
            assert set(scores.values()) == {Scores(5, 1, 1)}


class TestSegments:
    def test_the_grid_is_the_common_one(self):
        grid = {(r, f): rf_grid_10(Scores(r, f, 1)) for r, f in product(range(1, 6), repeat=2)}
        assert Counter(grid.values()) == {
            "hibernating": 4,
            "at risk": 4,
            "can't lose": 2,
            "about to sleep": 2,
            "need attention": 1,
            "loyal customers": 4,
            "promising": 1,
            "new customers": 1,
            "potential loyalists": 4,
            "champions": 2,
        }
        assert grid[5, 1] == "new customers"
        assert grid[4, 1] == "promising"
        assert grid[3, 3] == "need attention"
        assert grid[3, 4] == grid[4, 5] == "loyal customers"
        assert grid[4, 2] == grid[5, 3] == "potential loyalists"
        assert grid[5, 4] == "champions"
        assert grid[2, 5] == "can't lose"
        assert grid[1, 3] == "at risk"

    @needs_standard_11
    def test_standard_11_has_every_cell_and_eleven_names(self):
        table = samples.standard_11()
        assert set(table) == {f"{r}{f}{m}" for r, f, m in product(range(1, 6), repeat=3)}
        assert len(set(table.values())) == 11
        assert segment(Scores(1, 5, 5), "standard_11", table) == "Can't Lose Them"
        assert segment(Scores(5, 1, 2), "standard_11", table) == "Recent Customers"

    def test_a_scheme_without_its_table_is_refused(self):
        with pytest.raises(ValueError, match="needs its table"):
            segment(Scores(5, 5, 5), "standard_11")

    def test_scores_and_segment_together(self):
        rows = [RfmRow(str(n), n, n, n) for n in range(1, 7)]
        assert score_and_segment(rows, scheme="rf_grid_10")["6"] == (Scores(1, 5, 5), "can't lose")


class TestNps:
    def test_score_and_interval(self):
        # 5 promoters, 3 passives, 2 detractors of 10: 30 points, variance (0.7 - 0.09) / 10 = 0.061, its root 0.24698.
        result = nps([10, 9, 9, 10, 9, 8, 7, 7, 6, 0, None])
        assert (result.n, result.promoters, result.passives, result.detractors) == (10, 5, 3, 2)
        assert result.score == 30
        assert result.ci_low == pytest.approx(30 - 48.41, abs=0.01)
        assert result.ci_high == pytest.approx(30 + 48.41, abs=0.01)

    def test_no_answers_no_score(self):
        assert nps([None, None]) is None


class TestCohorts:
    def test_months_that_have_not_elapsed_are_none(self):
        orders = [
            order("1", "a", "2023-12-05", 100),
            order("2", "a", "2024-02-10", 100),
            order("3", "b", "2023-12-31", 100),
            order("4", "c", "2024-02-01", 100),
            order("5", "b", "2024-01-15", 100, "cancelled"),
        ]
        december, february = date(2023, 12, 1), date(2024, 2, 1)
        assert cohorts(value_orders(orders, [], date(2024, 2, 28), "UTC"), date(2024, 2, 28)) == {
            (december, 0): Cell(2, 2),
            (december, 1): Cell(2, 0),
            (december, 2): Cell(2, None),
            (february, 0): Cell(1, None),
        }
        assert cohorts(value_orders(orders, [], date(2024, 2, 29), "UTC"), date(2024, 2, 29))[december, 2] == Cell(2, 1)


@needs_samples
class TestSamples:
    def test_online_retail_refunds_go_to_an_earlier_invoice_or_keep_their_number(self):
        facts = samples.online_retail()
        orders = {order.order_id: order for order in facts.orders}
        linked = [refund for refund in facts.refunds if refund.order_id in orders]
        orphans = [refund for refund in facts.refunds if refund.order_id not in orders]
        assert linked
        assert orphans
        assert all(orders[refund.order_id].ordered_at <= refund.refunded_at for refund in linked)
        assert all(refund.order_id.startswith("C") for refund in orphans)

    def test_online_retail_identical_lines_count_once(self):
        raw = samples.read_raw("online_retail_sample.csv.gz")
        repeated = raw[raw.duplicated() & (raw["Quantity"].astype(int) > 0) & (raw["CustomerID"] != "")]
        invoice = repeated["InvoiceNo"].iloc[0]
        lines = {tuple(line) for line in raw[raw["InvoiceNo"] == invoice].itertuples(index=False)}
        total = sum(Decimal(line[5]) * int(line[3]) for line in lines if int(line[3]) > 0)
        found = next(order for order in samples.online_retail().orders if order.order_id == invoice)
        assert Decimal(found.total).scaleb(-2) == total

    def test_complete_journey_days_are_those_of_the_shop(self):
        # The last tills of 31 December are past midnight in UTC.
        orders = samples.complete_journey().orders
        assert max(order.ordered_at for order in orders).date() == date(2018, 1, 1)
        valued = value_orders(orders, [], date(2018, 1, 1), "America/New_York")
        assert max(order.order_date for order in valued) == date(2017, 12, 31)

    def test_amounts_that_are_float_noise_are_nothing(self):
        assert samples.cents("8.881784e-16") == 0
        assert samples.cents("2.675") == 268

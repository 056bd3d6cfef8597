"""Expected value: found again where it was made, and not said where the models do not hold."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from tangga import value, warehouse
from tangga.value import histories
from tests.unit.purchases import read, simulate, working_file

needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("pymc_marketing") is None,
    reason="pymc-marketing is not installed: make setup EXTRAS=value",
)

AS_OF = date(2026, 6, 30)
PURCHASES = (0.6, 6.0, 0.8, 3.0)
VALUES = (6.0, 4.0, 60.0)
NOBODY = pd.DataFrame({"customer_id": [], "purchase_date": [], "net_amount": []}).astype({"customer_id": str})


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return simulate(6000, AS_OF, 500, PURCHASES, VALUES, seed=1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, people) -> tuple[str, list[dict], list[dict]]:
    """What the task says, and the rows of its two tables."""
    settings = working_file(tmp_path_factory.mktemp("fitted"), people)
    said = value.expect(settings, AS_OF)
    return said, read(settings, "customers"), read(settings, "fits")


class TestOff:
    def test_it_leaves_tables_without_rows(self, tmp_path, people):
        settings = working_file(tmp_path, people, rules="{}")
        assert value.expect(settings, AS_OF) == "off (rules.value.expected)"
        assert (read(settings, "customers"), read(settings, "fits")) == ([], [])

    def test_what_is_on_without_its_library_says_what_to_install(self, tmp_path, monkeypatch):
        settings = working_file(tmp_path, NOBODY)
        monkeypatch.setitem(sys.modules, "pymc_marketing", None)
        with pytest.raises(value.ExtraMissing, match=r"rules\.value\.expected .*tangga\.yml.*make setup EXTRAS=value"):
            value.expect(settings, AS_OF)


@needs_extra
class TestFit:
    def test_the_parameters_are_found_again(self, fitted, people):
        said, customers, (fit,) = fitted
        assert said == "fitted on 6,000 of 6,000 buyers"
        assert (fit["status"], fit["reason"], fit["horizon_end_date"]) == ("fitted", None, date(2027, 6, 30))
        assert len(customers) == people["customer_id"].nunique() == fit["customers"]
        assert [fit[name] for name in ("r", "alpha", "a", "b")] == pytest.approx(PURCHASES, rel=0.2)
        p, q, v = (fit[name] for name in ("p", "q", "v"))
        assert (p, q, v) == pytest.approx(VALUES, rel=0.25)
        assert p * v / (q - 1) == pytest.approx(VALUES[0] * VALUES[2] / (VALUES[1] - 1), rel=0.05)
        assert fit["r"] / fit["alpha"] == pytest.approx(PURCHASES[0] / PURCHASES[1], rel=0.05)

    def test_what_is_expected_follows_from_the_story(self, fitted, people):
        """Against people drawn from the fitted distributions, weighed by how likely they make a history: no formula."""
        _, customers, (fit,) = fitted
        draw = np.random.default_rng(2)
        rate = draw.gamma(fit["r"], 1 / fit["alpha"], 1_000_000)
        leaving = draw.beta(fit["a"], fit["b"], len(rate))
        scale = draw.gamma(fit["q"], 1 / fit["v"], len(rate))
        weeks = (fit["horizon_end_date"] - AS_OF).days / 7
        spent = {who: days.groupby("purchase_date")["net_amount"].sum() for who, days in people.groupby("customer_id")}
        first_bought = [row for row in customers if row["purchase_days"] == 1][:3]
        often = [row for row in customers if 2 <= row["purchase_days"] <= 5][:6]
        assert len(first_bought + often) == 9
        for row in first_bought + often:
            x = row["purchase_days"] - 1
            recency = (row["last_purchase_date"] - row["first_purchase_date"]).days / 7
            age = (AS_OF - row["first_purchase_date"]).days / 7
            stayed = (1 - leaving) ** x * rate**x * np.exp(-rate * age)
            left = leaving * (1 - leaving) ** (x - 1) * rate**x * np.exp(-rate * recency) if x else 0 * rate
            alive = stayed.sum() / (stayed + left).sum()
            to_come = (-np.expm1(-rate * leaving * weeks) / leaving * stayed).sum() / (stayed + left).sum()
            assert float(row["probability_alive"]) == pytest.approx(alive, rel=0.03), row
            assert float(row["expected_purchases"]) == pytest.approx(to_come, rel=0.03), row
            paid = sum(spent[row["customer_id"]].sort_index().iloc[1:])
            likely = scale ** (fit["p"] * x) * np.exp(-scale * paid)
            mean = (fit["p"] / scale * likely).sum() / likely.sum()
            assert float(row["expected_average_value"]) == pytest.approx(mean, rel=0.03), row

    def test_value_is_purchases_times_what_one_brings(self, fitted):
        _, customers, _ = fitted
        for row in customers:
            product = float(row["expected_purchases"]) * float(row["expected_average_value"])
            assert float(row["expected_net_value"]) == pytest.approx(product, rel=0.001, abs=0.05)

    def test_neither_the_order_nor_what_comes_after_the_day_matters(self, fitted, tmp_path, people):
        _, customers, fits = fitted
        later = people[:500].assign(purchase_date=AS_OF + timedelta(days=1))
        settings = working_file(tmp_path, pd.concat([later, people]).sample(frac=1, random_state=3))
        value.expect(settings, AS_OF)
        assert (read(settings, "customers"), read(settings, "fits")) == (customers, fits)

    def test_a_sample_is_enough_for_everybody(self, fitted, tmp_path, people):
        _, _, (fit,) = fitted
        settings = working_file(tmp_path, people, "{expected: true, max_customers_fitted: 3000}")
        assert value.expect(settings, AS_OF) == "fitted on 3,000 of 6,000 buyers"
        (sampled,) = read(settings, "fits")
        assert len(read(settings, "customers")) == 6000
        whole = ("customers", "repeat_customers", "correlation", "holdout_purchases", "holdout_value")
        assert {name: sampled[name] for name in whole} == {name: fit[name] for name in whole}
        assert sampled["r"] / sampled["alpha"] == pytest.approx(fit["r"] / fit["alpha"], rel=0.15)


def only_first(people: pd.DataFrame) -> pd.DataFrame:
    return people.drop_duplicates("customer_id")


def more_often_more_paid(people: pd.DataFrame) -> pd.DataFrame:
    often = people.groupby("customer_id")["net_amount"].transform("size")
    return people.assign(net_amount=10.0 * often + people["net_amount"] / 100)


def a_sale_that_brings_everybody_back(people: pd.DataFrame) -> pd.DataFrame:
    known = people[people["purchase_date"] < AS_OF - timedelta(days=200)].drop_duplicates("customer_id")
    return pd.concat([people, known.assign(purchase_date=AS_OF - timedelta(days=30))])


def prices_that_rise_threefold(people: pd.DataFrame) -> pd.DataFrame:
    is_late = people["purchase_date"] > AS_OF - timedelta(days=125)
    return people.assign(net_amount=people["net_amount"].where(~is_late, people["net_amount"] * 3))


@needs_extra
class TestNoFit:
    @pytest.mark.parametrize(
        ("company", "reason"),
        [
            (
                lambda people: people[people["customer_id"] < "00000300"],
                "customers before the days held out, where 500",
            ),
            (only_first, "0 customers who had bought again before the days held out, where 100"),
            (lambda people: NOBODY, "0 customers before the days held out, where 500"),
            (lambda people: people[people["purchase_date"] < AS_OF - timedelta(days=130)], "0 purchases of theirs"),
            (more_often_more_paid, "how often customers buy goes with how much they pay"),
            (a_sale_that_brings_everybody_back, "purchases held out"),
            (prices_that_rise_threefold, "of the net value of"),
        ],
        ids=["too few", "nobody comes back", "nobody", "all have gone", "correlated", "a sale", "prices"],
    )
    def test_it_says_why_and_gives_no_number(self, tmp_path, people, company, reason):
        settings = working_file(tmp_path, company(people))
        said = value.expect(settings, AS_OF)
        (fit,) = read(settings, "fits")
        assert said == f"no fit: {fit['reason']}"
        assert reason in fit["reason"]
        assert read(settings, "customers") == []
        assert {fit[name] for name in ("r", "alpha", "a", "b", "p", "q", "v", "value_log_likelihood")} == {None}

    def test_a_fit_of_yesterday_does_not_stay(self, tmp_path, people):
        settings = working_file(tmp_path, only_first(people))
        with duckdb.connect(str(warehouse.path(settings))) as con:
            con.execute("insert into estimates.customers (customer_id, expected_net_value) values ('a', 1)")
        value.expect(settings, AS_OF)
        assert read(settings, "customers") == []

    def test_an_error_is_named_without_its_words(self, tmp_path):
        (tmp_path / "request.json").write_text("{}", encoding="utf-8")
        with pytest.raises(value.EstimateFailed, match=r"ended with KeyError in estimate\.py, line \d+; report it"):
            value._run(tmp_path)


def test_amounts_are_exact(tmp_path):
    """Sums of money are not floats before they are means."""
    people = pd.DataFrame(
        {
            "customer_id": ["a"] * 4,
            "purchase_date": [AS_OF - timedelta(days=days) for days in (28, 14, 7, 0)],
            "net_amount": [Decimal("9.99"), Decimal("0.10"), Decimal("0.20"), Decimal("0.45")],
        }
    )
    settings = working_file(tmp_path, people)
    with duckdb.connect() as con:
        con.execute(f"attach '{warehouse.path(settings)}' as working (read_only)")
        days = histories.write(con, tmp_path, AS_OF, settings.rules.value)
        (row,) = con.execute(f"from read_parquet('{tmp_path / 'histories.parquet'}')").to_arrow_table().to_pylist()
    assert days == {
        "horizon_end_date": "2027-06-30", "horizon_days": 365, "holdout_start_date": "2026-06-24", "holdout_days": 7,
    }  # fmt: skip
    assert row == {
        "customer_id": "a",
        "first_purchase_date": date(2026, 6, 2), "last_purchase_date": AS_OF,
        "frequency": 3, "recency_days": 28, "age_days": 28, "repeat_value": 0.25,
        "before_frequency": 2, "before_recency_days": 21, "before_age_days": 21, "before_repeat_value": 0.15,
        "held_purchases": 1, "held_value": 0.45, "is_fitted": True,
    }  # fmt: skip

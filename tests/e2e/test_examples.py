"""The whole pipeline on real data, compared row by row with `tests/reference`, which computes the same another way.

Each example runs once, as `make run CONFIG=examples/<name>/tangga.yml` would, into a home of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tangga import settings
from tests.reference import samples
from tests.reference.definitions import ValuedOrder, cohorts, nps, rfm, score_and_segment, value_orders
from tests.reference.ladder import Bought, Person, cadences, journey_stage, rungs, sieve
from tests.reference.service import Repeat, repeat_purchases

EXAMPLES = samples.REPOSITORY / "examples"
TIMEOUT_SECONDS = 900

pytestmark = pytest.mark.timeout(TIMEOUT_SECONDS + 60)


@dataclass(frozen=True)
class Run:
    """What a run published, and what the reference says of the same sample."""

    sample: samples.Sample
    facts: samples.Facts
    valued: list[ValuedOrder]
    warehouse: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple]:
        return self.warehouse.execute(query).fetchall()

    def contact_of(self) -> dict[str, str]:
        """customer_id -> contact_id; the samples have one record a person, so this is one to one."""
        return dict(self.rows("select customer_id, contact_id from core.customer_identities"))


@pytest.fixture(scope="module", params=samples.ALL.values(), ids=samples.ALL)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if not samples.SAMPLES.is_dir():
        pytest.skip(f"the real samples are not part of Tangga and not in {samples.SAMPLES}")
    sample: samples.Sample = request.param
    home = tmp_path_factory.mktemp(sample.name)
    config = EXAMPLES / sample.name / "tangga.yml"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tangga.local.run",
            "--config",
            config,
            "--as-of",
            sample.as_of.isoformat(),
            "--home",
            home,
        ],
        env=os.environ | {"PYTHONPATH": f"{samples.REPOSITORY / 'plugins'}{os.pathsep}{samples.REPOSITORY}"},
        cwd=samples.REPOSITORY,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    facts = sample.read()
    valued = value_orders(facts.orders, facts.refunds, sample.as_of, sample.zone)
    # The published name points at a version; a version is opened by its own path.
    with duckdb.connect(str((home / "published" / "crm.duckdb").resolve()), read_only=True) as warehouse:
        yield Run(sample, facts, valued, warehouse)


def test_every_person_is_one_customer(run: Run):
    rows = run.rows("select customer_id, source, contact_id from core.customer_identities")
    assert sorted(contact for _, _, contact in rows) == sorted(run.facts.contacts)
    assert {source for _, source, _ in rows} == {run.sample.name}
    assert len({customer for customer, _, _ in rows}) == len(rows)


def test_orders(run: Run):
    contact_of = run.contact_of()
    rows = run.rows("select order_id, customer_id, order_date, net_amount, is_purchase from core.fct_orders")
    expected = {order.order_id: order for order in run.valued}
    assert sorted(order_id for order_id, *_ in rows) == sorted(expected)
    published = {
        order_id: (contact_of[customer], day, net, is_purchase) for order_id, customer, day, net, is_purchase in rows
    }
    assert published == {
        order_id: (order.customer, order.order_date, Decimal(order.net).scaleb(-2), order.is_purchase)
        for order_id, order in expected.items()
    }


@pytest.mark.skipif(not samples.STANDARD_11.is_file(), reason=f"the segments' names are not at {samples.STANDARD_11}")
def test_rfm(run: Run):
    contact_of = run.contact_of()
    rows = run.rows(
        "select customer_id, as_of_date, recency_days, frequency, monetary, r_score, f_score, m_score, segment "
        "from customer.customer_rfm"
    )
    buyers = {row.customer: row for row in rfm(run.valued, run.sample.as_of)}
    judged = score_and_segment(list(buyers.values()), "quantile", "standard_11", samples.standard_11())
    assert sorted(contact_of[customer] for customer, *_ in rows) == sorted(buyers)
    assert {contact_of[customer]: tuple(values) for customer, *values in rows} == {
        contact: (run.sample.as_of, row.recency, row.frequency, row.monetary, *judged[contact][0], judged[contact][1])
        for contact, row in buyers.items()
    }


def test_where_everybody_stands(run: Run):
    """Rung, stage and sieve. None of the samples comes with discount windows or anybody's consent."""
    people = {
        contact: Person(engaged=[day for who, day in run.facts.engaged if who == contact])
        for contact in run.facts.contacts
    }
    for order in run.valued:
        if order.is_purchase:
            discount = int(order.order_id in run.facts.discounted)
            people[order.customer].purchases.append(Bought(order.order_date, order.net, discount))
    expected_rungs = rungs(people, [], run.sample.as_of)
    days = {contact: [each.day for each in person.purchases] for contact, person in people.items()}
    cadence = cadences(days, run.sample.as_of)
    expected = {}
    for contact, person in people.items():
        own, rung = cadence.get(contact), expected_rungs[contact]
        stands = (rung, journey_stage(rung, own), own is not None and own.is_at_risk, own and float(own.usual_gap))
        expected[contact] = (*stands, *(sieve(person.purchases, [], [], run.sample.as_of) if own else [None] * 6))

    contact_of = run.contact_of()
    rows = run.rows(
        "select customer_id, rung, stage, is_at_risk, usual_gap_days, "
        "sieve.sieve_verdict, days_on, days_off, orders_on, orders_off, full_price_orders "
        "from customer.customer_lifecycle inner join customer.customer_journey using (customer_id) "
        "left join customer.customer_discount_sieve as sieve using (customer_id)"
    )
    assert {contact_of[customer]: tuple(values) for customer, *values in rows} == expected


def test_nps_of_everybody(run: Run):
    rows = run.rows(
        "select n_responses, promoters, passives, detractors, nps, ci_low, ci_high from metrics.nps "
        "where period_grain = 'all' and dimension = 'all'"
    )
    expected = nps(run.facts.nps_scores)
    if expected is None:
        assert sum(n for n, *_ in rows) == 0
        return
    assert len(rows) == 1
    n, promoters, passives, detractors, points, low, high = rows[0]
    assert (n, promoters, passives, detractors) == (
        expected.n,
        expected.promoters,
        expected.passives,
        expected.detractors,
    )
    assert (float(points), float(low), float(high)) == pytest.approx(
        (float(expected.score), expected.ci_low, expected.ci_high), abs=0.01
    )


def test_retention_cohorts(run: Run):
    rows = run.rows(
        "select cohort_month, months_since, customers, retained, retention_rate from metrics.retention_cohorts"
    )
    published = {(month, since): (customers, retained) for month, since, customers, retained, _ in rows}
    assert len(published) == len(rows)
    expected = cohorts(run.valued, run.sample.as_of)
    elapsed = {key: (cell.customers, cell.retained) for key, cell in expected.items() if cell.retained is not None}
    assert {key: published.get(key) for key in elapsed} == elapsed
    # The month that the as-of day lies in is neither over nor yet to come; every later one has to be empty.
    assert all(retained is None for key, (_, retained) in published.items() if key not in expected)
    for month, since, customers, retained, rate in rows:
        assert (rate is None) == (retained is None), (month, since)
        assert rate is None or float(rate) == pytest.approx(retained / customers, abs=0.0001), (month, since)


def test_repeat_purchase(run: Run):
    rows = run.rows(
        "select cohort_month, customers, repeat_customers, customers_observed, coalesce(repurchased, 0) "
        "from metrics.repeat_purchase"
    )
    assert {month: Repeat(*counts) for month, *counts in rows} == repeat_purchases(run.valued, run.sample.as_of)


@pytest.mark.parametrize(
    "config",
    [path for path in sorted(EXAMPLES.glob("*/*.yml")) if path.name != "destinations.yml"],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_configuration_is_valid(config: Path, tmp_path: Path):
    loaded = settings.load(config, tmp_path)
    assert loaded.sources


def test_every_example_with_a_sample_is_run():
    assert {path.parent.name for path in EXAMPLES.glob("*/tangga.yml")} == set(samples.ALL)


def test_the_reference_has_something_to_compare():
    """The numbers that the samples are known for, so that an empty reference cannot agree with an empty warehouse."""
    if not samples.SAMPLES.is_dir():
        pytest.skip(f"the real samples are not part of Tangga and not in {samples.SAMPLES}")
    facts = {name: sample.read() for name, sample in samples.ALL.items()}
    assert {name: len(f.contacts) for name, f in facts.items()} == {
        "online_retail": 388,
        "complete_journey": 106,
        "jaffle_shop": 100,
        "nps_survey": 1752,
    }
    assert {name: len(f.orders) for name, f in facts.items()} == {
        "online_retail": 1729,
        "complete_journey": 6907,
        "jaffle_shop": 99,
        "nps_survey": 0,
    }
    assert max(order.ordered_at.date() for order in facts["jaffle_shop"].orders) == date(2018, 4, 9)

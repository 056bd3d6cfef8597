"""dbt's unit tests, beside the models: all of them run, all of them pass, and no rule is without one."""

from __future__ import annotations

import json

import pytest
import yaml

from tangga import dbt
from tangga.settings import Settings
from tests.dbt.harness import AS_OF, unit_tests_enabled

TESTED_ELSEWHERE = {
    "int_customer_clusters": "Python: test_clusters.py",
    "int_contact_costs": "a seed and the company's own table of one name: test_own_tables.py",
    "int_settled_claims": "Python: test_identities.py",
    "int_currency_rates": "a seed and the company's own table of one name: test_own_tables.py",
    "int_discount_days": "a seed and the company's own table of one name: test_own_tables.py",
    "int_rfm_cutoffs": "a seed and the company's own table of one name: test_own_tables.py",
    "int_holidays": "a seed and the company's own table of one name: test_own_tables.py",
    "int_rfm_segment_map": "a seed and the company's own table of one name: test_own_tables.py",
    "int_weekly_hours": "a seed and the company's own table of one name: test_own_tables.py",
}

WITHOUT_A_RULE = {
    "customer_identities",
    "customer_identity_changes",
    "dim_products",
    "fct_consents",
    "fct_orders",
    "product_affinity",
    "value_model_fits",
}
"""Marts that hand on what staging, an intermediate model or a task decided."""


@pytest.fixture(scope="module")
def results(settings: Settings) -> dict[str, dict]:
    """Name of the unit test -> its result."""
    with unit_tests_enabled():
        try:
            dbt.run(settings, AS_OF, "test", "--select", "test_type:unit", "--quiet")
        except dbt.DbtFailed as failed:
            print(failed)
    found = json.loads((dbt.target(settings) / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {result["unique_id"].rsplit(".", 1)[-1]: result for result in found}


def test_all_pass(results):
    failed = [f"{name}: {result['message']}" for name, result in results.items() if result["status"] != "pass"]
    assert not failed, "\n\n".join(failed)


def test_none_is_lost(results):
    files = (dbt.PROJECT / "models").rglob("_*_unit_tests.yml")
    written = [
        test["name"] for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8"))["unit_tests"]
    ]
    assert len(written) == len(set(written)), "a name is used twice"
    assert set(results) == set(written)


def test_every_model_with_a_rule_has_one(results, models):
    tested = {result["unique_id"].split(".")[2] for result in results.values()}
    assert set(models) - tested == set(TESTED_ELSEWHERE) | WITHOUT_A_RULE

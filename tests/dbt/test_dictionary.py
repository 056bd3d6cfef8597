"""The data dictionary: complete, true where it can be told, and in the published file."""

import duckdb
import pytest

from tangga import dictionary, publish, published_files
from tests.dbt.harness import AS_OF


@pytest.fixture(scope="module")
def words(settings):
    return {(entry.table, entry.column_name): entry for entry in dictionary.entries(settings)}


def test_every_column_has_a_meaning_a_unit_and_a_source(settings, words):
    columns = {
        (table.full_name, column) for table in published_files.public_tables(settings) for column in table.columns
    }
    assert {key for key in words if key[0] != dictionary.NAME} == columns
    assert [key for key, word in words.items() if not (word.description and word.unit and word.source)] == []


@pytest.mark.parametrize(
    ("table", "column", "unit", "source"),
    [
        ("core.fct_orders", "ordered_at", "instant, UTC", "orders.ordered_at"),
        ("core.fct_orders", "net_amount", "IDR", "computed from core.customer_identities, orders, reference exchange"),
        ("core.fct_refunds", "amount", "the order's currency", "refunds.amount"),
        ("core.fct_tickets", "resolution_minutes", "minutes", "computed from "),
        ("core.dim_customers", "city", "none", "contacts.city"),
        ("core.dim_customers", "signup_date", "day of the business", "computed from "),
        ("core.fct_sends", "sent_at", "instant, UTC", "computed from "),
        ("customer.customer_rfm", "recency_days", "days", "computed from "),
        ("customer.customer_rfm", "r_score", "points, 1 to 5", "computed from "),
        ("customer.customer_360", "city", "none", "core.dim_customers.city"),
        ("customer.customer_360", "sieve_verdict", "none", "customer.customer_discount_sieve.sieve_verdict"),
        ("customer.customer_360", "nps_score", "points", "customer.customer_satisfaction.nps_score"),
        ("customer.customer_360", "customer_id", "none", "core.customer_identities.customer_id"),
        ("metrics.retention_cohorts", "retention_rate", "share, 0 to 1", "computed from core.fct_orders"),
        ("metrics.retention_cohorts", "retained", "number", "computed from core.fct_orders"),
        ("metrics.nps", "nps", "points, -100 to 100", "computed from core.customer_identities, customer.customer_life"),
        ("metrics.service_levels", "complaint_rate", "complaints per 100 orders", "computed from "),
        ("metrics.audience_uplift", "difference", "orders or IDR, as measure says", "computed from core.fct_orders"),
    ],
)
def test_units_and_sources_are_what_they_are(words, table, column, unit, source):
    word = words[table, column]
    assert word.unit == unit
    assert word.source.startswith(source) if source.startswith("computed") else word.source == source


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ({"data_type": "decimal(18,2)", "config": {"meta": {}}}, ""),
        ({"data_type": "decimal(18,2)", "config": {"meta": {"unit": "{currency} per kg"}}}, "EUR per kg"),
    ],
)
def test_a_number_of_which_nothing_tells_the_unit_has_none(column, unit):
    assert dictionary.unit("weight", column, "EUR") == unit


@pytest.mark.parametrize("name", ["crm", "private"])
def test_a_published_file_describes_exactly_what_is_in_it(settings, name):
    publish.publish(settings, AS_OF, "code-1")
    with duckdb.connect(str(publish.database(settings, name)), read_only=True) as con:
        told = con.sql(f"select table_schema, table_name, column_name, description from {dictionary.NAME}").fetchall()
        columns = "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
        assert sorted(told) == sorted(con.sql(columns).fetchall())

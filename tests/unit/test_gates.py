"""The gates: every rule is broken once and seen to fail, and what cannot be judged is stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from expectations import gate, gx, inbound, marts, outbound
from expectations.checks import Check, GateResult, GateStopped, raise_if_stopped, unexpected_rows
from tangga import files, landing
from tangga.contracts import CONTRACTS, SURVEY_SCORES
from tangga.engine import literal
from tangga.landing.extract import landed_types
from tests.unit.gates import (
    DAY,
    HAS_ROWS,
    MEMBERS,
    PLANNED,
    SECRETS,
    errors,
    failing,
    good_row,
    make_plan,
    make_settings,
    put,
    verdicts,
)

# --- how suites run ------------------------------------------------------------------------------


def run(tmp_path: Path, assets: dict, **rest) -> GateResult:
    return gate.run(make_settings(tmp_path), "inbound", DAY, "thing", assets, **rest)


def test_a_suite_that_holds_passes(tmp_path):
    result = run(tmp_path, {"select 1 as a": [HAS_ROWS]})
    assert result.verdict == "pass"
    assert result.checks == (("row_count", "There are rows", "stop", True, {"found": 1}, ()),)


@pytest.mark.parametrize(("severity", "verdict"), [("stop", "stop"), ("warn", "warn")])
def test_severity_decides_between_stop_and_warn(tmp_path, severity, verdict):
    broken = unexpected_rows("own", "No a", "select 1 from {batch} where a = 1", severity)
    result = run(tmp_path, {"select 1 as a": [HAS_ROWS, broken]})
    assert (result.verdict, failing([result])) == (verdict, {"No a"})


@pytest.mark.parametrize("severity", ["stop", "warn"])
@pytest.mark.parametrize(
    ("query", "check", "kind"),
    [
        ("select 1 as a", ("ExpectColumnValuesToNotBeNull", {"column": "b"}), "MetricError"),
        ("select 'x' as a", ("UnexpectedRowsExpectation", {"unexpected_rows_query": "select a::int from {batch}"}),
         "ConversionException"),
        ("from nowhere", ("ExpectTableRowCountToBeBetween", {"min_value": 0}), "CatalogException"),
        ("select * from 'nothing.parquet'", ("ExpectTableRowCountToBeBetween", {"min_value": 0}), "IOException"),
        ("select 1 as a", ("ExpectNonsense", {}), "AttributeError"),
        ("select 1 as a", ("UnexpectedRowsExpectation", {"unexpected_rows_query": "{"}), "ValidationError"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_stops_whatever_its_severity(tmp_path, query, check, kind, severity):
    result = run(tmp_path, {query: [Check("own", "It holds", *check, severity)]})
    assert result.verdict == "stop"
    assert result.checks == (("own", "It holds", severity, False, {"error": kind}, ()),)


def test_an_error_in_one_query_keeps_the_results_of_the_others(tmp_path):
    broken = Check("own", "It holds", "ExpectNonsense", {}, "warn")
    result = run(tmp_path, {"select 1 as a": [HAS_ROWS], "select 2 as a": [broken], "select 3 as a": [HAS_ROWS]})
    assert result.verdict == "stop"
    assert [check.success for check in result.checks] == [True, False, True]


@pytest.mark.parametrize("assets", [{}, {"select 1 as a": []}, {"select 1 as a": [HAS_ROWS], "select 2 as a": []}])
def test_nothing_to_check_stops(tmp_path, assets):
    result = run(tmp_path, assets)
    assert (result.verdict, failing([result])) == ("stop", {"There is something to check"})


def test_no_rows_where_rows_are_required_stop(tmp_path):
    result = run(tmp_path, {"select 1 as a where false": [HAS_ROWS]})
    assert (result.verdict, failing([result])) == ("stop", {"There are rows"})


def test_a_missing_database_stops(tmp_path):
    result = run(tmp_path, {"select 1 as a": [HAS_ROWS]}, database=tmp_path / "no.duckdb")
    assert result.verdict == "stop"
    assert result.checks[0].observed == {"error": "IOException"}


def test_a_result_that_gx_does_not_return_stops(tmp_path, monkeypatch):
    import great_expectations as gx

    batch = gx.datasource.fluent.interfaces.Batch
    whole = batch.validate

    def forgetful(*args, **kwargs):
        result = whole(*args, **kwargs)
        result.results = result.results[:-1]
        return result

    monkeypatch.setattr(batch, "validate", forgetful)
    result = run(tmp_path, {"select 1 as a": [HAS_ROWS]})
    assert (result.verdict, result.checks[0].observed) == ("stop", {"error": "LookupError"})


def test_a_database_is_read_beside_another_reader_and_let_go(tmp_path):
    path = tmp_path / "work.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema core; create table core.thing as select 1 as a")
    with duckdb.connect(str(path), read_only=True):
        assert run(tmp_path, {"select * from core.thing": [HAS_ROWS]}, database=path).verdict == "pass"
    with duckdb.connect(str(path)) as con:  # refused while anything holds it read-only
        con.execute("create table core.other as select 1 as a")
    assert list((tmp_path / "home" / "tmp").iterdir()) == []


def test_a_view_of_a_database_is_read_as_dbt_left_it(tmp_path):
    """dbt's views name their tables with the catalog, which is called as the file was when it was opened."""
    path = tmp_path / "working.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema core; create table core.thing as select 1 as a")
        con.execute('create view core.shown as select * from "working"."core"."thing"')
    assert run(tmp_path, {"select * from core.shown": [HAS_ROWS]}, database=path).verdict == "pass"


def test_any_path_and_any_text_can_be_checked(tmp_path):
    folder = tmp_path / "we{i}rd :name %s o'home"
    config = make_settings(folder)
    path = folder / "a b.parquet"
    duckdb.sql(f"copy (select '{{x}} :y %s' as a) to {literal(str(path))}")
    assets = {f"select * from read_parquet({literal(str(path))})": [HAS_ROWS]}
    assert gate.run(config, "inbound", DAY, "thing", assets).verdict == "pass"


def test_results_are_kept_and_the_same_twice(tmp_path):
    assets = {"select 1 as a": [HAS_ROWS, unexpected_rows("own", "No a", "select 1 from {batch}", "warn")]}
    path = tmp_path / "home" / "gates" / "inbound" / "2024-02-01" / "thing.json"
    run(tmp_path, assets)
    before = path.read_bytes()
    run(tmp_path, assets)
    assert path.read_bytes() == before
    assert json.loads(before) == {
        "name": "thing",
        "verdict": "warn",
        "remedy": "",
        "landed": {},
        "checks": [
            {"name": "row_count", "description": "There are rows", "severity": "stop", "success": True,
             "observed": {"found": 1}, "samples": []},
            {"name": "own", "description": "No a", "severity": "warn", "success": False,
             "observed": {"found": 1}, "samples": []},
        ],
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600


def test_neither_great_expectations_nor_airflow_is_imported_with_the_package():
    code = (
        "import sys; from expectations import gate, inbound, marts, outbound; "
        "sys.exit(any(name in sys.modules for name in ('great_expectations', 'airflow')))"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | path, check=False).returncode == 0


def test_raise_if_stopped_has_a_sentence_for_each(tmp_path):
    stopped = run(tmp_path, {"select 1 as a where false": [HAS_ROWS]}, where="here", remedy="Do this.")
    passed = run(tmp_path, {"select 1 as a": [HAS_ROWS]})
    raise_if_stopped([passed])
    with pytest.raises(GateStopped) as caught:
        raise_if_stopped([passed, stopped, stopped])
    assert (
        str(caught.value).splitlines()
        == ["thing (here) is stopped: 'There are rows' does not hold (found 0). Do this."] * 2
    )


# --- the door in ---------------------------------------------------------------------------------


def broken_rows() -> list:
    """(entity, changes to a good row, what fails, verdict) for every rule of every contract."""
    cases = []
    for entity, contract in CONTRACTS.items():
        for column in contract.columns:
            name = column.name
            if column.required:
                cases.append((entity, {name: None}, f"{name} is never empty", "stop"))
            if column.allowed:
                cases.append((entity, {name: "nonsense"}, f"{name} is one of {', '.join(column.allowed)}", "stop"))
            words = " and ".join(
                f"{word} {limit}"
                for word, limit in (("at least", column.minimum), ("at most", column.maximum))
                if limit is not None
            )
            if column.minimum is not None:
                cases.append((entity, {name: column.minimum - 1}, f"{name} is {words}", "stop"))
            if column.maximum is not None:
                cases.append((entity, {name: column.maximum + 1}, f"{name} is {words}", "stop"))
            if column.type == "email":
                sentence = f"At most 5% of the addresses in {name} are invalid"
                cases.append((entity, {name: None, "is_email_valid": False}, sentence, "warn"))
        if contract.any_of:
            nobody = dict.fromkeys([*contract.any_of, "is_email_valid"])
            cases.append((entity, nobody, f"Every row has a value for one of {', '.join(contract.any_of)}", "warn"))
    for kind, (low, high) in SURVEY_SCORES.items():
        for score in (low - 1, high + 1):
            sentence = f"score is {low} to {high} where kind is {kind}"
            cases.append(("survey_responses", {"kind": kind, "score": score}, sentence, "warn"))
    return cases


@pytest.mark.parametrize(("entity", "changes", "sentence", "verdict"), broken_rows())
def test_every_rule_of_a_contract_fails_when_it_is_broken(tmp_path, entity, changes, sentence, verdict):
    config = make_settings(tmp_path, entity)
    put(config, entity, [good_row(entity), good_row(entity) | changes | {"_file": "b.csv", "_line": 7}])
    results = inbound.check(config, DAY)
    assert failing(results) == {sentence}
    assert [check.samples for result in results for check in result.checks if check.samples] == [(("b.csv", 7),)]
    assert errors(results) == set()
    assert verdicts(results) == {verdict}


@pytest.mark.parametrize("entity", CONTRACTS)
def test_good_rows_pass_and_are_accepted(tmp_path, entity):
    config = make_settings(tmp_path, entity)
    put(config, entity, [good_row(entity)])
    results = inbound.check(config, DAY)
    assert [(result.name, result.verdict) for result in results] == [(f"shop.{entity}", "pass")]
    assert landing.is_accepted(landing.folder(config, entity, "shop", DAY))
    inbound.raise_if_stopped(results)


ORDERS = landed_types(CONTRACTS["orders"])


@pytest.mark.parametrize(
    ("given", "expected", "verdict"),
    [
        ({"rows": 9}, {"There are as many rows as the manifest says"}, "stop"),
        ({"rejected": 3}, {"At most 5% of the rows were rejected (max_reject_share)"}, "stop"),
        ({"superseded": 1}, {"No row repeats a key with other content"}, "warn"),
        ({"ignored_columns": [SECRETS[0]]}, {"The source has no column that nothing maps"}, "warn"),
        ({"quarantined": 1}, {"At most 1% of the rows happen after the day"}, "warn"),
        ({"emptied": {"coupon_code": 1}}, {"At most 5% of the values given for coupon_code could not be read"}, "warn"),
        ({"types": ORDERS | {"extra": "VARCHAR"}}, {"The columns and their types are exactly the contract's"}, "stop"),
        ({"types": ORDERS | {"total_amount": "DOUBLE"}}, {"The columns and their types are exactly the contract's"},
         "stop"),
        ({"types": {name: kind for name, kind in ORDERS.items() if name != "channel"}},
         {"The columns and their types are exactly the contract's"}, "stop"),
        ({"types": {name: kind for name, kind in ORDERS.items() if name != "order_id"}},
         {"The columns and their types are exactly the contract's", "order_id is never empty"}, "stop"),
    ],
)  # fmt: skip
def test_what_landing_counted_is_judged(tmp_path, given, expected, verdict):
    config = make_settings(tmp_path, "orders")
    put(config, "orders", [good_row("orders")] * 2, **given)
    results = inbound.check(config, DAY)
    assert (failing(results), verdicts(results)) == (expected, {verdict})
    assert landing.is_accepted(landing.folder(config, "orders", "shop", DAY)) is (verdict == "warn")


def test_limits_hold_up_to_the_limit(tmp_path):
    config = make_settings(tmp_path, "tickets")
    invalid = good_row("tickets") | {"email": None, "is_email_valid": False}
    put(config, "tickets", [good_row("tickets")] * 95 + [invalid] * 5, rejected=5, quarantined=1, emptied={"topic": 5})
    assert verdicts(inbound.check(config, DAY)) == {"pass"}


@pytest.mark.parametrize(("limits", "verdict"), [("", "stop"), (", min_rows: 0", "pass")])
def test_an_empty_partition_is_judged_by_min_rows(tmp_path, limits, verdict):
    config = make_settings(tmp_path, "orders", limits=limits)
    put(config, "orders", [], emptied={"coupon_code": 0} if not limits else {})
    results = inbound.check(config, DAY)
    assert verdicts(results) == {verdict}
    assert "There are at least 1 rows (min_rows)" in failing(results) or verdict == "pass"


def test_a_drop_below_min_rows_stops(tmp_path):
    config = make_settings(tmp_path, "orders", limits=", min_rows: 3")
    put(config, "orders", [good_row("orders")] * 2)
    assert failing(inbound.check(config, DAY)) == {"There are at least 3 rows (min_rows)"}


def test_a_partition_without_its_file_stops(tmp_path):
    config = make_settings(tmp_path, "orders")
    put(config, "orders", [good_row("orders")])
    (landing.folder(config, "orders", "shop", DAY) / "rows.parquet").unlink()
    results = inbound.check(config, DAY)
    assert verdicts(results) == {"stop"}
    assert "order_id is never empty" in errors(results)


def test_an_entity_that_was_not_landed_stops_and_the_others_are_judged(tmp_path):
    config = make_settings(tmp_path, "orders", "contacts")
    put(config, "orders", [good_row("orders")])
    results = inbound.check(config, DAY)
    assert {result.name: result.verdict for result in results} == {"shop.orders": "pass", "shop.contacts": "stop"}
    with pytest.raises(GateStopped) as caught:
        inbound.raise_if_stopped(results)
    assert str(caught.value) == (
        "shop.contacts (landing/contacts/source=shop/ds=2024-02-01) is stopped: 'contacts of shop was landed on "
        "2024-02-01' does not hold (found 0). Land contacts of shop for 2024-02-01, then check again."
    )


def test_a_file_that_goes_away_meanwhile_stops_and_gx_logs_nothing(tmp_path, monkeypatch, capfd, caplog):
    config = make_settings(tmp_path, "contacts")
    put(config, "contacts", [good_row("contacts")])
    run(tmp_path / "first", {"select 1 as a": [HAS_ROWS]})  # importing GX has warnings of its own
    execute = gx._execute

    def execute_and_lose(source, sql):
        execute(source, sql)
        (landing.folder(config, "contacts", "shop", DAY) / "rows.parquet").unlink(missing_ok=True)

    monkeypatch.setattr(gx, "_execute", execute_and_lose)
    capfd.readouterr()
    caplog.clear()
    results = inbound.check(config, DAY)
    assert verdicts(results) == {"stop"}
    assert "There are as many rows as the manifest says" in errors(results)
    assert ("".join(capfd.readouterr()), caplog.text) == ("", "")


def test_what_is_really_landed_passes(tmp_path):
    config = make_settings(tmp_path, "contacts")
    (tmp_path / "contacts.csv").write_text(
        f"contact_id,updated_at,email,phone\n1,2024-01-01,{SECRETS[0]},{SECRETS[1]}\n"
    )
    landing.land(config, "shop", "contacts", DAY)
    assert verdicts(inbound.check(config, DAY)) == {"pass"}


# --- the door to publishing ----------------------------------------------------------------------

WAREHOUSE = f"""
create schema core; create schema customer; create schema metrics; create schema audiences;
create table core.dim_customers as from (values ('a', '{SECRETS[0]}'), ('b', '{SECRETS[2]}')) as t(customer_id, email);
create table core.customer_identities as from (values ('a', 'shop', '1'), ('b', 'shop', '2'))
    as t(customer_id, source, contact_id);
create table core.fct_orders as select 'o1' as order_id, 'shop' as source, 'a' as customer_id,
    timestamp '2024-01-05' as ordered_at, date '2024-01-05' as order_date, 'paid' as status, 'IDR' as currency,
    10.50::decimal(18, 2) as gross_amount, 0::decimal(18, 2) as refunded_amount, 10.50::decimal(18, 2) as net_amount,
    0::decimal(18, 2) as discount_amount, true as is_purchase, false as is_discounted;
create table core.fct_tickets as select 't1' as ticket_id, 'desk' as source, 'a' as customer_id, 'question' as kind,
    date '2024-01-06' as opened_date, false as is_sla_breached, true as is_resolved;
create table customer.customer_rfm as select 'a' as customer_id, date '2024-02-01' as as_of_date, 27 as recency_days,
    1 as frequency, 10.50::decimal(18, 2) as monetary, 5 as r_score, 5 as f_score, 5 as m_score, 'Champions' as segment;
create table customer.customer_lifecycle as select unnest(['a', 'b']) as customer_id, date '2024-02-01' as as_of_date,
    unnest([3, 1]) as rung, 'x' as rung_name, 'y' as reason, 'insufficient_evidence' as sieve_verdict;
create table metrics.nps as select 'all' as period_grain, null::date as period_start, 'all' as dimension,
    'all' as dimension_value, 3 as n_responses, 1 as promoters, 1 as passives, 1 as detractors, 0::double as nps,
    -50.0 as ci_low, 50.0 as ci_high;
create table metrics.retention_cohorts as select date '2024-01-01' as cohort_month, 0 as months_since, 1 as customers,
    1 as retained, 1.0 as retention_rate;
create table metrics.csat as select 'all' as period_grain, null::date as period_start, 'all' as dimension,
    'all' as dimension_value, 2 as n_responses, 1 as satisfied, 0.5::double as csat, 0.1 as ci_low, 0.9 as ci_high;
create table metrics.ces as select 'all' as period_grain, null::date as period_start, 'all' as dimension,
    'all' as dimension_value, 2 as n_responses, 5.5::double as ces, 4.0 as ci_low, 7.0 as ci_high;
create table metrics.service_levels as select 'all' as period_grain, null::date as period_start, unnest(['all', 'kind'])
    as dimension, unnest(['all', 'question']) as dimension_value, 1 as tickets, 1.0::double as sla_share,
    0.0 as complaint_rate;
create table metrics.repeat_purchase as select date '2024-01-01' as cohort_month, 1 as customers, 0 as repeat_customers,
    0.0::double as repeat_rate, null::integer as repurchased, null::double as repurchase_rate;
create table audiences.audience_members as select 'welcome' as audience, 'b' as customer_id, 'new' as why,
    'k' as entry_key;
create table audiences.audience_exclusions as select 'welcome' as audience, 'a' as customer_id, 'email' as channel,
    'no consent' as reason;
"""

RFM = [column for column in marts.COLUMNS["customer.customer_rfm"].split() if column != "monetary"]
BROKEN_MARTS = [
    ("insert into core.dim_customers values (null, 'x')",
     {"core.dim_customers.customer_id is never empty",
      "Every customer of core.dim_customers is in customer.customer_lifecycle"}),
    ("insert into core.dim_customers values ('a', 'x')", {"core.dim_customers has one row for each customer_id"}),
    ("insert into core.dim_customers values ('c', 'x')",
     {"Every customer of core.dim_customers is in customer.customer_lifecycle"}),
    ("insert into core.customer_identities values ('z', 'shop', '3')",
     {"Every customer of core.customer_identities is in core.dim_customers"}),
    ("insert into core.customer_identities values (null, 'shop', '3')",
     {"core.customer_identities.customer_id is never empty",
      "Every customer of core.customer_identities is in core.dim_customers"}),
    ("update core.fct_orders set order_date = date '2024-02-02'",
     {"No order of core.fct_orders is after the as-of date"}),
    ("update core.fct_orders set order_id = null, customer_id = null, order_date = null",
     {f"core.fct_orders.{column} is never empty" for column in ("order_id", "customer_id", "order_date")}),
    ("update core.fct_orders set net_amount = 10.51",
     {"monetary adds up to net_amount of the purchases in core.fct_orders"}),
    ("insert into core.fct_orders select * replace ('o2' as order_id, 'b' as customer_id) from core.fct_orders",
     {"monetary adds up to net_amount of the purchases in core.fct_orders"}),
    ("update core.fct_orders set is_purchase = null",
     {"core.fct_orders.is_purchase is never empty",
      "monetary adds up to net_amount of the purchases in core.fct_orders"}),
    (f"update customer.customer_rfm set {', '.join(f'{column} = null' for column in RFM)}",
     {f"customer.customer_rfm.{column} is never empty" for column in RFM}),
    *((f"update customer.customer_rfm set r_score = {value}, f_score = {value}, m_score = {value}",
       {f"customer.customer_rfm.{column} is 1 to 5" for column in ("r_score", "f_score", "m_score")})
      for value in (0, 6)),
    ("update customer.customer_rfm set frequency = 0", {"customer.customer_rfm.frequency is 1 or more"}),
    ("update customer.customer_rfm set recency_days = -1", {"customer.customer_rfm.recency_days is 0 or more"}),
    ("update customer.customer_rfm set monetary = 0; update core.fct_orders set net_amount = 0",
     {"customer.customer_rfm.monetary is above 0"}),
    ("insert into customer.customer_rfm select * replace (0.01 as monetary) from customer.customer_rfm; "
     "update core.fct_orders set net_amount = 10.51", {"customer.customer_rfm has one row for each customer_id"}),
    ("update customer.customer_lifecycle set as_of_date = null, rung = null where customer_id = 'b'",
     {f"customer.customer_lifecycle.{column} is never empty" for column in ("as_of_date", "rung")}),
    *((f"update customer.customer_lifecycle set rung = {rung}", {"customer.customer_lifecycle.rung is 1 to 7"})
      for rung in (0, 8)),
    ("insert into customer.customer_lifecycle from customer.customer_lifecycle",
     {"customer.customer_lifecycle has one row for each customer_id"}),
    ("insert into customer.customer_lifecycle select * replace ('z' as customer_id) from customer.customer_lifecycle "
     "limit 1", {"Every customer of customer.customer_lifecycle is in core.dim_customers"}),
    ("update customer.customer_lifecycle set as_of_date = date '2024-02-02' where customer_id = 'a'",
     {"customer.customer_lifecycle is of one as-of date"}),
    ("delete from customer.customer_lifecycle",
     {"customer.customer_lifecycle has rows",
      "Every customer of core.dim_customers is in customer.customer_lifecycle"}),
    ("update metrics.nps set nps = 100.5", {"metrics.nps.nps is -100 to 100"}),
    ("update metrics.nps set nps = -100.5", {"metrics.nps.nps is -100 to 100"}),
    ("update metrics.nps set n_responses = 4", {"metrics.nps.n_responses is promoters + passives + detractors"}),
    ("update metrics.nps set passives = null", {"metrics.nps.passives is never empty"}),
    ("update metrics.retention_cohorts set cohort_month = null",
     {"metrics.retention_cohorts.cohort_month is never empty"}),
    ("update core.fct_tickets set ticket_id = null, kind = null, opened_date = null, is_resolved = null",
     {f"core.fct_tickets.{column} is never empty" for column in ("ticket_id", "kind", "opened_date", "is_resolved")}),
    ("update core.fct_tickets set opened_date = date '2024-02-02'",
     {"No ticket of core.fct_tickets is after the as-of date"}),
    ("update metrics.csat set csat = 1.01", {"metrics.csat.csat is 0 to 1"}),
    ("update metrics.csat set csat = -0.01", {"metrics.csat.csat is 0 to 1"}),
    ("update metrics.csat set satisfied = 3", {"metrics.csat.satisfied is at most n_responses"}),
    ("update metrics.csat set n_responses = null, satisfied = null",
     {f"metrics.csat.{column} is never empty" for column in ("n_responses", "satisfied")}),
    *((f"update metrics.ces set ces = {score}", {"metrics.ces.ces is 1 to 7"}) for score in (0.99, 7.01)),
    ("update metrics.ces set n_responses = null", {"metrics.ces.n_responses is never empty"}),
    ("update metrics.service_levels set tickets = 2 where dimension = 'kind'",
     {"tickets add up to core.fct_tickets in every grain and dimension"}),
    ("delete from metrics.service_levels", {"tickets add up to core.fct_tickets in every grain and dimension"}),
    ("update metrics.service_levels set tickets = null",
     {"metrics.service_levels.tickets is never empty",
      "tickets add up to core.fct_tickets in every grain and dimension"}),
    ("update metrics.service_levels set sla_share = 1.01", {"metrics.service_levels.sla_share is 0 to 1"}),
    ("update metrics.repeat_purchase set customers = 2", {"customers add up to those of metrics.retention_cohorts"}),
    ("delete from metrics.repeat_purchase", {"customers add up to those of metrics.retention_cohorts"}),
    ("update metrics.repeat_purchase set repeat_rate = 1.01", {"metrics.repeat_purchase.repeat_rate is 0 to 1"}),
    ("update metrics.repeat_purchase set cohort_month = null",
     {"metrics.repeat_purchase.cohort_month is never empty"}),
    ("insert into metrics.repeat_purchase select * replace (0 as customers) from metrics.repeat_purchase",
     {"metrics.repeat_purchase has one row for each cohort_month"}),
    ("update metrics.repeat_purchase set customers = null",
     {"metrics.repeat_purchase.customers is never empty", "customers add up to those of metrics.retention_cohorts"}),
    ("insert into audiences.audience_members from audiences.audience_members",
     {"audiences.audience_members has one row for each audience and customer_id"}),
    ("insert into audiences.audience_members values (null, 'a', 'x', 'y')",
     {"audiences.audience_members.audience is never empty"}),
    ("insert into audiences.audience_members values ('welcome', 'a', 'x', 'y')",
     {"Nobody in audiences.audience_members is in audiences.audience_exclusions of the same audience"}),
    ("update audiences.audience_exclusions set reason = null", {"audiences.audience_exclusions.reason is never empty"}),
]  # fmt: skip


def build(folder: Path, *statements: str) -> Path:
    path = folder / "work.duckdb"
    with duckdb.connect(str(path)) as con:
        for statement in (WAREHOUSE, *statements):
            con.execute(statement)
    return path


def test_a_good_warehouse_passes(tmp_path):
    config = make_settings(tmp_path)
    results = marts.check(config, build(tmp_path))
    assert failing(results) == set()
    assert [result.name for result in results] == list(marts.COLUMNS)
    kept = sorted(path.stem for path in (config.home / "gates" / "marts" / "2024-02-01").iterdir())
    assert kept == sorted(marts.COLUMNS)


@pytest.mark.parametrize(("statement", "expected"), BROKEN_MARTS)
def test_every_rule_of_the_marts_fails_when_it_is_broken(tmp_path, statement, expected):
    results = marts.check(make_settings(tmp_path), build(tmp_path, statement))
    assert (failing(results), errors(results)) == (expected, set())
    assert "stop" in verdicts(results)


def test_a_missing_table_stops_and_leaves_the_others(tmp_path):
    path = build(tmp_path, "drop table metrics.nps", "drop table audiences.audience_members")
    results = marts.check(make_settings(tmp_path), path)
    stopped = [result for result in results if result.verdict != "pass"]
    assert [result.name for result in stopped] == ["metrics.nps", "audiences.audience_members"]
    assert {check.observed["error"] for result in stopped for check in result.checks} == {"CatalogException"}


def test_without_any_table_each_is_stopped(tmp_path):
    path = build(tmp_path, *(f"drop table {table}" for table in marts.COLUMNS))
    assert [result.verdict for result in marts.check(make_settings(tmp_path), path)] == ["stop"] * len(marts.COLUMNS)


def test_renamed_columns_stop_and_are_named(tmp_path):
    renamed = {table: columns.split()[-1] for table, columns in marts.COLUMNS.items()}
    path = build(tmp_path, *(f"alter table {table} rename {column} to other" for table, column in renamed.items()))
    results = marts.check(make_settings(tmp_path), path)
    assert verdicts(results) == {"stop"}
    assert {result.name: result.checks[0].observed["missing_columns"] for result in results} == renamed
    assert all(renamed[result.name] in result.sentence for result in results)


def test_a_company_without_orders_surveys_and_audiences_passes(tmp_path):
    empty = [table for table in marts.COLUMNS if table not in ("core.dim_customers", "customer.customer_lifecycle")]
    path = build(tmp_path, *(f"delete from {table}" for table in empty))
    assert verdicts(marts.check(make_settings(tmp_path), path)) == {"pass"}


def test_a_company_without_customers_stops(tmp_path):
    path = build(tmp_path, *(f"delete from {table}" for table in marts.COLUMNS))
    assert failing(marts.check(make_settings(tmp_path), path)) == {
        "core.dim_customers has rows",
        "customer.customer_lifecycle has rows",
    }


def test_money_need_not_agree_when_rfm_looks_at_a_window(tmp_path):
    path = build(tmp_path, "update core.fct_orders set net_amount = 99")
    config = make_settings(tmp_path, rules="{rfm: {window_days: 30}}")
    assert verdicts(marts.check(config, path)) == {"pass"}


def test_a_missing_or_broken_warehouse_stops(tmp_path):
    config = make_settings(tmp_path)
    assert verdicts(marts.check(config, tmp_path / "no.duckdb")) == {"stop"}
    (tmp_path / "broken.duckdb").write_bytes(b"not a database" * 1000)
    assert verdicts(marts.check(config, tmp_path / "broken.duckdb")) == {"stop"}


# --- the door out --------------------------------------------------------------------------------


def changed(**values: str) -> str:
    """The members, with other values in the row of `welcome`."""
    cases = ", ".join(
        f"case when audience = 'welcome' then {value} else {name} end as {name}" for name, value in values.items()
    )
    return f"select * replace ({cases}) from ({MEMBERS})"


IN_WELCOME = "The audience welcome has the 1 members of its plan"
MAY = "Every member may be contacted through the channel"
ALL_IN_PLAN = "Every member belongs to an audience of the plan"
BROKEN_PLANS = [
    ({"members": changed(audience="null")}, {"audience is never empty", IN_WELCOME, ALL_IN_PLAN}),
    ({"members": changed(customer_id="null")}, {"customer_id is never empty", MAY}),
    ({"members": f"{MEMBERS} union all {changed()}".replace("* replace ()", "*"),
      "planned": {"welcome": ("email", 2), "winback": ("sms", 2)}}, {"Nobody is twice in an audience"}),
    ({"planned": {"welcome": ("email", 2), "winback": ("sms", 1)}},
     {"The audience welcome has the 2 members of its plan"}),
    ({"planned": {**PLANNED, "second": ("email", 1)}}, {"The audience second has the 1 members of its plan"}),
    ({"planned": {"welcome": ("email", 1)}}, {ALL_IN_PLAN}),
    ({"planned": {}}, {ALL_IN_PLAN}),
    ({"members": changed(email="null")}, {"Every member of an e-mail audience has an address"}),
    *(({"members": changed(email=literal(email))}, {"Every address is in its normal form"})
      for email in ("", "Ani@example.com", "ani@", "ani @example.com", "ani", "ani@exa mple.com", "a@b@example.com",
                    "ani@EXAMPLE.com", "ani@example.com.")),
    ({"members": changed(channel="'sms'")}, {"Every member's channel is that of the audience"}),
    ({"members": changed(channel="null")}, {MAY, "Every member's channel is that of the audience"}),
    ({"said": "from (values ('a', 'email', false, 'revoked'), ('a', 'sms', true, null))"}, {MAY}),
    ({"said": "from (values ('a', 'email', null, null), ('a', 'sms', true, null))"}, {MAY}),
    ({"said": "from (values ('a', 'sms', true, null), ('b', 'email', true, null))"}, {MAY}),
    ({"said": "from (values ('a', 'email', true, null), ('a', 'email', false, null), ('a', 'sms', true, null))"},
     {MAY}),
]  # fmt: skip


def test_a_good_plan_passes(tmp_path):
    config = make_settings(tmp_path)
    [result] = outbound.check(config, make_plan(config))
    assert (result.name, result.verdict) == ("plan.sha2560123456789", "pass")
    assert (config.home / "gates" / "outbound" / "2024-02-01" / f"{result.name}.json").exists()


@pytest.mark.parametrize(("given", "expected"), BROKEN_PLANS)
def test_every_rule_of_a_plan_stops_when_it_is_broken(tmp_path, given, expected):
    config = make_settings(tmp_path)
    results = outbound.check(config, make_plan(config, **given))
    assert (failing(results), errors(results), verdicts(results)) == (expected, set(), {"stop"})


@pytest.mark.parametrize("column", ["first_name", "why", "phone"])
def test_cells_that_look_like_formulas_warn(tmp_path, column):
    config = make_settings(tmp_path)
    starts = ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"]
    rows = [
        f"select 'list' as audience, 'c{number}' as customer_id, 'email' as channel, 'new' as why, 'k' as entry_key, "
        f"'{SECRETS[0]}' as email, '{SECRETS[1]}' as phone, '{SECRETS[3]}' as first_name, 1 as step, false as is_due"
        for number in range(len(starts))
    ]
    cells = [
        f"select * replace ({literal(start + '1+cmd')} as {column}) from ({row})"
        for start, row in zip(starts, rows, strict=True)
    ]
    said = f"from (select 'c' || i, 'email', true, null from range({len(starts)}) as t(i))"
    plan = make_plan(config, " union all ".join(cells), {"list": ("email", len(starts))}, said)
    [result] = outbound.check(config, plan)
    [check] = [check for check in result.checks if not check.success]
    assert (result.verdict, check.description) == ("warn", f"No {column} begins like a spreadsheet formula")
    assert check.observed["unexpected"] == len(starts)


def test_an_empty_plan_warns(tmp_path):
    config = make_settings(tmp_path)
    results = outbound.check(config, make_plan(config, f"{MEMBERS} where false", {"welcome": ("email", 0)}))
    assert (failing(results), verdicts(results)) == ({"There is somebody to send to"}, {"warn"})


def test_a_column_more_is_welcome_and_one_less_stops(tmp_path):
    config = make_settings(tmp_path / "more")
    assert verdicts(outbound.check(config, make_plan(config, f'select *, 1 as "od""d {{x}}" from ({MEMBERS})'))) == {
        "pass"
    }
    config = make_settings(tmp_path / "less")
    results = outbound.check(config, make_plan(config, f"select * exclude (email) from ({MEMBERS})"))
    assert verdicts(results) == {"stop"}
    assert errors(results) == {
        "Every member of an e-mail audience has an address", "Every address is in its normal form"
    }  # fmt: skip


def test_without_the_published_warehouse_or_its_consents_nothing_goes_out(tmp_path):
    config = make_settings(tmp_path / "table")
    folder = make_plan(config)
    with duckdb.connect(str((config.home / "published" / "private.duckdb").resolve())) as con:
        con.execute("drop table customer.customer_contactability")
    results = outbound.check(config, folder)
    of_messages = "Everybody may be contacted through the channel of their message"
    assert (errors(results), verdicts(results)) == ({MAY, of_messages}, {"stop"})
    (config.home / "published" / "private.duckdb").unlink()
    assert verdicts(outbound.check(config, folder)) == {"stop"}


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "members.parquet").write_bytes(b"PAR1"), "was changed after it was planned"),
        (lambda folder: (folder / "members.parquet").unlink(), "members.parquet is missing"),
        (lambda folder: (folder / "messages.parquet").write_bytes(b"PAR1"), "was changed after it was planned"),
        (lambda folder: (folder / "messages.parquet").unlink(), "messages.parquet is missing"),
        (lambda folder: (folder / "plan.json").unlink(), "plan.json cannot be used (FileNotFoundError)"),
        (lambda folder: (folder / "plan.json").write_text("[1]"), "plan.json cannot be used (TypeError)"),
        (lambda folder: (folder / "plan.json").write_text("{}"), "plan.json cannot be used (KeyError)"),
        (lambda folder: (folder / "plan.json").write_text("{"), "plan.json cannot be used (JSONDecodeError)"),
    ],
)
def test_a_changed_plan_is_refused(tmp_path, harm, message):
    config = make_settings(tmp_path)
    folder = make_plan(config)
    harm(folder)
    with pytest.raises(GateStopped, match=message.replace("(", r"\(").replace(")", r"\)")):
        outbound.check(config, folder)


def test_members_that_are_no_parquet_file_are_refused(tmp_path):
    config = make_settings(tmp_path)
    folder = make_plan(config)
    (folder / "members.parquet").write_bytes(b"nothing")
    plan = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(plan | {"members_sha256": files.sha256(folder / "members.parquet")}))
    with pytest.raises(GateStopped, match="is not a Parquet file"):
        outbound.check(config, folder)


# --- nothing personal ----------------------------------------------------------------------------


def test_nothing_personal_leaves_a_gate(tmp_path, capfd, caplog):
    config = make_settings(tmp_path, "contacts")
    bad = good_row("contacts") | {"contact_id": None, "is_email_valid": False}
    put(config, "contacts", [bad], rejected=9, ignored_columns=[SECRETS[3]], emptied={"city": 9})
    results = inbound.check(config, DAY)
    results += marts.check(config, build(tmp_path, "insert into core.dim_customers from core.dim_customers"))
    results += outbound.check(
        config, make_plan(config, changed(email=f"'{SECRETS[0]} '", first_name=f"'={SECRETS[2]}'"))
    )
    # DuckDB quotes the value that it cannot convert, and GX logs the whole of it.
    cast = unexpected_rows("own", "It is a number", "select email::int from {batch}")
    filled = Check("own", "It is filled", "ExpectColumnValuesToNotBeNull", {"column": "number"})
    email = f"(select email from (values ('{SECRETS[0]}')) as t(email))"
    assets = {f"select * from {email}": [cast], f"select email::int as number from {email}": [filled]}
    results.append(gate.run(config, "inbound", DAY, "cast", assets))
    assert [check.observed for check in results[-1].checks] == [{"error": "ConversionException"}] * 2
    assert [result.name for result in results if result.verdict == "pass"]
    assert len([result for result in results if result.verdict == "stop"]) >= 4
    with pytest.raises(GateStopped) as caught:
        raise_if_stopped(results)
    kept = [path.read_text() for path in (config.home / "gates").rglob("*.json")]
    kept += [path.read_text() for path in (config.home / "landing").rglob("gate.json")]
    assert len(kept) == len(results) + 1
    written = "".join([*kept, *capfd.readouterr(), caplog.text, str(caught.value), repr(results)])
    assert [secret for secret in SECRETS if secret in written] == []

"""What the marts must agree on: a small company in the real tables, which agrees, and everything that does not."""

import json
import shutil

import duckdb
import pytest

from expectations import agreements, known_days
from tangga import publish, warehouse
from tests.dbt.harness import AS_OF

COMPANY = f"""
insert into core.dim_customers (customer_id, first_seen_date) values ('a', '2026-01-05'), ('b', '2026-06-01');
insert into core.fct_orders (source, order_id, customer_id, order_date, ordered_at, gross_amount, refunded_amount,
    net_amount, discount_amount, is_purchase, is_discounted)
    values ('shop', '1', 'a', '2026-01-05', '2026-01-05 03:00', 100, 20, 80, 5, true, true),
    ('shop', '2', 'a', '2026-06-01', '2026-06-01 03:00', 50, 50, 0, 0, false, false);
insert into core.fct_order_lines (source, order_id, line_number, customer_id, order_date, product_id, quantity,
    is_purchase) values ('shop', '1', 1, 'a', '2026-01-05', 'p', 2, true);
insert into core.dim_products (source, product_id, first_sold_date, last_sold_date, quantity)
    values ('shop', 'p', '2026-01-05', '2026-01-05', 2), ('shop', 'q', '2026-01-05', '2026-01-05', 0);
insert into core.fct_messages (source, message_id, customer_id, event, occurred_at, message_date)
    values ('mail', 'm', 'a', 'sent', '{AS_OF} 16:59:59', '{AS_OF}');
insert into core.fct_survey_responses (source, response_id, customer_id, survey, kind, answered_at, answer_date, score)
    select 'poll', kind || i, case when i < 3 then 'a' end, 's', kind, '2026-06-01', '2026-06-01', 5
    from (values ('nps'), ('csat'), ('ces')) as t(kind), range(4) as r(i);
insert into core.fct_tickets (source, ticket_id, customer_id, kind, opened_at, opened_date, resolved_at, is_resolved,
    csat_score, is_sla_breached)
    values ('desk', '1', 'a', 'complaint', '2026-06-01', '2026-06-01', '2026-06-02', true, 4, false);
insert into core.fct_consents (source, contact_id, status_at) values ('shop', '1', '2026-06-01');
insert into customer.customer_lifecycle (customer_id, as_of_date, rung, rung_name, reason, purchase_days)
    values ('a', '{AS_OF}', 3, 'first-time customer', 'x', 1), ('b', '{AS_OF}', 1, 'suspect', 'x', 0);
insert into customer.customer_journey (customer_id, stage) values ('a', 'conversion'), ('b', 'awareness');
insert into customer.customer_preferences (customer_id) values ('a'), ('b');
insert into customer.customer_value (customer_id, orders, net_value, discount_given, messages, messages_in_window,
    orders_in_window, net_value_in_window, discount_given_in_window, margin_in_window, contact_cost_in_window)
    values ('a', 1, 80, 5, 1, 1, 1, 80, 5, 24, 2), ('b', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
insert into customer.customer_rfm (customer_id, r_score, f_score, m_score, segment, segment_by_scores)
    values ('a', 5, 5, 5, 'Champions', 'Champions');
insert into customer.customer_360 (customer_id, rung, segment, journey_stage, orders, net_value, rung_why, segment_why,
    journey_why, sieve_why, satisfaction_why)
    values ('a', 3, 'Champions', 'conversion', 1, 80, 'x', 'x', 'x', 'x', 'x'),
    ('b', 1, null, 'awareness', 0, 0, 'x', 'x', 'x', 'x', 'x');
insert into customer.customer_recommendations (customer_id, place, why) values ('b', 1, 'x');
insert into metrics.contact_economics (dimension, dimension_value, customers, messages, orders, net_value,
    discount_given, margin, contact_cost)
    values ('all', 'all', 2, 1, 1, 80, 5, 24, 2), ('rung', 'first-time customer', 1, 1, 1, 80, 5, 24, 2),
    ('rung', 'suspect', 1, 0, 0, 0, 0, 0, 0), ('segment', 'Champions', 1, 1, 1, 80, 5, 24, 2);
insert into metrics.nps (period_grain, period_start, dimension, dimension_value, n_responses)
    values ('all', null, 'all', 'all', 2), ('window', '2026-04-02', 'all', 'all', 2),
    ('month', '2026-06-01', 'all', 'all', 2), ('all', null, 'rung', 'first-time customer', 1);
insert into metrics.ces (period_grain, period_start, dimension, dimension_value, n_responses)
    select period_grain, period_start, dimension, dimension_value, n_responses from metrics.nps;
insert into metrics.csat (period_grain, period_start, dimension, dimension_value, n_responses)
    select period_grain, period_start, dimension, dimension_value, n_responses + 1 from metrics.nps;
insert into metrics.retention_cohorts (cohort_month, months_since, customers, retained)
    values ('2026-01-01', 0, 1, 1), ('2026-01-01', 1, 1, 0), ('2026-01-01', 5, 1, null);
insert into metrics.repeat_purchase (cohort_month, customers, repeat_customers, customers_observed, repurchased)
    values ('2026-01-01', 1, 0, 1, 0);
insert into metrics.service_levels
    (period_grain, dimension, dimension_value, tickets, complaints, resolved, sla_tickets)
    values ('all', 'all', 'all', 1, 1, 1, 1);
insert into metrics.category_affinity (category, other_category, n_customers, n_both)
    values ('c', 'd', 3, 2), ('d', 'c', 2, 2);
insert into metrics.product_affinity
    (source, product_id, other_product_id, place, n_customers, n_both) values ('shop', 'p', 'q', 1, 3, 2);
insert into audiences.audience_candidates (audience, channel, customer_id)
    values ('w', 'email', 'a'), ('w', 'email', 'b');
insert into audiences.audience_members (audience, channel, customer_id, why) values ('w', 'email', 'a', 'x');
insert into audiences.audience_exclusions (audience, channel, customer_id, reason) values ('w', 'email', 'b', 'x');
insert into audiences.audience_sizes (audience, channel, as_of_date, members, excluded)
    values ('w', 'email', '{AS_OF}', 1, 1), ('w', 'email', '2026-06-29', 5, 7), ('gone', 'email', '2026-06-29', 5, 7);
"""

EACH = "Every customer has one row in customer.customer_{}, and nobody else has"
BUYERS = "Everybody who bought within the window has one row in customer.customer_rfm, and nobody else has"
COPIED = "customer_360 says what the tables say that it is made from"
BOUGHT = "Who bought stands on rung 3 or higher, and nobody else does"
COHORTS = "Cohorts of metrics.retention_cohorts add up to the customers who bought"
COHORT = "No cohort of metrics.retention_cohorts changes its size or has more who came back"
REPEAT = "No part of a cohort of metrics.repeat_purchase is larger than the cohort"
ORDERS = "Orders are worth what was paid less refunds, and purchases more than nothing"
PLACES = "Neighbours of metrics.product_affinity are counted from 1 on"
PAIRS = "Pairs of metrics.category_affinity are the same both ways"
PARTS = "Whoever belongs to an audience is a member or left out, and nobody else is"
SIZES = "audiences.audience_sizes counts members and those left out"
VALUE = "{} of customer.customer_value adds up to core.fct_orders"
ECONOMICS = "{} of metrics.contact_economics by {} adds up to customer.customer_value"
SLICES = "No slices of metrics.{} have more answers than everybody in their period"
PERIODS = "Answers of metrics.{} are most by month, then ever, then in the window"
ANSWERS = "metrics.{} counts, ever, the answers of core, of each customer and survey one"
SERVICE = "{} of metrics.service_levels are those of core.fct_tickets"
WHYS = ("rung_why", "segment_why", "journey_why", "sieve_why", "satisfaction_why")
COLUMNS = ("customers", "messages", "orders", "net_value", "discount_given", "margin", "contact_cost")

BROKEN = [
    *((f"delete from customer.customer_{name} where customer_id = 'b'", {EACH.format(name)})
      for name in agreements.ONE_ROW_EACH if name not in ("360", "value")),
    *((f"insert into customer.customer_{name} from customer.customer_{name} where customer_id = 'b'",
       {EACH.format(name)})
      for name in agreements.ONE_ROW_EACH if name != "value"),
    ("insert into customer.customer_preferences (customer_id) values ('z')", {EACH.format("preferences")}),
    ("delete from customer.customer_360 where customer_id = 'b'", {EACH.format("360")}),
    ("insert into core.dim_customers (customer_id) values ('z')",
     {EACH.format(name) for name in agreements.ONE_ROW_EACH}),
    ("delete from customer.customer_value where customer_id = 'b'",
     {EACH.format("value"), *(ECONOMICS.format("customers", slice) for slice in ("all", "rung"))}),
    ("delete from customer.customer_rfm", {BUYERS, COPIED, *(ECONOMICS.format(c, "segment") for c in COLUMNS)}),
    ("insert into customer.customer_rfm (customer_id, r_score, f_score, m_score, segment, segment_by_scores) "
     "values ('b', 5, 5, 5, 'Champions', 'Champions')", {BUYERS, COPIED, ECONOMICS.format("customers", "segment")}),
    ("update customer.customer_rfm set r_score = 1", {"Segments by scores are those of their cells in the scheme"}),
    ("update customer.customer_lifecycle set rung_name = 'prospect' where customer_id = 'b'",
     {"Rungs have the names of the seed lifecycle_rungs"}),
    *((f"update customer.customer_360 set {column} = {value} where customer_id = 'b'", {COPIED})
      for column, value in (("rung", 2), ("segment", "'Lost'"), ("journey_stage", "'loyal'"), ("orders", 1),
                            ("net_value", 1))),
    *((f"update customer.customer_360 set {column} = ' ' where customer_id = 'b'",
       {f"{', '.join(WHYS)} of customer.customer_360 are never without words"})
      for column in WHYS),
    ("update customer.customer_lifecycle set reason = ''",
     {"reason of customer.customer_lifecycle is never without words"}),
    ("update customer.customer_recommendations set why = null",
     {"why of customer.customer_recommendations is never without words"}),
    ("update customer.customer_lifecycle set purchase_days = 0", {BOUGHT}),
    ("update customer.customer_lifecycle set rung = 2, rung_name = 'prospect' where customer_id = 'a'; "
     "update customer.customer_360 set rung = 2 where customer_id = 'a'", {BOUGHT}),
    ("update core.fct_orders set refunded_amount = 10 where order_id = '1'", {ORDERS}),
    ("update core.fct_orders set net_amount = -1, gross_amount = 49 where order_id = '2'", {ORDERS}),
    ("update core.fct_orders set is_purchase = true where order_id = '2'", {ORDERS, VALUE.format("orders")}),
    ("update core.fct_orders set net_amount = 81, gross_amount = 101 where order_id = '1'",
     {VALUE.format("net_value")}),
    ("update core.fct_orders set discount_amount = 6 where order_id = '1'", {VALUE.format("discount_given")}),
    ("update core.dim_products set quantity = 3 where product_id = 'p'",
     {"quantity of core.dim_products adds up to core.fct_order_lines"}),
    ("update core.fct_messages set customer_id = null",
     {"messages of customer.customer_value are no more than core.fct_messages knows of customers"}),
    *((f"update metrics.contact_economics set {column} = {column} + 1 where dimension = '{slice}' and dimension_value "
       f"<> 'suspect'", {ECONOMICS.format(column, slice)})
      for column in COLUMNS for slice in ("all", "rung", "segment")),
    ("delete from metrics.contact_economics where dimension = 'rung'", {ECONOMICS.format(c, "rung") for c in COLUMNS}),
    *((f"update metrics.{mart} set n_responses = 9 where dimension = 'rung'", {SLICES.format(mart)})
      for mart in ("nps", "csat", "ces")),
    *((f"insert into metrics.{mart} (period_grain, period_start, dimension, n_responses) values "
       "('month', '2026-05-01', 'segment', 1)", {SLICES.format(mart)}) for mart in ("nps", "csat", "ces")),
    *((f"update metrics.{mart} set n_responses = {n} where period_grain = '{grain}'", {PERIODS.format(mart)})
      for mart in ("nps", "csat", "ces") for grain, n in (("window", 9), ("month", 1))),
    *((f"insert into core.fct_survey_responses (source, response_id, survey, kind, score) values "
       f"('poll', 'new', 's', '{mart}', 5)", {ANSWERS.format(mart)}) for mart in ("nps", "csat", "ces")),
    ("update core.fct_tickets set csat_score = null", {ANSWERS.format("csat")}),
    ("update metrics.retention_cohorts set customers = 2, retained = case when months_since = 0 then 2 end", {COHORTS}),
    ("update metrics.retention_cohorts set retained = 2 where months_since = 1", {COHORT}),
    ("update metrics.retention_cohorts set retained = 0 where months_since = 0", {COHORT}),
    ("update metrics.retention_cohorts set customers = 2 where months_since = 5", {COHORT}),
    ("update metrics.repeat_purchase set repeat_customers = 1",
     {"repeat_customers of metrics.repeat_purchase add up to those with two purchase days"}),
    ("update metrics.repeat_purchase set customers_observed = 2", {REPEAT}),
    ("update metrics.repeat_purchase set repurchased = 2", {REPEAT}),
    *((f"update metrics.service_levels set {column} = 2", {SERVICE.format(column)})
      for column in ("complaints", "resolved", "sla_tickets")),
    ("update metrics.category_affinity set n_both = 1 where category = 'c'", {PAIRS}),
    ("update metrics.category_affinity set n_both = 4", {PAIRS}),
    ("delete from metrics.category_affinity where category = 'c'", {PAIRS}),
    ("update metrics.product_affinity set place = 2", {PLACES}),
    ("update metrics.product_affinity set n_both = 4", {PLACES}),
    ("update metrics.product_affinity set product_id = 'z'",
     {"Products of metrics.product_affinity are in core.dim_products"}),
    ("insert into audiences.audience_candidates (audience, customer_id) values ('v', 'a')", {PARTS, SIZES}),
    ("delete from audiences.audience_exclusions", {PARTS, SIZES}),
    ("delete from audiences.audience_sizes", {SIZES}),
    ("update audiences.audience_sizes set members = 2", {SIZES}),
    ("update audiences.audience_sizes set excluded = 2", {SIZES}),
    ("update audiences.audience_members set customer_id = 'z'", {"Every member of an audience is a customer"}),
    ("update audiences.audience_members set why = null", {"why of audiences.audience_members is never without words"}),
    ("update audiences.audience_exclusions set reason = ' '",
     {"reason of audiences.audience_exclusions is never without words"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def file(settings, tmp_path_factory):
    """The working file of a company that agrees with itself."""
    copy = tmp_path_factory.mktemp("company") / "working.duckdb"
    shutil.copy(warehouse.path(settings), copy)
    with duckdb.connect(str(copy)) as con:
        _make_tables_of_views(con)
        con.execute(COMPANY)
    return copy


def _make_tables_of_views(con) -> None:
    """Rows cannot be put into views, which facts are until they are published."""
    for (name,) in con.execute(
        "select schema_name || '.' || view_name from duckdb_views() where not internal and schema_name <> 'landing'"
    ).fetchall():
        con.execute(f"create temp table rows as from {name} limit 0; drop view {name}")
        con.execute(f"create table {name} as from rows; drop table rows")


@pytest.fixture(scope="module")
def broken(settings, file):
    """A function that breaks the company, gives what does not hold, and mends it."""
    asked = agreements.asked(settings, file, AS_OF)
    checks = [check for each in asked.values() for check in each]
    assert len({check.sentence for check in checks}) == len(checks)

    def break_by(statement: str, *about: str) -> set[str]:
        wanted = [check for name in about for check in asked[name]] or checks
        with duckdb.connect(str(file)) as con:
            con.execute("begin")
            con.execute(statement)
            found = {check.sentence for check in wanted if con.execute(_query(check)).fetchall()}
            con.execute("rollback")
        return found

    return break_by


def _query(check) -> str:
    return check.arguments["unexpected_rows_query"].replace("{batch}", "(select 1 as one)")


def _days(settings, file) -> list[tuple[str, str]]:
    """(sentence, statement that breaks it) for every day and instant that is asked."""
    with duckdb.connect(str(file), read_only=True) as con:
        columns = con.execute(
            "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
            "where schema_name in ('audiences', 'core', 'customer', 'metrics') and data_type in ('DATE', 'TIMESTAMP')"
        ).fetchall()
    return [column for column in columns if column[1] not in known_days.MAY_BE_LATER.get(column[0], ())]


def test_a_company_that_agrees_passes_the_gate(settings, file):
    results = agreements.check(settings, file)
    assert [str(check) for result in results for check in result.checks if not check.success] == []
    names = ("customers", "money", "feedback", "time", "affinity", "audiences", "days")
    assert [(result.name, result.day, result.verdict) for result in results] == [
        (f"agreements.{name}", AS_OF.isoformat(), "pass") for name in names
    ]


def test_a_segment_that_damping_holds_need_not_be_that_of_its_cell(broken):
    held = "update customer.{} set segment = 'Loyal Customers' where customer_id = 'a'"
    slice = "update metrics.contact_economics set dimension_value = 'Loyal Customers' where dimension = 'segment'"
    assert broken(f"{held.format('customer_rfm')}; {held.format('customer_360')}; {slice}", "customers") == set()


def test_one_that_does_not_is_stopped(settings, file, tmp_path):
    copy = tmp_path / "working.duckdb"
    shutil.copy(file, copy)
    with duckdb.connect(str(copy)) as con:
        con.execute("update metrics.nps set n_responses = 9 where dimension = 'rung'")
        con.execute("drop table metrics.repeat_purchase")
    stopped = {result.name: result for result in agreements.check(settings, copy) if result.verdict != "pass"}
    assert {name: result.verdict for name, result in stopped.items()} == {
        "agreements.feedback": "stop", "agreements.time": "stop"
    }  # fmt: skip
    assert SLICES.format("nps") in stopped["agreements.feedback"].sentence
    assert "could not be evaluated (CatalogException)" in stopped["agreements.time"].sentence


@pytest.mark.parametrize(("statement", "expected"), BROKEN)
def test_every_agreement_is_missed_when_it_is_broken(broken, statement, expected):
    assert broken(statement) == expected


def test_every_agreement_is_broken_here_once(settings, file):
    asked = agreements.asked(settings, file, AS_OF)
    sentences = {
        check.sentence for name, checks in asked.items() for check in checks if name not in ("days", "history")
    }
    assert sentences == set().union(*(expected for _, expected in BROKEN))


def test_no_day_and_no_instant_may_be_later(settings, file, broken):
    """Every column of every table: the business's next day, and the first instant of it in Jakarta."""
    columns = _days(settings, file)
    assert len(columns) > 40
    with_rows = []
    for table, column, kind in columns:
        late = "2026-07-01" if kind == "DATE" else f"{AS_OF} 17:00:00"
        found = [*broken(f"insert into {table} ({column}) values ('{late}')", "days")]
        assert len(found) == 1 and f" of {table} is after" in found[0] and column in found[0], (table, column)
        with_rows.append(table)
    assert "core.fct_orders" in with_rows and "audiences.audience_members" in with_rows


def test_what_people_say_of_themselves_may_be_later(broken):
    assert broken("update core.dim_customers set birth_date = '2031-01-01'") == set()


def test_buyers_of_the_window_only_have_a_segment_where_there_is_one(settings, file):
    rules = settings.rules.model_copy(update={"rfm": settings.rules.rfm.model_copy(update={"window_days": 30})})
    narrow = settings.model_copy(update={"rules": rules})
    [check] = [check for check in agreements.asked(narrow, file, AS_OF)["customers"] if check.sentence == BUYERS]
    with duckdb.connect(str(file), read_only=True) as con:
        assert con.execute(_query(check)).fetchall()  # of the customer whose only purchase is older


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({}, None),
        ({"2026-06-29-a": 2}, set()),
        ({"2026-06-29-a": 3}, {"core.fct_orders has no fewer rows than on the published day before"}),
        ({"2026-06-29-a": 3, "2026-06-29-b": 2}, set()),
        ({"2026-06-28-a": 3, "2026-06-29-a": 2}, set()),
        ({"2026-06-30-a": 3, "2026-07-01-a": 3}, None),
    ],
)
def test_what_was_known_the_published_day_before_is_known_still(settings, file, tmp_path, versions, expected):
    elsewhere = settings.model_copy(update={"home": tmp_path})
    for name, rows in versions.items():
        folder = publish.folder(elsewhere) / "versions" / name
        folder.mkdir(parents=True)
        version = publish.Version(name, name[:10], "code", {"core.fct_orders": rows})
        (folder / "manifest.json").write_text(json.dumps(vars(version)))
    results = [result for result in agreements.check(elsewhere, file) if result.name == "agreements.history"]
    assert bool(results) is (expected is not None)
    for result in results:
        assert {check.description for check in result.checks if not check.success} == expected
        assert result.verdict == ("warn" if expected else "pass")
        assert len(result.checks) == len(known_days.ONLY_GROW)

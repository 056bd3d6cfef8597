"""What analysts ask, twice: the metrics as MetricFlow answers them, and the same figures in SQL by hand."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

MF = shutil.which("mf", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
"""MetricFlow's command; None when `dbt-metricflow` is not installed."""


def ask(home: Path, *metrics: str, by: str = "") -> list[dict[str, str]]:
    """The rows that `mf query` gives for these metrics, grouped by what is named."""
    answer = home / "tmp" / "answer.csv"
    command = [MF, "query", "--metrics", ",".join(metrics), "--csv", str(answer)]
    done = subprocess.run(
        command + (["--group-by", by, "--order", by] if by else []),
        cwd=home / "metrics",
        env=os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with answer.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


MARGIN_SHARE = 0.3
PURCHASES = "from core.fct_orders where is_purchase"
VALUE, ECONOMICS = "from customer.customer_value", "from metrics.contact_economics where dimension = 'all'"
LEVELS = "from metrics.service_levels where period_grain = 'all' and dimension = 'all'"
NPS, CSAT = (f"from metrics.{kind} where period_grain = 'all' and dimension = 'all'" for kind in ("nps", "csat"))

BY_HAND = {
    "orders": f"select sum(orders) {VALUE}",
    "orders_placed": f"select orders {LEVELS}",
    "buyers": f"select count(*) {VALUE} where orders > 0",
    "net_revenue": f"select sum(net_value) {VALUE}",
    "discount_given": f"select sum(discount_given) {VALUE}",
    "discounted_orders": f"select count(*) {PURCHASES} and is_discounted",
    "refunded_value": "select sum(refunded_amount) from core.fct_orders",
    "paid_value": "select sum(gross_amount) from core.fct_orders where is_purchase or refunded_amount > 0",
    "average_order_value": f"select sum(net_value) / sum(orders) {VALUE}",
    "orders_per_buyer": f"select sum(orders) / count(*) {VALUE} where orders > 0",
    "discounted_share": f"select avg(case when is_discounted then 1.0 else 0 end) {PURCHASES}",
    "refund_rate": "select sum(refunded_amount) / sum(gross_amount) filter (is_purchase or refunded_amount > 0) "
    "from core.fct_orders",
    "gross_margin": f"select sum(net_value) * {MARGIN_SHARE} {VALUE}",
    "units_sold": "select sum(quantity) from core.dim_products",
    "buyers_of_products": "select count(distinct customer_id) from core.fct_order_lines where is_purchase",
    "customers": "select count(*) from core.dim_customers",
    "customers_who_ever_bought": "select sum(customers) from metrics.retention_cohorts where months_since = 0",
    "active_customers": "select count(*) from customer.customer_journey where current_gap_days is not null "
    "and stage <> 'churned'",
    "churned_customers": "select count(*) from customer.customer_journey where stage = 'churned'",
    "contactable_customers": "select count(*) from customer.customer_contactability where channel = 'email' "
    "and is_contactable",
    "repeat_customers": "select sum(repeat_customers) from metrics.repeat_purchase",
    "repeat_rate": "select sum(repeat_customers) / sum(customers) from metrics.repeat_purchase",
    "opted_in_customers": "select count(*) from customer.customer_lifecycle where has_opted_in",
    "opt_in_rate": "select avg(case when has_opted_in then 1.0 else 0 end) from customer.customer_lifecycle",
    "contactable_share": "select avg(case when is_contactable then 1.0 else 0 end) "
    "from customer.customer_contactability where channel = 'email'",
    "churned_share": "select avg(case when stage = 'churned' then 1.0 else 0 end) from customer.customer_journey "
    "where current_gap_days is not null",
    "new_customers": "select sum(customers) from metrics.repeat_purchase",
    "margin": f"select sum(margin) {VALUE}",
    "margin_in_window": f"select margin {ECONOMICS}",
    "priced_cost": f"select sum(contact_cost) {VALUE}",
    "priced_cost_in_window": f"select sum(contact_cost_in_window) {VALUE}",
    "without_cost": f"select count(*) - count(contact_cost) {VALUE}",
    "without_cost_in_window": f"select count(*) - count(contact_cost_in_window) {VALUE}",
    "contact_cost": f"select case when count(*) = count(contact_cost) then sum(contact_cost) end {VALUE}",
    "contact_cost_in_window": f"select contact_cost {ECONOMICS}",
    "contribution": f"select case when count(*) = count(contribution) then sum(contribution) end {VALUE}",
    "contribution_in_window": f"select contribution {ECONOMICS}",
    "survey_answers": "select count(score) from core.fct_survey_responses",
    "nps": f"select nps {NPS}",
    "csat": f"select csat {CSAT}",
    "tickets": f"select tickets {LEVELS}",
    "complaints": f"select complaints {LEVELS}",
    "complaint_rate": f"select complaint_rate {LEVELS}",
    "first_responses_due": "select count(is_first_response_breached) from core.fct_tickets",
    "first_responses_in_time": "select count(*) from core.fct_tickets where not is_first_response_breached",
    "first_response_within_sla": "select avg(case when is_first_response_breached then 0.0 else 1 end) "
    "from core.fct_tickets where is_first_response_breached is not null",
    "sla_tickets": f"select sla_tickets {LEVELS}",
    "sla_tickets_met": "select count(*) from core.fct_tickets where not is_sla_breached",
    "sla_share": f"select sla_share {LEVELS}",
    "messages": f"select sum(messages) {VALUE}",
    **{
        f"messages_{word}": "select count(distinct (source, message_id)) from core.fct_messages "
        f"where customer_id is not null and event in {events}"
        for word, events in {
            "opened": "('opened')",
            "clicked": "('clicked')",
            "refused": "('unsubscribed', 'complained')",
        }.items()
    },
    **{
        rate: f"select count(distinct case when event = '{event}' then (source, message_id) end) "
        "/ count(distinct (source, message_id)) from core.fct_messages where customer_id is not null"
        for rate, event in {"open_rate": "opened", "click_rate": "clicked"}.items()
    },
    "audience_members": "select count(*) from audiences.audience_members",
    "audience_excluded": "select count(*) from audiences.audience_exclusions",
}
"""Metric -> its figure for the whole day, from a mart where one has it."""

BY_MONTH = {
    "net_revenue": f"select date_trunc('month', order_date), sum(net_amount) {PURCHASES} group by 1",
    "net_revenue_growth": "select month, net / lag(net) over (order by month) - 1 from (select date_trunc('month', "
    f"order_date) as month, sum(net_amount) as net {PURCHASES} group by 1) qualify lag(month) over (order by month) "
    "= month - interval 1 month",
    "new_customers": "select cohort_month, customers from metrics.retention_cohorts where months_since = 0",
    "orders_placed": "select date_trunc('month', order_date), count(*) from core.fct_orders group by 1",
    "tickets": "select period_start, tickets from metrics.service_levels where period_grain = 'month' "
    "and dimension = 'all'",
    "nps_by_month": "select period_start, nps from metrics.nps where period_grain = 'month' and dimension = 'all'",
    "csat_by_month": "select period_start, csat from metrics.csat where period_grain = 'month' and dimension = 'all'",
}
"""Metric -> its figure by month."""

BY_RUNG = {
    "customers": "count(*)",
    "net_revenue": "sum(net_value)",
    "orders": "sum(orders)",
    "messages": "sum(messages)",
    "repeat_customers": "count(*) filter (purchase_days >= 2)",
}
"""Metric -> its figure by rung, over customer_value and customer_lifecycle."""

BY_PERIOD = {
    "nps": {"nps_answers": "n_responses", "nps_promoters": "promoters", "nps_detractors": "detractors"},
    "csat": {"csat_answers": "n_responses", "csat_satisfied": "satisfied"},
}
"""Mart -> metric -> its column, of one period and slice."""

"""Agreements of the marts on figures: what adds up to what. A query finds a row only where it is broken."""

from __future__ import annotations

from expectations.checks import Check, nothing_found


def _same(name: str, sentence: str, one: str, other: str) -> Check:
    """Two figures are equal; nothing of anything is 0."""
    return nothing_found(name, sentence, f"select 1 where coalesce(({one}), 0) <> coalesce(({other}), 0)")


def money() -> list[Check]:
    """What customers paid and cost is the same in every table."""
    bought = "from core.fct_orders where is_purchase"
    wrong = (
        "select 1 from core.fct_orders where net_amount < 0 or net_amount <> gross_amount - refunded_amount "
        "or (is_purchase and net_amount = 0)"
    )
    value = "from customer.customer_value"
    return [
        nothing_found("net", "Orders are worth what was paid less refunds, and purchases more than nothing", wrong),
        *(
            _same(
                "sums",
                f"{column} of customer.customer_value adds up to core.fct_orders",
                here,
                f"select {there} {bought}",
            )
            for column, there in (
                ("orders", "count(*)"),
                ("net_value", "sum(net_amount)"),
                ("discount_given", "sum(discount_amount)"),
            )
            for here in [f"select sum({column}) {value}"]
        ),
        _same(
            "sums",
            "quantity of core.dim_products adds up to core.fct_order_lines",
            "select sum(quantity) from core.dim_products",
            "select sum(quantity) from core.fct_order_lines where is_purchase",
        ),
        nothing_found(
            "sums",
            "messages of customer.customer_value are no more than core.fct_messages knows of customers",
            f"select 1 where (select sum(messages) {value}) > (select count(customer_id) from core.fct_messages)",
        ),
        *_economics(),
    ]


def _economics() -> list[Check]:
    columns = ("messages", "orders", "net_value", "discount_given", "margin", "contact_cost")
    economics = "from metrics.contact_economics where dimension ="
    some = {"all": "", "rung": "", "segment": " semi join customer.customer_rfm using (customer_id)"}
    # A cost that is not known makes every sum with it unknown.
    known = "case when count(*) = count({0}) then sum({0}) end"
    figures = {"customers": ("sum(customers)", "count(*)")}
    figures |= {name: (known.format(name), known.format(f"{name}_in_window")) for name in columns}
    return [
        _same(
            "sums",
            f"{column} of metrics.contact_economics by {dimension} adds up to customer.customer_value",
            f"select {here} {economics} '{dimension}'",
            f"select {there} from customer.customer_value{whose}",
        )
        for dimension, whose in some.items()
        for column, (here, there) in figures.items()
    ]


def feedback() -> list[Check]:
    """Answers are counted once, and no part of them is more than the whole."""
    return [check for mart in ("nps", "csat", "ces") for check in _scores(mart)]


def _scores(mart: str) -> list[Check]:
    table = f"metrics.{mart}"
    slices = (
        f"select 1 from {table} as slices left join {table} as whole on whole.dimension = 'all' "
        "and whole.period_grain = slices.period_grain and whole.period_start is not distinct from slices.period_start "
        "group by slices.period_grain, slices.period_start, slices.dimension "
        "having sum(slices.n_responses) > coalesce(max(whole.n_responses), 0)"
    )
    answers = {grain: f"select sum(n_responses) from {table} where dimension = 'all' and period_grain = '{grain}'"
               for grain in ("all", "window", "month")}  # fmt: skip
    periods = (
        f"select 1 from (select coalesce(({answers['all']}), 0) as ever, coalesce(({answers['window']}), 0) as lately, "
        f"coalesce(({answers['month']}), 0) as monthly) where lately > ever or ever > monthly"
    )
    each = (
        "count(distinct case when customer_id is not null then (customer_id, {}) end) + count(*) - count(customer_id)"
    )
    given = f"select {each.format('survey')} from core.fct_survey_responses where kind = '{mart}' and score is not null"
    if mart == "csat":
        given = f"({given}) + (select {each.format('1')} from core.fct_tickets where csat_score is not null)"
        given = f"select {given}"
    return [
        nothing_found("slices", f"No slices of {table} have more answers than everybody in their period", slices),
        nothing_found("periods", f"Answers of {table} are most by month, then ever, then in the window", periods),
        _same(
            "answers",
            f"{table} counts, ever, the answers of core, of each customer and survey one",
            answers["all"],
            given,
        ),
    ]


def cohorts() -> list[Check]:
    """Cohorts keep their sizes, and are all who bought."""
    cohorts, repeat = "from metrics.retention_cohorts", "from metrics.repeat_purchase"
    wrong = (
        f"select 1 {cohorts} where retained > customers or (months_since = 0 and retained <> customers) union all "
        f"select 1 {cohorts} group by cohort_month having min(customers) <> max(customers)"
    )
    parts = f"select 1 {repeat} where greatest(repeat_customers, customers_observed) > customers "
    return [
        _same(
            "sums",
            "Cohorts of metrics.retention_cohorts add up to the customers who bought",
            f"select sum(customers) {cohorts} where months_since = 0",
            "select count(*) from customer.customer_value where orders > 0",
        ),
        nothing_found(
            "parts", "No cohort of metrics.retention_cohorts changes its size or has more who came back", wrong
        ),
        _same(
            "sums",
            "repeat_customers of metrics.repeat_purchase add up to those with two purchase days",
            f"select sum(repeat_customers) {repeat}",
            "select count(*) from customer.customer_lifecycle where purchase_days >= 2",
        ),
        nothing_found(
            "parts",
            "No part of a cohort of metrics.repeat_purchase is larger than the cohort",
            parts + "or repurchased > customers_observed",
        ),
    ]


def service() -> list[Check]:
    """Service levels are of the tickets."""
    ever = "from metrics.service_levels where period_grain = 'all' and dimension = 'all'"
    tickets = "from core.fct_tickets"
    return [
        _same(
            "sums",
            f"{column} of metrics.service_levels are those of core.fct_tickets",
            f"select {column} {ever}",
            there,
        )
        for column, there in (
            ("complaints", f"select count(*) {tickets} where kind = 'complaint'"),
            ("resolved", f"select count(*) {tickets} where is_resolved"),
            ("sla_tickets", f"select count(is_sla_breached) {tickets}"),
        )
    ]


def affinity() -> list[Check]:
    """Pairs are the same both ways, of products that are known."""
    pairs = (
        "select 1 from metrics.category_affinity as pairs left join metrics.category_affinity as back "
        "on back.category = pairs.other_category and back.other_category = pairs.category "
        "where back.n_both is distinct from pairs.n_both or pairs.n_both > pairs.n_customers"
    )
    places = (
        "select 1 from metrics.product_affinity group by source, product_id "
        "having max(place) <> count(*) or max(n_both) > max(n_customers)"
    )
    known = "select 1 from metrics.product_affinity anti join core.dim_products using (source, product_id)"
    return [
        nothing_found("pairs", "Pairs of metrics.category_affinity are the same both ways", pairs),
        nothing_found("places", "Neighbours of metrics.product_affinity are counted from 1 on", places),
        nothing_found("known", "Products of metrics.product_affinity are in core.dim_products", known),
    ]

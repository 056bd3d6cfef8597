"""The door to publishing: does the warehouse that was just built keep what others build on?

One suite a table, on the working file, read-only. A table may be empty where a company has no such data;
only customers and their place on the ladder must be there.
"""

from __future__ import annotations

from pathlib import Path

from expectations import gate, known_days
from expectations.checks import Check, GateResult, GateStopped, raise_if_stopped, unexpected_rows
from tangga.settings import Settings

__all__ = ["GateResult", "GateStopped", "check", "raise_if_stopped"]

COLUMNS = {
    "core.dim_customers": "customer_id",
    "core.customer_identities": "customer_id source contact_id",
    "core.fct_orders": "order_id source customer_id ordered_at order_date status currency gross_amount "
    "refunded_amount net_amount discount_amount is_purchase is_discounted",
    "core.fct_tickets": "ticket_id source customer_id kind opened_date is_sla_breached is_resolved",
    "customer.customer_rfm": "customer_id as_of_date recency_days frequency monetary r_score f_score m_score segment",
    "customer.customer_lifecycle": "customer_id as_of_date rung rung_name reason sieve_verdict",
    "metrics.nps": "period_grain period_start dimension dimension_value n_responses promoters passives detractors "
    "nps ci_low ci_high",
    "metrics.csat": "period_grain period_start dimension dimension_value n_responses satisfied csat ci_low ci_high",
    "metrics.ces": "period_grain period_start dimension dimension_value n_responses ces ci_low ci_high",
    "metrics.service_levels": "period_grain period_start dimension dimension_value tickets sla_share complaint_rate",
    "metrics.retention_cohorts": "cohort_month months_since customers retained retention_rate",
    "metrics.repeat_purchase": "cohort_month customers repeat_customers repeat_rate repurchased repurchase_rate",
    "audiences.audience_members": "audience customer_id why entry_key",
    "audiences.audience_exclusions": "audience customer_id channel reason",
}
"""The names that stay: a table may have more columns, never fewer."""


def check(settings: Settings, database: Path) -> list[GateResult]:
    """Judge the tables of a DuckDB file that dbt has built: one result for each, named <schema>.<table>.

    `database` must not be open for writing in any other process.
    """
    day = known_days.as_of(database) or "undated"
    return [
        gate.run(
            settings,
            "marts",
            day,
            table,
            {f"select * from {table}": [_columns(table), *_CHECKS[table](table), *_agreements(settings, table)]},
            database=database,
            where=str(database),
            remedy=f"Nothing is published; correct the model {table.split('.')[1]} or its data and build again.",
        )
        for table in COLUMNS
    ]


def _columns(table: str) -> Check:
    names = COLUMNS[table].split()
    arguments = {"column_set": names, "exact_match": False}
    return Check("columns", f"{table} has the columns {', '.join(names)}", "ExpectTableColumnsToMatchSet", arguments)


def _filled(table: str, *columns: str) -> list[Check]:
    kind = "ExpectColumnValuesToNotBeNull"
    return [Check("required", f"{table}.{name} is never empty", kind, {"column": name}) for name in columns]


def _unique(table: str, *columns: str) -> Check:
    sentence = f"{table} has one row for each {' and '.join(columns)}"
    if len(columns) == 1:
        return Check("unique", sentence, "ExpectColumnValuesToBeUnique", {"column": columns[0]})
    return Check("unique", sentence, "ExpectCompoundColumnsToBeUnique", {"column_list": list(columns)})


def _between(table: str, column: str, low: float | None, high: float | None, *, above: bool = False) -> Check:
    words = f"{low} to {high}" if high is not None else f"above {low}" if above else f"{low} or more"
    arguments = {"column": column, "min_value": low, "max_value": high, "strict_min": above}
    return Check("limits", f"{table}.{column} is {words}", "ExpectColumnValuesToBeBetween", arguments)


def _not_empty(table: str) -> Check:
    return Check("row_count", f"{table} has rows", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def _known_customers(table: str) -> Check:
    return unexpected_rows(
        "known_customers",
        f"Every customer of {table} is in core.dim_customers",
        "select 1 from {batch} as batch anti join core.dim_customers as known using (customer_id)",
    )


def _dim_customers(table: str) -> list[Check]:
    return [_not_empty(table), *_filled(table, "customer_id"), _unique(table, "customer_id")]


def _customer_identities(table: str) -> list[Check]:
    return [*_filled(table, "customer_id"), _known_customers(table)]


def _fct_orders(table: str) -> list[Check]:
    query = "select 1 from {batch} where order_date > (select max(as_of_date) from customer.customer_lifecycle)"
    return [
        *_filled(table, "order_id", "customer_id", "order_date", "is_purchase"),
        unexpected_rows("as_of", "No order of core.fct_orders is after the as-of date", query),
    ]


def _fct_tickets(table: str) -> list[Check]:
    query = "select 1 from {batch} where opened_date > (select max(as_of_date) from customer.customer_lifecycle)"
    return [
        *_filled(table, "ticket_id", "kind", "opened_date", "is_resolved"),
        unexpected_rows("as_of", "No ticket of core.fct_tickets is after the as-of date", query),
    ]


def _customer_rfm(table: str) -> list[Check]:
    return [
        *_filled(table, *COLUMNS[table].split()),
        _unique(table, "customer_id"),
        *(_between(table, score, 1, 5) for score in ("r_score", "f_score", "m_score")),
        _between(table, "frequency", 1, None),
        _between(table, "monetary", 0, None, above=True),
        _between(table, "recency_days", 0, None),
    ]


def _customer_lifecycle(table: str) -> list[Check]:
    return [
        _not_empty(table),
        *_filled(table, "customer_id", "as_of_date", "rung"),
        _unique(table, "customer_id"),
        _known_customers(table),
        unexpected_rows(
            "all_customers",
            f"Every customer of core.dim_customers is in {table}",
            "select 1 from core.dim_customers as known anti join {batch} as batch using (customer_id)",
        ),
        _between(table, "rung", 1, 7),
        unexpected_rows(
            "as_of",
            f"{table} is of one as-of date",
            "select 1 from (select count(distinct as_of_date) as dates from {batch}) where dates > 1",
        ),
    ]


def _nps(table: str) -> list[Check]:
    # The score is empty where there are too few answers to tell; the counts never are.
    parts = "promoters + passives + detractors"
    return [
        *_filled(table, "n_responses", "promoters", "passives", "detractors"),
        _between(table, "nps", -100, 100),
        unexpected_rows(
            "sum", f"{table}.n_responses is {parts}", f"select 1 from {{batch}} where n_responses <> {parts}"
        ),
    ]


def _csat(table: str) -> list[Check]:
    return [
        *_filled(table, "n_responses", "satisfied"),
        _between(table, "csat", 0, 1),
        unexpected_rows(
            "sum", f"{table}.satisfied is at most n_responses", "select 1 from {batch} where satisfied > n_responses"
        ),
    ]


def _ces(table: str) -> list[Check]:
    return [*_filled(table, "n_responses"), _between(table, "ces", 1, 7)]


def _service_levels(table: str) -> list[Check]:
    query = (
        "select 1 from (select count(*) as tickets from core.fct_tickets) as whole left join (select period_grain, "
        "dimension, sum(tickets) as tickets from {batch} group by period_grain, dimension) as parts on true "
        "where whole.tickets <> coalesce(parts.tickets, 0)"
    )
    return [
        *_filled(table, "tickets"),
        _between(table, "sla_share", 0, 1),
        unexpected_rows("sum", "tickets add up to core.fct_tickets in every grain and dimension", query),
    ]


def _repeat_purchase(table: str) -> list[Check]:
    query = (
        "select 1 from (select (select coalesce(sum(customers), 0) from {batch}) as here, (select coalesce("
        "sum(customers), 0) from metrics.retention_cohorts where months_since = 0) as there) where here <> there"
    )
    return [
        *_filled(table, "cohort_month", "customers"),
        _unique(table, "cohort_month"),
        _between(table, "repeat_rate", 0, 1),
        unexpected_rows("sum", "customers add up to those of metrics.retention_cohorts", query),
    ]


def _retention_cohorts(table: str) -> list[Check]:
    return [*_filled(table, "cohort_month", "months_since")]


def _audience_members(table: str) -> list[Check]:
    return [
        *_filled(table, "audience", "customer_id"),
        _unique(table, "audience", "customer_id"),
        unexpected_rows(
            "excluded",
            f"Nobody in {table} is in audiences.audience_exclusions of the same audience",
            "select 1 from {batch} as batch semi join audiences.audience_exclusions as excluded "
            "using (audience, customer_id)",
        ),
    ]


def _audience_exclusions(table: str) -> list[Check]:
    return _filled(table, "audience", "customer_id", "reason")


def _agreements(settings: Settings, table: str) -> list[Check]:
    """What two tables must agree on: money, when both count the same orders."""
    if table != "customer.customer_rfm" or settings.rules.rfm.window_days is not None:
        return []
    query = (
        "select 1 from (select (select coalesce(sum(monetary), 0) from {batch}) as spent, "
        "(select coalesce(sum(net_amount), 0) from core.fct_orders where is_purchase) as sold) where spent <> sold"
    )
    return [unexpected_rows("money", "monetary adds up to net_amount of the purchases in core.fct_orders", query)]


_CHECKS = {
    "core.dim_customers": _dim_customers,
    "core.customer_identities": _customer_identities,
    "core.fct_orders": _fct_orders,
    "core.fct_tickets": _fct_tickets,
    "customer.customer_rfm": _customer_rfm,
    "customer.customer_lifecycle": _customer_lifecycle,
    "metrics.nps": _nps,
    "metrics.csat": _csat,
    "metrics.ces": _ces,
    "metrics.service_levels": _service_levels,
    "metrics.retention_cohorts": _retention_cohorts,
    "metrics.repeat_purchase": _repeat_purchase,
    "audiences.audience_members": _audience_members,
    "audiences.audience_exclusions": _audience_exclusions,
}

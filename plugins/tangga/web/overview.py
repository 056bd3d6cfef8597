"""The first page: how things stand, and what has changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from tangga.audiences import Audience
from tangga.web import charts, look, registry
from tangga.web.published import Open, reading

router = APIRouter()

SCORES = range(5, 0, -1)
MONTHS = 12
"""How far back cohorts and trends are shown; the warehouse has the rest."""


@router.get("/")
def overview(request: Request, published: Annotated[Open, Depends(reading)]) -> HTMLResponse:
    return look.page(request, "overview.html", here="overview", **published.once("overview", figures))


def figures(published: Open) -> dict[str, Any]:
    """All that the page shows, of one version."""
    as_of = date.fromisoformat(published.version.as_of_date)
    month_end = as_of.replace(day=1) - timedelta(days=1)
    days = {"as_of": as_of, "month_end": month_end}
    entries = registry.all_entries()
    nps = _months(published, "nps")
    cohorts = _cohorts(published)
    service = _months(published, "service_levels")
    return {
        "as_of": as_of,
        "month_end": month_end,
        "version": published.version,
        "sources": published.rows("select * from metrics.source_freshness order by is_stale desc, source, entity"),
        "totals": published.row(TOTALS, {"as_of": as_of}),
        "ladder": _ladder(published, days),
        "segments": published.rows(SEGMENTS),
        "rfm": _rfm(published),
        "nps": nps,
        "nps_now": published.row("select * from metrics.nps where period_grain = 'window' and dimension = 'all'"),
        "nps_chart": charts.trend(
            [row for row in nps if row["nps"] is not None],
            value="nps",
            low="ci_low",
            high="ci_high",
            title="NPS",
            description="Net Promoter Score by month, with its 95 % interval; the table below has the figures.",
        ),
        "service": service,
        "service_chart": charts.trend(
            [row for row in service if row["sla_share"] is not None],
            value="sla_share",
            title="answered in time",
            percent=True,
            description="Share of tickets answered and solved in time, by month; the table below has the figures.",
        ),
        "cohorts": cohorts,
        "months_since": range(1, 1 + max((n for cohort in cohorts for n in cohort["months"]), default=0)),
        "today": published.row(TODAY, {"as_of": as_of}),
        "climbs": published.rows(CLIMBS, {"as_of": as_of}),
        "to_send": _labelled(published.rows(TO_SEND, {"as_of": as_of}), entries),
        "movements": _labelled(published.rows(MOVEMENTS, {"as_of": as_of}), entries),
    }


def _labelled(rows: list[dict[str, Any]], entries: list[Audience]) -> list[dict[str, Any]]:
    return [
        row | {"label": registry.label(row["audience"], registry.entry_of(row["audience"], entries))} for row in rows
    ]


def _ladder(published: Open, days: dict) -> list[dict[str, Any]]:
    rungs = published.rows(LADDER, days)
    most = max((rung["customers"] for rung in rungs), default=0) or 1
    everybody = sum(rung["customers"] for rung in rungs) or 1
    return [
        rung | {"width": round(rung["customers"] / most * 100, 1), "share": rung["customers"] / everybody}
        for rung in rungs
    ]


def _rfm(published: Open) -> dict[tuple[int, int], dict[str, Any]]:
    """Recency and frequency -> who is there. `heat` is 0 to 9, by customers."""
    cells = published.rows(RFM)
    most = max((cell["customers"] for cell in cells), default=0) or 1
    return {
        (cell["r_score"], cell["f_score"]): cell | {"heat": min(9, int(cell["customers"] / most * 9.99))}
        for cell in cells
    }


def _cohorts(published: Open) -> list[dict[str, Any]]:
    """The newest cohorts, each with its months; `heat` is 0 to 9, by the share of those who came back."""
    cohorts: dict[Any, dict[str, Any]] = {}
    rows = published.rows(COHORTS, {"months": MONTHS})
    most = max((row["retention_rate"] for row in rows if row["months_since"]), default=0) or 1
    for row in rows:
        cohort = cohorts.setdefault(row["cohort_month"], {**row, "months": {}})
        heat = min(9, int(float(row["retention_rate"]) / float(most) * 9.99))
        cohort["months"][row["months_since"]] = {**row, "heat": heat}
    return list(cohorts.values())


def _months(published: Open, table: str) -> list[dict[str, Any]]:
    return published.rows(
        f"select * from metrics.{table} where period_grain = 'month' and dimension = 'all' "
        f"order by period_start desc limit {MONTHS}"
    )[::-1]


TOTALS = """
    select
        (select count(*) from customer.customer_360) as customers,
        (select count(*) from customer.customer_360 where is_contactable_by_email) as contactable,
        (select count(*) from customer.customer_360 where is_at_risk) as at_risk,
        sum(net_amount) filter (order_date > $as_of - 30) as net_value,
        sum(net_amount) filter (order_date <= $as_of - 30) as net_value_before,
        count(*) filter (order_date > $as_of - 30) as orders,
        count(*) filter (order_date <= $as_of - 30) as orders_before
    from core.fct_orders
    where is_purchase and order_date > $as_of - 60 and order_date <= $as_of
"""

LADDER = """
    with now as (
        select rung, rung_name, count(*) as customers from customer.customer_lifecycle group by all
    ),

    before as (
        select rung, rung_name, count(*) as customers
        from customer.customer_lifecycle_history
        where valid_from <= $month_end and (valid_to is null or valid_to > $month_end)
        group by all
    )

    select
        coalesce(now.rung, before.rung) as rung,
        coalesce(now.rung_name, before.rung_name) as rung_name,
        coalesce(now.customers, 0) as customers,
        coalesce(before.customers, 0) as customers_before,
        coalesce(now.customers, 0) - coalesce(before.customers, 0) as movement
    from now
    full join before on now.rung = before.rung
    where $as_of > $month_end
    order by rung desc
"""

RFM = """
    with counted as (
        select r_score, f_score, segment, count(*) as customers, sum(monetary) as net_value
        from customer.customer_rfm
        where r_score is not null and f_score is not null
        group by all
    )

    select
        r_score,
        f_score,
        sum(customers) as customers,
        sum(net_value) as net_value,
        string_agg(segment, ', ' order by customers desc, segment) as segments,
        first(segment order by customers desc, segment) as segment
    from counted
    group by all
"""

SEGMENTS = """
    with last_month as (
        select to_segment, from_segment, customers
        from metrics.segment_movements
        where month = (select max(month) from metrics.segment_movements)
    ),

    moved as (
        select segment, sum(came) as came, sum(went) as went
        from (
            select to_segment as segment, customers as came, 0 as went from last_month where from_segment <> to_segment
            union all
            select from_segment, 0, customers from last_month where from_segment <> to_segment
        )
        group by segment
    )

    select rfm.segment, count(*) as customers, sum(rfm.monetary) as net_value, any_value(came) as came,
        any_value(went) as went
    from customer.customer_rfm as rfm
    left join moved on rfm.segment = moved.segment
    group by rfm.segment
    order by net_value desc, rfm.segment
"""

COHORTS = """
    select cohort_month, months_since, customers, retained, retention_rate
    from metrics.retention_cohorts
    where retention_rate is not null
        and months_since <= $months
        and cohort_month in (
            select distinct cohort_month from metrics.retention_cohorts order by cohort_month desc limit $months
        )
    order by cohort_month, months_since
"""

TODAY = """
    select
        (select count(*) from core.dim_customers where first_seen_date = $as_of) as new_customers,
        (select count(*) from core.fct_orders where is_purchase and order_date = $as_of) as orders,
        (select sum(net_amount) from core.fct_orders where is_purchase and order_date = $as_of) as net_value,
        (select count(*) from core.fct_tickets where opened_date = $as_of) as tickets,
        (select count(*) from core.fct_survey_responses where answer_date = $as_of) as answers
"""

CLIMBS = """
    select previous_rung_name, rung_name, count(*) as customers
    from customer.customer_lifecycle_history
    where valid_from = $as_of and previous_rung is not null and previous_rung <> rung
    group by previous_rung, previous_rung_name, rung, rung_name
    order by customers desc, previous_rung, rung
"""

TO_SEND = """
    select audience, due
    from audiences.audience_sizes
    where as_of_date = $as_of and due > 0
    order by due desc, audience
"""

MOVEMENTS = """
    select audience, previous_date, n_entered, n_left
    from audiences.audience_movements
    where as_of_date = $as_of and n_entered + n_left > 0
    order by n_entered + n_left desc, audience
"""

"""The door to publishing, second part: what tables must agree on with each other.

A table can be right by itself and wrong beside another. Each agreement is a query over the finished marts that finds
a row only where it is broken; those about one thing are one result. Agreements are asked in every build: none reads the
largest facts row by row.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from expectations import gate, known_days, sums
from expectations.checks import Check, GateResult, nothing_found
from tangga.engine import literal
from tangga.settings import Settings

ONE_ROW_EACH = ("360", "journey", "lifecycle", "preferences", "value")
"""The tables `customer.customer_<name>` that have one row for every customer."""


def check(settings: Settings, database: Path) -> list[GateResult]:
    """Judge the tables of a DuckDB file that dbt has built against each other: one result for each thing.

    `database` must not be open for writing in any other process. Needs a file that `marts.check` lets through.
    """
    day = known_days.as_of(database)
    return [
        gate.run(
            settings,
            "marts",
            day or "undated",
            f"agreements.{name}",
            {"select 1 as one": checks},
            database=database,
            where=str(database),
            remedy="Nothing is published; find out which of the tables is wrong, correct its model and build again.",
        )
        for name, checks in asked(settings, database, day).items()
        if checks
    ]


def asked(settings: Settings, database: Path, day: date | None) -> dict[str, list[Check]]:
    """What is asked of a file of a day, by what it is about; what needs the day is not asked without one."""
    return {
        "customers": [*_customers(), *_ladder(), *_segments(settings, day)],
        "money": sums.money(),
        "feedback": sums.feedback(),
        "time": [*sums.cohorts(), *sums.service()],
        "affinity": sums.affinity(),
        "audiences": _audiences(day),
        "days": known_days.checks(settings, database, day),
        "history": known_days.no_fewer_rows(settings, day),
    }


def _one_row_each(table: str, whom: str, sentence: str) -> Check:
    """`whom` is a relation of the customers that `table` has one row for."""
    counted = f"select customer_id, count(*) as n from {table} group by customer_id"
    query = (
        f"select 1 from ({whom}) as whom full join ({counted}) as here using (customer_id) "
        "where whom.customer_id is null or here.n is distinct from 1"
    )
    return nothing_found("one_row_each", sentence, query)


def _customers() -> list[Check]:
    known = "select customer_id from core.dim_customers"
    tables = [f"customer.customer_{name}" for name in ONE_ROW_EACH]
    copied = (
        "select 1 from customer.customer_360 as all_of_it "
        "inner join customer.customer_lifecycle as lifecycle using (customer_id) "
        "inner join customer.customer_journey as journey using (customer_id) "
        "inner join customer.customer_value as value using (customer_id) "
        "left join customer.customer_rfm as rfm using (customer_id) "
        "where all_of_it.rung is distinct from lifecycle.rung or all_of_it.segment is distinct from rfm.segment "
        "or all_of_it.journey_stage is distinct from journey.stage or all_of_it.orders is distinct from value.orders "
        "or all_of_it.net_value is distinct from value.net_value"
    )
    whys = ("rung_why", "segment_why", "journey_why", "sieve_why", "satisfaction_why")
    return [
        *(
            _one_row_each(table, known, f"Every customer has one row in {table}, and nobody else has")
            for table in tables
        ),
        nothing_found("copied", "customer_360 says what the tables say that it is made from", copied),
        _words("customer.customer_360", *whys),
        _words("customer.customer_lifecycle", "reason"),
        _words("customer.customer_recommendations", "why"),
    ]


def _words(table: str, *columns: str) -> Check:
    blank = " or ".join(f"coalesce(trim({column}), '') = ''" for column in columns)
    sentence = f"{', '.join(columns)} of {table} {'are' if len(columns) > 1 else 'is'} never without words"
    return nothing_found("words", sentence, f"select 1 from {table} where {blank}")


def _ladder() -> list[Check]:
    named = "select 1 from customer.customer_lifecycle anti join rules.lifecycle_rungs using (rung, rung_name)"
    bought = (
        "select 1 from customer.customer_lifecycle inner join customer.customer_value using (customer_id) "
        "where (rung >= 3) is distinct from (orders > 0) or (rung >= 3) is distinct from (purchase_days > 0)"
    )
    return [
        nothing_found("rungs", "Rungs have the names of the seed lifecycle_rungs", named),
        nothing_found("bought", "Who bought stands on rung 3 or higher, and nobody else does", bought),
    ]


def _segments(settings: Settings, day: date | None) -> list[Check]:
    days, scheme = settings.rules.rfm.window_days, settings.rules.rfm.scheme
    window = f"and order_date > date '{day}' - interval {days} day" if day and days else ""
    buyers = f"select distinct customer_id from core.fct_orders where is_purchase {window}"
    cells = (
        "select 1 from customer.customer_rfm as rfm anti join intermediate.int_rfm_segment_map as cells "
        f"on cells.scheme = {literal(scheme)} and cells.r = rfm.r_score and cells.f = rfm.f_score "
        "and cells.m = rfm.m_score and cells.segment = rfm.segment_by_scores"
    )
    sentence = "Everybody who bought within the window has one row in customer.customer_rfm, and nobody else has"
    return [
        _one_row_each("customer.customer_rfm", buyers, sentence),
        nothing_found("segments", "Segments by scores are those of their cells in the scheme", cells),
    ]


def _audiences(day: date | None) -> list[Check]:
    counted = " full join ".join(
        f"(select audience, count(*) as {name} from audiences.audience_{name} group by audience) as of_{name}"
        + (" using (audience)" if name != "candidates" else "")
        for name in ("candidates", "members", "exclusions")
    )
    left_over = (
        f"select 1 from {counted} where coalesce(candidates, 0) <> coalesce(members, 0) + coalesce(exclusions, 0)"
    )
    sizes = (
        f"select 1 from {counted} full join (select audience, members as size, excluded from audiences.audience_sizes "
        f"where as_of_date = '{day}') as sizes using (audience) where size is distinct from coalesce(members, 0) "
        "or excluded is distinct from coalesce(exclusions, 0)"
    )
    unknown = (
        "select 1 from (select distinct customer_id from audiences.audience_members) as members "
        "anti join core.dim_customers using (customer_id)"
    )
    return [
        nothing_found("sums", "Whoever belongs to an audience is a member or left out, and nobody else is", left_over),
        *([nothing_found("sums", "audiences.audience_sizes counts members and those left out", sizes)] if day else []),
        nothing_found("known", "Every member of an audience is a customer", unknown),
        _words("audiences.audience_members", "why"),
        _words("audiences.audience_exclusions", "reason"),
    ]

"""One audience: its rule, who is in it and why, who is not and why, and what is written to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse

from tangga.audiences import CampaignAudience
from tangga.campaigns import Campaign, render
from tangga.web import access, look, registry
from tangga.web.audiences_page import TREND_DAYS, spark
from tangga.web.published import Open, company, reading

router = APIRouter()

Name = Annotated[str, Path(pattern=r"^[a-z0-9_]+$")]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
A_PAGE = 25


@router.get("/audiences/{name}")
def audience(
    request: Request, name: Name, published: Annotated[Open, Depends(reading)], page: PageNumber = 1
) -> HTMLResponse:
    """With members that cannot be told apart."""
    return _page(request, name, published, page, is_open=False)


@router.get("/audiences/{name}/people", dependencies=access.noted("tangga_audience_people"))
def audience_people(
    request: Request, name: Name, published: Annotated[Open, Depends(reading)], page: PageNumber = 1
) -> HTMLResponse:
    """With names and addresses: for those who may see persons, and written to the audit log."""
    return _page(request, name, published, page, is_open=True)


def _page(request: Request, name: str, published: Open, page: int, *, is_open: bool) -> HTMLResponse:
    found = published.once(f"audience {name}", lambda opened: _about(opened, name))
    if found is None:
        raise HTTPException(404, "There is no such audience.")
    pages = max(1, -(-found["size"]["members"] // A_PAGE))
    page = min(page, pages)
    members = _members(published, name, page)
    return look.page(
        request, "audience.html", here="audiences", **found, members=members, number_of_page=page, pages=pages,
        is_open=is_open,
    )  # fmt: skip


def _members(published: Open, name: str, page: int) -> list[dict[str, Any]]:
    members = published.rows(MEMBERS, {"audience": name, "rows": A_PAGE, "before": (page - 1) * A_PAGE})
    ids = {f"id{number}": member["customer_id"] for number, member in enumerate(members)}
    if not ids:
        return []
    known = published.rows(WHO.format(ids=", ".join(f"${name}" for name in ids)), ids)
    people = {person["customer_id"]: person for person in known}
    return [member | people[member["customer_id"]] for member in members]


def _about(published: Open, name: str) -> dict[str, Any] | None:
    """What is the same for every page of members; None when there is no such audience."""
    size = published.row(SIZE, {"audience": name})
    if size is None:
        return None
    entries, settings = registry.all_entries(), company()
    entry = registry.entry_of(name, entries)
    label = registry.label(name, entry)
    campaign = registry.campaign_of(settings, entry) if entry else None
    trend = published.rows(TREND, {"audience": name, "days": TREND_DAYS})
    labels = {
        row["audience"]: registry.label(row["audience"], registry.entry_of(row["audience"], entries))
        for row in published.rows("select distinct audience from audiences.audience_sizes")
    }
    return {
        "name": name,
        "label": label,
        "labels": labels,
        "entry": entry,
        "size": size,
        "rule": registry.rule(settings, entry) if entry else None,
        "sends": isinstance(entry, CampaignAudience),
        "campaign": campaign,
        "subjects": _subjects(campaign) if campaign else {},
        "trend": trend[::-1],
        "spark": spark(label, [(row["as_of_date"], row["members"]) for row in trend]),
        "exclusions": _with_widths(published.rows(EXCLUSIONS, {"audience": name})),
        "overlap": published.rows(OVERLAP, {"audience": name}),
        "steps": published.rows(STEPS, {"audience": name}),
        "uplift": published.rows(
            "select * from metrics.audience_uplift where audience = $audience order by measure, days",
            {"audience": name},
        ),
    }


def _subjects(campaign: Campaign) -> dict[tuple[int, str], str]:
    """(step, language) -> its subject with examples, or as it is written where that cannot be made."""
    subjects = {}
    for step in campaign.steps:
        for language in campaign.languages:
            try:
                subjects[step.number, language] = render.message(company(), campaign, step, language).subject
            except render.RenderError:
                subjects[step.number, language] = step.subject[language]
    return subjects


def _with_widths(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max((row["customers"] for row in rows), default=0) or 1
    return [row | {"width": round(row["customers"] / most * 100, 1)} for row in rows]


SIZE = """
    select sizes.*, movements.n_entered, movements.n_left, movements.previous_date
    from audiences.audience_sizes as sizes
    left join audiences.audience_movements as movements
        on sizes.audience = movements.audience and sizes.as_of_date = movements.as_of_date
    where sizes.audience = $audience and sizes.as_of_date = (select max(as_of_date) from audiences.audience_sizes)
"""

TREND = """
    select sizes.as_of_date, sizes.members, sizes.excluded, movements.n_entered, movements.n_left
    from audiences.audience_sizes as sizes
    left join audiences.audience_movements as movements
        on sizes.audience = movements.audience and sizes.as_of_date = movements.as_of_date
    where sizes.audience = $audience
        and sizes.as_of_date > (select max(as_of_date) from audiences.audience_sizes) - $days
    order by sizes.as_of_date
"""

# Tables are published in the order of their rows (publish), so that no page needs to sort a million members.
MEMBERS = """
    select customer_id, why, entered_on, step, template, is_due, postponed_why
    from audiences.audience_members
    where audience = $audience
    limit $rows offset $before
"""

# Asked for by their ids, as DuckDB would read whole tables to join a few rows with them.
WHO = """
    select customers.customer_id, customers.first_name, customers.last_name, customers.email, lifecycle.rung_name,
        rfm.segment
    from (select * from core.dim_customers where customer_id in ({ids})) as customers
    left join (select * from customer.customer_lifecycle where customer_id in ({ids})) as lifecycle
        on customers.customer_id = lifecycle.customer_id
    left join (select * from customer.customer_rfm where customer_id in ({ids})) as rfm
        on customers.customer_id = rfm.customer_id
"""

EXCLUSIONS = """
    select reason, outranked_by, count(*) as customers
    from audiences.audience_exclusions
    where audience = $audience
    group by all
    order by customers desc, reason, outranked_by
"""

OVERLAP = """
    select other_audience, customers, share
    from audiences.audience_overlap
    where audience = $audience and customers > 0
    order by customers desc, other_audience
    limit 12
"""

STEPS = """
    select step, count(*) as members, count(*) filter (is_due) as due
    from audiences.audience_members
    where audience = $audience and step is not null
    group by step
    order by step
"""

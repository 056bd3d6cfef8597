"""One audience: its rule, who is in it and why, who is not and why, and what is written to them."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse

from tangga.audiences import CampaignAudience
from tangga.campaigns import Campaign, render
from tangga.web import access, deliveries, look, registry
from tangga.web.audiences_page import TREND_DAYS, spark
from tangga.web.published import Open, company, reading

router = APIRouter()

Name = Annotated[str, Path(pattern=r"^[a-z0-9_]+$")]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Why = Annotated[str | None, Query(pattern=r"^[0-9a-f]{8}$")]
A_PAGE = 25
REASONS = 20
"""How many reasons are listed; the rarest are not."""


@router.get("/audiences/{name}")
def audience(
    request: Request, name: Name, published: Annotated[Open, Depends(reading)], page: PageNumber = 1, why: Why = None
) -> HTMLResponse:
    """With members that cannot be told apart."""
    return _page(request, name, published, page, why, is_open=False)


@router.get("/audiences/{name}/people", dependencies=access.noted("tangga_audience_people"))
def audience_people(
    request: Request, name: Name, published: Annotated[Open, Depends(reading)], page: PageNumber = 1, why: Why = None
) -> HTMLResponse:
    """With names and addresses: for those who may see persons, and written to the audit log."""
    return _page(request, name, published, page, why, is_open=True)


def _page(request: Request, name: str, published: Open, page: int, why: str | None, *, is_open: bool) -> HTMLResponse:
    """`why` names one of the reasons, so that no free text is in a URL."""
    found = published.once(f"audience {name}", lambda opened: _about(opened, name))
    if found is None:
        raise HTTPException(404, "There is no such audience.")
    reason = next((reason for reason in found["reasons"] if reason["id"] == why), None)
    if why and reason is None:
        raise HTTPException(404, "Nobody is in this audience for that reason any more.")
    members = reason["members"] if reason else found["size"]["members"]
    pages = max(1, -(-members // A_PAGE))
    page = min(page, pages)
    delivered = deliveries.everything()
    return look.page(
        request, "audience.html", here="audiences", **found, members=_members(published, name, page, reason),
        reason=reason, number_of_page=page, pages=pages, is_open=is_open, stands=delivered.of_list(name),
        down=delivered.down,
    )  # fmt: skip


def _members(published: Open, name: str, page: int, reason: dict[str, Any] | None) -> list[dict[str, Any]]:
    values = {"audience": name, "rows": A_PAGE, "before": (page - 1) * A_PAGE}
    if reason:
        members = published.rows(MEMBERS.format(only=f"and {KIND} = $reason"), values | {"reason": reason["reason"]})
    else:
        members = published.rows(MEMBERS.format(only=""), values)
    ids = {f"id{number}": member["customer_id"] for number, member in enumerate(members)}
    if not ids:
        return []
    known = published.rows(WHO.format(ids=", ".join(f"${name}" for name in ids)), ids)
    people = {person["customer_id"]: person for person in known}
    return [member | people[member["customer_id"]] for member in members]


def _reasons(published: Open, name: str) -> list[dict[str, Any]]:
    """Why members are in an audience, whatever the numbers and days in it are; each with what it is called in a URL."""
    reasons = _with_widths(published.rows(REASONS_OF, {"audience": name, "rows": REASONS}), "members")
    return [row | {"id": hashlib.sha256(row["reason"].encode()).hexdigest()[:8]} for row in reasons]


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
        "reasons": _reasons(published, name),
        "exclusions": _with_widths(published.rows(EXCLUSIONS, {"audience": name}), "customers"),
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


def _with_widths(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    most = max((row[name] for row in rows), default=0) or 1
    return [row | {"width": round(row[name] / most * 100, 1)} for row in rows]


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
    where audience = $audience {only}
    limit $rows offset $before
"""

KIND = r"""regexp_replace(
    regexp_replace(why, '[0-9]([0-9.,:-]*[0-9])?', '…', 'g'), '… (day|order|purchase)\b', '… \1s', 'g')"""
"""Why, without its numbers: one day and two days are the same reason."""

REASONS_OF = f"""
    select {KIND} as reason, cast(sum(members) as bigint) as members
    from (select why, count(*) as members from audiences.audience_members where audience = $audience group by why)
    group by reason
    order by members desc, reason
    limit $rows
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

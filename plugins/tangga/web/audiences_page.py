"""The list of audiences: what they are for, how large they are, and how that has changed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from tangga.audiences import CampaignAudience
from tangga.web import charts, deliveries, look, registry
from tangga.web.published import Open, reading

router = APIRouter()

TREND_DAYS = 90


@router.get("/audiences")
def audiences(request: Request, published: Annotated[Open, Depends(reading)]) -> HTMLResponse:
    found = published.once("audiences", everything)
    return look.page(request, "audiences.html", here="audiences", **found, delivered=deliveries.everything())


def everything(published: Open) -> dict[str, Any]:
    """Campaigns and lists, those with the most members first."""
    entries, trends = registry.all_entries(), trends_of(published)
    rows = []
    for row in published.rows(NEWEST):
        entry = registry.entry_of(row["audience"], entries)
        name = registry.label(row["audience"], entry)
        rows.append(row | {"label": name, "entry": entry, "spark": spark(name, trends[row["audience"]])})
    sends = [row for row in rows if isinstance(row["entry"], CampaignAudience)]
    return {
        "as_of": date.fromisoformat(published.version.as_of_date),
        "campaigns": sends,
        "lists": [row for row in rows if row not in sends],
        "trend_days": TREND_DAYS,
    }


def trends_of(published: Open) -> dict[str, list[tuple]]:
    """Audience -> (day, members), for the days that were published."""
    trends: dict[str, list[tuple]] = defaultdict(list)
    for row in published.rows(TREND, {"days": TREND_DAYS}):
        trends[row["audience"]].append((row["as_of_date"], row["members"]))
    return trends


def spark(name: str, trend: list[tuple]) -> str:
    """The trend as a line, told in words to who does not see it."""
    if len(trend) < 2:
        return ""
    return charts.sparkline(trend, f"{name}: from {trend[0][1]} members on {trend[0][0]} to {trend[-1][1]}")


NEWEST = """
    select sizes.*, movements.n_entered, movements.n_left, movements.previous_date
    from audiences.audience_sizes as sizes
    left join audiences.audience_movements as movements
        on sizes.audience = movements.audience and sizes.as_of_date = movements.as_of_date
    where sizes.as_of_date = (select max(as_of_date) from audiences.audience_sizes)
    order by sizes.members desc, sizes.audience
"""

TREND = """
    select audience, as_of_date, members
    from audiences.audience_sizes
    where as_of_date > (select max(as_of_date) from audiences.audience_sizes) - $days
    order by audience, as_of_date
"""

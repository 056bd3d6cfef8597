"""How pages look: templates, and the words for numbers and days in them."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tangga.activation.standing import Standing
from tangga.web.published import company

HERE = Path(__file__).parent
NOTHING = "–"
PREFIX = "/crm"
"""Where the page lies below Airflow."""
TYPES = {".css": "text/css", ".js": "text/javascript"}


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, filled in. Every template knows the company, where the page lies, and whether persons may be shown."""
    root = request.scope.get("root_path", "")
    filled = (
        _environment()
        .get_template(template)
        .render(
            values,
            company=company().business,
            root=root,
            airflow=root.removesuffix(PREFIX),
            asset=lambda name: f"{root}/assets/{name}?{_digest(name)}",
            may_see_persons=getattr(request.state, "may_see_persons", False),
        )
    )
    return HTMLResponse(filled, status)


@lru_cache
def asset(name: str) -> str | None:
    """The text of a style sheet or script, None when there is no such."""
    path = HERE / "assets" / name
    return path.read_text(encoding="utf-8") if path.name == name and path.suffix in TYPES and path.is_file() else None


@lru_cache
def _digest(name: str) -> str:
    return hashlib.sha256((asset(name) or "").encode()).hexdigest()[:8]


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "money": money,
        "share": share,
        "signed": signed,
        "percent_change": percent_change,
        "day": day,
        "month": month,
        "moment": moment,
        "masked": masked,
        "words": words,
        "capital": capital,
        "agreed": agreed,
    }
    return environment


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """1234.5 -> `1,234`; nothing is a dash."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def money(value: float | Decimal | None) -> str:
    """Short, for amounts of any currency: 12,345,678 -> `12.3 M`."""
    if value is None:
        return NOTHING
    for limit, letter in ((1_000_000_000, "bn"), (1_000_000, "M"), (10_000, "k")):
        if abs(value) >= limit:
            return f"{float(value) / min(limit, 1_000 if letter == 'k' else limit):,.1f} {letter}"
    return f"{value:,.0f}"


def share(value: float | Decimal | None, digits: int = 0) -> str:
    """0.123 -> `12 %`."""
    return NOTHING if value is None else f"{float(value) * 100:.{digits}f} %"


def signed(value: float | Decimal | None, digits: int = 0) -> str:
    """12 -> `+12`, -3 -> `−3`, with the sign that is as wide as the plus."""
    if value is None:
        return NOTHING
    return f"{value:+,.{digits}f}".replace("-", "−") if round(value, digits) else "±0"


def percent_change(value: float | Decimal) -> str:
    """0.123 -> `+12 %`."""
    return f"{signed(float(value) * 100)} %"


def day(value: date | None) -> str:
    """`20 May 2026`."""
    return NOTHING if value is None else f"{value.day} {value:%b %Y}"


def month(value: date | None) -> str:
    """`May 2026`."""
    return NOTHING if value is None else f"{value:%b %Y}"


def moment(value: datetime | None) -> str:
    """An instant (UTC, as the warehouse has them) on the clock of the business."""
    if value is None:
        return NOTHING
    local = value.replace(tzinfo=UTC).astimezone(ZoneInfo(company().business.time_zone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def masked(value: str | None) -> str:
    """`ani@example.com` -> `a•••@e•••`: enough to see that there is one."""
    if not value:
        return NOTHING
    local, at, domain = value.partition("@")
    return f"{local[:1]}•••@{domain[:1]}•••" if at else f"{value[:1]}•••"


def words(name: str | None) -> str:
    """`rfm_cant_lose_them` -> `rfm cant lose them`."""
    return NOTHING if name is None else name.replace("_", " ")


def capital(sentence: str) -> str:
    """`the ledger ...` -> `The ledger ...`."""
    return sentence[:1].upper() + sentence[1:]


def agreed(one: Standing) -> str:
    """Who agreed to a plan, and when, as far as somebody had to."""
    said = one.decisions[0] if one.decisions else None
    if one.delivery and not one.delivery["approval"].startswith("approved"):
        return one.delivery["approval"]
    return f"{said['decided_by']}, {moment(said['decided_at'])}" if said and said["decision"] == "approved" else NOTHING

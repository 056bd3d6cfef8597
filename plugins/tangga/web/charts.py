"""Charts as SVG, drawn here: Vega-Lite (Altair) without a browser and without a network.

Colours are CSS variables, so that one drawing serves the light and the dark theme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 340, 170
SPARK_WIDTH, SPARK_HEIGHT = 96, 24

_LOOK = {
    "background": "transparent",
    "aria": False,  # a picture with one name, which `_svg` gives it
    "font": "inherit",
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--quiet)",
        "titleColor": "var(--quiet)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
}


def trend(
    rows: Sequence[dict[str, Any]],
    *,
    value: str,
    title: str,
    low: str | None = None,
    high: str | None = None,
    percent: bool = False,
    description: str,
) -> Markup:
    """A line over the months of `rows` (`period_start`), with a band from `low` to `high`.

    `description` is what somebody hears who does not see it. Months without a value are gaps.
    """
    import altair  # half a second, which a server that shows no chart need not wait for

    names = [name for name in (value, low, high) if name]
    data = [
        {"period_start": row["period_start"].isoformat()} | {name: _plain(row[name]) for name in names} for row in rows
    ]
    base = altair.Chart(altair.Data(values=data), width=WIDTH, height=HEIGHT).encode(
        x=altair.X("period_start:T", title=None, axis=altair.Axis(format="%b %y", tickCount=5, grid=False))
    )
    axis = altair.Axis(format="%" if percent else "d", tickCount=5)
    scale = altair.Scale(domain=[0, 1]) if percent else altair.Undefined
    y = altair.Y(f"{value}:Q", title=title, axis=axis, scale=scale)
    drawn = [
        base.mark_line(color="var(--accent)", strokeWidth=2, point={"size": 22, "color": "var(--accent)"}).encode(y)
    ]
    if low and high:
        band = base.mark_area(color="var(--accent)", opacity=0.18).encode(
            altair.Y(f"{low}:Q", title=title, axis=axis, scale=scale), altair.Y2(f"{high}:Q")
        )
        drawn.insert(0, band)
    return _svg(altair.layer(*drawn).to_dict(), description)


def _svg(spec: dict[str, Any], description: str) -> Markup:
    """One picture with one name: the table behind it says the rest."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec | {"config": _LOOK}, allowed_base_urls=[])
    opening, _, rest = svg.partition(">")
    label = f' role="img" aria-label="{escape(description)}" preserveAspectRatio="xMidYMid meet"'
    parts = re.sub(r' (role="graphics-|aria-roledescription=")[^"]*"', "", rest)
    return Markup(f"{opening}{label}><title>{escape(description)}</title>{parts}")


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def sparkline(days: Sequence[tuple[date, int | Decimal]], description: str) -> Markup:
    """A line without axes, from zero to the most; a dot where it ends."""
    if not days:
        return Markup()
    first, most = days[0][0], max(float(value) for _, value in days) or 1
    span = (days[-1][0] - first).days or 1
    points = [
        (
            round(2 + (day - first).days / span * (SPARK_WIDTH - 6), 1) if len(days) > 1 else SPARK_WIDTH - 4,
            round(SPARK_HEIGHT - 3 - float(value) / most * (SPARK_HEIGHT - 6), 1),
        )
        for day, value in days
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    x, y = points[-1]
    return Markup(
        f'<svg class="spark" role="img" aria-label="{escape(description)}" width="{SPARK_WIDTH}" '
        f'height="{SPARK_HEIGHT}" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"><title>{escape(description)}</title>'
        f'<polyline points="{line}"/><circle cx="{x}" cy="{y}" r="2.5"/></svg>'
    )

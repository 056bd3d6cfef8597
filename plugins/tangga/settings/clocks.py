"""Whether a time zone is one that a country keeps: by its clocks, because zones have many names."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

_MONTHS = [datetime(2025, month, 15, tzinfo=UTC) for month in range(1, 13)]
"""A year's worth of moments that tell summer time, too."""


def zones_of(country: str) -> list[str]:
    """The IANA zones of an ISO 3166 country; none when there is no such country."""
    lines = files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return sorted(zone for code, _, zone, *_ in rows if code == country)


def is_kept_in(country: str, zone: str) -> bool:
    """Whether some clock of the country always shows what one in `zone` shows."""
    return any(_shows(other) == _shows(zone) for other in zones_of(country))


def _shows(zone: str) -> list[str]:
    return [moment.astimezone(ZoneInfo(zone)).isoformat() for moment in _MONTHS]

"""Figures of a check as a person reads them."""

from __future__ import annotations

from expectations.checks import CheckResult

_SHARES = ("rejects", "later_rows", "emptied")
_DROPS = ("volume", "volume_dip")


def count(value: object) -> str:
    """8802 -> '8,802'; what is no number as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}"


def instant(text: str) -> str:
    """'2026-05-20T16:59:58.123' -> '2026-05-20 16:59 UTC'."""
    return f"{text[:16].replace('T', ' ')} UTC"


def observed(check: CheckResult) -> str:
    """What the gate saw: a count, a share, a number of days, or why it saw nothing."""
    seen = check.observed
    if "error" in seen:
        return f"could not be evaluated ({seen['error']})"
    if "missing_columns" in seen:
        return f"missing: {seen['missing_columns']}"
    if "unexpected" in seen:
        of = f" of {count(seen['of'])}" if "of" in seen else ""
        return f"{count(seen['unexpected'])}{of} break it"
    return _found(check.name, seen["found"]) if "found" in seen else "nothing"


def _found(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name in _SHARES:
        return f"{value:.1%}"
    if name in _DROPS:
        return f"{value:.1%} fewer than usual" if value > 0 else f"{-value:.1%} more than usual"
    if name == "volume_growth":
        return f"{value:.2f} times as many"
    if name == "freshness":
        return f"{value:.1f} days older" if value > 0 else f"{-value:.1f} days newer"
    return count(value)

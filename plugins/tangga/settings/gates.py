"""The checks of the inbound gate by name: how severe each is, and how far a user may loosen it.

`off` does not ask at all, `warn` says so and goes on, `stop` lets nothing be built on the partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Severity = Literal["off", "warn", "stop"]
LEVELS: tuple[Severity, ...] = ("off", "warn", "stop")


class GateCheck(NamedTuple):
    """`severity` holds unless an entity says otherwise; `loosest` is as far as it may go."""

    severity: Severity
    loosest: Severity


_ALWAYS = GateCheck("stop", "stop")
_USUALLY = GateCheck("warn", "off")

CHECKS: dict[str, GateCheck] = {
    # Without these nobody knows what the models would be built on.
    "landed": _ALWAYS,
    "columns": _ALWAYS,
    "complete": _ALWAYS,
    "row_count": _ALWAYS,
    "required": _ALWAYS,
    "allowed": _ALWAYS,
    "limits": _ALWAYS,
    "stale": _ALWAYS,
    "down": GateCheck("warn", "warn"),
    "missing_days": GateCheck("warn", "warn"),
    "rejects": GateCheck("stop", "warn"),
    "volume": GateCheck("stop", "off"),
    "volume_dip": _USUALLY,
    "volume_growth": _USUALLY,
    "freshness": _USUALLY,
    "history": GateCheck("warn", "warn"),
    "any_of": _USUALLY,
    "scores": _USUALLY,
    "emails": _USUALLY,
    "emptied": _USUALLY,
    "repeated_keys": _USUALLY,
    "later_rows": _USUALLY,
    "new_columns": _USUALLY,
}


def read_severities(given: Any) -> Any:
    """A `gate:` block with its names and severities checked. Raises `ValueError`, in one sentence."""
    if not isinstance(given, dict):
        raise ValueError("give a block of checks, such as {freshness: stop, new_columns: 'off'}")
    unknown = [str(name) for name in given if name not in CHECKS]
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not a check of the gate; use {', '.join(CHECKS)}")
    severities = {name: "off" if level is False else level for name, level in given.items()}  # YAML reads off as false
    wrong = [name for name, level in severities.items() if level not in LEVELS]
    if wrong:
        raise ValueError(f"'{wrong[0]}' can be {', '.join(LEVELS)}")
    return severities


def refuse_loose(entity: str, load: str, severities: Mapping[str, Severity]) -> None:
    """Raises `ValueError` for the first check of an entity that would be looser than is safe."""
    for name, level in severities.items():
        loosest = _loosest(entity, load, name)
        if LEVELS.index(level) < LEVELS.index(loosest):
            allowed = " or ".join(LEVELS[LEVELS.index(loosest) :])
            raise ValueError(f"entities.{entity}.gate.{name}: '{level}' is not safe there; it can only be {allowed}")


def _loosest(entity: str, load: str, name: str) -> Severity:
    # A row of these that is rejected, or gone from a whole list of them, could be the one that says no.
    if entity in ("consents", "messages") and (name == "rejects" or (name == "volume" and load == "snapshot")):
        return "stop"
    return CHECKS[name].loosest

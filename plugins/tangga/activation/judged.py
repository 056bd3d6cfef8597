"""What the outbound gate said of a plan, for whoever is about to send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangga import files
from tangga.activation.landed import ActivationRefused
from tangga.settings import Settings


def verdict(settings: Settings, planned: Mapping[str, Any]) -> str:
    """`pass` or `warn`. Raises `ActivationRefused` when the gate has stopped the plan, or never saw it: a task that
    somebody marks as successful by hand, or passes over, lets nothing through."""
    name = f"plan.{planned['hash'][:16]}"
    kept = files.read_json(settings.home / "gates" / "outbound" / planned["as_of_date"] / f"{name}.json") or {}
    if "verdict" not in kept:
        raise ActivationRefused(
            f"The outbound gate has not judged this plan ({name}), so that nothing is sent; clear 'outbound_gate' of "
            "this run, or trigger crm_activate again."
        )
    if kept["verdict"] not in ("pass", "warn"):
        raise ActivationRefused(
            f"The outbound gate has stopped this plan ({name}); see {settings.gate_pages}, and make a new plan when "
            "what it found is mended."
        )
    return kept["verdict"]

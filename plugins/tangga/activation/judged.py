"""What the outbound gate said of a plan, for whoever is about to send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangga import files
from tangga.activation.landed import ActivationRefused
from tangga.settings import Settings


def verdict(settings: Settings, planned: Mapping[str, Any]) -> str | None:
    """`pass` or `warn`; None when the plan was not judged. Raises `ActivationRefused` when the gate has stopped it: a
    task that somebody marks as successful by hand lets nothing through."""
    name = f"plan.{planned['hash'][:16]}"
    kept = files.read_json(settings.home / "gates" / "outbound" / planned["as_of_date"] / f"{name}.json")
    if kept is None:
        return None
    if kept["verdict"] == "stop":
        raise ActivationRefused(
            f"The outbound gate has stopped this plan ({name}); see {settings.gate_pages}, and make a new plan when "
            "what it found is mended."
        )
    return kept["verdict"]

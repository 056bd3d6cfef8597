"""By what it is told that a plan is still the one that was made, and that somebody has agreed to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from tangga.settings import Settings
from tangga.settings.destinations import PACE


def of_changes(name: str, entry: Mapping) -> str:
    """What a person approves, and what chunks are known by: the changes of one destination. `entry` is what the plan
    says of it."""
    parts = [name, entry["basis"], entry["sha256"], entry["audiences"], entry["emptied"], entry.get("noes", 0)]
    if entry["basis"] is not None:  # of whole lists the counts are other ones when the same is sent again
        parts.append(entry["lists"])
    if "settings" in entry:  # plans of before do not say it
        parts.append(entry["settings"])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def of_settings(settings: Settings, name: str) -> str:
    """Changes with whatever of a destination's settings says who is told what, and where."""
    spec = settings.destinations[name].model_dump_json(exclude=PACE - {"audiences", "when_refused"})
    return hashlib.sha256(spec.encode()).hexdigest()

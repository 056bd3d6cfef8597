"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    OK = "ok"
    WARNING = "warning"  # a run goes on, with less
    FAULT = "fault"  # a run stops


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing, `subject`. `details` are further lines: reasons, counts and places."""

    level: Level
    subject: str
    sentence: str
    details: tuple[str, ...] = ()

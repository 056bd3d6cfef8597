"""What the linter finds: one sentence each, of what is wrong where, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`step` is 0 and `language` empty for what concerns the campaign as a whole."""

    campaign: str
    rule: str
    sentence: str
    step: int = 0
    language: str = ""

    def __str__(self) -> str:
        place = f", step {self.step}" if self.step else ""
        return f"{self.campaign}{place}{f' ({self.language})' if self.language else ''}: {self.sentence}."

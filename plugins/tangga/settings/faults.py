"""What is wrong with `tangga.yml`, a sentence for each fault: the key, and what is allowed there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

UNKNOWN = "is not a setting; check the spelling"

_MESSAGES = {
    "invalid_key": UNKNOWN,
    "extra_forbidden": UNKNOWN,
    "missing": "is missing",
    "string_type": "must be a text; put quotes around it",
    "string_too_short": "is empty",
    "dict_type": "needs a block of keys below it",
    "model_type": "needs a block of keys below it",
    "model_attributes_type": "needs a block of keys below it",
    "union_tag_not_found": "is missing",
    "union_tag_invalid": "is not a type that can be used; use {}",
}


def sentences(path: Path, raw: dict, error: ValidationError, below: Sequence[str] = ()) -> list[str]:
    """A line for each fault of a block `raw`, which lies `below` these keys of the file."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        parts = [*below, *_key(raw, fault["loc"])]
        if fault["type"].startswith("union_tag"):
            parts.append("type")
        key = ".".join(parts) or "(top)"
        message = _MESSAGES.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        types = " or ".join(fault.get("ctx", {}).get("expected_tags", "").replace("'", "").rsplit(", ", 1))
        lines.append(f"{path}: {key}: {message.format(types) if types else message}")
    return lines


def _key(raw: Any, location: tuple[str | int, ...]) -> list[str]:
    """The keys that lead to a fault, without the types by which pydantic chose what to check."""
    parts, block = [], raw
    for part in location:
        here = block.get("type", "files") if isinstance(block, dict) else None
        if part in ("", "[key]") or (part == here and part not in block):
            continue
        parts.append(str(part))
        block = block.get(part) if isinstance(block, dict) else None
    return parts

"""What the manifest of a folder of lists says, and how a list is struck off it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from tangga import files
from tangga.destinations.files.formats import FORMATS


def read(folder: Path) -> dict[str, Any]:
    """What the manifest says; nothing when there is none, or a damaged one, which the next delivery writes anew."""
    return files.read_json(folder / "manifest.json") or {}


def write(folder: Path, manifest: dict[str, Any]) -> None:
    files.write_atomically(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")


def day_of(folder: Path) -> date | None:
    """The day of the newest lists; None when nobody knows."""
    said = read(folder).get("as_of_date")
    return said and date.fromisoformat(said)


def empty_since(folder: Path) -> dict[str, tuple[date, str]]:
    """The lists without anybody, each with the day since which it is, and its file."""
    said = read(folder)
    return {
        name: (date.fromisoformat(entry.get("as_of_date", said["as_of_date"])), entry["file"])
        for name, entry in said.get("audiences", {}).items()
        if not entry["rows"]
    }


def forget(folder: Path, name: str) -> None:
    """Take the files of a list away, then its entry."""
    for form in FORMATS.values():
        (folder / form.path(name)).unlink(missing_ok=True)
    said = read(folder)
    write(folder, {**said, "audiences": {other: entry for other, entry in said["audiences"].items() if other != name}})

"""The certificate of an erasure: what was removed where, and what is still open. It names nobody.

erasures/<id>/certificate.json
              certificate.md      the same, to be read
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tangga import files
from tangga.settings import Settings


def folder(settings: Settings, request_id: str) -> Path:
    return settings.home / "erasures" / request_id


def write(settings: Settings, row: Mapping, found: Mapping[str, int]) -> Path:
    """Write the certificate of a request as it stands; returns the page. `found` counts what was left on purpose."""
    said = {
        "request": row["id"],
        "person": row["person"],
        "reason": row["reason"],
        "state": row["state"],
        **{name: _time(row[name]) for name in ("asked_at", "due_at", "decided_at", "done_at")},
        "decided_by": row["decided_by"],
        "removed": row["removed"],
        "destinations": row["destinations"],
        "left": dict(found),
        "not_covered": not_covered(settings),
    }
    target = folder(settings, row["id"])
    files.write_atomically(target / "certificate.json", json.dumps(said, indent=2) + "\n")
    files.write_atomically(target / "certificate.md", _page(said))
    return target / "certificate.md"


def left(settings: Settings, request_id: str) -> dict[str, int]:
    """What an earlier certificate of the request counted as left."""
    return (files.read_json(folder(settings, request_id) / "certificate.json") or {}).get("left", {})


def not_covered(settings: Settings) -> list[str]:
    """What nothing here can reach, as sentences for whoever has to see to it."""
    lists = [name for name in ("links", "suppressions") if getattr(settings.reference, name)]
    sentences = [
        f"The company's own systems ({', '.join(settings.sources)}): the person stays in them unless they were erased "
        "there; what they deliver of the person is not taken in any more.",
        "Copies of this home: backups, snapshots of its disk or store, older versions of objects in the store.",
        "Copies that people made: downloaded lists, files of the warehouse that somebody still has open.",
        "What others wrote about the person in a text of their own (see 'left').",
        "An Airflow database outside this home: see to it that nobody typed an address into it past the form.",
    ]
    if lists:
        sentences.append(f"The company's own tables that tangga.yml names: {', '.join(lists)}.")
    if settings.ledger.connection:
        sentences.append("The ledger's PostgreSQL: deleted rows leave its files when it next tidies up (vacuum).")
    return sentences


def _page(said: Mapping) -> str:
    lines = [
        f"# Erasure {said['request']}: {said['state']}",
        "",
        "| | |",
        "|---|---|",
        f"| person | `{said['person']}` (keyed hash of what was given) |",
        f"| reason | {said['reason']} |",
        f"| asked | {said['asked_at']} |",
        f"| due | {said['due_at']} |",
        f"| decided | {said['decided_at'] or 'not yet'}, by {said['decided_by'] or 'nobody'} |",
        f"| done | {said['done_at'] or 'not yet'} |",
        "",
        "| removed from | files | rows |",
        "|---|---|---|",
        *(f"| {place} | {counts['files']} | {counts['rows']} |" for place, counts in said["removed"].items()),
        "",
        "| destination | acknowledged |",
        "|---|---|",
        *(f"| {name} | {at or '**open**: it has not acknowledged the erasure'} |" for name, at in _sorted(said)),
        "",
        "Left on purpose: figures of groups, in which nobody can be found, stay as they were published.",
        *(f"{name}: {count}." for name, count in said["left"].items()),
        "",
        "Not covered:",
        "",
        *(f"- {sentence}" for sentence in said["not_covered"]),
        "",
    ]
    return "\n".join(lines)


def _sorted(said: Mapping) -> list[tuple[str, str | None]]:
    return sorted(said["destinations"].items())


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None

"""How plans stand: what has become of each at each destination, as the plan, the outbound gate and the ledger tell it.

It only looks: nothing is written, nobody who delivers waits, and no destination is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from tangga import files, publish
from tangga.activation import approval
from tangga.ledger import Ledger
from tangga.ledger.looking import Tally
from tangga.settings import Settings

State = Literal["planned", "waiting", "running", "sent", "rejected", "stopped", "failed", "void"]

PLANS = 60
"""How many of the newest plans are looked at."""


@dataclass(frozen=True)
class Counts:
    """What a plan changes at a destination, in rows: memberships, and people that the tool is told of."""

    add: int
    remove: int
    update: int


@dataclass(frozen=True)
class Standing:
    """A plan at one destination. `why` is a sentence where the state alone does not say it. `plan` and `entry` are what
    `plan.json` says, of all destinations and of this one, None once the plan is gone; `deliveries` and `decisions` are
    rows of the ledger, the latest first; `gate` is what the outbound gate found, None when it was not asked."""

    destination: str
    plan_hash: str
    as_of_date: date
    at: datetime
    state: State
    why: str
    plan: dict | None
    entry: dict | None
    folder: str
    gate: str | None
    tally: Tally
    deliveries: Sequence[dict]
    decisions: Sequence[dict]

    @property
    def delivery(self) -> dict | None:
        """The latest delivery of it."""
        return self.deliveries[0] if self.deliveries else None

    @property
    def counts(self) -> Counts | None:
        """None once the plan is gone."""
        if not self.entry:
            return None
        lists, told = self.entry["lists"].values(), self.entry["operations"]
        if "replace" in told or self.entry.get("basis", 0) is None:
            return Counts(*(sum(said[name] for said in lists) for name in ("added", "removed", "updated")))
        return Counts(told.get("add", 0), told.get("remove", 0) + told.get("stop", 0), told.get("upsert", 0))

    @property
    def lineage(self) -> dict[str, Any]:
        """code_version, published_version and rules, by the delivery or else by the plan."""
        of_plan, of_delivery = self.plan or {}, self.delivery or {}
        return {
            name: of_delivery.get(kept) or of_plan.get(name)
            for name, kept in (("code_version",) * 2, ("published_version",) * 2, ("rules", "rules_hash"))
        }


@dataclass(frozen=True)
class _Plan:
    folder: str
    said: dict
    made_at: datetime


def everything(settings: Settings, book: Ledger | None) -> list[Standing]:
    """Of each destination the newest plans, also those that only the ledger knows still; the newest first."""
    newest = _plans(settings)
    hashes = {entry["hash"] for made in newest for entry in made.said["destinations"].values() if entry["hash"]}
    deliveries, decisions, tallies, known = defaultdict(list), defaultdict(list), {}, {}
    if book:
        for row in book.recent(hashes):
            deliveries[row["destination"], row["plan_hash"]].append(row)
        hashes |= {plan_hash for _, plan_hash in deliveries}
        for row in book.decisions(hashes):
            decisions[row["destination"], row["plan_hash"]].append(row)
        tallies, known = book.tallies(hashes), book.destinations()
    version = publish.current(settings)
    found: dict[tuple[str, str], Standing] = {}
    for made in newest:
        for name, entry in made.said["destinations"].items():
            key = (name, entry["hash"] or made.said["hash"])
            if key in found:
                continue
            tally = tallies.get(key, Tally())
            gate, stopped = _judged(settings, made.said)
            is_current = version is not None and made.said["published_version"] == version.version
            position = known.get(name, {}).get("position", 0)
            is_void = not is_current or (entry.get("basis") is not None and position != entry["basis"] + tally.done)
            state, why = _state(entry, deliveries[key], decisions[key], stopped, is_void=is_void)
            at = deliveries[key][0]["began_at"] if deliveries[key] else made.made_at
            found[key] = Standing(
                name, key[1], date.fromisoformat(made.said["as_of_date"]), at, state, why, made.said, entry,
                made.folder, gate, tally, deliveries[key], decisions[key],
            )  # fmt: skip
    for key, rows in deliveries.items():
        if rows and key not in found:
            state, why = _delivered(rows[0])
            found[key] = Standing(
                *key, rows[0]["as_of_date"], rows[0]["began_at"], state, why, None, None,
                Path(rows[0]["plan_folder"]).name, rows[0]["gate"], tallies.get(key, Tally()), rows, decisions[key],
            )  # fmt: skip
    return sorted(found.values(), key=lambda one: (one.as_of_date, one.at, one.plan_hash), reverse=True)


def _state(
    entry: dict, deliveries: Sequence[dict], decisions: Sequence[dict], stopped: Sequence[str] | None, *, is_void: bool
) -> tuple[State, str]:
    if deliveries:
        return _delivered(deliveries[0])
    if entry.get("refused"):
        return "failed", entry["refused"]
    if stopped is not None:
        return "stopped", "; ".join(stopped) or "The outbound gate has stopped it."
    said = decisions[0] if decisions else None
    if said and said["decision"] == "rejected":
        nobody = said["decided_by"] == approval.NOBODY
        return "rejected", "Nobody answered in time." if nobody else f"{said['decided_by']} said no."
    if is_void:
        return "void", "Something newer was published or delivered since; a plan made now asks for itself."
    if said and said["expires_at"] and said["expires_at"] < datetime.now(UTC):
        return "void", f"What {said['decided_by']} agreed to has expired."
    return "planned", f"{said['decided_by']} agreed." if said else ""


def _delivered(row: dict) -> tuple[State, str]:
    if row["state"] == "done":
        return "sent", ""
    if row["state"] == "running":
        return "running", ""
    return "failed", row["words"] or "It was killed; what was acknowledged is not sent again."


def _judged(settings: Settings, planned: dict) -> tuple[str | None, list[str] | None]:
    """What the outbound gate said, and, when it has stopped the plan, what it found."""
    file = settings.home / "gates" / "outbound" / planned["as_of_date"] / f"plan.{planned['hash'][:16]}.json"
    kept = files.read_json(file)
    if kept is None:
        return None, None
    failed = [check["description"] for check in kept.get("checks", ()) if not check["success"]]
    return kept["verdict"], [f"It does not hold that {said}." for said in failed] if kept["verdict"] == "stop" else None


def _plans(settings: Settings) -> list[_Plan]:
    """The newest plans, by their day and then by when they were made."""
    found = []
    for path in (settings.home / "state" / "plans").glob("[0-9]*/plan.json"):
        try:
            found.append((path.parent.name[:10], path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # retention let go of it meanwhile
            continue
    read = [_read(path, changed_at) for _, changed_at, path in sorted(found, reverse=True)[:PLANS]]
    return [made for made in read if made]


@lru_cache(maxsize=4 * PLANS)
def _read(path: Path, changed_at: int) -> _Plan | None:
    said = files.read_json(path)
    return said and _Plan(path.parent.name, said, datetime.fromtimestamp(changed_at / 1e9, UTC))

"""Beyond which limits somebody has to agree before a plan is sent: told from its counts alone.

What must never be sent, whoever agrees, is the outbound gate's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from tangga.audiences import Audience
from tangga.settings.rules import Activation

STEP = ":"
"""Stands between the name of an audience and a step of its campaign in the name of a list."""


class ListCounts(NamedTuple):
    """A list at a destination, in people: as it was acknowledged, what the plan changes, and as it would be."""

    before: int
    added: int
    removed: int
    after: int


def beyond(
    lists: Mapping[str, ListCounts],
    entry_of: Callable[[str], Audience],
    rules: Activation,
    *,
    holds_files: bool,
) -> list[str]:
    """A sentence for each limit that a destination's plan is beyond; none: it may go on by itself.

    `entry_of` gives the registry's entry of an audience. Whoever `holds_files` writes to nobody: its lists are filled
    for the first time without being asked about. At other destinations the first connection has to be released.
    """
    fills_first = holds_files and not any(counts.before for counts in lists.values())
    found = []
    for name, counts in sorted(lists.items()):
        audience, _, step = name.partition(STEP)
        entry = entry_of(audience)
        if step:
            members = lists[audience].before if audience in lists else 0
            found += _written_at_once(name, counts.after, members, entry, rules)
        else:
            found += _shrunk(name, counts, entry, rules)
            found += [] if fills_first else _grown(name, counts, entry, rules)
        if rules.max_list_rows is not None and counts.after > rules.max_list_rows:
            found.append(
                f"{name}: would hold {counts.after:,} people, and at most {rules.max_list_rows:,} are expected."
            )
    return found


def _shrunk(name: str, counts: ListCounts, entry: Audience, rules: Activation) -> list[str]:
    if not counts.after and counts.before > rules.emptied_rows:
        return [f"{name}: would be empty, after {counts.before:,} people."]
    if counts.removed > rules.removal_rows and counts.removed > _share(entry.max_removal_share) * counts.before:
        share = _percent(counts.removed, counts.before)
        return [
            f"{name}: {counts.removed:,} of its {counts.before:,} people would leave ({share}, and up to "
            f"{_usual(entry.max_removal_share)} are usual)."
        ]
    return []


def _grown(name: str, counts: ListCounts, entry: Audience, rules: Activation) -> list[str]:
    grown = counts.after - counts.before
    if grown <= rules.growth_rows or grown <= _share(entry.max_growth_share) * counts.before:
        return []
    if not counts.before:
        return [f"{name}: a new list of {counts.after:,} people."]
    return [
        f"{name}: would grow from {counts.before:,} to {counts.after:,} people (by {_percent(grown, counts.before)}, "
        f"and up to {_usual(entry.max_growth_share)} are usual)."
    ]


def _written_at_once(name: str, due: int, members: int, entry: Audience, rules: Activation) -> list[str]:
    """The list of a step has other people each day: what counts is how many of the audience it is at once."""
    if due <= rules.growth_rows or due <= _share(entry.max_growth_share) * members:
        return []
    return [
        f"{name}: {due:,} people would be sent this step on one day, of {members:,} who were in the audience "
        f"(up to {_usual(entry.max_growth_share)} are usual)."
    ]


def _share(share: float) -> Decimal:
    """As it is written in the registry: 0.7 of 10 people are 7, and not a little less."""
    return Decimal(str(share))


def _usual(share: float) -> str:
    return f"{float(_share(share) * 100):g} %"


def _percent(part: int, whole: int) -> str:
    """To a tenth, upwards: what is just beyond a limit is not shown as the limit."""
    return f"{-(-1000 * part // whole) / 10:g} %"

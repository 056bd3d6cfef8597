"""Beyond which limits somebody has to agree before a plan is sent: told from its counts alone.

What must never be sent, whoever agrees, is the outbound gate's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tangga.audiences import Audience, entry_of
from tangga.settings.rules.guards import Activation

STEP = ":"
"""Stands between the name of an audience and a step of its campaign in the name of a list."""


class ListCounts(NamedTuple):
    """A list at a destination, in people: as it was acknowledged, what the plan changes, and as it would be. Of those
    who would be removed, some have said no."""

    before: int
    added: int
    removed: int
    after: int
    said_no: int = 0

    @property
    def of_the_others(self) -> ListCounts:
        """As if those who said no had left already: they leave whoever agrees to the rest."""
        return self._replace(before=self.before - self.said_no, removed=self.removed - self.said_no, said_no=0)


def beyond(
    lists: Mapping[str, ListCounts], registry: Sequence[Audience], rules: Activation, *, holds_files: bool
) -> list[str]:
    """A sentence for each limit that a destination's plan is beyond; none: it may go on by itself.

    Whoever `holds_files` writes to nobody: its lists are filled for the first time without being asked about. At other
    destinations the first connection has to be released. Who said no leaves without being asked about.
    """
    lists = {name: counts.of_the_others for name, counts in lists.items()}
    fills_first = holds_files and not any(counts.before for counts in lists.values())
    found = []
    for name, counts in sorted(lists.items()):
        audience, _, step = name.partition(STEP)
        entry = entry_of(audience, registry)
        # Of an audience that is not in the registry any more nothing is usual.
        leaving, coming = (entry.max_removal_share, entry.max_growth_share) if entry else (0.0, 0.0)
        if step:
            members = lists[audience].before if audience in lists else 0
            found += _written_at_once(name, counts.after, members, coming, rules)
        else:
            found += _shrunk(name, counts, leaving, rules)
            found += [] if fills_first else _grown(name, counts, coming, rules)
        if rules.max_list_rows is not None and counts.after > rules.max_list_rows:
            found.append(
                f"{name}: would hold {counts.after:,} people, and at most {rules.max_list_rows:,} are expected."
            )
    return found


def many_stopped(stopped: int, known: int, rules: Activation) -> list[str]:
    """A sentence when more people at once are told to a tool as having said no than is usual, of those whom it knows:
    what was a mistake cannot be taken back at every tool."""
    if stopped <= rules.stopped_rows or stopped <= _share(rules.max_stopped_share) * known:
        return []
    return [
        f"{stopped:,} of the {known:,} contacts there would be stopped ({_percent(stopped, known)}, and up to "
        f"{_usual(rules.max_stopped_share)} are usual), which not every tool takes back: see that they did say no."
    ]


def _shrunk(name: str, counts: ListCounts, usual: float, rules: Activation) -> list[str]:
    if not counts.after and counts.before > rules.emptied_rows:
        return [f"{name}: would be empty, after {counts.before:,} people."]
    if counts.removed <= rules.removal_rows or counts.removed <= _share(usual) * counts.before:
        return []
    return [
        f"{name}: {counts.removed:,} of its {counts.before:,} people would leave "
        f"({_percent(counts.removed, counts.before)}, and up to {_usual(usual)} are usual)."
    ]


def _grown(name: str, counts: ListCounts, usual: float, rules: Activation) -> list[str]:
    grown = counts.after - counts.before
    if grown <= rules.growth_rows or grown <= _share(usual) * counts.before:
        return []
    if not counts.before:
        return [f"{name}: a new list of {counts.after:,} people."]
    return [
        f"{name}: would grow from {counts.before:,} to {counts.after:,} people (by {_percent(grown, counts.before)}, "
        f"and up to {_usual(usual)} are usual)."
    ]


def _written_at_once(name: str, due: int, members: int, usual: float, rules: Activation) -> list[str]:
    """The list of a step has other people each day: what counts is how many of the audience they are at once."""
    if due <= rules.growth_rows or due <= _share(usual) * members:
        return []
    return [
        f"{name}: {due:,} people would be sent this step on one day, of {members:,} who were in the audience "
        f"(up to {_usual(usual)} are usual)."
    ]


def _share(share: float) -> Decimal:
    """As it is written in the registry: 0.7 of 10 people are 7, and not a little less."""
    return Decimal(str(share))


def _usual(share: float) -> str:
    return f"{float(_share(share) * 100):g} %"


def _percent(part: int, whole: int) -> str:
    """To a tenth, upwards: what is just beyond a limit is not shown as the limit."""
    return f"{-(-1000 * part // whole) / 10:g} %"

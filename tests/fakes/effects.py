"""What really changed in a tool, in order: by this tests count what was lost, what came twice, and what never may."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

FORBIDDEN = frozenset({"status_sent", "resubscribed", "foreign_tag", "address_changed"})
"""What Tangga never does:

status_sent      a request carried a status that could subscribe somebody
resubscribed     somebody who had said no gets mail again
foreign_tag      a tag or list of the marketer's own was touched
address_changed  a known contact now has another address
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """`kind` happened to `who` (an address); `what` is the tag, list, field or status; `by` is `api` or `person`."""

    kind: str
    who: str
    what: str = ""
    by: str = "api"
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)


class Effects(list[Effect]):
    """All effects so far."""

    def note(self, kind: str, who: str, what: str = "", by: str = "api") -> None:
        self.append(Effect(kind, who, what, by))

    def of(self, kind: str, what: str | None = None) -> list[str]:
        """To whom an effect of this kind happened through the API, as often as it did."""
        return [one.who for one in self if one.kind == kind and one.by == "api" and what in (None, one.what)]

    def forbidden(self) -> list[Effect]:
        """What must never have happened."""
        return [one for one in self if one.kind in FORBIDDEN and one.by == "api"]

    def doubled(self, kind: str) -> dict[tuple[str, str], int]:
        """Who had the same effect more than once, and how often: by address and tag, list, field or status."""
        counted = Counter((one.who, one.what) for one in self if one.kind == kind and one.by == "api")
        return {about: times for about, times in counted.items() if times > 1}

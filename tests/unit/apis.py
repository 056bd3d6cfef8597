"""A company whose one source is an API, read by its template: what the tests of templates begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import pytest

from tangga import landing
from tangga.contracts import CONTRACTS
from tangga.sources.records import SourceRefused
from tests.fakes.server import Fake
from tests.unit.inbox import DAY, Inbox, Landed

HURRIED = 1000
"""Requests a second: templates keep to what the tool allows, tests need not."""


@dataclass
class Api:
    """`template` read from `fake`; `own` is what the company writes beside it."""

    inbox: Inbox
    template: str
    fake: Fake
    own: dict = field(default_factory=dict)

    def land(self, entity: str, day: date = DAY, spec: dict | None = None, **own) -> Landed:
        """Land an entity; `spec` and `own` change the template's words for it and for the source."""
        source = {"template": self.template, "connection": "tool_api", "requests_per_second": HURRIED} | self.own | own
        known = self.inbox.settings(entity, sources={"tool": source | {"entities": {entity: spec}}})
        landed = Landed(known, landing.land(known, "tool", entity, day))
        for name in CONTRACTS[entity].required_names:
            assert None not in landed.column(name)
        return landed

    def refused(self, entity: str, **own) -> str:
        """The sentence with which landing stops, nothing changed and no secret told."""
        before = self.inbox.tree()
        with pytest.raises(SourceRefused) as error:
            self.land(entity, **own)
        assert self.inbox.tree() == before
        message = str(error.value)
        assert "\n" not in message
        assert self.fake.token not in message
        return message


FAULTS = {
    "too many, twice": lambda fake: fake.faults.next(429, times=2, after=1, headers={"Retry-After": "0"}),
    "busy, without a body": lambda fake: fake.faults.next(503, after=1),
    "a forbidden without a body": lambda fake: fake.faults.next(403, after=1),
    "broken off": lambda fake: fake.faults.truncated(after=1),
    "hung up": lambda fake: fake.faults.drop(after=2),
    "late": lambda fake: fake.faults.slow(0.2, after=1),
    "one after the other": lambda fake: (fake.faults.drop(), fake.faults.next(500), fake.faults.truncated(after=1)),
}
"""What may go wrong in the middle of the pages, and comes right when it is asked for again."""

faults = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def utc(moment: str) -> datetime:
    """An instant as it is landed."""
    at = datetime.fromisoformat(moment)
    return (at - at.utcoffset()).replace(tzinfo=None)

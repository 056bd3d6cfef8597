"""What a destination is: all that has to be written to add one more e-mail tool.

A destination is told what to change, chunk by chunk, and says of each row whether it has done so. It keeps nothing
itself: the ledger knows what was acknowledged, and whatever was not is asked for again by the next run. Every operation
must therefore bear to be done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa

Operation = Literal["remove", "stop", "upsert", "add", "replace", "erase"]
"""In the order in which they are sent, those that take people off lists first:

remove   these people leave a list
stop     these people said no: the tool is to send them nothing more, without forgetting them
upsert   what the tool knows of these people; new ones come to be known there
add      these people join a list
replace  these are all the people of a list (for destinations that hold whole lists)
erase    the tool is to forget these people, for good
"""


class DestinationRefused(Exception):
    """Nothing can be sent there as things are: the message says what, where and what to do. Trying again would not
    help."""


class DestinationDown(Exception):
    """The tool did not answer, or not in time; later may help. What was acknowledged before stays so."""


@dataclass(frozen=True)
class Chunk:
    """Rows that are sent at once.

    `key` is the same whenever this chunk is sent again. `rows` has the columns `key` (by what the destination tells
    people apart, see `Destination.identity`), `customer_id`, `address`, `remote_id` (what the destination itself calls
    the person, null as long as it has not said), and for upsert and replace those of the plan's members besides.
    """

    key: str
    operation: Operation
    list_name: str | None
    rows: pa.Table = field(repr=False)


@dataclass(frozen=True)
class Rejected:
    """A row that the tool did not take, and what it said of it: without personal data."""

    key: str
    words: str


@dataclass(frozen=True)
class Receipt:
    """What came of a chunk: whatever of its rows is not rejected is acknowledged.

    `remote_ids` says what the destination calls people, where it has said so (by the key of the row); `calls` how often
    it was asked.
    """

    rejected: Sequence[Rejected] = ()
    remote_ids: Mapping[str, str] = field(default_factory=dict)
    calls: int = 1


@dataclass(frozen=True)
class Refusal:
    """Somebody who does not want to be written to any more, as the tool says: `status` in its own word."""

    address: str
    status: str
    changed_at: datetime | None = None


def is_same_account(one: str | None, other: str | None) -> bool:
    """Whether two answers of `Destination.account` mean the same account: where they end with an id in square brackets
    it alone counts, because names change."""
    return one is not None and other is not None and _identity(one) == _identity(other)


def _identity(account: str) -> str:
    return account.rpartition("[")[2] if account.endswith("]") else account


class Destination(Protocol):
    """An open connection to one destination."""

    identity: Literal["address", "customer_id"]
    """By what it tells people apart: the value of `key` in every chunk."""

    sizes: Mapping[Operation, int]
    """The operations that it knows, and how many rows each takes at once. It is not asked for others."""

    needs_release: bool
    """Whether a person has to say, once, that this account is the right one before anything is sent."""

    def account(self, lists: Collection[str] = ()) -> str:
        """Which account this is, as its owner would know it; at the end, in square brackets, what stays when it is
        renamed (see `is_same_account`). `lists` are those that people are on there, as far as was acknowledged. Nothing
        is changed there by asking. Raises `DestinationRefused` or `DestinationDown` when it cannot be used: wrong
        credentials, or a list, tag or field that was deleted there."""

    def refusals(self, addresses: Sequence[str], since: datetime | None) -> Iterable[Refusal]:
        """Who said no there: at least those of `addresses` who did, and anybody who did since then, if it can tell."""

    def send(self, chunk: Chunk, resume: str | None, remember: Callable[[str], None]) -> Receipt:
        """Do what a chunk asks for.

        A tool that works on it for a while gives it a name: `remember` keeps that in the ledger before anybody waits,
        and it comes back as `resume` when this chunk is sent again. Raises `DestinationRefused` or `DestinationDown`.
        """

    def close(self) -> None:
        """Let go of connections."""


class Standing(Destination, Protocol):
    """A destination of addresses that can tell who is on its lists, whoever put them there."""

    def standing(self, audiences: Collection[str]) -> Iterable[tuple[str, str]]:
        """(list, address) of the lists of these audiences. It is asked as long as the ledger knows nobody there: who
        was imported by hand before is taken off by the next plan that does not want them."""


class WholeLists(Destination, Protocol):
    """A destination that knows `replace`: it is given all the people of each list, every time."""

    def lists(self) -> set[str]:
        """The lists that somebody is on there, whether it was acknowledged or not: those that the plan has nobody for
        are emptied."""

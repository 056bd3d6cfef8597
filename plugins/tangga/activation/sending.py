"""Sending the chunks of a plan to an open destination: one after the other, each acknowledged before the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tangga.activation import changes
from tangga.activation.changes import NARROW, Part
from tangga.activation.consent import Consent
from tangga.destinations.destination import Chunk, Destination, Operation, Receipt, Rejected
from tangga.ledger import ChunkId, Ledger
from tangga.settings import Settings

UNKNOWN_THERE = "the tool did not take the person"


class RowsRejected(Exception):
    """The tool took the rest, and rejected more rows than is usual; the message says how many and what to do."""


@dataclass
class Delivered:
    """What a delivery did: rows by operation, chunks that were done already, rows that were rejected by the tool or
    withheld because consent was gone, and how often the tool was asked."""

    rows: Counter = field(default_factory=Counter)
    chunks: int = 0
    done_before: int = 0
    rejected: int = 0
    withheld: int = 0
    calls: int = 0

    @property
    def counts(self) -> dict[str, int]:
        return {**{name: getattr(self, name) for name in _COUNTS}, **self.rows}


_COUNTS = ("chunks", "done_before", "rejected", "withheld", "calls")


class Sending:
    """One delivery at work."""

    def __init__(
        self,
        settings: Settings,
        book: Ledger,
        name: str,
        destination: Destination,
        consent: Consent,
        entry: dict,
        done: Delivered,
    ):
        self._settings, self._book, self._name, self._destination = settings, book, name, destination
        self._consent, self._entry, self._done = consent, entry, done
        begun = book.chunks(name, entry["hash"])
        self._acknowledged = {chunk["number"] for chunk in begun if chunk["state"] == "acknowledged"}
        self._extra = min([0, *(chunk["number"] for chunk in begun)])
        rejected = book.rejected(name, entry["hash"])
        self._unknown = {row["key"] for row in rejected if row["operation"] == "upsert"}

    def everything(self, folder: Path) -> None:
        self._consent.listen(self._book.addresses(self._name))  # not every tool can tell who left since
        has_removed = False
        for part in changes.parts(folder, self._name, self._entry):
            if part.operation not in ("remove", "stop") and not has_removed:
                self._take_off()
                has_removed = True
            if part.number in self._acknowledged and part.operation != "replace":
                self._done.done_before += 1
            else:
                self._send(part)
        self._empty_others()
        self._take_off()

    def noes(self, folder: Path, *, stops: bool) -> None:
        """Take off who said no: by the plan, which also stops them where it may (`stops`), or since then."""
        self._consent.listen(self._book.addresses(self._name))
        for part in changes.parts(folder, self._name, self._entry):
            if part.number >= self._entry["noes"]:
                break
            if part.number not in self._acknowledged and (stops or part.operation != "stop"):
                self._send(part)
        self._take_off()

    def judge(self) -> None:
        """Raises `RowsRejected` when the tool has not taken too large a share of the plan's rows."""
        rejected = sum(row["kind"] == "rejected" for row in self._book.rejected(self._name, self._entry["hash"]))
        rows = sum(chunk["rows"] for chunk in self._book.chunks(self._name, self._entry["hash"]))
        limit = self._settings.rules.activation.max_rejected_share
        if rejected > limit * rows:
            raise RowsRejected(
                f"{self._name}: the tool rejected {rejected:,} of {rows:,} rows, and took the others; the ledger has "
                "its words for each (rejected_rows); they are tried again with the next plan."
            )

    def resume(self, folder: Path, numbers: set[int]) -> None:
        """Bring chunks to their end that the tool was working on when a delivery was killed."""
        for part in changes.parts(folder, self._name, self._entry):
            if part.number in numbers:
                self._send(part)

    def _send(self, part: Part) -> None:
        """Send one chunk, but for those whose consent is gone, and have it acknowledged."""
        rows, withheld = part.rows, []
        if part.operation in ("upsert", "add", "replace"):
            gone = self._consent.gone(rows, part.list_name)
            if part.operation == "add":
                gone |= {key: UNKNOWN_THERE for key in rows["key"].to_pylist() if key in self._unknown - gone.keys()}
            withheld = [Rejected(key, words) for key, words in sorted(gone.items())]
            rows = rows.filter(pc.invert(pc.is_in(rows["key"], pa.array(list(gone), pa.string())))) if gone else rows
        chunk_id = ChunkId(self._name, self._entry["hash"], part.number)
        resume = self._book.begin_chunk(chunk_id, part.operation, part.list_name, rows)
        receipt = Receipt(calls=0)
        if rows.num_rows or part.operation == "replace":
            told = rows.drop_columns(["fields_hash"])
            chunk = Chunk(chunk_id.key, part.operation, part.list_name, self._with_remote_ids(told))
            receipt = self._destination.send(chunk, resume, lambda name: self._book.remember(chunk_id, name))
        self._book.acknowledge(chunk_id, part.operation, part.list_name, rows, receipt, withheld)
        if part.operation == "upsert":
            self._unknown |= {row.key for row in receipt.rejected} | {row.key for row in withheld}
        self._done.chunks += 1
        self._done.rows[part.operation] += rows.num_rows - len(receipt.rejected)
        self._done.rejected += len(receipt.rejected)
        self._done.withheld += len(withheld)
        self._done.calls += receipt.calls

    def _with_remote_ids(self, rows: pa.Table) -> pa.Table:
        """What the tool calls people may have been said since the plan was made, by an upsert of it; or be somebody
        else's by now."""
        keys = rows["key"].to_pylist()
        known = self._book.remote_ids(self._name, keys)
        ids = [known.get(key) for key in keys]
        return rows.set_column(rows.column_names.index("remote_id"), "remote_id", pa.array(ids, pa.string()))

    def _take_off(self) -> None:
        """Who said no since the plan was made comes off the lists now; whole lists are sent without them anyway."""
        if "remove" not in self._destination.sizes:
            return
        found: dict[str, dict[str, dict]] = {}
        for row in self._book.members_of(self._name, self._consent.suppressed()):
            found.setdefault(row["list_name"], {})[row["key"]] = row
        for list_name, people in sorted(found.items()):
            keys = sorted(people)
            for first in range(0, len(keys), self._destination.sizes["remove"]):
                chosen = [people[key] for key in keys[first : first + self._destination.sizes["remove"]]]
                self._send_besides("remove", list_name, chosen)

    def _empty_others(self) -> None:
        """Lists that a destination of whole lists holds, and that neither the plan nor the ledger knows."""
        lists = getattr(self._destination, "lists", None)
        planned = {*self._entry["lists"], *self._entry["emptied"]}
        for list_name in sorted(set(lists()) - planned) if lists else ():
            self._send_besides("replace", list_name, [])

    def _send_besides(self, operation: Operation, list_name: str, people: Sequence[dict]) -> None:
        """Send a chunk that the plan does not have."""
        rows = {name: pa.array([row.get(name) for row in people], pa.string()) for name in NARROW}
        self._extra -= 1
        self._send(Part(self._extra, operation, list_name, pa.table(rows)))

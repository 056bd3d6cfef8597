"""Text files as records: decoded, split, with the line each record starts on.

Python's own `csv` does the splitting: it is exact about where a record starts and about what is wrong
with it, which bulk readers are not. What is wrong with one record is a `BadRecord`; what makes the
rest of the file unreadable is a `SourceRefused`.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tangga.sources import json_lines

MAX_FIELD = 1 << 20
"""Longest field that is read, in characters; a longer one is damage, not data."""

MAX_LINE = 4 << 20
"""Longest line that is held in memory, in bytes."""

MAX_REJECTS_KEPT = 10_000
"""So many rejected rows are written down; all are counted."""


class SourceRefused(Exception):
    """A source cannot be read as a whole; the message says what, where and what to do."""


class SourceDown(SourceRefused):
    """A source is not there now: unreachable, out of order, or its file has not come. Nothing is wrong with its data,
    and another try may help."""


@dataclass(frozen=True)
class BadRecord:
    """A record that was left out: where it is and why. `raw` is its text where that is known."""

    file: str
    line: int
    reason: str
    raw: str = ""


@dataclass
class BadRecords:
    """The records that were left out: how many, and the first of them."""

    count: int = 0
    kept: list[BadRecord] = field(default_factory=list)

    def add(self, record: BadRecord) -> None:
        self.count += 1
        if len(self.kept) < MAX_REJECTS_KEPT:
            self.kept.append(record)


@dataclass
class TextFile:
    """One text file, called `name` in the lineage of its rows, and `called` in messages (by default its path).

    Iterating over `csv_records()` or `json_records()` gives `(line, fields)`; records that cannot be
    used go to `bad`. `bytes_read` counts what was read so far, decompressed.
    """

    path: Path
    name: str
    encoding: str = "utf-8"
    bad: BadRecords = field(default_factory=BadRecords)
    called: str = ""
    bytes_read: int = 0
    _damage: dict[int, str] = field(default_factory=dict)

    def csv_records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """The header first, then every record with as many fields as the header."""
        csv.field_size_limit(MAX_FIELD)
        reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        width = None
        while True:
            start, record, fault = reader.line_num + 1, [], ""
            try:
                record = next(reader, None)
            except csv.Error as error:
                fault = f"cannot be read: {error}"
            if record is None:
                return
            is_open = reader.line_num > start or "unexpected end" in fault
            if width is not None and record and len(record) != width:
                fault = f"has {len(record)} fields where the header has {width}"
                is_open = is_open and _holds_records(record, delimiter, width)
            if fault and is_open:
                self._refuse(f"has a quote that is opened on line {start} and not closed ({fault}); mend that line")
            fault = self._damage_in(start, reader.line_num) or fault
            if width is None and fault:
                self._refuse(f"its header, line {start}, {fault}; ask its sender for it again")
            if fault:
                self._reject(start, fault, delimiter.join(record))
            elif record:
                if width is None:
                    width = len(record)
                yield start, record

    def json_records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Every line that holds a JSON object, its values as text and nested values as JSON."""
        for number, line in enumerate(self._lines(), start=1):
            fault = self._damage_in(number, number)
            if not fault and not line.strip():
                continue
            try:
                record = {} if fault else json_lines.read(line)
            except json_lines.Unusable as error:
                fault = str(error)
            if not fault and any(value and len(value) > MAX_FIELD for value in record.values()):
                fault = f"has a field larger than {MAX_FIELD} characters"
            if fault:
                self._reject(number, fault, line)
            else:
                yield number, record

    def _lines(self) -> Iterator[str]:
        """Decoded lines. Damaged ones are kept in place, because a quoted field may span them, and
        remembered, so that their record is left out."""
        try:
            with self.path.open("rb") as handle:
                opener = gzip.open if handle.read(2) == b"\x1f\x8b" else open
            with opener(self.path, "rb") as stream:
                self._refuse_if_not_text(stream.peek(4096)[:4096])
                number = 0
                while raw := stream.readline(MAX_LINE):
                    number += 1
                    self.bytes_read += len(raw)
                    if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                        while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                            pass
                        self._damage[number] = f"is longer than {MAX_LINE} bytes"
                        yield "\n"
                    else:
                        yield self._decode(number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self._refuse("is a damaged or incomplete gzip file; ask its sender for it again")
        except OSError as error:
            self._refuse(f"cannot be read ({error.strerror}); see to it that Tangga may read it")

    def _refuse_if_not_text(self, head: bytes) -> None:
        if not head:
            self._refuse("is empty (0 bytes); ask its sender for it again")
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.count(0) * 5 > len(head):
            self._refuse("looks like UTF-16 or is no text at all; save it as UTF-8 text")

    def _decode(self, number: int, raw: bytes) -> str:
        try:
            line = raw.decode(self.encoding)
        except UnicodeDecodeError:
            line = raw.decode(self.encoding, errors="replace")
            self._damage[number] = f"has bytes that are not {self.encoding}"
        if "\0" in line:
            line = line.replace("\0", "")
            self._damage[number] = "has a NUL byte"
        return line

    def _damage_in(self, first: int, last: int) -> str:
        if not self._damage:
            return ""
        found = [self._damage.pop(line) for line in range(first, last + 1) if line in self._damage]
        return found[0] if found else ""

    def _reject(self, line: int, fault: str, raw: str) -> None:
        self.bad.add(BadRecord(self.name, line, f"the line {fault}", raw.rstrip("\r\n")[:1000]))

    def _refuse(self, what: str) -> None:
        raise SourceRefused(f"{self.called or self.path}: {what}.")


def _holds_records(record: list[str], delimiter: str, width: int) -> bool:
    """True when a field of several lines has so many delimiters that it must have swallowed records."""
    return any("\n" in value and value.count(delimiter) >= width - 1 for value in record)

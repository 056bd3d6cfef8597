"""Text files as records: decoded, split, with the line each record starts on.

Python's own `csv` and `json` do the parsing: they are exact about where a record starts and about
what is wrong with it, which bulk readers are not. What is wrong with one record is a `BadRecord`;
what makes the rest of the file unreadable is a `SourceRefused`.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

MAX_FIELD = 1 << 20
"""Longest field that is read, in characters; a longer one is damage, not data."""

MAX_LINE = 4 << 20
"""Longest line that is held in memory, in bytes."""


class SourceRefused(Exception):
    """A source cannot be read as a whole; the message says what, where and what to do."""


@dataclass(frozen=True)
class BadRecord:
    """A record that was left out: where it is and why. `raw` is its text where that is known."""

    file: str
    line: int
    reason: str
    raw: str = ""


@dataclass
class TextFile:
    """One text file. Iterating over `csv_records()` or `json_records()` gives `(line, fields)`;
    records that cannot be used collect in `bad`."""

    path: Path
    encoding: str = "utf-8"
    bad: list[BadRecord] = field(default_factory=list)
    _damaged_lines: set[int] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.path.name

    def csv_records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """The header first, then every record with as many fields as the header."""
        csv.field_size_limit(MAX_FIELD)
        reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        width = None
        while True:
            start = reader.line_num + 1
            try:
                record = next(reader, None)
            except csv.Error as error:
                self._refuse_if_open_quote(start, reader.line_num, str(error))
                self._reject(start, f"the line cannot be read: {error}")
                continue
            if record is None:
                return
            if not record:
                continue
            if width is None:
                width = len(record)
                self._check_header(record)
            elif len(record) != width:
                self._refuse_if_open_quote(start, reader.line_num, "its fields do not match the header")
                self._reject(start, f"has {len(record)} fields where the header has {width}", delimiter.join(record))
                continue
            if self._is_damaged(start, reader.line_num):
                self._reject(start, f"has bytes that are not {self.encoding}")
                continue
            yield start, record

    def json_records(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Every line that holds a JSON object, its values as text and nested values as JSON."""
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            if self._is_damaged(number, number):
                self._reject(number, f"has bytes that are not {self.encoding}")
                continue
            try:
                record = json.loads(line, parse_float=Decimal)
            except (ValueError, RecursionError):
                self._reject(number, "the line is not JSON", line)
                continue
            if not isinstance(record, dict):
                self._reject(number, "the line is not a JSON object", line)
                continue
            yield number, {key: _text(value) for key, value in record.items()}

    def _lines(self) -> Iterator[str]:
        """Decoded lines. Damaged ones are kept in place, because a quoted field may span them, and
        remembered, so that their record is left out."""
        with self.path.open("rb") as handle:
            head = handle.read(4096)
        if not head:
            self._refuse("is empty (0 bytes); ask its sender for it again")
        is_gzip = head[:2] == b"\x1f\x8b"
        if not is_gzip and (head[:2] in (b"\xff\xfe", b"\xfe\xff") or head.count(0) > len(head) // 10):
            self._refuse("looks like UTF-16; convert it to UTF-8")
        opener = gzip.open if is_gzip else open
        number = 0
        try:
            with opener(self.path, "rb") as stream:
                while raw := stream.readline(MAX_LINE):
                    number += 1
                    if number == 1:
                        raw = raw.removeprefix(b"\xef\xbb\xbf")
                        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
                            self._refuse("looks like UTF-16; convert it to UTF-8")
                    if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                        while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                            pass
                        self._reject(number, f"the line is longer than {MAX_LINE} bytes")
                        yield "\n"
                        continue
                    yield self._decode(number, raw)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self._refuse("is a damaged or incomplete gzip file; ask its sender for it again")

    def _decode(self, number: int, raw: bytes) -> str:
        try:
            line = raw.decode(self.encoding)
        except UnicodeDecodeError:
            line = raw.decode(self.encoding, errors="replace")
            self._damaged_lines.add(number)
        if "\0" in line:
            self._damaged_lines.add(number)
            line = line.replace("\0", "")
        return line

    def _is_damaged(self, first: int, last: int) -> bool:
        return bool(self._damaged_lines) and any(line in self._damaged_lines for line in range(first, last + 1))

    def _check_header(self, header: list[str]) -> None:
        names = [name.strip().lower() for name in header]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            self._refuse(f"names the column {', '.join(sorted(repeated))} twice in its header; rename one")

    def _refuse_if_open_quote(self, first: int, last: int, detail: str) -> None:
        if last > first or "unexpected end" in detail:
            self._refuse(f"has a quote that is opened on line {first} and not closed ({detail}); mend that line")

    def _reject(self, line: int, reason: str, raw: str = "") -> None:
        self.bad.append(BadRecord(self.name, line, reason, raw.rstrip("\r\n")[:1000]))

    def _refuse(self, what: str) -> None:
        raise SourceRefused(f"{self.path}: {what}.")


def _text(value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, default=float, ensure_ascii=False, sort_keys=True)
    return str(value)

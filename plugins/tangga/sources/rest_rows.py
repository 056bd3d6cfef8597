"""The records of an API as a relation in DuckDB, written down batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa

from tangga.sources import json_lines
from tangga.sources.paging import Malformed, Page, records_at
from tangga.sources.records import MAX_FIELD, BadRecord, BadRecords
from tangga.sources.relations import LINEAGE, append, folded, quoted

BATCH_ROWS = 50_000
BATCH_BYTES = 64 << 20


class Rows:
    """One relation, of the list at `path` in each answer. `file` is what its rows name as their file; records that
    cannot be used go to `bad`; `count` are those that can."""

    def __init__(self, con: duckdb.DuckDBPyConnection, name: str, path: str, file: str, bad: BadRecords):
        self.name, self.table, self.count = name, f"_fetched_{name}", 0
        self._con, self._path, self._file, self._bad = con, path, file, bad
        self._known, self._batch, self._bytes = set(LINEAGE), [], 0
        con.execute(f"create temp table {quoted(self.table)} (_file varchar)")

    def take(self, page: Page, kept: dict[str, str | None]) -> None:
        """The records of a page, each with what was kept of the one that it was asked for. Raises `Malformed`."""
        size = len(page.answer.content)
        for record in records_at(page.body, self._path):
            try:
                texts = json_lines.texts(record, page.is_suspect)
                if size > MAX_FIELD and any(value and len(value) > MAX_FIELD for value in texts.values()):
                    raise json_lines.Unusable(f"has a field larger than {MAX_FIELD} characters")
            except json_lines.Unusable as error:
                self._bad.add(BadRecord(self._file, 0, f"the record {error}", _raw(record)))
                continue
            self._batch.append({folded(key): value for key, value in texts.items()} | kept)
            self.count += 1
        self._bytes += size
        if len(self._batch) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self._write()

    def refuse_lacking(self, columns: Iterable[str]) -> None:
        """Raises `Malformed` when there are records, but none that has one of these columns."""
        self._write()
        lacking = [name for name in columns if self.count and folded(name) not in self._known]
        if lacking:
            raise Malformed(
                f"no record has '{lacking[0]}'; was it renamed? Correct 'columns' or 'fields' in tangga.yml, or name "
                "it in 'optional_fields' if the API leaves out what is empty"
            )

    def close(self, columns: Iterable[str]) -> set[str]:
        """Create the relation, as a view that has at least these columns; its columns, folded."""
        self._write()
        absent = sorted({folded(name) for name in columns} - self._known)
        if absent:
            append(self._con, self.table, pa.table({name: pa.array([], pa.string()) for name in absent}), self._known)
        order = ", ".join(map(quoted, sorted(self._known - set(LINEAGE))))
        self._con.execute(
            f"create temp view {quoted(self.name)} as select {order + ', ' if order else ''}_file, "
            f"row_number() over ({'order by ' + order if order else ''}) as _line from {quoted(self.table)}"
        )
        return self._known

    def _write(self) -> None:
        if not self._batch:
            return
        names = dict.fromkeys(name for row in self._batch for name in row if name and name not in LINEAGE)
        data = {name: pa.array([row.get(name) for row in self._batch], pa.string()) for name in names}
        data["_file"] = pa.array([self._file] * len(self._batch), pa.string())
        append(self._con, self.table, pa.table(data), self._known)
        self._batch, self._bytes = [], 0


def _raw(record: Any) -> str:
    """The record as the rejects show it, letters that are none as escapes."""
    try:
        return json_lines.as_json(record)[:1000].encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        return ""

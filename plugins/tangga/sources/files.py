"""Files in a folder (CSV, TSV, JSONL, each also gzipped, and Parquet) as DuckDB relations.

`load` gives every file of an entity as one relation in which text formats have text columns, and
`_file` (its path below the folder) and `_line` say where each row came from. Files of an object store
are fetched first, to where the connection spills; messages call them by their URI.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from tangga.engine import parquet_list, spill_folder
from tangga.settings import FileEntity, FileSource
from tangga.settings.types import is_uri
from tangga.sources import objects, stores
from tangga.sources.records import SourceDown, SourceRefused, TextFile
from tangga.sources.relations import LINEAGE, Loaded, Reading, append, columns_of, folded, quoted

BATCH_ROWS = 50_000
BATCH_BYTES = 64 << 20

_FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True)
class Folder:
    """A source's folder: where it lies on this machine, and how messages call it."""

    path: Path
    called: str

    def name(self, file: Path) -> str:
        """A file's path below the folder."""
        return file.relative_to(self.path).as_posix()

    def where(self, file: Path) -> str:
        """A file as messages call it."""
        return f"{self.called}/{self.name(file)}"


def load(con: duckdb.DuckDBPyConnection, reading: Reading) -> Loaded:
    """Fill the relations that the entity's `query` reads (`file`, or the named ones).

    Raises `SourceRefused` when a file cannot be read as a whole or lies outside the source's folder, and
    `SourceDown` when there is none, or the object store is down. Of a sample's files, each gives its first rows.
    """
    source: FileSource = reading.source
    spec: FileEntity = reading.spec
    loaded = Loaded(query=spec.query and spec.query.replace("{ds}", reading.day.isoformat()))
    store = stores.opened(source.path, source.connection) if is_uri(source.path) else None
    for relation, path in spec.path.items():
        pattern = path.replace("{ds}", reading.day.isoformat())
        if store is None:
            folder = Folder(reading.settings.resolve(source.path), str(reading.settings.resolve(source.path)))
        else:
            folder = Folder(spill_folder(con) / "fetched" / relation, store.uri)
            _refuse_outside(folder, pattern)
            objects.fetch(store, pattern, folder.path, sample=reading.sample is not None)
        found = find(folder, pattern)
        if not found:
            raise SourceDown(
                f"{folder.called}: no file matches '{pattern}'; put it there or change 'path' in tangga.yml."
            )
        formats = {format_of(folder, path, spec) for path in found}
        loaded.has_free_fields = formats == {"jsonl"}
        if formats == {"parquet"}:
            _load_parquet(con, loaded, relation, folder, found, reading.sample)
        elif "parquet" in formats:
            raise SourceRefused(f"{folder.called}: '{pattern}' matches Parquet and text files; use one format.")
        else:
            _load_text(con, loaded, relation, folder, found, reading)
    return loaded


def _counts(path: Path) -> bool:
    """Whether it is a file that somebody put there; what begins with a dot is an operating system's own."""
    return (path.is_file() or path.is_symlink()) and not path.name.startswith(".")


def find(folder: Folder, pattern: str) -> list[Path]:
    """The files in `folder` that match, in name order. Refuses links and ways out of the folder."""
    _refuse_outside(folder, pattern)
    try:
        found = sorted(path for path in folder.path.glob(pattern) if _counts(path))
    except ValueError as error:
        raise SourceRefused(f"{pattern}: is not a pattern for files ({error}); change 'path' in tangga.yml.") from None
    for path in found:
        below = path.relative_to(folder.path)
        if any((folder.path / part).is_symlink() for part in (below, *list(below.parents)[:-1])):
            raise SourceRefused(
                f"{folder.where(path)}: is or goes through a link; Tangga reads only files that lie in {folder.called}."
            )
    return found


def _refuse_outside(folder: Folder, pattern: str) -> None:
    parts = Path(pattern).parts
    if not parts or Path(pattern).is_absolute() or ".." in parts:
        raise SourceRefused(f"{pattern}: leads out of the source's folder {folder.called}; use a path below it.")


def format_of(folder: Folder, path: Path, spec: FileEntity) -> str:
    """The format of a file: as configured, else by its name."""
    if spec.format:
        return spec.format
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = _FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise SourceRefused(
            f"{folder.where(path)}: its name does not tell its format; set 'format' to csv, tsv, jsonl or parquet."
        )
    return kind


def _load_parquet(
    con: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    relation: str,
    folder: Folder,
    files: list[Path],
    sample: int | None,
) -> None:
    columns: dict[str, tuple[str, str]] = {}
    for path in files:
        where, rows = folder.where(path), f"read_parquet({parquet_list([path])}, hive_partitioning=false)"
        try:
            described = columns_of(con, f"select * from {rows}")
            con.execute(f"select count(*) from {rows}")
        except duckdb.Error:
            raise SourceRefused(
                f"{where}: is a damaged or incomplete Parquet file; ask its sender for it again."
            ) from None
        loaded.headers[where] = {folded(name) for name in described}
        if "file_row_number" in loaded.headers[where]:
            raise SourceRefused(f"{where}: has a column 'file_row_number', which is DuckDB's own name; rename it.")
        for name, kind in described.items():
            first = columns.setdefault(folded(name), (name, kind))[1]
            if first != kind:
                raise SourceRefused(
                    f"{where}: column {name} is {kind} but {first} in the files before it; write them alike."
                )
    names = [quoted(name) for key, (name, _) in columns.items() if key not in LINEAGE]
    first = f" where file_row_number < {sample} limit {sample * len(files)}" if sample is not None else ""
    con.execute(
        f"create temp view {quoted(relation)} as select {', '.join([*names, ''])}"
        f"substr(_tangga_file, {len(str(folder.path)) + 2}) as _file, "
        "file_row_number + 1 as _line "
        f"from read_parquet({parquet_list(files)}, union_by_name=true, hive_partitioning=false, "
        f"filename='_tangga_file', file_row_number=true){first}"
    )


def _load_text(
    con: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    relation: str,
    folder: Folder,
    files: list[Path],
    reading: Reading,
) -> None:
    spec, encoding = reading.spec, reading.spec.encoding or reading.source.encoding
    con.execute(f"create temp table {quoted(relation)} (_file varchar, _line bigint)")
    loaded.tables.append(relation)
    known = set(LINEAGE)
    for path in files:
        where = folder.where(path)
        header = loaded.headers.setdefault(where, set())
        text = TextFile(path, folder.name(path), encoding, loaded.bad, where)
        for batch in _batches(text, format_of(folder, path, spec), spec, reading.sample):
            append(con, relation, batch, known)
            header.update(map(folded, batch.column_names))


def _batches(text: TextFile, kind: str, spec: FileEntity, sample: int | None) -> Iterator[pa.Table]:
    """A file, or its first `sample` records, as tables of text columns; the header alone gives one empty table."""
    if kind == "jsonl":
        for lines, records in _chunks(text, islice(text.json_records(), sample)):
            keys = {folded(key): key for record in records for key in record}
            rows = [{folded(key): value for key, value in record.items()} for record in records]
            yield _table(text.name, list(keys.values()), lines, [[row.get(key) for key in keys] for row in rows])
        return
    records = text.csv_records(spec.delimiter or ("\t" if kind == "tsv" else ","))
    _, header = next(records, (0, None))
    if header is None:
        raise SourceRefused(f"{text.called}: has no header line; ask its sender for it again.")
    names = [name.strip() for name in header]
    _refuse_repeated(text.called, names)
    yield _table(text.name, names, [], [])
    for lines, rows in _chunks(text, islice(records, sample)):
        yield _table(text.name, names, lines, rows)


def _chunks(text: TextFile, records: Iterator) -> Iterator[tuple[list[int], list]]:
    """The lines and the records of a file, in pieces of bounded size."""
    while piece := list(islice(records, 1)):
        limit = text.bytes_read + BATCH_BYTES
        for record in islice(records, BATCH_ROWS - 1):
            piece.append(record)
            if text.bytes_read > limit:
                break
        yield [line for line, _ in piece], [record for _, record in piece]


def _table(file: str, names: list[str], lines: list[int], rows: list[list]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    data = {
        name: pa.array(values, pa.string())
        for name, values in zip(names, columns, strict=True)
        if name and folded(name) not in LINEAGE
    }
    return pa.table({**data, "_file": pa.array([file] * len(lines), pa.string()), "_line": pa.array(lines, pa.int64())})


def _refuse_repeated(where: str, names: list[str]) -> None:
    """Says which columns, not what they are called: without a header these would be somebody's data."""
    seen: dict[str, int] = {}
    for position, name in enumerate(map(folded, names), start=1):
        if name and name in seen:
            raise SourceRefused(
                f"{where}: columns {seen[name]} and {position} of its header have the same name; rename one."
            )
        seen[name] = position

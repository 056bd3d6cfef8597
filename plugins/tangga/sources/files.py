"""Files in a folder (CSV, TSV, JSONL, each also gzipped, and Parquet) as DuckDB relations.

`load` gives every file of an entity as one relation in which text formats have text columns, and
`_file` (its path below the folder) and `_line` say where each row came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from tangga.engine import parquet_list
from tangga.settings import FileEntity, FileSource
from tangga.sources.records import SourceDown, SourceRefused, TextFile
from tangga.sources.relations import LINEAGE, Loaded, Reading, append, columns_of, folded, quoted

BATCH_ROWS = 50_000
BATCH_BYTES = 64 << 20

_FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def load(con: duckdb.DuckDBPyConnection, reading: Reading) -> Loaded:
    """Fill the relations that the entity's `query` reads (`file`, or the named ones).

    Raises `SourceRefused` when a file cannot be read as a whole or lies outside the source's folder, and
    `SourceDown` when there is none.
    """
    source: FileSource = reading.source
    spec: FileEntity = reading.spec
    folder, loaded = reading.settings.resolve(source.path), Loaded(query=spec.query)
    for relation, path in spec.path.items():
        pattern = path.replace("{ds}", reading.day.isoformat())
        found = find(folder, pattern)
        if not found:
            raise SourceDown(f"{folder}: no file matches '{pattern}'; put it there or change 'path' in tangga.yml.")
        formats = {format_of(path, spec) for path in found}
        if formats == {"parquet"}:
            _load_parquet(con, loaded, relation, folder, found)
        elif "parquet" in formats:
            raise SourceRefused(f"{folder}: '{pattern}' matches Parquet and text files; use one format.")
        else:
            _load_text(con, loaded, relation, folder, found, source, spec)
    return loaded


def find(folder: Path, pattern: str) -> list[Path]:
    """The files below `folder` that match, in name order. Refuses links and ways out of the folder."""
    parts = Path(pattern).parts
    if not parts or Path(pattern).is_absolute() or ".." in parts:
        raise SourceRefused(f"{pattern}: leads out of the source's folder {folder}; use a path below it.")
    try:
        found = sorted(path for path in folder.glob(pattern) if path.is_file() or path.is_symlink())
    except ValueError as error:
        raise SourceRefused(f"{pattern}: is not a pattern for files ({error}); change 'path' in tangga.yml.") from None
    for path in found:
        below = path.relative_to(folder)
        if any((folder / part).is_symlink() for part in (below, *list(below.parents)[:-1])):
            raise SourceRefused(f"{path}: is or goes through a link; Tangga reads only files that lie in {folder}.")
    return found


def format_of(path: Path, spec: FileEntity) -> str:
    """The format of a file: as configured, else by its name."""
    if spec.format:
        return spec.format
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = _FORMATS.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise SourceRefused(f"{path}: its name does not tell its format; set 'format' to csv, tsv, jsonl or parquet.")
    return kind


def _load_parquet(
    con: duckdb.DuckDBPyConnection, loaded: Loaded, relation: str, folder: Path, files: list[Path]
) -> None:
    columns: dict[str, tuple[str, str]] = {}
    for path in files:
        rows = f"read_parquet({parquet_list([path])}, hive_partitioning=false)"
        try:
            described = columns_of(con, f"select * from {rows}")
            con.execute(f"select count(*) from {rows}")
        except duckdb.Error:
            raise SourceRefused(
                f"{path}: is a damaged or incomplete Parquet file; ask its sender for it again."
            ) from None
        loaded.headers[path] = {folded(name) for name in described}
        if "file_row_number" in loaded.headers[path]:
            raise SourceRefused(f"{path}: has a column 'file_row_number', which is DuckDB's own name; rename it.")
        for name, kind in described.items():
            first = columns.setdefault(folded(name), (name, kind))[1]
            if first != kind:
                raise SourceRefused(
                    f"{path}: column {name} is {kind} but {first} in the files before it; write them alike."
                )
    names = [quoted(name) for key, (name, _) in columns.items() if key not in LINEAGE]
    con.execute(
        f"create temp view {quoted(relation)} as select {', '.join([*names, ''])}"
        f"substr(_tangga_file, {len(str(folder)) + 2}) as _file, "
        "file_row_number + 1 as _line "
        f"from read_parquet({parquet_list(files)}, union_by_name=true, hive_partitioning=false, "
        "filename='_tangga_file', file_row_number=true)"
    )


def _load_text(
    con: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    relation: str,
    folder: Path,
    files: list[Path],
    source: FileSource,
    spec: FileEntity,
) -> None:
    con.execute(f"create temp table {quoted(relation)} (_file varchar, _line bigint)")
    loaded.tables.append(relation)
    known = set(LINEAGE)
    for path in files:
        header = loaded.headers.setdefault(path, set())
        name = path.relative_to(folder).as_posix()
        text = TextFile(path, name, spec.encoding or source.encoding, loaded.bad)
        for batch in _batches(text, format_of(path, spec), spec):
            append(con, relation, batch, known)
            header.update(map(folded, batch.column_names))


def _batches(text: TextFile, kind: str, spec: FileEntity) -> Iterator[pa.Table]:
    """A file as tables of text columns; the header alone gives one empty table."""
    if kind == "jsonl":
        for lines, records in _chunks(text, text.json_records()):
            keys = {folded(key): key for record in records for key in record}
            rows = [{folded(key): value for key, value in record.items()} for record in records]
            yield _table(text.name, list(keys.values()), lines, [[row.get(key) for key in keys] for row in rows])
        return
    records = text.csv_records(spec.delimiter or ("\t" if kind == "tsv" else ","))
    _, header = next(records, (0, None))
    if header is None:
        raise SourceRefused(f"{text.path}: has no header line; ask its sender for it again.")
    names = [name.strip() for name in header]
    _refuse_repeated(text.path, names)
    yield _table(text.name, names, [], [])
    for lines, rows in _chunks(text, records):
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


def _refuse_repeated(path: Path, names: list[str]) -> None:
    """Says which columns, not what they are called: without a header these would be somebody's data."""
    seen: dict[str, int] = {}
    for position, name in enumerate(map(folded, names), start=1):
        if name and name in seen:
            raise SourceRefused(
                f"{path}: columns {seen[name]} and {position} of its header have the same name; rename one."
            )
        seen[name] = position

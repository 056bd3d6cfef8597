"""Files in a folder (CSV, TSV, JSONL, Parquet, each also gzipped) as DuckDB relations.

`load` gives every file of an entity as one relation in which text formats have text columns, and
`_file` and `_line` say where each row came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from tangga.settings import FileEntity, FileSource, Settings
from tangga.sources.records import BadRecord, SourceRefused, TextFile

BATCH_ROWS = 50_000

_FORMATS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@dataclass
class Loaded:
    """What was read: the column names of each file, and the records left out."""

    headers: dict[Path, set[str]] = field(default_factory=dict)
    bad: list[BadRecord] = field(default_factory=list)


def load(
    con: duckdb.DuckDBPyConnection, settings: Settings, source: FileSource, spec: FileEntity, day: date
) -> Loaded:
    """Fill the relations that the entity's `query` reads (`file`, or the named ones).

    Raises `SourceRefused` when a file cannot be read as a whole, lies outside the source's folder,
    or is missing.
    """
    globs = spec.path if isinstance(spec.path, dict) else {"file": spec.path}
    loaded = Loaded()
    for relation, pattern in globs.items():
        found = find(settings.resolve(source.path), pattern.replace("{ds}", day.isoformat()))
        if not found:
            raise SourceRefused(
                f"{settings.resolve(source.path)}: no file matches '{pattern.replace('{ds}', day.isoformat())}'; "
                "put it there or change 'path' in tangga.yml."
            )
        if {format_of(path, spec) for path in found} == {"parquet"}:
            _load_parquet(con, loaded, relation, found)
        else:
            _load_text(con, loaded, relation, found, source, spec)
    return loaded


def find(folder: Path, pattern: str) -> list[Path]:
    """The files below `folder` that match, in name order. Refuses links and ways out of the folder."""
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise SourceRefused(f"{pattern}: leads out of the source's folder {folder}; use a path below it.")
    found = sorted(path for path in folder.glob(pattern) if path.is_file() or path.is_symlink())
    for path in found:
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            raise SourceRefused(f"{path}: is a link; Tangga reads only files that lie in {folder} themselves.")
    return found


def format_of(path: Path, spec: FileEntity) -> str:
    """The format of a file: as configured, else by its name."""
    if spec.format:
        return spec.format
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = _FORMATS.get(suffixes[-1].lower()) if suffixes else None
    if kind is None:
        raise SourceRefused(f"{path}: its name does not tell its format; set 'format' to csv, tsv, jsonl or parquet.")
    return kind


def columns_of(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Column names and DuckDB types of a relation."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}


def _load_parquet(con: duckdb.DuckDBPyConnection, loaded: Loaded, relation: str, files: list[Path]) -> None:
    types: dict[str, str] = {}
    for path in files:
        try:
            described = con.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
            con.execute("select count(*) from read_parquet(?)", [str(path)])
        except duckdb.Error:
            raise SourceRefused(f"{path}: is a damaged or incomplete Parquet file; ask its sender for it again.") from None
        loaded.headers[path] = {name.lower() for name, *_ in described}
        for name, kind, *_ in described:
            if types.setdefault(name, kind) != kind:
                raise SourceRefused(
                    f"{path}: column {name} is {kind} but {types[name]} in the files before it; write them alike."
                )
    names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    con.execute(
        f"create or replace temp view {relation} as select * exclude (filename, file_row_number), "
        "parse_filename(filename) as _file, file_row_number + 1 as _line "
        f"from read_parquet([{names}], union_by_name=true, filename=true, file_row_number=true)"
    )


def _load_text(
    con: duckdb.DuckDBPyConnection,
    loaded: Loaded,
    relation: str,
    files: list[Path],
    source: FileSource,
    spec: FileEntity,
) -> None:
    con.execute(f"create or replace temp table {relation} (_file varchar, _line bigint)")
    known = {"_file", "_line"}
    for path in files:
        header = loaded.headers.setdefault(path, set())
        text = TextFile(path, spec.encoding or source.encoding)
        for batch in _batches(text, format_of(path, spec), spec):
            for name in batch.column_names:
                if name.lower() not in known:
                    con.execute(f"alter table {relation} add column {quoted(name)} varchar")
                    known.add(name.lower())
            header.update(name.lower() for name in batch.column_names)
            con.register("batch", batch)
            con.execute(f"insert into {relation} by name select * from batch")
            con.unregister("batch")
        loaded.bad += text.bad


def _batches(text: TextFile, kind: str, spec: FileEntity) -> Iterator[pa.Table]:
    """A file as tables of text columns; the header alone gives one empty table."""
    if kind == "jsonl":
        records = text.json_records()
        while chunk := list(islice(records, BATCH_ROWS)):
            keys = {name.lower(): name for _, record in chunk for name in record}  # SQL knows no upper case
            names = list(keys.values())
            rows = [[record.get(name) for name in names] for _, record in chunk]
            yield _table(text.name, names, [line for line, _ in chunk], rows)
        return
    records = text.csv_records(spec.delimiter or ("\t" if kind == "tsv" else ","))
    _, header = next(records, (0, None))
    if header is None:
        raise SourceRefused(f"{text.path}: has no header line; ask its sender for it again.")
    names = [name.strip() for name in header]
    yield _table(text.name, names, [], [])
    while chunk := list(islice(records, BATCH_ROWS)):
        yield _table(text.name, names, [line for line, _ in chunk], [row for _, row in chunk])


def _table(file: str, names: list[str], lines: list[int], rows: list[list]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in names]
    data = {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True) if name}
    return pa.table({**data, "_file": pa.array([file] * len(lines), pa.string()), "_line": pa.array(lines, pa.int64())})


def quoted(name: str) -> str:
    """A SQL identifier, whatever the source calls its column."""
    return '"' + name.replace('"', '""') + '"'

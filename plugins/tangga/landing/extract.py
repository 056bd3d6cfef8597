"""From a source's relations to rows that keep the contract, and rows that do not.

`extract` leaves a temp table `_landed` (the contract's columns and `LINEAGE`) and returns the rejects.
Everything is SQL over whole columns; only addresses and telephone numbers take a way through Python,
once for each distinct value. Names that begin with _ are Tangga's own, as no source's relation may.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from tangga.contracts import CONTRACTS, SQL_TYPE, Column, Contract
from tangga.engine import literal
from tangga.landing import judging, mapping, normalise
from tangga.landing.parsing import as_source_has_it, parse, text
from tangga.settings import ColumnMapping, Deleted, Entity, Settings, Source
from tangga.sources import files, relations, rest, sql
from tangga.sources.records import MAX_REJECTS_KEPT, SourceRefused
from tangga.sources.relations import Loaded, Reading, folded, quoted

if TYPE_CHECKING:
    from tangga.erasure.blocked import Blocked

LOADERS = {"files": files.load, "sql": sql.load, "rest": rest.load}
"""How the relations of a source are filled, by its `type`."""

LINEAGE = {
    "namespace": "VARCHAR",
    "_source": "VARCHAR",
    "_ds": "DATE",
    "_file": "VARCHAR",
    "_line": "BIGINT",
    "_is_deleted": "BOOLEAN",
}
"""Where a row came from: `namespace` says whose ids it carries, `_is_deleted` whether its source has deleted it."""

SAYS_NO = ("false", "f", "no", "n", "0")
"""What means "not deleted" in a column of which the settings do not say which values mean "deleted"."""

PERSONAL_IDS = ("contact_id", "referrer_contact_id", "referred_contact_id")
"""Ids that may turn out to be e-mail addresses, which must not travel on as keys."""


@dataclass
class Extracted:
    """Counts for the manifest, and the rejected rows (file, line, reason, row)."""

    counts: dict = field(default_factory=dict)
    rejects: list[dict] = field(default_factory=list)


def landed_types(contract: Contract) -> dict[str, str]:
    """Column -> DuckDB type of a landed partition."""
    types = {column.name: SQL_TYPE[column.type] for column in contract.columns}
    return types | dict.fromkeys(_validities(contract), "BOOLEAN") | LINEAGE


def extract(con: duckdb.DuckDBPyConnection, reading: Reading, blocked: Blocked | None = None) -> Extracted:
    """Read one entity of one source into `_landed`, without the rows of people who were erased (`blocked`). Raises
    `SourceRefused`."""
    settings, contract, day = reading.settings, CONTRACTS[reading.entity], reading.day
    origin, spec = reading.source, reading.spec
    loaded = LOADERS[origin.type](con, reading)
    mapped = mapping.mapped(con, contract, spec, loaded)
    ignored = mapping.ignored(con, spec, loaded, mapped)
    _read_raw(con, contract, spec, loaded, mapped)
    for table in loaded.tables:  # each step's input goes when its output is there, or memory holds everything thrice
        con.execute(f"drop table {quoted(table)}")
    _convert(con, settings, contract, origin, spec)
    judging.judge(con, settings, contract)
    con.execute("drop table _raw")
    namespace = origin.namespace or reading.name
    erased = blocked.drop(con, "_judged", contract, namespace) if blocked else 0
    _keep(con, contract, namespace=namespace, source=reading.name, day=day)
    counts = _counts(con, settings, contract, day) | {"ignored_columns": ignored, "mark": loaded.mark}
    bad = [{"file": b.file, "line": b.line, "reason": b.reason, "row": b.raw} for b in loaded.bad.kept]
    rejects, told = bad + _rejected_rows(con, contract), 0
    if blocked:
        rejects, told = blocked.without(rejects, contract, namespace, settings.business.country)
    counts["rejected"] += loaded.bad.count - told
    counts["erased"] = erased + told
    return Extracted(counts, rejects[:MAX_REJECTS_KEPT])


def measured(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, day: date) -> dict:
    """What the manifest says of the rows of `_landed`, whatever was left out of them."""
    keys = ", ".join(contract.key)
    watermark = "null"
    if contract.occurred:  # what is dated after the day is quarantined, and would hide how old the rest is
        watermark = f"max({contract.occurred}) filter (not {_after(settings, contract, day)})"
    rows, last = con.execute(f"select count(*), {watermark} from _landed").fetchone()
    distinct = con.execute(f"select count(*) from (select distinct {keys} from _landed)").fetchone()[0]
    return {
        "rows": rows,
        "superseded": rows - distinct,
        "quarantined": _quarantined(con, settings, contract, day),
        "watermark": last.isoformat() if last else None,
    }


def _read_raw(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    spec: Entity,
    loaded: Loaded,
    mapped: dict[str, ColumnMapping],
) -> None:
    """Temp table `_raw`: the contract's columns as the source has them, blanks trimmed off texts."""
    available = {folded(name): kind for name, kind in relations.columns_of(con, "_queried").items()}
    items = []
    for column in contract.columns:
        origin = mapped.get(column.name)
        items.append(f"{_raw_value(origin, column, available) if origin else 'cast(null as varchar)'} as {column.name}")
    for name in relations.LINEAGE:
        items.append(f"try_cast({name if name in available else 'null'} as {LINEAGE[name]}) as {name}")
    can_tell = spec.deleted and folded(spec.deleted.column) in available
    items.append(f"{_says_deleted(spec.deleted) if can_tell else 'false'} as _is_deleted")
    try:
        con.execute(f"create temp table _raw as select {', '.join(items)} from _queried")
    except duckdb.Error as error:
        kind = str(error).split(":", 1)[0]  # the rest of DuckDB's text would quote the value
        what = "its 'query' fails on a value of its files" if loaded.query else "its files are damaged"
        raise SourceRefused(f"{contract.entity}: cannot be read, {what} ({kind}); correct that.") from None


def _raw_value(origin: ColumnMapping, column: Column, available: dict[str, str]) -> str:
    if origin.value is not None:
        return text(literal(origin.value))
    name = quoted(origin.column)
    if not origin.map:
        return as_source_has_it(column, name, available[folded(origin.column)])
    cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in origin.map.items())
    return text(f"case {text(name)} {cases} else {text(name)} end")


def _says_deleted(deleted: Deleted) -> str:
    said = f"lower({text(quoted(deleted.column))})"
    if deleted.values:
        return f"coalesce({said} in ({', '.join(f'lower({literal(value)})' for value in deleted.values)}), false)"
    return f"coalesce({said} not in ({', '.join(map(literal, SAYS_NO))}), false)"


def _convert(
    con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, origin: Source, spec: Entity
) -> None:
    """Temp view `_typed`: every column as raw text (`<name>__raw`) and as its type (`<name>`)."""
    kinds = relations.columns_of(con, "_raw")
    zone = spec.time_zone or origin.time_zone or settings.business.time_zone
    formats = spec.date_formats or origin.date_formats
    items, joins = [], []
    for column in contract.columns:
        raw = f"_raw.{column.name}"
        items.append(f"{raw} as {column.name}__raw")
        lookup = _lookup(con, settings, column)
        if lookup:
            joins.append(f"left join {lookup} on {lookup}.raw = {raw}")
        if column.type in ("email", "phone"):
            items.append(f"{lookup}.normal as {column.name}")
            items.append(f"case when {raw} is not null then {lookup}.normal is not null end as is_{column.name}_valid")
        elif lookup:
            items.append(f"coalesce({lookup}.normal, {raw}) as {column.name}")
        else:
            items.append(f"{parse(column, raw, kinds[column.name], zone, formats)} as {column.name}")
    items += ["_file", "_line", "_is_deleted"]
    con.execute(f"create temp view _typed as select {', '.join(items)} from _raw {' '.join(joins)}")


def _lookup(con: duckdb.DuckDBPyConnection, settings: Settings, column: Column) -> str | None:
    """A table of the values of a column that only Python can normalise, None when it needs none."""
    values = f"select distinct {column.name} from _raw where {column.name} is not null"
    table = f"_{column.name}_lookup"
    if column.type == "email":
        normalise.build_lookup(con, table, values, normalise.email)
    elif column.type == "phone":
        normalise.build_lookup(con, table, values, lambda raw: normalise.phone(raw, settings.business.country))
    elif column.name in PERSONAL_IDS:
        personal = f"{values} and regexp_matches({column.name}, '@|^[+][0-9][0-9 ().-]{{7,}}$')"
        normalise.build_lookup(con, table, personal, normalise.hashed_id)
    else:
        return None
    return table


def _keep(con: duckdb.DuckDBPyConnection, contract: Contract, namespace: str, source: str, day: date) -> None:
    """Temp table `_landed`: the good rows, of rows with the same content the first."""
    content = ", ".join([*contract.column_names, "_is_deleted"])
    validities = _validities(contract)
    own = ", ".join([*contract.column_names, *validities])
    con.execute(
        f"create temp table _landed as select distinct on ({content}) {own}, "
        f"{literal(namespace)} as namespace, {literal(source)} as _source, date '{day}' as _ds, "
        "_file, _line, _is_deleted "
        f"from _judged where _reason = '' order by {', '.join([content, '_file', '_line', *validities])}"
    )


def _validities(contract: Contract) -> list[str]:
    return [f"is_{column.name}_valid" for column in contract.columns if column.type in ("email", "phone")]


def _quarantined(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, day: date) -> int:
    """Rows that happen after the day, in the business's time zone: landed, but used only from their day on."""
    if contract.occurred is None:
        return 0
    return con.execute(f"select count(*) from _landed where {_after(settings, contract, day)}").fetchone()[0]


def _after(settings: Settings, contract: Contract, day: date) -> str:
    local = f"timezone({literal(settings.business.time_zone)}, timezone('UTC', {contract.occurred}))"
    return f"cast({local} as date) > date '{day}'"


def _counts(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, day: date) -> dict:
    lenient = [column.name for column in contract.columns if not column.is_strict]
    emptied = [f", count(*) filter (_reason = '' and {name}__raw is not null and {name} is null)" for name in lenient]
    good, rejected, *counts = con.execute(
        f"select count(*) filter (_reason = ''), count(*) filter (_reason <> ''){''.join(emptied)} from _judged"
    ).fetchone()
    known = measured(con, settings, contract, day)
    return known | {
        "rejected": rejected,
        "emptied": {name: count for name, count in zip(lenient, counts, strict=True) if count},
        "repeated": good - known["rows"],
    }


def _rejected_rows(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[dict]:
    raw = ", ".join(f"{name} := cast({name}__raw as varchar)" for name in contract.column_names)
    found = con.execute(
        f"select _file, _line, _reason, to_json(struct_pack({raw})) as content from _judged where _reason <> '' "
        f"order by _file, _line, content limit {MAX_REJECTS_KEPT}"
    ).fetchall()
    return [{"file": file, "line": line, "reason": reason, "row": json.loads(row)} for file, line, reason, row in found]

"""From a source's relations to rows that keep the contract, and rows that do not.

`extract` leaves a temp table `landed` (the contract's columns, `namespace`, `_file`, `_line`) and
returns the rejects. Everything is SQL over whole columns; only addresses and telephone numbers take
a way through Python, once for each distinct value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date

import duckdb

from tangga import normalise, reference
from tangga.contracts import CONTRACTS, SQL_TYPE, SURVEY_SCORES, Column, Contract
from tangga.parsing import literal, parse, text
from tangga.settings import ColumnMapping, FileEntity, FileSource, Settings
from tangga.sources import files
from tangga.sources.files import quoted
from tangga.sources.records import SourceRefused

LINEAGE = {"namespace": "VARCHAR", "_source": "VARCHAR", "_ds": "DATE", "_file": "VARCHAR", "_line": "BIGINT"}
"""Where a row came from. `namespace` says whose ids it carries."""

MAX_REJECTS_KEPT = 10_000

_KIND = {"money": "an amount", "quantity": "a quantity", "integer": "a whole number", "instant": "a time", "date": "a date"}


@dataclass
class Extracted:
    """Counts for the manifest, and the rejected rows (file, line, reason, row)."""

    counts: dict = field(default_factory=dict)
    rejects: list[dict] = field(default_factory=list)


def landed_types(contract: Contract) -> dict[str, str]:
    """Column -> DuckDB type of a landed partition."""
    types = {column.name: SQL_TYPE[column.type] for column in contract.columns}
    types |= {f"is_{c.name}_valid": "BOOLEAN" for c in contract.columns if c.type in ("email", "phone")}
    return types | LINEAGE


def extract(con: duckdb.DuckDBPyConnection, settings: Settings, source: str, entity: str, day: date) -> Extracted:
    """Read one entity of one source into `landed`. Raises `SourceRefused`."""
    contract, origin = CONTRACTS[entity], settings.sources[source]
    spec = origin.entities[entity]
    loaded = files.load(con, settings, origin, spec, day)
    mapping = _mapped(con, contract, spec, loaded)
    _read_raw(con, contract, spec, mapping)
    _convert(con, settings, contract, origin, spec)
    _judge(con, settings, contract)
    bad = [{"file": b.file, "line": b.line, "reason": b.reason, "row": b.raw} for b in loaded.bad]
    rejected = len(bad) + con.execute("select count(*) from judged where len(reasons) > 0").fetchone()[0]
    own = [quoted(name) for name in landed_types(contract) if name not in LINEAGE]
    con.execute(
        f"create temp table landed as select distinct on ({_content(contract)}) {', '.join(own)}, "
        f"{literal(origin.namespace or source)} as namespace, {literal(source)} as _source, "
        f"date '{day}' as _ds, _file, _line "
        f"from judged where len(reasons) = 0 order by {_content(contract)}, _file, _line"
    )
    counts = _counts(con, contract, mapping, spec) | {"rejected": rejected}
    counts["quarantined"] = _quarantined(con, settings, contract, day)
    return Extracted(counts, bad + _rejected_rows(con, contract))


def _mapped(
    con: duckdb.DuckDBPyConnection, contract: Contract, spec: FileEntity, loaded: files.Loaded
) -> dict[str, ColumnMapping]:
    """Contract column -> where it comes from; refuses when what is needed is not there."""
    if spec.query:
        try:
            con.execute(f"create temp view queried as {spec.query}")
        except duckdb.Error as error:
            raise SourceRefused(f"{contract.entity}: its 'query' cannot be run: {error}") from None
        headers = {"the query's result": {name.lower() for name in files.columns_of(con, "queried")}}
    else:
        con.execute("create temp view queried as select * from file")
        headers = loaded.headers
    mapping = {}
    for column in contract.columns:
        given = spec.columns.get(column.name)
        origin = ColumnMapping(column=given) if isinstance(given, str) else given
        origin = origin or ColumnMapping(column=column.name)
        if origin.column and (given is not None or column.required):
            for where, names in headers.items():
                if origin.column.lower() not in names:
                    raise SourceRefused(
                        f"{where}: has no column '{origin.column}', which {contract.entity}.{column.name} is read from; "
                        "was it renamed? Correct 'columns' in tangga.yml or the file."
                    )
        if origin.column is None or any(origin.column.lower() in names for names in headers.values()):
            mapping[column.name] = origin
    return mapping


def _read_raw(
    con: duckdb.DuckDBPyConnection, contract: Contract, spec: FileEntity, mapping: dict[str, ColumnMapping]
) -> None:
    """Temp table `raw`: the contract's columns as the source has them, blanks trimmed off texts."""
    available = {name.lower(): kind for name, kind in files.columns_of(con, "queried").items()}
    items = []
    for column in contract.columns:
        origin = mapping.get(column.name)
        if origin is None:
            items.append(f"cast(null as varchar) as {column.name}")
        elif origin.value is not None:
            items.append(f"{literal(origin.value)} as {column.name}")
        else:
            items.append(f"{_raw_value(origin, column, available[origin.column.lower()])} as {column.name}")
    for name, kind in (("_file", "varchar"), ("_line", "bigint")):
        items.append(name if name in available else f"cast(null as {kind}) as {name}")
    try:
        con.execute(f"create temp table raw as select {', '.join(items)} from queried")
    except duckdb.Error as error:
        raise SourceRefused(f"{contract.entity}: cannot be read: {_without_values(error)}") from None


def _raw_value(origin: ColumnMapping, column: Column, kind: str) -> str:
    is_typed = column.type in _KIND and kind not in ("VARCHAR", "BLOB")
    value = quoted(origin.column) if is_typed else text(quoted(origin.column))
    if not origin.map:
        return value
    cases = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in origin.map.items())
    return f"case cast({value} as varchar) {cases} else {value} end"


def _convert(
    con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, origin: FileSource, spec: FileEntity
) -> None:
    """Temp table `typed`: every column as raw text (`<name>__raw`) and as its type (`<name>`)."""
    kinds = files.columns_of(con, "raw")
    zone = spec.time_zone or origin.time_zone or settings.business.time_zone
    items, joins = [], []
    for column in contract.columns:
        items.append(f"raw.{column.name} as {column.name}__raw")
        if column.type in ("email", "phone"):
            country = settings.business.country
            convert = normalise.email if column.type == "email" else lambda value: normalise.phone(value, country)
            lookup = f"{column.name}_lookup"
            distinct = f"select distinct {column.name} from raw where {column.name} is not null"
            normalise.build_lookup(con, lookup, distinct, convert)
            joins.append(f"left join {lookup} on {lookup}.raw = raw.{column.name}")
            items.append(f"{lookup}.normal as {column.name}")
            is_valid = f"case when raw.{column.name} is not null then {lookup}.normal is not null end"
            items.append(f"{is_valid} as is_{column.name}_valid")
        else:
            formats = spec.date_formats or origin.date_formats
            items.append(f"{parse(column, f'raw.{column.name}', kinds[column.name], zone, formats)} as {column.name}")
    con.execute(f"create temp table typed as select {', '.join(items)}, raw._file, raw._line from raw {' '.join(joins)}")


def _judge(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract) -> None:
    """Temp view `judged`: `typed` with the list of reasons for which a row is rejected."""
    rules: list[tuple[str, str]] = []
    for column in contract.columns:
        name, raw = column.name, f"{column.name}__raw"
        if column.required:
            rules.append((f"{raw} is null", f"{name} is missing"))
        if column.is_strict:
            rules.append((f"{raw} is not null and {name} is null", f"{name} is not {_expected(column)}"))
        if column.minimum is not None:
            rules.append((f"{name} < {column.minimum}", f"{name} is below {column.minimum}"))
        if column.maximum is not None:
            rules.append((f"{name} > {column.maximum}", f"{name} is above {column.maximum}"))
    if contract.any_of:
        rules.append((f"coalesce({', '.join(f'{n}__raw' for n in contract.any_of)}) is null",
                      f"none of {', '.join(contract.any_of)} has a value"))  # fmt: skip
    if contract.entity == "survey_responses":
        rules.append(("score__raw is not null and score is null", "score is not a whole number"))
        for kind, (low, high) in SURVEY_SCORES.items():
            rules.append((f"kind = '{kind}' and score not between {low} and {high}",
                          f"score is outside {low} to {high} for {kind}"))  # fmt: skip
    if contract.entity == "orders":
        reference.create_table(con, settings, "exchange_rates")
        rules.append((
            f"currency <> '{settings.business.currency}' and not exists (select 1 from exchange_rates as rates where "
            "rates.currency = typed.currency and rates.rate_date <= typed.ordered_at and "
            f"rates.rate_date >= typed.ordered_at - interval {settings.rules.currency.max_rate_age_days} day)",
            "there is no exchange rate for its currency on that day",
        ))  # fmt: skip
    reasons = ", ".join(f"case when {condition} then {literal(reason)} end" for condition, reason in rules)
    con.execute(f"create temp view judged as select *, list_filter([{reasons}], lambda r: r is not null) as reasons from typed")


def _expected(column: Column) -> str:
    return f"one of {', '.join(column.allowed)}" if column.allowed else _KIND.get(column.type, "readable")


def _content(contract: Contract) -> str:
    return ", ".join(quoted(column.name) for column in contract.columns)


def _quarantined(con: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, day: date) -> int:
    """Rows that happen after the day, in the business's time zone: landed, but used only from their day on."""
    if contract.occurred is None:
        return 0
    local = f"timezone({literal(settings.business.time_zone)}, timezone('UTC', {contract.occurred}))"
    return con.execute(f"select count(*) from landed where cast({local} as date) > ?", [day]).fetchone()[0]


def _counts(
    con: duckdb.DuckDBPyConnection, contract: Contract, mapping: dict[str, ColumnMapping], spec: FileEntity
) -> dict:
    def one(sql: str):
        return con.execute(sql).fetchone()[0]

    lenient = [column.name for column in contract.columns if not column.is_strict]
    emptied = {name: one(f"select count(*) from judged where len(reasons) = 0 and {name}__raw is not null and {name} is null")
               for name in lenient}  # fmt: skip
    rows = one("select count(*) from landed")
    keys = ", ".join(f"coalesce(cast({name} as varchar), '')" for name in contract.key)
    used = {origin.column.lower() for origin in mapping.values() if origin.column} | {"_file", "_line"}
    watermark = one(f"select max({contract.occurred}) from landed") if contract.occurred else None
    return {
        "rows": rows,
        "emptied": {name: count for name, count in emptied.items() if count},
        "repeated": one("select count(*) from judged where len(reasons) = 0") - rows,
        "superseded": rows - one(f"select count(*) from (select distinct {keys} from landed)"),
        "ignored_columns": [] if spec.query else sorted(
            name for name in files.columns_of(con, "queried") if name.lower() not in used
        ),
        "watermark": watermark.isoformat() if watermark else None,
    }  # fmt: skip


def _rejected_rows(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[dict]:
    raw = ", ".join(f"{column.name} := cast({column.name}__raw as varchar)" for column in contract.columns)
    found = con.execute(
        f"select _file, _line, reasons, to_json(struct_pack({raw})) from judged where len(reasons) > 0 "
        f"order by _file, _line, {', '.join(f'{name}__raw' for name in contract.key)} limit {MAX_REJECTS_KEPT}"
    ).fetchall()
    return [
        {"file": file, "line": line, "reason": "; ".join(reasons), "row": json.loads(row)}
        for file, line, reasons, row in found
    ]


def _without_values(error: duckdb.Error) -> str:
    """What kind of error it was; DuckDB's own text would quote the value."""
    return str(error).split(":", 1)[0]

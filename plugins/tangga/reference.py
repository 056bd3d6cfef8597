"""A company's own rule tables (`reference:` in tangga.yml), checked before anything is built on them.

Each stands in for the dbt seed of the same name, but for `links` and `suppressions`, of which there are none unless a
company names them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import product
from pathlib import Path

import duckdb
import pyarrow as pa

from tangga.contracts import CHANNELS
from tangga.engine import literal
from tangga.landing import normalise
from tangga.settings import REPOSITORY, Settings, SettingsError

TABLES: dict[str, dict[str, str]] = {
    "rfm_segments": {"scheme": "varchar", "r": "integer", "f": "integer", "m": "integer", "segment": "varchar"},
    "rfm_cutoffs": {"metric": "varchar", "score": "integer", "lower_bound": "decimal(18,2)"},
    "exchange_rates": {"rate_date": "date", "currency": "varchar", "rate": "decimal(18,8)"},
    "discount_campaigns": {"campaign": "varchar", "starts_on": "date", "ends_on": "date", "scope": "varchar"},
    "contact_costs": {"channel": "varchar", "currency": "varchar", "cost_per_message": "decimal(18,4)"},
    "links": {"source": "varchar", "contact_id": "varchar", "other_source": "varchar", "other_contact_id": "varchar"},
    "business_hours": {"weekday": "tinyint", "opens_at": "varchar", "closes_at": "varchar"},
    "holidays": {"date": "date", "name": "varchar"},
    "suppressions": {"address": "varchar", "channel": "varchar"},
}


_KEYS = {
    "rfm_cutoffs": ("metric", "score"),
    "exchange_rates": ("rate_date", "currency"),
    "contact_costs": ("channel", "currency"),
    "business_hours": ("weekday", "opens_at"),
    "holidays": ("date",),
}
_NEED_NOT_BE_FILLED = {("discount_campaigns", "scope"), ("holidays", "name"), ("suppressions", "channel")}


def path_of(settings: Settings, table: str) -> Path:
    """The file that holds a rule table: the company's own, or the seed."""
    own = getattr(settings.reference, table)
    return settings.resolve(own) if own else REPOSITORY / "dbt_project" / "seeds" / f"{table}.csv"


def create_table(con: duckdb.DuckDBPyConnection, settings: Settings, table: str, schema: str = "main") -> None:
    """Create `<schema>.<table>` from its file. Raises `SettingsError` when the file is not usable.

    The addresses of `suppressions` become the ids that records known by an address only have.
    """
    path = path_of(settings, table)
    columns = TABLES[table]
    if not path.is_file():
        raise SettingsError(
            f"{path}: does not exist; put it there, or correct 'reference.{table}' in {settings.config_path}"
        )
    rows = _read(path, list(columns))
    if table == "rfm_segments":
        _prove_segments(path, rows)
    if table == "suppressions":
        for row in rows:
            row["address"] = _address_id(settings, path, row)
    texts = {name: pa.array([row[name] for row in rows], pa.string()) for name in columns}
    con.register("_texts", pa.table({**texts, "_line": pa.array([row["_line"] for row in rows], pa.int64())}))
    try:
        for condition, fault in _faults(settings, table):
            (line,) = con.execute(f"select min(_line) from _texts where {condition}").fetchone()
            if line:
                raise SettingsError(f"{path}, line {line}: {fault}")
        typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
        con.execute(f"create or replace table {schema}.{table} as select {typed} from _texts")
    finally:
        con.unregister("_texts")


def check_scheme(settings: Settings) -> None:
    """Raises `SettingsError` when `rules.rfm.scheme` names a scheme that no table has."""
    seed = REPOSITORY / "dbt_project" / "seeds" / "rfm_segments.csv"
    rows = [row for path in {seed, path_of(settings, "rfm_segments")} for row in _read(path, ["scheme"])]
    schemes = sorted({row["scheme"] for row in rows})
    if settings.rules.rfm.scheme not in schemes:
        raise SettingsError(
            f"{settings.config_path}: rules.rfm.scheme: there is no scheme '{settings.rules.rfm.scheme}'; "
            f"use {', '.join(schemes)}, or name a file that has it in 'reference.rfm_segments'"
        )


def _read(path: Path, columns: list[str]) -> list[dict]:
    """The rows as texts, None where there is nothing, with the `_line` that each ends on."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise SettingsError(f"{path}: has no column {', '.join(missing)}; it needs {', '.join(columns)}")
            return [
                {name: (row[name] or "").strip() or None for name in columns} | {"_line": reader.line_num}
                for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(
            f"{path}: cannot be read as a CSV file in UTF-8 ({type(error).__name__}); save it as one"
        ) from None


_HOURS = [
    ("try_cast(weekday as tinyint) not between 1 and 7", "weekday must be 1 (Monday) to 7 (Sunday)"),
    ("not regexp_full_match(opens_at, '([01][0-9]|2[0-3]):[0-5][0-9]')", "opens_at must be a time such as 09:00"),
    (
        "not regexp_full_match(closes_at, '([01][0-9]|2[0-3]):[0-5][0-9]|24:00')",
        "closes_at must be a time such as 17:00, at the latest 24:00",
    ),
    ("closes_at <= opens_at", "closes_at is not after opens_at; hours past midnight belong to the next weekday"),
    (
        "_line in (select _line from _texts "
        "qualify opens_at < lag(closes_at) over (partition by weekday order by opens_at, _line))",
        "opens_at lies within other hours of its weekday",
    ),
]
"""What is wrong with a row of opening hours."""


def _faults(settings: Settings, table: str) -> list[tuple[str, str]]:
    """What is wrong with a row of texts `_texts`: a condition and what to say."""
    faults = []
    for name, kind in TABLES[table].items():
        if (table, name) not in _NEED_NOT_BE_FILLED:
            faults.append((f"{name} is null", f"{name} is missing"))
        faults.append((f"{name} is not null and try_cast({name} as {kind}) is null", f"{name} is not a {kind}"))
    if table == "exchange_rates":
        faults.append(("try_cast(rate as decimal(18,8)) <= 0", "rate must be above 0"))
    if table == "contact_costs":
        faults.append(
            (f"channel not in ({', '.join(map(literal, CHANNELS))})", f"channel is not one of {', '.join(CHANNELS)}")
        )
        faults.append(("try_cast(cost_per_message as decimal(18,4)) < 0", "cost_per_message is below 0"))
    if table == "suppressions":
        faults.append(
            (f"channel not in ({', '.join(map(literal, CHANNELS))})", f"channel is not one of {', '.join(CHANNELS)}")
        )
    if table == "discount_campaigns":
        faults.append(("try_cast(ends_on as date) < try_cast(starts_on as date)", "ends_on is before starts_on"))
    if table == "links":
        namespaces = sorted({source.namespace or name for name, source in settings.sources.items()})
        known = ", ".join(namespaces)
        for name in ("source", "other_source"):
            condition = f"{name} not in ({', '.join(map(literal, namespaces))})"
            faults.append((condition, f"{name} is no source or namespace of {settings.config_path}; use {known}"))
    if table == "business_hours":
        faults += _HOURS
    if table in _KEYS:
        keys = ", ".join(f"try_cast({name} as {TABLES[table][name]})" for name in _KEYS[table])
        repeated = f"select _line from _texts qualify row_number() over (partition by {keys} order by _line) > 1"
        faults.append((f"_line in ({repeated})", f"is the second for its {' and '.join(_KEYS[table])}; keep one"))
    return faults


def _prove_segments(path: Path, rows: list[dict]) -> None:
    """Every scheme maps each of the 125 cells exactly once."""
    cells = set(product("12345", repeat=3))
    for scheme in sorted({row["scheme"] or "" for row in rows}):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", scheme):
            raise SettingsError(f"{path}: '{scheme}' cannot be a scheme's name; use small letters, digits and _")
        count = Counter((row["r"] or "-", row["f"] or "-", row["m"] or "-") for row in rows if row["scheme"] == scheme)
        wrong = [cell for cell in sorted(cells | set(count)) if count[cell] != 1 or cell not in cells]
        if wrong:
            shown = ", ".join("".join(cell) for cell in wrong[:5])
            raise SettingsError(f"{path}: scheme {scheme} must map each (r, f, m) from 111 to 555 once; see {shown}")
        slugs = Counter(
            _slug(name) for name in {row["segment"] for row in rows if row["scheme"] == scheme and row["segment"]}
        )
        unusable = [slug for slug, names in slugs.items() if not slug or names > 1]
        if unusable:
            raise SettingsError(
                f"{path}: scheme {scheme}: each segment's name needs letters a-z or digits of its own, because "
                f"lists are called by them; see rfm_{unusable[0]}"
            )


def _address_id(settings: Settings, path: Path, row: dict) -> str | None:
    raw = row["address"]
    if raw and not (normalise.email(raw) if "@" in raw else normalise.phone(raw, settings.business.country)):
        # Not the address itself: errors are read by more people than may know it.
        raise SettingsError(f"{path}, line {row['_line']}: address is neither an e-mail address nor a telephone number")
    return raw and normalise.hashed_id(raw if "@" in raw else normalise.phone(raw, settings.business.country))


def _slug(segment: str) -> str:
    """As the macro `slug` makes it."""
    return re.sub("[^a-z0-9]+", "_", segment.lower().replace("'", "")).strip("_")

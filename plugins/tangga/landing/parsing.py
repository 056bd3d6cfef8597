"""How one raw value becomes one typed value: DuckDB expressions, a function a contract type.

Every expression gives NULL for what it cannot read, and never guesses: `1,50`, `NaN`, `1e400`, `epoch`
and the year 0000 are unreadable.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangga.contracts import Column
from tangga.engine import literal
from tangga.landing.normalise import SPACES

_AMOUNT = r"[+-]?([0-9]{1,15}([.][0-9]*)?|[.][0-9]+)"
_INTEGER = r"[+-]?[0-9]{1,9}([.]0+)?"

_DAY = r"[0-9]{4}(-[0-9]{1,2}-|/[0-9]{1,2}/)[0-9]{1,2}"
_TIME = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = r"\s*(Z|z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_NAIVE = rf"{_DAY}([T ]{_TIME})?"
_ZONED = rf"{_DAY}[T ]{_TIME}{_OFFSET}"
_ZONED_MIDNIGHT = rf"{_DAY}[T ]0?0:00(:00([.]0+)?)?{_OFFSET}"

_FLOATS = ("FLOAT", "DOUBLE")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", *_FLOATS,
            "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip


def text(raw: str) -> str:
    """A text without the blanks around it; NULL when nothing is left."""
    blanks = " || ".join(f"chr({ord(space)})" for space in SPACES)
    return f"nullif(trim(cast({raw} as varchar), {blanks}), '')"


def as_source_has_it(column: Column, raw: str, kind: str) -> str:
    """The value that `parse` takes: as the source types it where that helps, else as text."""
    base = kind.split("(")[0]
    if column.type in ("instant", "date") and (base.startswith("TIMESTAMP") or base == "DATE"):
        return raw
    if column.type in ("money", "quantity", "integer") and base in _NUMBERS:
        return raw
    if column.type == "id" and base in _FLOATS:  # 123.0 is how a whole number looks beside a missing one
        whole = f"cast(cast({raw} as bigint) as varchar)"
        return (
            f"case when not isfinite({raw}) then null "  # a missing one, as programs for numbers write it
            f"when {raw} = trunc({raw}) and abs({raw}) < 1e15 then {whole} else {text(raw)} end"
        )
    if kind.endswith("]") or base in ("STRUCT", "MAP", "UNION"):
        return text(f"to_json({raw})")
    return text(raw)


def parse(column: Column, raw: str, kind: str, zone: str, formats: Sequence[str]) -> str:
    """The typed value of `raw`, an SQL name whose DuckDB type is `kind`.

    `zone` is where naive times were written, `formats` are strptime formats to try before ISO 8601.
    """
    if column.type == "instant":
        return _plausible(_instant(raw, kind, zone, formats))
    if column.type == "date":
        return _plausible(_date(raw, kind, zone, formats))
    if column.type in ("money", "quantity"):
        return _decimal(raw, kind, 2 if column.type == "money" else 3)
    if column.type == "integer":
        whole = f"cast(cast({raw} as double) as integer)"
        return f"case when regexp_full_match(cast({raw} as varchar), '{_INTEGER}') then {whole} end"
    if column.type == "json":
        return f"case when json_valid({raw}) then {raw} end"
    if column.name == "currency":
        return f"upper({raw})"
    if column.allowed:
        return f"case when lower({raw}) in ({', '.join(map(literal, column.allowed))}) then lower({raw}) end"
    return raw


def _decimal(raw: str, kind: str, scale: int) -> str:
    value = f"try_cast({raw} as decimal(18,{scale}))"
    return value if kind != "VARCHAR" else f"case when regexp_full_match({raw}, '{_AMOUNT}') then {value} end"


def _instant(raw: str, kind: str, zone: str, formats: Sequence[str]) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {raw})"
    if kind != "VARCHAR":
        return _utc(f"try_cast({raw} as timestamp)", zone)
    iso = (
        f"case when regexp_full_match({raw}, '{_NAIVE}') then {_utc(f'try_cast({raw} as timestamp)', zone)} "
        f"when regexp_full_match({raw}, '{_ZONED}') then timezone('UTC', {_moment(raw)}) end"
    )
    naive, zoned = _strptime(raw, formats)
    own = [_utc(value, zone) for value in naive] + [f"timezone('UTC', {value})" for value in zoned]
    return f"coalesce({', '.join([*own, iso])})"


def _date(raw: str, kind: str, zone: str, formats: Sequence[str]) -> str:
    """A day. Midnight of whatever zone is how a day without a time gets serialised, and means that day."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        utc, local = f"timezone('UTC', {raw})", f"timezone({literal(zone)}, {raw})"
        return f"cast(case when cast({utc} as time) = time '00:00' then {utc} else {local} end as date)"
    if kind != "VARCHAR":
        return f"try_cast({raw} as date)"
    iso = (
        f"case when regexp_full_match({raw}, '{_NAIVE}') then try_cast(try_cast({raw} as timestamp) as date) "
        f"when regexp_full_match({raw}, '{_ZONED_MIDNIGHT}') then try_cast(regexp_extract({raw}, '^{_DAY}') as date) "
        f"when regexp_full_match({raw}, '{_ZONED}') then cast(timezone({literal(zone)}, {_moment(raw)}) as date) end"
    )
    naive, zoned = _strptime(raw, formats)
    own = [f"cast({value} as date)" for value in naive]
    own += [f"cast(timezone({literal(zone)}, {value}) as date)" for value in zoned]
    return f"coalesce({', '.join([*own, iso])})"


def _strptime(raw: str, formats: Sequence[str]) -> tuple[list[str], list[str]]:
    """`raw` read by the formats without an offset, and by those with one (which give a TIMESTAMPTZ)."""
    kinds = [format for format in formats if "%z" not in format], [format for format in formats if "%z" in format]
    return tuple([f"try_strptime({raw}, [{', '.join(map(literal, kind))}])"] if kind else [] for kind in kinds)


def _moment(raw: str) -> str:
    """The TIMESTAMPTZ of a text like `_ZONED`, put the one way that DuckDB reads: seconds, no blank, no `Z`."""
    tight = f"regexp_replace(regexp_replace({raw}, '\\s*(Z|z|UTC)$', '+00'), '\\s+([+-])', '\\1')"
    return f"try_cast(regexp_replace({tight}, '([T ][0-9]{{1,2}}:[0-9]{{2}})([+-])', '\\1:00\\2') as timestamptz)"


def _utc(naive: str, zone: str) -> str:
    return f"timezone('UTC', timezone({literal(zone)}, {naive}))"


def _plausible(value: str) -> str:
    return f"case when year({value}) between 1900 and 2200 then {value} end"

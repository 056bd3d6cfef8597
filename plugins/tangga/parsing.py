"""How one raw value becomes one typed value: DuckDB expressions, a function a contract type.

Every expression gives NULL for what it cannot read, and never guesses: `1,50`, `NaN`, `1e400` and
the year 0000 are unreadable.
"""

from __future__ import annotations

from collections.abc import Sequence

from tangga.contracts import Column
from tangga.normalise import SPACES

_OFFSET = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?\s*(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_AMOUNT = r"[+-]?[0-9]{1,15}([.][0-9]+)?"
_INTEGER = r"[+-]?[0-9]{1,9}([.]0+)?"

PERSONAL_IDS = ("contact_id", "referrer_contact_id", "referred_contact_id")
"""Ids that may turn out to be e-mail addresses, which must not travel on as keys."""


def text(raw: str) -> str:
    """A text without the blanks around it; NULL when nothing is left."""
    blanks = " || ".join(f"chr({ord(space)})" for space in SPACES)
    return f"nullif(trim(cast({raw} as varchar), {blanks}), '')"


def parse(column: Column, raw: str, kind: str, zone: str, formats: Sequence[str]) -> str:
    """The typed value of `raw`, an SQL name whose DuckDB type is `kind`.

    `zone` is where naive times were written, `formats` are strptime formats to try before ISO 8601.
    """
    if column.type == "instant":
        return _instant(raw, kind, zone, formats)
    if column.type == "date":
        return _plausible(f"try_cast({raw} as date)" if kind != "VARCHAR" else _date(raw, formats))
    if column.type in ("money", "quantity"):
        return _decimal(raw, kind, 2 if column.type == "money" else 3)
    if column.type == "integer":
        return f"case when regexp_full_match(cast({raw} as varchar), '{_INTEGER}') then cast(cast({raw} as double) as integer) end"
    if column.type == "id" and column.name in PERSONAL_IDS:
        return f"case when contains({raw}, '@') then 'sha256:' || sha256(lower({raw})) else {raw} end"
    if column.name == "currency":
        return f"upper({raw})"
    if column.allowed:
        return f"case when lower({raw}) in ({', '.join(map(literal, column.allowed))}) then lower({raw}) end"
    return raw


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _decimal(raw: str, kind: str, scale: int) -> str:
    target = f"decimal(18,{scale})"
    if kind != "VARCHAR":
        return f"try_cast({raw} as {target})"
    return f"case when regexp_full_match({raw}, '{_AMOUNT}') then try_cast({raw} as {target}) end"


def _instant(raw: str, kind: str, zone: str, formats: Sequence[str]) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _plausible(f"timezone('UTC', {raw})")
    if kind != "VARCHAR":
        return _plausible(f"timezone('UTC', timezone({literal(zone)}, try_cast({raw} as timestamp)))")
    naive = f"try_cast({raw} as timestamp)"
    if formats:
        naive = f"coalesce(try_strptime({raw}, [{', '.join(map(literal, formats))}]), {naive})"
    return _plausible(
        f"case when regexp_matches({raw}, '{_OFFSET}') then timezone('UTC', try_cast({raw} as timestamptz)) "
        f"else timezone('UTC', timezone({literal(zone)}, {naive})) end"
    )


def _date(raw: str, formats: Sequence[str]) -> str:
    iso = f"coalesce(try_cast({raw} as date), cast(try_cast({raw} as timestamp) as date))"
    if not formats:
        return iso
    return f"coalesce(cast(try_strptime({raw}, [{', '.join(map(literal, formats))}]) as date), {iso})"


def _plausible(value: str) -> str:
    return f"case when year({value}) between 1900 and 2200 then {value} end"

"""Which columns of a table or query are read: those that something maps, if their types are fit for it."""

from __future__ import annotations

from collections.abc import Iterable

from tangga.contracts import Column, Contract
from tangga.settings import ColumnMapping, SqlEntity
from tangga.sources.databases import Kind
from tangga.sources.records import SourceRefused
from tangga.sources.relations import folded, lacking

_UNFIT: dict[str, set[Kind]] = {
    "instant": {Kind.NUMBER, Kind.INTEGER, Kind.OTHER},
    "date": {Kind.NUMBER, Kind.INTEGER, Kind.OTHER},
    "money": {Kind.TIME, Kind.OTHER},
    "quantity": {Kind.TIME, Kind.OTHER},
    "integer": {Kind.TIME, Kind.OTHER},
}
"""Kinds of source column of which a contract type cannot read a single value."""


def cursor_of(where: str, spec: SqlEntity, columns: dict[str, tuple[Kind, str]]) -> str:
    """The column whose values say which rows are new. Raises `SourceRefused` when it is missing or tells no day."""
    cursor = _match(where, spec.cursor, columns)
    if cursor is None:
        raise SourceRefused(f"{where}: has no column '{spec.cursor}'; correct 'cursor' in tangga.yml.")
    if columns[cursor][0] not in (Kind.TIME, Kind.INTEGER, Kind.ANY):
        raise SourceRefused(
            f"{where}: its cursor '{cursor}' is {columns[cursor][1]}, which tells no day; "
            "use a date, a timestamp or an increasing whole number as 'cursor', or 'load: snapshot'."
        )
    return cursor


def wanted_of(where: str, contract: Contract, spec: SqlEntity, columns: dict[str, tuple[Kind, str]]) -> list[str]:
    """The columns to read, those of the contract's key first. Raises
    `SourceRefused` when one is missing, or of an unfit type."""
    wanted: dict[str, str] = {}
    for column in sorted(contract.columns, key=lambda column: column.name not in contract.key):
        given = spec.columns.get(column.name)
        origin = given or ColumnMapping(column=column.name)
        if origin.column is None:
            continue
        name, reader = _match(where, origin.column, columns), f"{contract.entity}.{column.name}"
        if name is None and (given or column.required):
            raise lacking(where, origin.column, reader)
        if name is None:
            continue
        _refuse_unfit(where, name, columns[name], column, origin, reader)
        if wanted.setdefault(folded(name), name) != name:
            raise SourceRefused(
                f"{where}: its columns '{name}' and '{wanted[folded(name)]}' differ in case only; "
                "use a 'query' that renames one."
            )
    if spec.deleted:
        name = _match(where, spec.deleted.column, columns)
        if name is None:
            raise lacking(where, spec.deleted.column, f"{contract.entity}.deleted")
        wanted.setdefault(folded(name), name)
    if not wanted:
        raise SourceRefused(f"{where}: has no column that {contract.entity} could be read from; fill 'columns'.")
    return list(wanted.values())


def _refuse_unfit(
    where: str, name: str, kind: tuple[Kind, str], column: Column, origin: ColumnMapping, reader: str
) -> None:
    if not origin.map and kind[0] in _UNFIT.get(column.type, ()):
        raise SourceRefused(
            f"{where}: column '{name}' is {kind[1]}, from which {reader} cannot be read; was its type changed? "
            "Map another column, or cast it in a 'query'."
        )


def _match(where: str, name: str, columns: Iterable[str]) -> str | None:
    """The column of that name, in another case if there is none of the same; None when there is none."""
    if name in columns:
        return name
    alike = [other for other in columns if folded(other) == folded(name)]
    if len(alike) > 1:
        raise SourceRefused(f"{where}: has {len(alike)} columns called '{name}' in other cases; write the exact name.")
    return alike[0] if alike else None

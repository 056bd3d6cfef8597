"""Which column of a source is which column of the contract, after the query if the settings have one."""

from __future__ import annotations

import duckdb

from tangga.contracts import Contract
from tangga.settings import ColumnMapping, Deleted, Entity
from tangga.sources import relations
from tangga.sources.records import SourceRefused
from tangga.sources.relations import Loaded, folded


def mapped(
    con: duckdb.DuckDBPyConnection, contract: Contract, spec: Entity, loaded: Loaded
) -> dict[str, ColumnMapping]:
    """Contract column -> where it comes from; refuses when what is needed is not there."""
    headers = loaded.headers
    if loaded.query:
        _run_query(con, contract, loaded.query)
        headers = {"the result of its query": {folded(name) for name in relations.columns_of(con, "_queried")}}
    else:
        con.execute("create temp view _queried as select * from file")
    mapping = {}
    for column in contract.columns:
        given = spec.columns.get(column.name)
        origin = given or ColumnMapping(column=column.name)
        if origin.column is None:
            mapping[column.name] = origin
            continue
        lacking = [where for where, names in headers.items() if folded(origin.column) not in names]
        if lacking and (given or column.required):
            raise relations.lacking(lacking[0], origin.column, f"{contract.entity}.{column.name}")
        if len(lacking) < len(headers):
            mapping[column.name] = origin
    if spec.deleted:
        _refuse_without_deletions(contract, spec.deleted, loaded, headers)
    return mapping


def _refuse_without_deletions(
    contract: Contract, deleted: Deleted, loaded: Loaded, headers: dict[object, set[str]]
) -> None:
    """A column that says who was deleted must be there; only records that name their own fields may all lack it."""
    for where, names in headers.items():
        if folded(deleted.column) not in names and (loaded.query or not loaded.has_free_fields):
            raise relations.lacking(where, deleted.column, f"{contract.entity}.deleted")


def _run_query(con: duckdb.DuckDBPyConnection, contract: Contract, query: str) -> None:
    try:
        statements = con.extract_statements(query)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise SourceRefused(f"{contract.entity}: its 'query' must be one SELECT; correct it in tangga.yml.")
        con.execute(f"create temp view _queried as {statements[0].query}")
    except duckdb.Error as error:
        raise SourceRefused(
            f"{contract.entity}: its 'query' cannot be run ({str(error).splitlines()[0]}); correct it in tangga.yml."
        ) from None


def ignored(
    con: duckdb.DuckDBPyConnection, spec: Entity, loaded: Loaded, mapping: dict[str, ColumnMapping]
) -> list[str]:
    """The columns of the source that nothing maps; a query has chosen its columns itself."""
    if loaded.query:
        return []
    used = {folded(origin.column) for origin in mapping.values() if origin.column} | set(relations.LINEAGE)
    used |= {folded(spec.deleted.column)} if spec.deleted else set()
    return sorted(loaded.unread + [name for name in relations.columns_of(con, "_queried") if folded(name) not in used])

"""The two files of a published version: `crm.duckdb` for analysts, without personal columns, and `private.duckdb`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tangga import dbt, dictionary
from tangga.dictionary import Entry
from tangga.engine import literal
from tangga.settings import Settings


@dataclass(frozen=True)
class Table:
    """A public model: where it lies, its columns with what they mean, and which of them are personal."""

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    personal: frozenset[str]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def public_tables(settings: Settings) -> list[Table]:
    """The models that dbt's manifest calls public, in the order of their names."""
    manifest = json.loads((dbt.target(settings) / "manifest.json").read_text(encoding="utf-8"))
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["access"] == "public"
    ]
    return sorted(
        (
            Table(
                schema=node["schema"],
                name=node["name"],
                description=node["description"],
                columns={name: column["description"] for name, column in node["columns"].items()},
                personal=frozenset(
                    name for name, column in node["columns"].items() if column["config"]["meta"].get("pii")
                ),
            )
            for node in models
        ),
        key=lambda table: table.full_name,
    )


def write(con: duckdb.DuckDBPyConnection, folder: Path, tables: list[Table], words: list[Entry]) -> None:
    """Write both files from the tables of the database in use, with the words on them.

    Each table is written once, which is what publishing costs: `private.duckdb` begins as a copy of `crm.duckdb`, where
    tables with personal columns are then replaced. Never the other way round: what is dropped stays in a file."""
    crm, private = folder / "crm.duckdb", folder / "private.duckdb"
    hidden = {(table.full_name, column) for table in tables for column in table.personal}
    with _written(con, crm):
        for table in tables:
            _create(con, table, table.personal)
        dictionary.write(con, "published", [word for word in words if (word.table, word.column_name) not in hidden])
    shutil.copyfile(crm, private)
    with _written(con, private):
        personal = [table for table in tables if table.personal]
        for name in (dictionary.NAME, *(table.full_name for table in personal)):
            con.execute(f"drop table published.{name}")
        con.execute("checkpoint published")  # what comes in their place may lie there then
        for table in personal:
            _create(con, table, frozenset())
        dictionary.write(con, "published", words)
    for file in (crm, private):
        os.chmod(file, 0o400)


@contextmanager
def _written(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """The file as the database `published`, for writing; whole when it ends."""
    con.execute(f"attach {literal(file)} as published")
    yield
    con.execute("checkpoint published")
    con.execute("detach published")


def _create(con: duckdb.DuckDBPyConnection, table: Table, hidden: frozenset[str]) -> None:
    """Copy a table of the database in use without the hidden columns, sorted by all that are left.

    Facts go by customer, so that all that one of them did is read from a few places of the file."""
    first = ["customer_id"] if table.schema == "core" and "customer_id" in table.columns else []
    shown = [name for name in table.columns if name not in hidden]
    order = [*first, *(name for name in shown if name not in first)]
    columns = f"* exclude ({', '.join(sorted(hidden))})" if hidden else "*"
    name = f"published.{table.full_name}"
    con.execute(f"create schema if not exists published.{table.schema}")
    con.execute(f"create table {name} as select {columns} from {table.full_name} order by {', '.join(order)}")
    con.execute(f"comment on table {name} is {literal(table.description)}")
    for column in shown:
        con.execute(f"comment on column {name}.{column} is {literal(table.columns[column])}")

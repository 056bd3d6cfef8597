"""The data dictionary: of every published column what it means, in which unit it is, and where it comes from.

    metrics.data_dictionary     in both published files

Meaning and type are those of dbt's YAML. Unit and source follow from the name, the type and what a model reads; where
they do not, the column says them: `config: {meta: {unit: ..., source: ...}}`.
"""

from __future__ import annotations

import json
import re
from dataclasses import astuple, dataclass, fields
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from tangga import dbt
from tangga.contracts import CONTRACTS
from tangga.settings import Settings

NAME = "metrics.data_dictionary"
NONE = "none"

_UNITS: tuple[tuple[str, str], ...] = (
    (r"(^|_)(number|place|step|rung|weekday|hour|year|months_since)(_before)?$", NONE),
    (r"(^|_)(share|rate|similarity|error)$|^probability_", "share, 0 to 1"),
    (r"log_likelihood$|^(lift|correlation)$", NONE),
    (r"purchases(_expected)?$", "purchase days"),
    (r"^quantity$", "units sold"),
    (r"(^|_)days?(_|$)", "days"),
    (r"(^|_)minutes$", "minutes"),
    (r"^[rfm]_score$", "points, 1 to 5"),
    (r"(^|_)score$", "points"),
    (
        r"(^|_)(amount|value|monetary|margin|cost|contribution|discount_given)(_in_window|_expected)?$|_per_message$",
        "{currency}",
    ),
)
"""What the end of a column's name says of a number. The first that fits counts."""

_COUNT = "number"
_BY_TYPE = {"boolean": NONE, "varchar": NONE, "date": "day of the business", "timestamp": "instant, UTC"}
_WHOLE = ("integer", "bigint", "tinyint", "smallint")
_SAME_EVERYWHERE = {
    "customer_id": "core.customer_identities.customer_id",
    "as_of_date": "the as-of date of a run",
    "source": "the sources of tangga.yml",
}
_ENTITY = {"dim_customers": "contacts", "dim_products": "order_lines"}
"""What a table is mostly of, where its name does not say so."""


@dataclass(frozen=True)
class Entry:
    """A row of the dictionary."""

    table_schema: str
    table_name: str
    column_name: str
    data_type: str
    description: str
    unit: str
    source: str

    @property
    def table(self) -> str:
        return f"{self.table_schema}.{self.table_name}"


_OWN = {
    "table_schema": "Schema of the table.",
    "table_name": "The table.",
    "column_name": "The column.",
    "data_type": "Its type.",
    "description": "What it means.",
    "unit": "What a number counts, or what a time is in; none where there is nothing to count.",
    "source": "The column of a landing contract or of another table that it is taken from, else what it is made from.",
}
_MEANING = "What every published column means, in which unit it is and where it comes from. Grain: one row per column."


def entries(settings: Settings) -> list[Entry]:
    """The dictionary of the public models as dbt's manifest tells them, and of itself; in the order of the tables."""
    manifest = json.loads((dbt.target(settings) / "manifest.json").read_text(encoding="utf-8"))
    return of_manifest(manifest, settings.business.currency)


def of_manifest(manifest: dict[str, Any], currency: str) -> list[Entry]:
    """The same, of a manifest; `currency` is the business's. A unit or source that is not known is empty."""
    lineage = Lineage(manifest["nodes"])
    found = [
        Entry(
            node["schema"],
            node["name"],
            name,
            column.get("data_type") or "",
            column["description"],
            unit(name, column, currency),
            lineage.source(node, name),
        )
        for node in lineage.public.values()
        for name, column in node["columns"].items()
    ]
    schema, table = NAME.split(".")
    own = [Entry(schema, table, name, "varchar", meaning, NONE, "dbt's manifest") for name, meaning in _OWN.items()]
    return sorted([*found, *own], key=lambda entry: (entry.table_schema, entry.table_name))


def unit(name: str, column: dict[str, Any], currency: str) -> str:
    """The unit of a column; empty when neither it, nor its name or type tell."""
    if said := column["config"]["meta"].get("unit"):
        return said.replace("{currency}", currency)
    kind = (column.get("data_type") or "").partition("(")[0]
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    for pattern, found in _UNITS:
        if re.search(pattern, name):
            return found.replace("{currency}", currency)
    return _COUNT if kind in _WHOLE else ""


class Lineage:
    """What public models are made from: landed entities and other sources, and other public models."""

    def __init__(self, nodes: dict[str, dict]) -> None:
        self._nodes = nodes
        self.public = {key: node for key, node in nodes.items() if node["config"].get("access") == "public"}
        # A public table that is a private one as it stands is what one reads in its place.
        self._stands_for = {
            parents[0]: key
            for key, node in self.public.items()
            if len(parents := self._parents(key)) == 1
            and node["schema"] in ("core", "customer")
            and parents[0] in nodes
            and _grain(nodes[parents[0]]) == _grain(node)
        }
        self.inputs = cache(self._inputs)

    def _parents(self, key: str) -> list[str]:
        return self._nodes[key].get("depends_on", {}).get("nodes", [])

    def _inputs(self, key: str) -> frozenset[str]:
        """Keys of the public models and the sources that a model is made from, whatever lies between."""
        found: set[str] = set()
        for parent in self._parents(key):
            public = self._stands_for.get(parent, parent)
            if public != key and public in self.public:
                found.add(public)
            elif parent not in self._nodes:
                found.add(parent)
            elif self._nodes[parent]["resource_type"] == "model":
                found |= self.inputs(parent)
        return frozenset(found)

    def source(self, node: dict, column: str) -> str:
        """Where a column comes from, as one reads it."""
        if said := node["columns"][column]["config"]["meta"].get("source"):
            return said
        if column in _SAME_EVERYWHERE and _SAME_EVERYWHERE[column] != f"{node['schema']}.{node['name']}.{column}":
            return _SAME_EVERYWHERE[column]
        inputs = self.inputs(node["unique_id"])
        if node["schema"] == "core":
            entity = _ENTITY.get(node["name"], node["name"].removeprefix("fct_"))
            if entity in CONTRACTS and column in {each.name for each in CONTRACTS[entity].columns}:
                return f"{entity}.{column}"
        having = {key for key in inputs if key in self.public and self._tells(self.public[key], node, column)}
        first = [key for key in having if not having & self._all_inputs(key)]
        if len(first) == 1:
            return f"{self._name(first[0])}.{column}"
        return f"computed from {', '.join(sorted(map(self._name, inputs)))}" if inputs else ""

    def _tells(self, parent: dict, node: dict, column: str) -> bool:
        """Whether a column of the same name in another table is the same thing: there is one of it for each row."""
        is_looked_up = parent["name"].startswith("dim_") and node["schema"] != "metrics"
        return column in parent["columns"] and (is_looked_up or _grain(parent) == _grain(node))

    def _all_inputs(self, key: str) -> set[str]:
        """The public models that one is made from, directly or not."""
        direct = {found for found in self.inputs(key) if found in self.public}
        return direct.union(*map(self._all_inputs, direct))

    def _name(self, key: str) -> str:
        if key in self.public:
            return f"{self.public[key]['schema']}.{self.public[key]['name']}"
        schema, name = key.split(".")[-2:]
        return name if schema == "landing" else f"{schema} {name}"


def _grain(node: dict) -> str:
    """What a row is one of; not of whom, as a table may leave out those of whom there is nothing to say."""
    return node["description"].partition("Grain: ")[2].partition(".")[0].partition(" who ")[0]


def write(con: duckdb.DuckDBPyConnection, database: str, found: list[Entry]) -> None:
    """Create the table of the dictionary in an attached database."""
    columns = list(zip(*map(astuple, found), strict=True))
    table = pa.table(
        {field.name: pa.array(column, pa.string()) for field, column in zip(fields(Entry), columns, strict=True)}
    )
    con.register("_dictionary", table)
    con.execute(f"create schema if not exists {database}.metrics")
    con.execute(f"create table {database}.{NAME} as from _dictionary")
    con.unregister("_dictionary")
    con.execute(f"comment on table {database}.{NAME} is '{_MEANING}'")
    for name, meaning in _OWN.items():
        con.execute(f"comment on column {database}.{NAME}.{name} is '{meaning}'")

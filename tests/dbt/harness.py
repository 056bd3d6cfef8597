"""The settings of the tests of dbt, and compiled models to be run over tables that a test fills."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pytest

from tangga import dbt
from tangga import settings as tangga_settings
from tangga.settings import Settings

AS_OF = date(2026, 6, 30)
"""The day of all unit tests that do not name another. It lies 90 days after 1 April and 180 after 1 January."""

CONFIG = """
business: {name: Tests, time_zone: Asia/Jakarta, currency: IDR, country: ID}
sources: {shop: {type: files, path: inbox, entities: {contacts: {path: contacts.csv}}}}
"""


def make_settings(folder: Path, rfm: str = "{}", others: str = "") -> Settings:
    """The settings of the tests: a shop in Jakarta without data; runs write below `folder`. `rfm` is `rules.rfm`,
    `others` what else `rules` hold."""
    config = folder / "tangga.yml"
    config.write_text(f"{CONFIG}\nrules: {{rfm: {rfm}, {others}}}\n", encoding="utf-8")
    return tangga_settings.load(config, folder / "var")


@contextmanager
def unit_tests_enabled() -> Iterator[None]:
    """dbt sees the unit tests; without this they are disabled, so that no real build runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANGGA_UNIT_TESTS", "true")
        yield


class Compiled:
    """Models as dbt compiled them, to be run over tables that a test fills.

    The tables live in memory, have the columns of the built warehouse and are empty but for the seeds.
    """

    def __init__(self, target: Path, warehouse_file: Path) -> None:
        self.target = target
        self.con = duckdb.connect()
        self.con.execute("set TimeZone = 'UTC'")
        self.con.execute(f"attach '{warehouse_file}' as built (read_only)")
        self.con.execute("attach ':memory:' as working")
        self._relation: dict[str, str] = {}
        self._sql: dict[str, str] = {}
        for schema, table, columns in self.con.execute(
            "select table_schema, table_name, "
            "string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) "
            "from information_schema.columns where table_catalog = 'built' group by all"
        ).fetchall():
            relation = f"working.{schema}.{table}"
            self.con.execute(f"create schema if not exists working.{schema}")
            self.con.execute(f"create table {relation} ({columns})")  # of views, too: they could not be read from here
            if schema == "rules":
                self.con.execute(f"insert into {relation} from built.{schema}.{table}")
            # A company's own table has the name of the seed that it stands in for: it is meant by its schema.
            is_source = schema in ("landing", "reference", "registry", "estimates")
            self._relation[f"{schema}.{table}" if is_source else table] = relation
        self.con.execute("detach built")

    def sql(self, model: str) -> str:
        """The compiled SQL of a model. Raises `ValueError` when it is not there exactly once."""
        if model not in self._sql:
            # dbt's own unit tests leave files of the same names, below those of the tests.
            found = (self.target / "compiled").rglob(f"{model}.sql")
            (file,) = (file for file in found if not any(part.endswith(".yml") for part in file.parts))
            self._sql[model] = file.read_text(encoding="utf-8")
        return self._sql[model]

    def fill(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Replace the rows of a table; columns that the first row does not name are null."""
        relation = self._relation[table]
        self.con.execute(f"delete from {relation}")
        if rows:
            row = f"({', '.join('?' for _ in rows[0])})"
            self.con.execute(
                f"insert into {relation} ({', '.join(rows[0])}) values {', '.join([row] * len(rows))}",
                [value for each in rows for value in each.values()],
            )

    def run(
        self, model: str, as_of: date = AS_OF, replacing: Mapping[str, str] = MappingProxyType({})
    ) -> list[dict[str, Any]]:
        """The rows of a model over what was filled in, as of a day; `replacing` names texts of the SQL to replace."""
        cursor = self.con.execute(self._sql_of(model, as_of, replacing))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def _sql_of(self, model: str, as_of: date, replacing: Mapping[str, str]) -> str:
        sql = self.sql(model)
        for text, other in replacing.items():
            sql = sql.replace(text, other)
        return sql.replace(AS_OF.isoformat(), as_of.isoformat())

    def put(self, model: str, as_of: date = AS_OF, replacing: Mapping[str, str] = MappingProxyType({})) -> None:
        """Run a model, also one in Python, and fill its own table with the rows."""
        if files := [*(dbt.PROJECT / "models").rglob(f"{model}.py")]:
            self.fill(model, self._run_python(files[0]))
        else:
            relation = self._relation[model]
            self.con.execute(f"delete from {relation}")
            self.con.execute(f"insert into {relation} by name {self._sql_of(model, as_of, replacing)}")

    def _run_python(self, file: Path) -> list[dict[str, Any]]:
        return load_model(file)(self, self.con).to_pylist()

    def config(self, **_: object) -> None:
        """For a Python model, to which this is `dbt`: where its table goes is not the question here."""

    def ref(self, model: str) -> duckdb.DuckDBPyRelation:
        """For a Python model: a table that it reads."""
        return self.con.table(self._relation[model])


def load_model(file: Path) -> Callable:
    """The function of a Python model."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.model


def without_comments(sql: str) -> str:
    """SQL or Jinja without its comments."""
    return re.sub(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", " ", sql, flags=re.DOTALL)

"""The walls of the house, each as a test that fails when it is broken."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tangga import dbt
from tangga.settings import REPOSITORY
from tests.dbt.harness import AS_OF, make_settings, without_comments

HEAVY = ("pandas", "duckdb", "great_expectations", "dbt", "pyarrow", "scipy")
DAGS = sorted((REPOSITORY / "dags").glob("*.py"))
PACKAGE = REPOSITORY / "plugins" / "tangga"
ASKS_AIRFLOW = {
    "local/in_process.py",  # runs DAGs
    "sources/connections.py",  # credentials are Airflow's to keep: one lookup, imported when a source needs it
    "operators/approval.py",  # an operator of Airflow's
    "operators/erasure_approval.py",  # another
}
LIBRARY = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).as_posix() not in ASKS_AIRFLOW and "web" not in path.relative_to(PACKAGE).parts
)


def layer(node: dict) -> str:
    """staging, intermediate, marts or audiences for a model; seeds and sources for those, but for the estimates, which
    a task makes of the intermediate models."""
    if node.get("source_name") == "estimates":
        return "estimates"
    if node["resource_type"] != "model":
        return node["resource_type"] + "s"
    return Path(node["original_file_path"]).parts[1]


@pytest.fixture(scope="session")
def parents(manifest, models) -> dict[str, list[dict]]:
    """Model -> what it reads."""
    nodes = manifest["nodes"] | manifest["sources"]
    return {name: [nodes[key] for key in node["depends_on"]["nodes"]] for name, node in models.items()}


class TestLayers:
    def test_only_staging_reads_landing(self, models, parents):
        readers = {
            layer(models[name])
            for name, read in parents.items()
            if any(node["resource_type"] == "source" and node["source_name"] == "landing" for node in read)
        }
        assert readers == {"staging"}

    @pytest.mark.parametrize(
        ("reader", "allowed"),
        [
            ("staging", {"sources"}),
            ("intermediate", {"sources", "seeds", "staging", "intermediate"}),
            ("marts", {"seeds", "staging", "intermediate", "estimates", "marts"}),
            ("audiences", {"sources", "marts", "audiences"}),
        ],
    )
    def test_each_layer_reads_those_before_it(self, models, parents, reader, allowed):
        read = {
            name: {layer(node) for node in nodes} for name, nodes in parents.items() if layer(models[name]) == reader
        }
        assert read
        assert {name: layers - allowed for name, layers in read.items() if layers - allowed} == {}

    def test_audiences_read_no_source_but_what_they_left_on_the_days_before(self, models, parents):
        read = {
            (name, node["source_name"], node["name"])
            for name, nodes in parents.items()
            for node in nodes
            if layer(models[name]) == "audiences" and node["resource_type"] == "source"
        }
        assert read == {
            ("audience_sizes", "registry", "sizes"),
            ("audience_movements", "registry", "members"),
            ("audience_movements", "registry", "movements"),
        }

    def test_an_audience_reads_public_marts(self, models, parents):
        """The relations that collect the audiences read each other besides."""
        audiences = {name: nodes for name, nodes in parents.items() if name.startswith("aud_")}
        assert audiences
        for name, nodes in audiences.items():
            assert {(layer(node), node["access"]) for node in nodes} == {("marts", "public")}, name

    def test_staging_and_intermediate_are_private(self, models):
        assert {n["access"] for n in models.values() if layer(n) in ("staging", "intermediate")} == {"private"}

    def test_the_public_is_what_marts_and_memberships_are(self, models):
        """What somebody outside may read, and nothing else, is held to a contract."""
        public = {name for name, node in models.items() if node["access"] == "public"}
        names = ("members", "exclusions", "due", "sizes", "movements", "overlap")
        memberships = {f"audience_{name}" for name in names}
        assert public == {name for name, node in models.items() if layer(node) == "marts"} | memberships
        assert public == {name for name, node in models.items() if node["config"]["contract"]["enforced"]}

    def test_an_audience_that_reads_staging_does_not_parse(self, tmp_path, monkeypatch):
        project = tmp_path / "dbt_project"
        shutil.copytree(dbt.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
        wrong = project / "models" / "audiences" / "aud_welcome.sql"
        wrong.write_text("select * from {{ ref('stg_contacts') }}\n", encoding="utf-8")
        monkeypatch.setattr(dbt, "PROJECT", project)
        with pytest.raises(dbt.DbtFailed, match=r"aud_welcome.*stg_contacts.*private"):
            dbt.run(make_settings(tmp_path), AS_OF, "parse")


class TestDescriptions:
    def test_every_model_says_its_grain(self, models):
        assert [name for name, node in models.items() if "Grain: " not in node["description"]] == []

    def test_every_model_has_a_tested_key(self, manifest, models):
        """But for views: what is made of them is tested, and to ask them is to work them out once more."""
        keyed = {
            manifest["nodes"][node["attached_node"]]["name"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "test"
            and (node.get("test_metadata") or {}).get("name") in ("unique", "unique_combination")
        }
        tables = {name for name, node in models.items() if node["config"]["materialized"] != "view"}
        assert tables - keyed == set()

    def test_every_public_column_has_a_description_and_a_type(self, models, compiled):
        bare = []
        for name, node in models.items():
            if node["access"] == "public":
                built = compiled.con.execute(
                    "select column_name from information_schema.columns "
                    "where table_catalog = 'working' and table_schema = ? and table_name = ?",
                    [node["schema"], name],
                ).fetchall()
                assert {column for (column,) in built} == set(node["columns"]), name
                bare += [
                    f"{name}.{column['name']}"
                    for column in node["columns"].values()
                    if not column["description"] or not column["data_type"]
                ]
        assert bare == []


class TestSql:
    def test_nothing_reads_the_clock(self, settings):
        clock = re.compile(
            r"\b(current_(date|time|timestamp)|localtime(stamp)?|now\s*\(|today\s*\(|get_current_\w+|transaction_timestamp)",
            re.IGNORECASE,
        )
        files = sorted((dbt.target(settings) / "compiled").rglob("*.sql"))
        assert files
        assert [path.name for path in files if clock.search(without_comments(path.read_text(encoding="utf-8")))] == []

    def test_no_number_of_the_business_stands_in_audiences_or_lifecycle(self):
        """Thresholds are rules. What may stand there: 0 and 1, and the numbers of the rungs, which are their names."""
        folder = dbt.PROJECT / "models"
        files = [
            *folder.glob("audiences/*.sql"),
            *(
                folder / "marts" / "customer" / f"customer_{name}.sql"
                for name in ("lifecycle", "lifecycle_history", "journey", "discount_sieve")
            ),
            *folder.glob("intermediate/int_lifecycle_*.sql"),
            *folder.glob("intermediate/int_sieve_*.sql"),
            dbt.PROJECT / "macros" / "reasons.sql",
            dbt.PROJECT / "macros" / "lifecycle.sql",
        ]
        found = {}
        for path in files:
            sql = without_comments(path.read_text(encoding="utf-8"))
            sql = re.sub(r"'[^']*'", "''", sql)
            sql = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", sql, flags=re.DOTALL)
            sql = re.sub(r"\brung\s*(=|<=|>=)\s*[1-7]\b", " ", sql)
            if path.name == "lifecycle.sql":
                sql = re.sub(r"\b(then|else|purchase_days =)\s+[1-7]\b", " ", sql)  # the ladder itself
                sql = sql.replace("1000000", " ")  # what makes a ratio a whole number
            if path.name == "reasons.sql":
                sql = re.sub(r"\bwhen\s+[1-7]\b", " ", sql)
            sql = re.sub(r"\bdecimal\(\d+, \d+\)", " ", sql)
            numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?\b", sql)) - {"0", "1"}
            if numbers:
                found[path.name] = numbers
        assert found == {}


class TestTheDay:
    @pytest.mark.parametrize(
        ("zone", "day", "end"),
        [
            ("Asia/Jakarta", "2026-06-30", "2026-06-30 17:00:00"),
            ("UTC", "2026-12-31", "2027-01-01 00:00:00"),
            ("Europe/Berlin", "2026-03-28", "2026-03-28 23:00:00"),
            ("Europe/Berlin", "2026-03-29", "2026-03-29 22:00:00"),
            ("America/New_York", "2026-10-31", "2026-11-01 04:00:00"),
            ("America/New_York", "2026-11-01", "2026-11-02 05:00:00"),
            # clocks go from 0:00 to 1:00, or from 1:00 back to 0:00: the day before ends at the first 0:00
            ("America/Sao_Paulo", "2018-11-03", "2018-11-04 03:00:00"),
            ("America/Havana", "2026-10-31", "2026-11-01 04:00:00"),
        ],
    )
    def test_it_ends_when_the_business_closes_it(self, settings, zone, day, end):
        elsewhere = settings.model_copy(update={"business": settings.business.model_copy(update={"time_zone": zone})})
        assert dbt.variables(elsewhere, date.fromisoformat(day))["as_of_end_utc"] == end


PARSE = """
import importlib.util, json, os, sys, time
import airflow.sdk
heavy = sys.argv[1].split(",")
before = set(sys.modules)
for path in sys.argv[2:]:
    if os.fork() == 0:
        started = time.perf_counter()
        spec = importlib.util.spec_from_file_location("dag_file", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        seconds = time.perf_counter() - started
        found = sorted({name.split(".")[0] for name in set(sys.modules) - before} & set(heavy))
        print(json.dumps({"path": path, "heavy": found, "seconds": seconds}), flush=True)
        os._exit(0)
    os.wait()
found = sorted({name.split(".")[0] for name in before} & set(heavy))
print(json.dumps({"path": "airflow", "heavy": found, "seconds": 0}))
"""


class TestDags:
    def test_parsing_imports_nothing_heavy(self, tmp_path):
        paths = [str(REPOSITORY / "plugins"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        done = subprocess.run(
            [sys.executable, "-c", PARSE, ",".join(HEAVY), *map(str, DAGS)],
            env=os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        parsed = {Path(line["path"]).name: line for line in map(json.loads, done.stdout.splitlines()[-len(DAGS) - 1 :])}
        for name, line in parsed.items():
            print(f"{name}: {line['seconds']:.3f} s beyond airflow.sdk")
        assert set(parsed) == {path.name for path in DAGS} | {"airflow"}
        assert {name: line["heavy"] for name, line in parsed.items() if line["heavy"]} == {}

    @pytest.mark.parametrize("path", DAGS, ids=lambda path: path.name)
    def test_a_dag_is_a_table_of_contents(self, path):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 80
        tree = ast.parse(text)
        sql = re.compile(
            r"\b(select\b.*\bfrom|insert\s+into|delete\s+from|create\s+(table|view|schema))\b", re.I | re.S
        )
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert [found for found in texts if sql.search(found)] == []
        # A group of tasks is a function to Airflow, and wiring like the rest.
        assert [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            or (
                isinstance(node, ast.FunctionDef)
                and [ast.unparse(name) for name in node.decorator_list] != ["task_group"]
            )
        ] == []
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"open", "exec", "eval", "print", "Path"}


def test_only_what_is_named_may_ask_airflow():
    """Each of them exists, and the rest of the library does not lead to the operators by a way around."""
    assert {path for path in ASKS_AIRFLOW if not (PACKAGE / path).is_file()} == set()
    assert [path for path in LIBRARY if "tangga.operators" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_library_does_not_import_airflow(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").split(".")[0])
    assert "airflow" not in imported

"""The DAGs as Airflow parses them: which tasks there are, what waits for what, and what each may never do."""

import json
import os
import subprocess
import sys

import pytest

from tangga import settings
from tangga.local import airflow_home
from tangga.settings import REPOSITORY

DUMP = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
print("DAGS " + json.dumps({{
    "errors": bag.import_errors,
    "dags": {{
        dag.dag_id: {{
            "schedule": type(dag.timetable).__name__,
            "max_active_runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "tasks": {{
                task.task_id: {{
                    "after": sorted(task.upstream_task_ids),
                    "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
                    "outlets": [asset.name for asset in task.outlets],
                }}
                for task in dag.tasks
            }},
        }}
        for dag in bag.dags.values()
    }},
}}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    environment = airflow_home.environment(settings.load(home=tmp_path_factory.mktemp("home")))
    done = subprocess.run(
        [sys.executable, "-c", DUMP.format(folder=str(REPOSITORY / "dags"))],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("DAGS "))[5:])


def after(parsed, dag_id):
    return {name: task["after"] for name, task in parsed["dags"][dag_id]["tasks"].items()}


def test_the_three_dags_parse(parsed):
    assert parsed["errors"] == {}
    assert set(parsed["dags"]) == {"crm_land", "crm_build", "crm_activate"}


def test_nothing_is_gated_after_it_was_let_through(parsed):
    assert after(parsed, "crm_land") == {
        "fill_inbox": [],
        "list_entities": [],
        "land": ["fill_inbox", "list_entities"],
        "inbound_gate": ["land"],
    }


def test_nothing_is_published_before_it_was_audited(parsed):
    assert after(parsed, "crm_build") == {
        "prepare_warehouse": [],
        "build_staging": ["prepare_warehouse"],
        "build_intermediate": ["build_staging"],
        "build_marts": ["build_intermediate"],
        "build_audiences": ["build_marts"],
        "audit": ["build_audiences"],
        "publish": ["audit"],
    }


def test_nothing_is_sent_before_the_plan_was_judged(parsed):
    assert after(parsed, "crm_activate") == {
        "is_newest_day": [],
        "plan": ["is_newest_day"],
        "list_destinations": ["is_newest_day"],
        "outbound_gate": ["plan"],
        "deliver": ["list_destinations", "outbound_gate", "plan"],
    }


def test_a_failure_stops_what_comes_after(parsed):
    rules = {task["trigger_rule"] for dag in parsed["dags"].values() for task in dag["tasks"].values()}
    assert rules == {"all_success"}


def test_one_run_at_a_time_and_none_for_days_long_gone(parsed):
    assert {(dag["max_active_runs"], dag["catchup"]) for dag in parsed["dags"].values()} == {(1, False)}


def test_days_travel_as_partitions(parsed):
    assert {name: dag["schedule"] for name, dag in parsed["dags"].items()} == {
        "crm_land": "CronPartitionTimetable",
        "crm_build": "PartitionedAssetTimetable",
        "crm_activate": "PartitionedAssetTimetable",
    }
    outlets = {
        (name, task_id): task["outlets"]
        for name, dag in parsed["dags"].items()
        for task_id, task in dag["tasks"].items()
        if task["outlets"]
    }
    assert outlets == {
        ("crm_land", "inbound_gate"): ["tangga_landing"],
        ("crm_build", "publish"): ["tangga_published"],
        ("crm_activate", "deliver"): ["tangga_delivered"],
    }

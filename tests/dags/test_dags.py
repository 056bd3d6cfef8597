"""The DAGs as Airflow parses them: which tasks there are, what waits for what, and what each may never do."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from tangga import schedule, settings
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
                    "at_once": task.max_active_tis_per_dag,
                    "outlets": [asset.name for asset in task.outlets],
                }}
                for task in dag.tasks
            }},
        }}
        for dag in bag.dags.values()
    }},
}}))
"""

YEAR = """
import json
import pendulum
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronPartitionTimetable
days = {{}}
for zone in {zones!r}:
    timetable = CronPartitionTimetable({at!r}, timezone=zone, run_offset=-1, key_format="%Y-%m-%d")
    since = TimeRestriction(earliest=pendulum.datetime(2026, 1, 2), latest=None, catchup=True)
    last, days[zone] = None, []
    for _ in range(360):
        last = timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=since)
        days[zone].append(last.partition_key)
print("DAYS " + json.dumps(days))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return airflow_home.environment(settings.load(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def parsed(environment):
    done = subprocess.run(
        [sys.executable, "-c", DUMP.format(folder=str(REPOSITORY / "dags"))],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("DAGS "))[5:])


def after(parsed, dag_id):
    return {name: task["after"] for name, task in parsed["dags"][dag_id]["tasks"].items()}


def test_the_four_dags_parse(parsed):
    assert parsed["errors"] == {}
    assert set(parsed["dags"]) == {"crm_land", "crm_build", "crm_activate", "crm_erase"}


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
        "expect_value": ["build_intermediate"],
        "build_marts": ["expect_value"],
        "build_audiences": ["build_marts"],
        "audit": ["build_audiences"],
        "publish": ["audit"],
        "describe": ["publish"],
        "prune": ["describe"],
    }


def test_nothing_is_sent_before_the_plan_was_judged(parsed):
    assert after(parsed, "crm_activate") == {
        "is_newest_day": [],
        "plan": ["is_newest_day"],
        "list_destinations": ["is_newest_day"],
        "outbound_gate": ["plan"],
        "activate.approve": ["list_destinations", "outbound_gate", "plan"],
        "activate.deliver": ["activate.approve", "list_destinations", "plan"],
    }


def test_nobody_is_erased_before_somebody_agreed(parsed):
    assert after(parsed, "crm_erase") == {
        "take_erasure": [],
        "find_person": ["take_erasure"],
        "approve": ["find_person", "take_erasure"],
        "remove_person": ["approve", "take_erasure"],
        "forget_person": ["remove_person", "take_erasure"],
        "certify_erasure": ["forget_person", "take_erasure"],
    }


def test_a_failure_stops_what_comes_after_but_a_certificate_of_it(parsed):
    rules = {
        (dag_id, name): task["trigger_rule"]
        for dag_id, dag in parsed["dags"].items()
        for name, task in dag["tasks"].items()
        if task["trigger_rule"] != "all_success"
    }
    assert rules == {("crm_erase", "certify_erasure"): "all_done"}


def test_runs_take_turns_but_for_those_that_may_wait_for_a_person(parsed):
    assert {name: dag["max_active_runs"] for name, dag in parsed["dags"].items()} == {
        "crm_land": 1, "crm_build": 1, "crm_activate": 16, "crm_erase": 16,
    }  # fmt: skip
    assert parsed["dags"]["crm_activate"]["tasks"]["plan"]["at_once"] == 1


def test_no_run_for_days_long_gone(parsed):
    assert {dag["catchup"] for dag in parsed["dags"].values()} == {False}


def test_days_travel_as_partitions(parsed):
    assert {name: dag["schedule"] for name, dag in parsed["dags"].items()} == {
        "crm_land": "CronPartitionTimetable",
        "crm_build": "PartitionedAssetTimetable",
        "crm_activate": "PartitionedAssetTimetable",
        "crm_erase": "NullTimetable",
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
        ("crm_activate", "activate.deliver"): ["tangga_delivered"],
    }


def test_no_day_of_the_year_is_left_out_where_clocks_change(environment):
    zones = ["Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney", "Asia/Jakarta"]
    done = subprocess.run(
        [sys.executable, "-c", YEAR.format(zones=zones, at=schedule.DAILY_AT)],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("DAYS "))[5:])
    assert set(found) == set(zones)
    for keys in found.values():
        first = date.fromisoformat(keys[0])
        assert keys == [(first + timedelta(days=number)).isoformat() for number in range(360)]

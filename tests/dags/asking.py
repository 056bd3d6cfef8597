"""A DAG that asks about a plan, and what follows each answer: run by test_asking.py in a process of its own.

    python -m tests.dags.asking <home> <config> <plan's folder> <another plan's folder>

Prints a line of JSON: step -> how `approve` and `deliver` stand then, and what Airflow shows as the question.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tangga import settings
from tangga.local import airflow_home
from tests.e2e.answering import TASK, Api, go_on, tasks, waiting

DAG = """
import os
from datetime import datetime
from airflow.sdk import DAG, task, task_group
from tangga.operators.approval import PlanApproval


def folder():
    with open(os.environ["ASKED_ABOUT"]) as file:
        return file.read()


with DAG("asks", schedule=None, start_date=datetime(2024, 1, 1), catchup=False):

    @task_group
    def activate(destination, plan_folder):
        approve = PlanApproval(task_id="approve", destination=destination, plan_folder=plan_folder)
        approve >> task(lambda destination: None, task_id="deliver")(destination)

    activate.partial(plan_folder=task(folder)()).expand(destination=task(lambda: ["files"], task_id="list")())
"""


def main(home: str, config: str, plan: str, other: str) -> None:
    found = settings.load(config, home)
    airflow_home.DAGS = found.home / "dags"
    airflow_home.DAGS.mkdir()
    (airflow_home.DAGS / "asks.py").write_text(DAG)
    asked_about = found.home / "asked_about"
    os.environ["ASKED_ABOUT"] = str(asked_about)
    airflow_home.activate(found)
    from tangga.local import in_process
    from tangga.progress import Progress

    in_process.migrate(found)
    dag = in_process.load(["asks"])["asks"]
    in_process.warm_up()
    asked_about.write_text(plan)
    with Progress(sys.stdout) as progress:
        outcome = in_process.run(dag, "asks", {}, progress)
    (run_id,) = waiting("asks")
    story = {}

    with Api(found, "asks", run_id) as api:

        def note(step: str) -> None:
            now = tasks("asks", run_id)
            shown = api.question()
            story[step] = [now[TASK], now["activate.deliver"], shown["subject"], shown["body"]]

        note("asked")
        api.answer("mark", "Reject")
        go_on(dag, run_id)
        note("rejected")
        api.clear()
        go_on(dag, run_id)
        note("asked again")
        _run_out_of_time(run_id)
        go_on(dag, run_id)
        note("out of time")
        asked_about.write_text(other)
        api.clear("admin", task="folder")
        go_on(dag, run_id)
        note("another plan")
        asked_about.write_text(plan)
        api.clear("admin", task="folder")
        go_on(dag, run_id)
        api.answer("mark", "Approve")
        go_on(dag, run_id)
        note("approved")
        api.clear()
        go_on(dag, run_id)
        note("approved before")
    print("STORY " + json.dumps({"waiting": outcome.waiting, "steps": story}))


def _run_out_of_time(run_id: str) -> None:
    """Let Airflow's scheduler find that the time to answer is over."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from airflow.utils.timezone import datetime
    from sqlalchemy import update

    parked = (TaskInstance.run_id == run_id, TaskInstance.state == TaskInstanceState.AWAITING_INPUT)
    with create_session() as session:
        session.execute(update(TaskInstance).where(*parked).values(trigger_timeout=datetime(2020, 1, 1)))
    SchedulerJobRunner(job=Job()).check_awaiting_input_timeouts()


if __name__ == "__main__":
    main(*map(str, map(Path, sys.argv[1:])))

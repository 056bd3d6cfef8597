"""What Airflow knows of the runs of `crm_activate`: which plans wait for somebody, and which tasks have failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from sqlalchemy import select

from tangga.web.access import DAG

APPROVE, DELIVER = "activate.approve", "activate.deliver"
RUNS = 30


@dataclass(frozen=True)
class Question:
    """A plan that waits for somebody: where to answer, since when, and why. `account` is the one that a yes would
    release; empty where there is none to release."""

    link: str
    since: datetime | None
    account: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Runs:
    """`questions` by the plan's hash; `failed` are links to the logs of tasks by (plan's folder, destination); `broken`
    is the task before any delivery that the newest run has failed at, with its link."""

    questions: dict[str, Question]
    failed: dict[tuple[str, str], str]
    broken: tuple[str, str] | None


def look() -> Runs:
    """As it is now, of the newest runs; a question is found whatever its run's age."""
    with create_session(scoped=False) as session:
        asked = (TaskInstance.run_id, TaskInstance.map_index, TaskInstance.start_date, TaskInstance.next_kwargs)
        waiting = select(*asked).where(
            TaskInstance.dag_id == DAG,
            TaskInstance.task_id == APPROVE,
            TaskInstance.state == TaskInstanceState.AWAITING_INPUT,
        )
        questions = dict(filter(None, (_question(*row) for row in session.execute(waiting))))
        newest = select(DagRun.run_id).where(DagRun.dag_id == DAG).order_by(DagRun.id.desc()).limit(RUNS)
        runs = list(session.scalars(newest))
        failed = session.execute(
            select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.map_index).where(
                TaskInstance.dag_id == DAG,
                TaskInstance.run_id.in_(runs),
                TaskInstance.state == TaskInstanceState.FAILED,
            )
        ).all()
        said = select(XComModel).where(
            XComModel.dag_id == DAG,
            XComModel.run_id.in_({run for run, *_ in failed}),
            XComModel.task_id.in_(("plan", "list_destinations")),
            XComModel.key == "return_value",
        )
        told = {(row.run_id, row.task_id): XComModel.deserialize_value(row) for row in session.scalars(said)}
    links, broken = {}, None
    for run, task, number in failed:
        plan, names = told.get((run, "plan")), told.get((run, "list_destinations")) or []
        if task in (APPROVE, DELIVER) and plan and 0 <= number < len(names):
            links[Path(plan).name, names[number]] = task_link(run, task, number)
        elif run == runs[0] and number < 0:
            broken = (task, task_link(run, task))
    return Runs(questions, links, broken)


def run_link(run_id: str) -> str:
    """The page of a run, below Airflow's own address."""
    return f"/dags/{DAG}/runs/{quote(run_id, safe='')}"


def task_link(run_id: str, task: str, number: int = -1) -> str:
    """The page of a task, with its log."""
    return f"{run_link(run_id)}/tasks/{task}" + (f"/mapped/{number}" if number >= 0 else "")


def _question(run_id: str, number: int, since: datetime | None, kwargs: dict | None) -> tuple[str, Question] | None:
    asked = (kwargs or {}).get("asked")
    if not asked:
        return None
    link = f"{task_link(run_id, APPROVE, number)}/required_actions"
    return asked["plan_hash"], Question(link, since, asked["account"], tuple(asked["reasons"]))

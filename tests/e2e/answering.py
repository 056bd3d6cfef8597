"""Answers a question of `crm_activate` as a person would, through Airflow's API, and lets the run go on from there.

    python -m tests.e2e.answering <home> <config> <user> <answer> <which of the waiting runs: 0 is the oldest>

Prints a line of JSON: the API's status code and what it said of the question, and how the run's tasks stand then.
"""

from __future__ import annotations

import json
import sys

from tangga import settings
from tangga.local import airflow_home

TASK = "activate.approve"


def main(home: str, config: str, user: str, answer: str, which: str) -> None:
    found = settings.load(config, home)
    airflow_home.activate(found)
    from tangga.local import in_process

    dag = in_process.load(["crm_activate"])["crm_activate"]
    in_process.warm_up()
    run_id = _waiting(dag.dag_id)[int(which)]
    said = _answer(found, run_id, user, answer)
    if said["code"] == 200:
        _go_on(dag, run_id)
    print("SAID " + json.dumps(said | {"tasks": _tasks(dag.dag_id, run_id)}))


def _waiting(dag_id: str) -> list[str]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(TaskInstance.run_id).where(TaskInstance.dag_id == dag_id, TaskInstance.state == "awaiting_input")
    with create_session() as session:
        return sorted(set(session.scalars(query)))


def _answer(found: settings.Settings, run_id: str, user: str, answer: str) -> dict:
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app(apps="core")) as client:
        login = {"username": user, "password": airflow_home.logins(found)[user]}
        token = client.post("/auth/token", json=login).json()["access_token"]
        address = f"/api/v2/dags/crm_activate/dagRuns/{run_id}/taskInstances/{TASK}/0/hitlDetails"
        headers = {"Authorization": f"Bearer {token}"}
        asked = client.get(address, headers=headers).json()
        done = client.patch(address, headers=headers, json={"chosen_options": [answer], "params_input": {}})
    return {"code": done.status_code, "subject": asked["subject"], "body": asked["body"], "defaults": asked["defaults"]}


def _go_on(dag, run_id: str) -> None:
    """What the scheduler would do, as `DAG.test` does it."""
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id == run_id)).one()
        run.dag = SerializedDagModel.get_dag(dag.dag_id)
        while run.state == "running":
            session.expire_all()
            ready, _ = run.update_state(session=session)
            for instance in ready:
                instance.try_number += 1
                instance.state = TaskInstanceState.SCHEDULED
            session.commit()
            scheduled = [one for one in run.get_task_instances(session=session) if one.state == "scheduled"]
            if not scheduled:
                return
            for instance in scheduled:
                _run_task(ti=instance, task=dag.task_dict[instance.task_id], run_triggerer=False)


def _tasks(dag_id: str, run_id: str) -> dict[str, str]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    with create_session() as session:
        return {one.task_id: one.state for one in session.scalars(query)}


if __name__ == "__main__":
    main(*sys.argv[1:])

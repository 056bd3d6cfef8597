"""Answers questions as people would, through Airflow's API, and lets each run go on from there.

    python -m tests.e2e.answering <home> <config> <user>:<answer> ...

Each answer is to the oldest run that waits then. Prints a line of JSON for each: the API's status code and what it said
of the question, and how the run's tasks stand then.
"""

from __future__ import annotations

import json
import sys

from tangga import settings
from tangga.local import airflow_home

TASK = "activate.approve"


def main(home: str, config: str, *answers: str) -> None:
    found = settings.load(config, home)
    airflow_home.activate(found)
    from tangga.local import in_process

    dag = in_process.load(["crm_activate"])["crm_activate"]
    in_process.warm_up()
    for user, answer in (each.split(":") for each in answers):
        run_id = waiting(dag.dag_id)[0]
        with Api(found, dag.dag_id, run_id) as api:
            said = api.answer(user, answer)
        if said["code"] == 200:
            go_on(dag, run_id)
        print("SAID " + json.dumps(said | {"tasks": tasks(dag.dag_id, run_id)}))


class Api:
    """Airflow's API, about one run."""

    def __init__(self, found: settings.Settings, dag_id: str, run_id: str):
        from airflow.api_fastapi.app import create_app
        from fastapi.testclient import TestClient

        self._client, self._logins = TestClient(create_app(apps="core")), airflow_home.logins(found)
        self._dag, self._run_id = f"/api/v2/dags/{dag_id}", run_id

    def __enter__(self) -> Api:
        self._client.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._client.__exit__(*error)

    def _as(self, user: str) -> dict[str, str]:
        login = {"username": user, "password": self._logins[user]}
        return {"Authorization": f"Bearer {self._client.post('/auth/token', json=login).json()['access_token']}"}

    def question(self, user: str = "vera") -> dict:
        address = f"{self._dag}/dagRuns/{self._run_id}/taskInstances/{TASK}/0/hitlDetails"
        return self._client.get(address, headers=self._as(user)).json()

    def answer(self, user: str, answer: str) -> dict:
        asked = {key: self.question(user)[key] for key in ("subject", "body", "defaults")}
        address = f"{self._dag}/dagRuns/{self._run_id}/taskInstances/{TASK}/0/hitlDetails"
        given = {"chosen_options": [answer], "params_input": {}}
        return asked | {"code": self._client.patch(address, headers=self._as(user), json=given).status_code}

    def clear(self, user: str = "admin", task: str = TASK) -> None:
        given = {"dry_run": False, "dag_run_id": self._run_id, "task_ids": [task], "include_downstream": True,
                 "only_failed": False, "reset_dag_runs": True}  # fmt: skip
        done = self._client.post(f"{self._dag}/clearTaskInstances", headers=self._as(user), json=given)
        assert done.status_code == 200, done.text


def waiting(dag_id: str) -> list[str]:
    """The runs in which a question is open, oldest first."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(TaskInstance.run_id).where(TaskInstance.dag_id == dag_id, TaskInstance.state == "awaiting_input")
    with create_session() as session:
        return sorted(set(session.scalars(query)))


def go_on(dag, run_id: str) -> None:
    """What the scheduler would do, as `DAG.test` does it."""
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, TaskInstanceState
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id == run_id)).one()
        run.dag, run.state = SerializedDagModel.get_dag(dag.dag_id), DagRunState.RUNNING
        session.commit()
        while run.state == DagRunState.RUNNING:
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


def tasks(dag_id: str, run_id: str) -> dict[str, str]:
    """How each task of a run stands."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    with create_session() as session:
        return {one.task_id: one.state for one in session.scalars(query)}


if __name__ == "__main__":
    main(*sys.argv[1:])

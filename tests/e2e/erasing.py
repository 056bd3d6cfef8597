"""Has somebody erased as people do it: the form of `crm_erase` through Airflow's API, then the question, then a yes.

    python -m tests.e2e.erasing <home> <config> <e-mail address, on standard input>

Prints a line of JSON: what the API answered to nobody, to a viewer and to a user, what was asked, how the tasks stand.
"""

from __future__ import annotations

import json
import sys

from tangga import settings
from tangga.local import airflow_home

DAG_ID = "crm_erase"
RUNS = f"/api/v2/dags/{DAG_ID}/dagRuns"


def main(home: str, config: str, address: str) -> None:
    found = settings.load(config, home)
    airflow_home.activate(found)
    from tangga.local import in_process

    in_process.migrate(found)
    dag = _known(in_process.load([DAG_ID])[DAG_ID])
    in_process.warm_up()
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    from tests.e2e import answering

    waiting = found.home / "state" / "erasures"
    form = {"conf": {"email": address, "reason": "the person asked for it"}, "logical_date": None, "note": address}
    with TestClient(create_app(apps="core")) as client:
        codes, left = [], []
        for user in (None, "vera", "mark"):
            headers = _login(client, found, user)
            said = client.post(RUNS, headers=headers, json=form)
            codes.append(said.status_code)
            left.append(len(list(waiting.glob("*"))))
        broken = client.post(RUNS, headers=headers, content=b'{"conf": {"email": "' + address.encode())
        run = said.json()
        _begin(run["dag_run_id"])
        answering.go_on(dag, run["dag_run_id"])
        question = f"{RUNS}/{run['dag_run_id']}/taskInstances/approve/-1/hitlDetails"
        asked = client.get(question, headers=headers).json()
        agreed = client.patch(question, headers=headers, json={"chosen_options": ["Approve"], "params_input": {}})
    answering.go_on(dag, run["dag_run_id"])
    said = {
        "codes": [*codes, broken.status_code, agreed.status_code],
        "left": left,
        "conf": run["conf"],
        "question": asked["body"],
        "defaults": asked["defaults"],
        "tasks": answering.tasks(DAG_ID, run["dag_run_id"]),
    }
    print("SAID " + json.dumps(said))


def _known(dag):
    """What the DAG processor would have told Airflow."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(airflow_home.DAGS, bundle_name="dags-folder"), "dags-folder", None)
    return dag


def _begin(run_id: str) -> None:
    """What the scheduler would do first."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.dag_id == DAG_ID, DagRun.run_id == run_id)).one()
        run.start_date, run.state = run.run_after, "running"


def _login(client, found: settings.Settings, user: str | None) -> dict[str, str]:
    if user is None:
        return {}
    login = {"username": user, "password": airflow_home.logins(found)[user]}
    return {"Authorization": f"Bearer {client.post('/auth/token', json=login).json()['access_token']}"}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.stdin.read().strip())

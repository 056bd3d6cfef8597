"""A person's right to be forgotten: request -> find -> approve -> remove everywhere -> destinations -> certificate."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param, chain, task

from tangga.erasure.reasons import REASONS
from tangga.operators.erasure_approval import ErasureApproval
from tangga.tasks import erase as tasks

GIVEN = {
    "email": "E-mail address of the person",
    "phone": "Telephone number",
    "contact_id": "The person's id in one of your systems",
    "customer_id": "The person's customer_id in the warehouse",
    "request": "Instead of all these: the number of a request that is to go on",
}
"""The form. What is typed into the first four fields never reaches Airflow: tangga.erasure.form takes it off."""

with DAG(
    dag_id="crm_erase",
    description="Forget a person everywhere, after somebody has agreed, and certify it.",
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=16,  # requests that wait for a person or a tool hold up no other
    params={
        **{name: Param(None, type=["null", "string"], description=said) for name, said in GIVEN.items()},
        "reason": Param(REASONS[0], type="string", enum=list(REASONS), description="Why"),
    },
    default_args={"owner": "data engineering", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["tangga"],
    doc_md=__doc__,
):
    request = task(tasks.take_erasure, retries=0)()
    found = task(tasks.find_person, retries=0)(request)
    approve = ErasureApproval(task_id="approve", request_id=request, body=found, retries=0)
    remove = task(tasks.remove_person, retries=5)(request)
    forget = task(
        tasks.forget_person,
        retries=70,  # hourly for as long as there is time: the certificate says which of them is open
        retry_delay=timedelta(hours=1),
        map_index_template="{{ task.op_kwargs['destination'] }}",
    )
    forgotten = forget.partial(request=request).expand(destination=remove)
    certify = task(tasks.certify_erasure, trigger_rule="all_done", retries=0)(request)
    chain(approve, remove, forgotten, certify)

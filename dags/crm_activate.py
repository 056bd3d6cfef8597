"""Published audiences -> plan -> gate -> per destination: approve -> deliver."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, PartitionedAssetTimetable, task, task_group

from tangga.operators.approval import PlanApproval
from tangga.tasks import activate as tasks

published = Asset("tangga_published", uri="tangga://published")
delivered = Asset("tangga_delivered", uri="tangga://delivered")

with DAG(
    dag_id="crm_activate",
    description="Bring every audience list to its destinations, behind the outbound gate.",
    schedule=PartitionedAssetTimetable(assets=published),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=16,  # a run that waits for a person holds up no other; what speaks to a destination takes turns
    params={"as_of_date": Param(None, type=["null", "string"], format="date", description="The day; empty: yesterday")},
    default_args={"owner": "marketing", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["tangga"],
    doc_md=__doc__,
):

    @task_group
    def activate(destination: str, plan_folder: str):
        deliver = task(tasks.deliver, outlets=[delivered], map_index_template="{{ task.op_kwargs['destination'] }}")
        approve = PlanApproval(task_id="approve", destination=destination, plan_folder=plan_folder)
        approve >> deliver(destination=destination, plan_folder=plan_folder)

    newest = task.short_circuit(tasks.is_newest_day, retries=0)()
    plan = task(tasks.plan, retries=0, max_active_tis_per_dag=1)()
    gate = task(tasks.outbound_gate, retries=0)(plan)
    destinations = task(tasks.list_destinations)()
    newest >> [plan, destinations]
    gate >> activate.partial(plan_folder=plan).expand(destination=destinations)

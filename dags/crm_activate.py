"""Published audiences -> plan -> gate -> deliver."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, PartitionedAssetTimetable, task

from tangga import tasks

published = Asset("tangga_published", uri="tangga://published")
delivered = Asset("tangga_delivered", uri="tangga://delivered")

with DAG(
    dag_id="crm_activate",
    description="Bring every audience list to its destinations, behind the outbound gate.",
    schedule=PartitionedAssetTimetable(assets=published),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={"as_of_date": Param(None, type=["null", "string"], format="date", description="The day; empty: yesterday")},
    default_args={"owner": "marketing", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["tangga"],
    doc_md=__doc__,
):
    newest = task.short_circuit(tasks.is_newest_day, retries=0)()
    plan = task(tasks.plan, retries=0)()
    gate = task(tasks.outbound_gate, retries=0)(plan)
    deliveries = task(tasks.deliver, outlets=[delivered], map_index_template="{{ task.op_kwargs['destination'] }}")
    destinations = task(tasks.list_destinations)()
    newest >> [plan, destinations]
    gate >> deliveries.partial(plan_folder=plan).expand(destination=destinations)

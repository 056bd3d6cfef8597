"""Landing -> dbt -> audit -> publish -> pages of the warehouse, as of the partition's day; then what is old goes."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, PartitionedAssetTimetable, chain, task

from tangga.tasks import build as tasks

landing = Asset("tangga_landing", uri="tangga://landing")
published = Asset("tangga_published", uri="tangga://published")

with DAG(
    dag_id="crm_build",
    description="Build the warehouse as of one day, audit it, and publish it.",
    schedule=PartitionedAssetTimetable(assets=landing),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={"as_of_date": Param(None, type=["null", "string"], format="date", description="The day; empty: yesterday")},
    default_args={"owner": "data engineering", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["tangga"],
    doc_md=__doc__,
):
    chain(
        task(tasks.prepare_warehouse)(),
        *(task(tasks.build_layer, task_id=f"build_{layer}", retries=0)(layer) for layer in ("staging", "intermediate")),
        task(tasks.expect_value, retries=0)(),
        *(task(tasks.build_layer, task_id=f"build_{layer}", retries=0)(layer) for layer in ("marts", "audiences")),
        task(tasks.audit, retries=0)(),
        task(tasks.publish, outlets=[published])(),
        task(tasks.describe, retries=0)(),
        task(tasks.prune, retries=0)(),
    )

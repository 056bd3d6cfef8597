"""Sources -> landing, behind the inbound gate: one partition a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, CronPartitionTimetable, Param, task

from tangga.schedule import DAILY_AT, TIME_ZONE
from tangga.tasks import land as tasks

landing = Asset("tangga_landing", uri="tangga://landing")

with DAG(
    dag_id="crm_land",
    description="Extract every source for one day into the landing, behind the inbound gate.",
    schedule=CronPartitionTimetable(DAILY_AT, timezone=TIME_ZONE, run_offset=-1, key_format="%Y-%m-%d"),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={"as_of_date": Param(None, type=["null", "string"], format="date", description="The day; empty: yesterday")},
    default_args={"owner": "data engineering", "retries": 1, "retry_delay": timedelta(minutes=1)},
    tags=["tangga"],
    doc_md=__doc__,
):
    filled = task(tasks.fill_inbox)()
    entities = task(tasks.list_entities)()
    landed = task(tasks.land, map_index_template="{{ task.op_kwargs['source'] }} {{ task.op_kwargs['entity'] }}")
    landed = landed.expand_kwargs(entities)
    gate = task(tasks.inbound_gate, outlets=[landing], retries=0)()
    filled >> landed >> gate

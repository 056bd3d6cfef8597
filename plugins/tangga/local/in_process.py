"""Run DAGs in this process, one task after another, without scheduler and server.

Import it after `airflow_home.activate` only. Built on `DAG.test`, with the traps taken out that it has
for real runs: it sleeps through the minutes before a retry, waits for ever for an approval, and counts a
run of no tasks as a success.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import httpx
from airflow.api_fastapi.execution_api import versions
from airflow.dag_processing.dagbag import DagBag
from airflow.listeners import hookimpl
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import DAG
from airflow.sdk.execution_time.supervisor import in_process_api_server
from airflow.sdk.listener import get_listener_manager
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select

from tangga.local import airflow_home
from tangga.progress import Progress
from tangga.settings import Settings

_ERROR_LIMIT = 2000  # characters of an error that the terminal shows; the log has all of it


class RunFailed(RuntimeError):
    """A DAG cannot be run, or did not do all its work; the message says where and why."""


class _OnlyApprovalsLeft(Exception):
    """Raised out of `DAG.test` when nothing is left to do but what waits for a person."""


@dataclass
class Outcome:
    """How a DAG run ended: tasks done, and what is waited for, as it is put to whoever has to decide."""

    succeeded: int = 0
    waiting: list[str] = field(default_factory=list)


def migrate(settings: Settings) -> None:
    """Create or migrate Airflow's metadata database, if the installed Airflow has not yet done so."""
    if not airflow_home.database_is_current(settings):
        initdb()
        airflow_home.mark_database_current(settings)


def warm_up() -> None:
    """Build the API through which tasks talk to Airflow, which the first task would otherwise do.

    Airflow builds it for each of its past versions, 3 s of work, to serve workers older than itself. Here
    the one worker is this process: the newest versions are enough, and take 0.5 s.
    """
    versions.bundle.versions = versions.bundle.versions[:2]
    with httpx.Client(transport=in_process_api_server().transport, base_url="http://in-process.invalid") as client:
        client.get("/health/ping")


def load(dag_ids: list[str]) -> dict[str, DAG]:
    """The DAGs by id, parsed from the DAG folder. Raises `RunFailed` when one is broken or missing."""
    bag = DagBag(airflow_home.DAGS)
    if bag.import_errors:
        raise RunFailed(
            "\n".join(
                f"{airflow_home.DAGS / file}: cannot be imported: {trace.strip().splitlines()[-1]}"
                for file, trace in bag.import_errors.items()
            )
        )
    if missing := [dag_id for dag_id in dag_ids if dag_id not in bag.dags]:
        raise RunFailed(f"{airflow_home.DAGS}: there is no DAG {', '.join(missing)}")
    return {dag_id: bag.dags[dag_id] for dag_id in dag_ids}


def run(dag: DAG, phase: str, conf: dict[str, str], progress: Progress) -> Outcome:
    """Run all tasks of `dag` once. `phase` stands before each line. Raises `RunFailed`."""
    for task in dag.tasks:
        # Somebody sits in front of it: better an error now than the same one after the pauses.
        task.retries = 0
    listener = _Listener(phase, progress)
    manager = get_listener_manager()
    manager.add_listener(listener)
    log = logging.getLogger("airflow.sdk.definitions.dag")
    log.addFilter(_stop_when_only_approvals_are_left)
    try:
        dag_run = dag.test(run_conf=conf)
    except _OnlyApprovalsLeft:
        if listener.errors:  # what else was to be done has not succeeded, and nobody would hear of it
            raise RunFailed("\n".join(listener.errors)) from None
        return Outcome(listener.succeeded, _questions(dag.dag_id, listener.run_id))
    except Exception as error:
        raise RunFailed(f"{dag.dag_id}: {type(error).__name__}: {error}") from error
    finally:
        log.removeFilter(_stop_when_only_approvals_are_left)
        manager.pm.unregister(listener)

    if listener.interrupted:
        raise KeyboardInterrupt
    instances = dag_run.get_task_instances()
    for instance in instances:
        if instance.state == "skipped" and (instance.task_id, instance.map_index) not in listener.seen:
            progress.line(f"{phase:<9}{instance.task_id:<42} skipped")
        elif instance.state == "failed" and (instance.task_id, instance.map_index) not in listener.seen:
            listener.errors.append(f"{dag.dag_id}.{instance.task_id}: failed before it began")
    if listener.errors:
        raise RunFailed("\n".join(listener.errors))
    unfinished = [one.task_id for one in instances if one.state not in ("success", "skipped")]
    missed = sorted(set(dag.task_dict) - {one.task_id for one in instances})
    if dag_run.state != "success" or unfinished or missed or not listener.succeeded:
        left = ", ".join(unfinished + missed) or "every task"
        raise RunFailed(f"{dag.dag_id}: the run ended as '{dag_run.state}' without having run {left}")
    return Outcome(listener.succeeded)


def _stop_when_only_approvals_are_left(record: logging.LogRecord) -> bool:
    """A log filter: `DAG.test` says once a second, and for ever, that it waits for people."""
    if record.msg.startswith("Waiting for Human-in-the-loop input"):
        raise _OnlyApprovalsLeft
    return True


def _questions(dag_id: str, run_id: str) -> list[str]:
    """The subject of each question of a run that nobody has answered, with its reasons."""
    query = (
        select(HITLDetail)
        .join(TaskInstance, HITLDetail.ti_id == TaskInstance.id)
        .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id, TaskInstance.state == "awaiting_input")
        .order_by(TaskInstance.task_id, TaskInstance.map_index)
    )
    with create_session() as session:
        asked = session.scalars(query).all()
        return [
            "\n".join([f"  {one.subject}", *(f"    {line}" for line in one.body.splitlines() if line.startswith("- "))])
            for one in asked
        ]


class _Listener:
    """Airflow's task events, shown as progress and kept for the verdict."""

    def __init__(self, phase: str, progress: Progress):
        self.phase, self.progress = phase, progress
        self.succeeded = 0
        self.run_id = ""
        self.interrupted = False
        self.errors: list[str] = []
        self.seen: set[tuple[str, int]] = set()

    @hookimpl
    def on_task_instance_running(self, previous_state, task_instance):
        self.run_id = task_instance.run_id
        self.progress.start(self.phase, _label(task_instance))

    @hookimpl
    def on_task_instance_success(self, previous_state, task_instance):
        self.succeeded += 1
        self._finish(task_instance)

    @hookimpl
    def on_task_instance_skipped(self, previous_state, task_instance):
        self._finish(task_instance, "skipped")

    @hookimpl
    def on_task_instance_failed(self, previous_state, task_instance, error):
        self._finish(task_instance, "FAILED")
        # Airflow takes Ctrl-C within a task for a failure like any other.
        self.interrupted |= isinstance(error, KeyboardInterrupt)
        sentence = str(error).strip() or type(error).__name__
        self.errors.append(f"{task_instance.dag_id}.{_label(task_instance)}: {sentence[:_ERROR_LIMIT]}")

    def _finish(self, task_instance, outcome: str = "") -> None:
        # Airflow starts the index of a task that is not mapped at -1, or leaves it out.
        self.seen.add((task_instance.task_id, -1 if task_instance.map_index is None else task_instance.map_index))
        self.progress.finish(self.phase, _label(task_instance), outcome)


def _label(task_instance) -> str:
    """The task's id, and of a mapped task which of them: its `map_index_template`, or the index."""
    index = task_instance.map_index
    if index is None or index < 0:
        return task_instance.task_id
    return f"{task_instance.task_id} {getattr(task_instance, 'rendered_map_index', None) or f'[{index}]'}"

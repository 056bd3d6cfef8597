"""Where Airflow lives: one folder under Tangga's home, and the environment that points everything there.

Airflow reads its configuration from the environment when it is first imported, dbt and Great
Expectations when they start. Both ways of running Tangga (`make run`, `make up`) and the tests use the
environment made here, so that nothing is read from or written to the user's own `~/airflow` or `~/.dbt`,
and nothing calls home. This module imports none of the three.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tangga.local import demo_tools
from tangga.settings import REPOSITORY, Settings

DAGS = REPOSITORY / "dags"
PLUGINS = REPOSITORY / "plugins"
HOST = "127.0.0.1"  # the demo logins are no protection on a network
DEFAULT_PORT = 8080
USERS = {"admin": "admin", "mark": "user", "vera": "viewer"}


def folder(settings: Settings) -> Path:
    """AIRFLOW_HOME: `airflow/` in Tangga's home."""
    return settings.home / "airflow"


def logs(settings: Settings) -> Path:
    return folder(settings) / "logs"


def environment(settings: Settings, port: int = DEFAULT_PORT) -> dict[str, str]:
    """All that Airflow, dbt and Great Expectations need, as environment variables.

    Creates the Airflow folder, its secrets and its logins (readable by the owner only) on the first
    call; later calls find them. `port` is the API server's, the only one that a home uses.
    """
    home = folder(settings)
    logs(settings).mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    keys = _secrets(home / "secrets.json")
    _kept(home / "passwords.json", {user: secrets.token_urlsafe(9) for user in USERS})
    address = f"http://{HOST}:{port}"
    variables = {
        "TANGGA_HOME": settings.home,
        "TANGGA_CONFIG": settings.config_path,
        # The schedule needs it, and DAG files are parsed too often to read the settings for it.
        "TANGGA_TIME_ZONE": settings.business.time_zone,
        "PYTHONPATH": _path(PLUGINS, REPOSITORY, existing=os.environ.get("PYTHONPATH")),
        # `dbt` and `airflow` are found without an activated virtual environment.
        "PATH": _path(Path(sys.executable).parent, existing=os.environ.get("PATH")),
        # One machine's local time must not be another's: instants are UTC, the business's zone is explicit.
        "TZ": "UTC",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "AIRFLOW_HOME": home,
        "AIRFLOW_CONFIG": home / "airflow.cfg",
        "AIRFLOW__CORE__DAGS_FOLDER": DAGS,
        "AIRFLOW__CORE__PLUGINS_FOLDER": PLUGINS,
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": 4,
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        # The default asks the name server for this machine's full name, and waits when there is none.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": False,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database(settings)}",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        # A small machine that is still starting answers late; the default of 5 s fails its first tasks.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": 30,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": keys["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": logs(settings),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": logs(settings) / "dag_processor",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": False,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
        "SCARF_ANALYTICS": False,
        "DO_NOT_TRACK": 1,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": False,
        "DBT_LOG_PATH": logs(settings) / "dbt",
        "GX_ANALYTICS_ENABLED": False,
    }
    if demo_tools.wanted():
        variables |= demo_tools.connections(port)
    return {name: _text(value) for name, value in variables.items()}


def activate(settings: Settings) -> None:
    """Give this process the environment. Call it before Airflow is first imported: later is too late."""
    if "airflow" in sys.modules:
        raise RuntimeError("Airflow is already imported and has read another environment; activate the home first")
    variables = environment(settings)
    os.environ.update(variables)
    time.tzset()
    for entry in reversed(variables["PYTHONPATH"].split(os.pathsep)):
        if entry not in sys.path:
            sys.path.insert(0, entry)


def logins(settings: Settings) -> dict[str, str]:
    """User -> password of the demo logins; `environment` must have been called."""
    return json.loads((folder(settings) / "passwords.json").read_text(encoding="utf-8"))


def database(settings: Settings) -> Path:
    """Airflow's own metadata: runs, task states, approvals. No customer data."""
    return folder(settings) / "airflow.db"


def database_is_current(settings: Settings) -> bool:
    """Whether the installed Airflow has migrated the metadata database: an answer without its slow import."""
    stamp = folder(settings) / "airflow.db.version"
    return database(settings).exists() and stamp.exists() and stamp.read_text() == version("apache-airflow-core")


def mark_database_current(settings: Settings) -> None:
    (folder(settings) / "airflow.db.version").write_text(version("apache-airflow-core"))


def fail_abandoned_runs(settings: Settings) -> None:
    """Close what a killed `make run` left open, or the next scheduler would carry on with it by itself.

    Call it only while holding the home's lock. A run that waits for somebody's approval stays open.
    """
    if not database_is_current(settings):
        return
    abandoned = """
        select dag_id, run_id from dag_run
        where state = 'running' and triggered_by = 'TEST' and not exists (
            select 1 from task_instance as ti
            where ti.dag_id = dag_run.dag_id and ti.run_id = dag_run.run_id and ti.state = 'awaiting_input')
    """
    connection = sqlite3.connect(database(settings), timeout=30)
    try:
        with connection:
            for run in connection.execute(abandoned).fetchall():
                connection.execute(
                    """update task_instance set state = 'failed' where dag_id = ? and run_id = ? and state in
                       ('scheduled', 'queued', 'running', 'restarting', 'up_for_retry', 'up_for_reschedule', 'deferred')
                    """,
                    run,
                )
                connection.execute("update dag_run set state = 'failed' where dag_id = ? and run_id = ?", run)
    finally:
        connection.close()


def _secrets(path: Path) -> dict[str, str]:
    fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return _kept(path, {"fernet": fernet, "jwt": secrets.token_urlsafe(72), "api": secrets.token_urlsafe(72)})


def _kept(path: Path, fresh: dict[str, str]) -> dict[str, str]:
    """What the file holds; a missing one is created with `fresh`, whole and for the owner only.

    Two processes that start at once end with the same content: linking fails for the second.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(fresh, file)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return json.loads(path.read_text(encoding="utf-8"))


def _path(*entries: Path, existing: str | None) -> str:
    ours = [str(entry) for entry in entries]
    theirs = [entry for entry in (existing or "").split(os.pathsep) if entry and entry not in ours]
    return os.pathsep.join(ours + theirs)


def _text(value: object) -> str:
    # dbt and Airflow take "False", Great Expectations' settings want it in lower case, as all three do.
    return str(value).lower() if isinstance(value, bool) else str(value)

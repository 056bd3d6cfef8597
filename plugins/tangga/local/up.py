"""`make up` and `make down`: Airflow with its UI, on this machine only.

    python -m tangga.local.up [up|down] [--port 8080] [--detach] [--config tangga.yml] [--home DIRECTORY]

`up` starts the parts in the order in which they need each other (`airflow standalone` starts them at once,
so that the first tasks meet no server), and stays until Ctrl-C; `--detach` leaves it running in the
background and returns when all is healthy. Exit code 1: a part did not start, or died; 2: the settings
cannot be used; 3: the home or the port is in use.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from tangga.local import airflow_home, command, demo_tools
from tangga.local.home_lock import HomeBusy, home_lock
from tangga.local.processes import ProcessDied, Processes, end_all, tail
from tangga.settings import Settings

_START_SECONDS = 240.0
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class Stopped(Exception):
    """Ctrl-C, SIGTERM, or the terminal was closed."""


class CannotStart(RuntimeError):
    """Airflow cannot be started here; the message says what to change."""


def main(arguments: list[str] | None = None) -> int:
    parser = command.parser("up", "Airflow with its UI, on this machine.")
    parser.add_argument("action", nargs="?", choices=("up", "down"), default="up")
    parser.add_argument("--port", type=int, default=airflow_home.DEFAULT_PORT, help="of the UI (default: %(default)s)")
    parser.add_argument("--detach", action="store_true", help="return when all is healthy, and leave it running")
    options = parser.parse_args(arguments)
    settings = command.begin(options)
    try:
        if options.action == "down":
            return down(settings)
        if options.detach:
            return _detach(settings, options.port)
        return up(settings, options.port)
    except (HomeBusy, CannotStart) as error:
        print(error, file=sys.stderr)
        return 3


def up(settings: Settings, port: int) -> int:
    """Start everything, say where it is, and watch it until told to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    address = f"http://{airflow_home.HOST}:{port}"
    with home_lock(settings, f"up {address}"):
        if end_all(settings):
            print("Ended what an earlier 'make up' had left behind.", flush=True)
        for number in (port, *(demo_tools.ports(port).values() if demo_tools.wanted() else ())):
            _need_port(number)
        airflow_home.fail_abandoned_runs(settings)
        state = _state_file(settings)
        try:
            with Processes(settings, airflow_home.environment(settings, port)) as processes:
                _write_state(state, port, ready=False)
                if demo_tools.wanted():
                    processes.start("demo-tools", *demo_tools.arguments(settings, port), module="tests.fakes")
                _start(settings, processes, address)
                _greet(settings, port)
                _write_state(state, port, ready=True)  # what was said before it is what a detached start passes on
                while True:
                    processes.check()
                    time.sleep(0.5)
        except Stopped:
            print("Stopped.", flush=True)
            return 0
        except ProcessDied as error:
            print(f"{error}\nEverything has been stopped.", file=sys.stderr, flush=True)
            return 1
        finally:
            state.unlink(missing_ok=True)


def down(settings: Settings) -> int:
    """End what `up` started in this home, also when its own process is gone."""
    supervisor = _supervisor(settings)
    if supervisor is not None:
        with suppress(psutil.Error):
            supervisor.terminate()
            supervisor.wait(timeout=60)
    left = end_all(settings)
    _state_file(settings).unlink(missing_ok=True)
    stopped = supervisor is not None or left > 0
    print(f"Airflow in {settings.home} has been stopped." if stopped else f"Nothing is up in {settings.home}.")
    return 0


def _start(settings: Settings, processes: Processes, address: str) -> None:
    began = time.monotonic()
    if not airflow_home.database_is_current(settings):
        print("Preparing Airflow's metadata database ...", flush=True)
        processes.run("db-migrate", "db", "migrate")
        airflow_home.mark_database_current(settings)
    print("Starting Airflow's API server ...", flush=True)
    processes.start("api-server", "api-server")
    _await_health(processes, address, _COMPONENTS[:1], "api-server")
    print("Starting scheduler, DAG processor and triggerer ...", flush=True)
    processes.start("dag-processor", "dag-processor")
    # Task logs are read from the disk. Airflow's log servers would listen on every network interface.
    processes.start("scheduler", "scheduler", "--skip-serve-logs")
    processes.start("triggerer", "triggerer", "--skip-serve-logs")
    _await_health(processes, address, _COMPONENTS, "scheduler")
    print(f"All healthy after {time.monotonic() - began:.0f} s.", flush=True)


def _await_health(processes: Processes, address: str, components: tuple[str, ...], name: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    missing = components
    while missing:
        processes.check()
        if time.monotonic() > deadline:
            raise ProcessDied(
                f"Airflow's {', '.join(missing)} did not become healthy within {_START_SECONDS:.0f} s. "
                f"The end of {processes.log(name)}:\n{tail(processes.log(name))}"
            )
        time.sleep(0.25)
        reported = health(address)
        missing = tuple(part for part in components if (reported.get(part) or {}).get("status") != "healthy")


def health(address: str) -> dict:
    """What `/monitor/health` says, by component; empty as long as nothing answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address}/api/v2/monitor/health", timeout=5) as answer:
            return json.load(answer)
    except (OSError, urllib.error.URLError, ValueError):
        return {}


def _greet(settings: Settings, port: int) -> None:
    print(f"\nAirflow is up: http://{airflow_home.HOST}:{port}\nLogins of this home (user / password, role):")
    for user, password in airflow_home.logins(settings).items():
        print(f"  {user:<6} / {password}   {airflow_home.USERS[user]}")
    print(f"The page for marketers: http://{airflow_home.HOST}:{port}/plugin/customers/crm/")
    print(f"Logs: {airflow_home.logs(settings)}")
    print("Once a day has run, pages to open in a browser:")
    print(f"  what the gates found: {settings.gate_pages}")
    print(f"  what the tables of the warehouse mean: {settings.warehouse_pages}")
    if demo_tools.wanted():
        print(f"The demo e-mail tools, which can be watched: {demo_tools.page(port)}")
    print("Stop it with 'make down', or with Ctrl-C where it was started.", flush=True)


def _detach(settings: Settings, port: int) -> int:
    """Run `up` in a session of its own, and pass on what it says until it is healthy or has given up."""
    log = airflow_home.logs(settings) / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tangga.local.up", "--port", str(port)]
    command += ["--config", str(settings.config_path), "--home", str(settings.home)]
    with open(log, "wb") as file:
        supervisor = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_child_environment(),
        )
    with open(log, encoding="utf-8", errors="replace") as said:
        while True:
            ended, ready = supervisor.poll() is not None, _is_ready(settings, supervisor.pid)
            print(said.read(), end="", flush=True)
            if ready or ended:
                return 0 if ready else supervisor.returncode
            time.sleep(0.2)


def _child_environment() -> dict[str, str]:
    plugins = str(Path(__file__).resolve().parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (plugins, os.environ.get("PYTHONPATH"))))}


def _state_file(settings: Settings) -> Path:
    return airflow_home.folder(settings) / "up.json"


def _write_state(path: Path, port: int, ready: bool) -> None:
    state = {"pid": os.getpid(), "started": psutil.Process().create_time(), "port": port, "ready": ready}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


def _read_state(settings: Settings) -> dict:
    try:
        return json.loads(_state_file(settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _is_ready(settings: Settings, pid: int) -> bool:
    state = _read_state(settings)
    return state.get("pid") == pid and state.get("ready", False)


def _supervisor(settings: Settings) -> psutil.Process | None:
    """The process of a running `up`; its start time tells it from a later one with the same number."""
    state = _read_state(settings)
    with suppress(psutil.Error, KeyError):
        process = psutil.Process(state["pid"])
        same = abs(process.create_time() - state["started"]) < 5  # it moves a little when the clock is set
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _need_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((airflow_home.HOST, port))
        except OSError:
            raise CannotStart(f"Port {port} is in use by another program: choose another one with PORT=") from None


def _stop(*_) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it is ending already, which takes a few seconds
    print("\nStopping Airflow ...", flush=True)
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())

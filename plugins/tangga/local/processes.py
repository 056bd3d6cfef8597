"""Airflow's four processes, and what runs beside them: started with one environment, watched, ended to the last
grandchild.

Every process that is started here inherits a mark in its environment, the home it serves. That finds
its descendants too, also those that moved to a session of their own or lost their parent to `kill -9`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tangga.local import airflow_home
from tangga.settings import Settings

_MARK = "TANGGA_UP"
_GRACE_SECONDS = 15.0  # then whatever is left is killed; a task that was cut off is simply run again


class ProcessDied(RuntimeError):
    """A process ended by itself; the message names it, and shows the end of its log."""


class Processes:
    """The processes of one home. Use as a context manager: leaving it ends all of them."""

    def __init__(self, settings: Settings, environment: dict[str, str]):
        self.settings = settings
        # Process titles are written over the memory of the environment, where the mark is, unless told not to.
        marked = {_MARK: str(settings.home), "SPT_NOENV": "1"}
        self.environment = os.environ | environment | marked
        self._running: dict[str, subprocess.Popen] = {}
        self._group = 0

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_) -> None:
        # The API server last: the others report to it while they end.
        for process in reversed(self._running.values()):
            _signal(process, signal.SIGTERM)
        end_all(self.settings)

    def run(self, name: str, *arguments: str) -> None:
        """Run `airflow <arguments>` and wait until it has ended well. Raises `ProcessDied`."""
        self.start(name, *arguments)
        while self._running[name].poll() is None:
            time.sleep(0.1)
        if self._running[name].returncode:
            raise self._obituary(name)
        del self._running[name]
        self._group = 0  # the group ended with its only member

    def start(self, name: str, *arguments: str, module: str = "airflow") -> None:
        """Start `airflow <arguments>`, or another module; its output goes to the log of that name."""
        with open(self.log(name), "wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment,
                cwd=airflow_home.folder(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of their own: Ctrl-C in the terminal reaches only the parent, which ends them in order.
                process_group=self._group,
            )
        self._group = self._group or self._running[name].pid

    def check(self) -> None:
        """Raises `ProcessDied` if one has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise self._obituary(name)

    def log(self, name: str) -> Path:
        return airflow_home.logs(self.settings) / f"up-{name}.log"

    def _obituary(self, name: str) -> ProcessDied:
        code = self._running[name].returncode
        how = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return ProcessDied(f"The {name} {how}. The end of {self.log(name)}:\n{tail(self.log(name))}")


def end_all(settings: Settings, grace: float = _GRACE_SECONDS) -> int:
    """End every process that serves this home, gently first; returns how many there were."""
    found = _marked(settings)
    for process in found:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := _marked(settings)) and time.monotonic() < deadline:
        time.sleep(0.1)
    while left:
        # Again and again, for one that is being forked escapes the round in which it is born.
        for process in left:
            _signal(process, signal.SIGKILL)
        time.sleep(0.1)
        left = _marked(settings)
    return len(found)


def tail(path: Path, lines: int = 20) -> str:
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else "(there is no log)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def _marked(settings: Settings) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == str(settings.home):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
    return found


def _signal(process: psutil.Process | subprocess.Popen, number: signal.Signals) -> None:
    with suppress(psutil.Error, ProcessLookupError):
        process.send_signal(number)

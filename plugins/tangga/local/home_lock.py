"""One at a time in one home: `make run` and `make up` share Airflow's metadata database.

Were both to work at once, the scheduler would run the tasks of `make run` a second time.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tangga.local import airflow_home
from tangga.settings import Settings


class HomeBusy(RuntimeError):
    """Another process holds this home; the message says which and what to do."""


@contextmanager
def home_lock(settings: Settings, owner: str, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the home for `owner` ("run" or "up <address>").

    When another `run` holds it and `on_wait` is given, that is told so once and the lock is waited for;
    otherwise `HomeBusy` is raised. The kernel frees the lock when its process ends, however it ends.
    """
    folder = airflow_home.folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder, process = _holder(file)
            if holder.startswith("up"):
                raise HomeBusy(
                    f"Airflow is up in {settings.home} ({holder.removeprefix('up ')}): trigger crm_land there, "
                    "or stop it with 'make down', or choose another TANGGA_HOME"
                ) from None
            if on_wait is None:
                raise HomeBusy(
                    f"'make run' is at work in {settings.home} (process {process}): "
                    "wait until it has ended, or choose another TANGGA_HOME"
                ) from None
            on_wait(
                f"'make run' is already at work in {settings.home} (process {process}): waiting until it has ended."
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        json.dump([owner, os.getpid()], file)
        file.flush()
        yield


def _holder(file) -> tuple[str, int]:
    """Who holds the lock; it may just have taken it and not have signed yet."""
    file.seek(0)
    try:
        owner, process = json.loads(file.read())
    except ValueError:
        return "run", 0
    return owner, process

"""Work in processes of its own, which are killed as kill -9 does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.chmod", "shutil.rmtree")
"""Events of Python's audit that change files; so does an `open` for writing."""


def in_a_process(work: Callable[[], object]) -> int:
    """Begin some work in a process of its own, which ends with 0 when it is done; its id."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def ended(child: int) -> int:
    """Wait for the end of a process: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at_change(work: Callable[[], object], number: int) -> bool:
    """Do some work that is killed right before its n-th change of a file, from 1 on; whether it came that far."""

    def hook(event: str, arguments: tuple) -> None:
        nonlocal number
        if event in CHANGES or (event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wxa"):
            number -= 1
            if number == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched() -> None:
        sys.addaudithook(hook)
        work()

    code = ended(in_a_process(watched))
    assert code in (0, -signal.SIGKILL)
    return code != 0

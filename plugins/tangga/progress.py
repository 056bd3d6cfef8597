"""How a task says what it did, and how a terminal shows it.

A task calls `note("12,345 rows, 12 rejected")`; `make run` shows the last note of a task on its line, and
everywhere else it is a line in the task's log. Notes carry counts, never personal data.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner

_log = logging.getLogger("tangga")
_SLOW_SECONDS = 5.0
_active: Progress | None = None


def note(message: str) -> None:
    """Say in a few words what the running task has done; the last note counts."""
    _log.info("%s", message)
    if _active is not None:
        _active.note(message)


class _Terminal(Console):
    def on_broken_pipe(self) -> None:
        """Whoever was reading has gone (`make run | head`): the work goes on unseen."""
        self.quiet = True


class Progress:
    """Lines of finished tasks on a terminal, with the running one beneath them while it runs.

    Where the output is no terminal, a task that takes longer than a few seconds gets a line of its own
    when it becomes slow, so that a log of a long run shows where it is.
    """

    def __init__(self, stream: TextIO):
        self.console = _Terminal(file=stream, highlight=False, soft_wrap=True)
        self._started = 0.0
        self._note = ""
        self._live: Live | None = None
        self._slow: threading.Timer | None = None

    def __enter__(self) -> Progress:
        global _active
        _active = self
        return self

    def __exit__(self, *_) -> None:
        global _active
        _active = None
        self._clear()

    def line(self, text: str = "") -> None:
        self.console.print(escape(text))

    def start(self, phase: str, task: str) -> None:
        """A task has begun (or, for set-up work, anything that takes a while)."""
        self._clear()
        self._started, self._note = time.monotonic(), ""
        if self.console.is_terminal:
            self._live = Live(
                Spinner("dots", escape(f"{phase:<9}{task}")),
                console=self.console,
                refresh_per_second=4,  # each one takes the interpreter away from the tasks
                transient=True,
                redirect_stdout=False,  # what else is printed belongs in the log
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._slow = threading.Timer(_SLOW_SECONDS, self.line, [f"{phase:<9}{task:<42} running"])
            self._slow.daemon = True
            self._slow.start()

    def note(self, message: str) -> None:
        self._note = message

    def finish(self, phase: str, task: str, outcome: str = "") -> None:
        """The task has ended; `outcome` is shown when it is not plain success."""
        seconds = time.monotonic() - self._started
        self._clear()
        message = ", ".join(part for part in (outcome, self._note) if part)
        self.line(f"{phase:<9}{task:<42} {message:<36} {seconds:6.1f} s")

    def _clear(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        if self._live is not None:
            self._live.stop()
            self._live = None

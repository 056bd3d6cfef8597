"""What is in a tool, kept in a file between two starts."""

from __future__ import annotations

import os
import pickle
from itertools import count
from pathlib import Path

from tests.fakes.server import Fake

PASSING = frozenset(
    [
        "asked",
        "at_once",
        "elsewhere",
        "faults",
        "lock",
        "most_at_once",
        "port",
        "remembered",
        "searches",
        "token",
        "window",
        "_known_endpoints",
        "_indexes",
        "_server",
        "_thread",
    ]
)
"""What belongs to a start, or is made again from the rest."""
MOST_EFFECTS = 20_000


class Kept:
    """The state of a tool in `path`; it is written only when something has changed."""

    def __init__(self, tool: Fake, path: Path) -> None:
        self.tool, self.path = tool, path
        self._written: object = None

    def restore(self) -> bool:
        """Put back what was kept. False: there is nothing, or another version has written it."""
        try:
            state = pickle.loads(self.path.read_bytes())
        except FileNotFoundError:
            return False
        except Exception:  # whatever a half-fitting pickle raises; these are tools to play with
            self.path.unlink()
            return False
        if set(state) != self._names():
            return False
        vars(self.tool).update(state | {"_ids": count(state["_ids"])})
        return True

    def keep(self) -> None:
        """Write down what is there, if something has happened since; a reader finds the old file or the new one."""
        with self.tool.lock:
            now = (len(self.tool.effects), self.tool.effects[-1:], len(getattr(self.tool, "batches", ())))
            if now == self._written:
                return
            del self.tool.effects[:-MOST_EFFECTS]
            state = {name: vars(self.tool)[name] for name in self._names()}
            upcoming = next(self.tool._ids)
            self.tool._ids = count(upcoming)
            content = pickle.dumps(state | {"_ids": upcoming})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        draft.replace(self.path)
        self._written = now

    def _names(self) -> set[str]:
        return set(vars(self.tool)) - PASSING

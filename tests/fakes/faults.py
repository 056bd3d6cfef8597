"""What goes wrong on the way to a tool, ordered by a test.

    tool.faults.next(429, times=2, after=1)             # the second and third request are refused
    tool.faults.silent(only="POST .*/segments")         # the work is done, the answer never comes
    tool.faults.when("POST .*/batches", leave, after=2) # somebody unsubscribes in the middle of the run
    tool.faults.mixture(seed=7, share=0.2)              # one request in five meets something, at random
    tool.faults.calm()                                  # no more

`only` is a regular expression for `<METHOD> <path>`, from its beginning; requests that do not match pass, and are not
counted by `after`.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
AN_HOUR = 3600.0


@dataclass
class Fault:
    """What goes wrong with a request. `after` requests pass before it, counted from when it was ordered.

    kind       status (an answer that is not the tool's), drop (no answer, nothing done), truncated, slow, and
               silent or cut: the tool does what was asked, then says nothing or hangs up
    """

    kind: str
    after: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    only: str = ""


@dataclass
class Hook:
    """Something that happens in the tool before a request is answered, or after it has been carried out."""

    only: str
    action: Callable[[], object]
    after: int
    times: int
    committed: bool


BAD_LUCK: dict[str, Fault] = {
    "429": Fault("status", status=429),
    "429 with Retry-After": Fault("status", status=429, headers={"Retry-After": "1"}),
    "503": Fault("status", status=503),
    "500": Fault("status", status=500, headers={"Content-Type": "application/json"}, body=b"{}"),
    "html": Fault("status", headers={"Content-Type": "text/html; charset=utf-8"}, body=HTML),
    "drop": Fault("drop"),
    "cut": Fault("cut"),
    "truncated": Fault("truncated"),
    "silent": Fault("silent", seconds=AN_HOUR),
}
"""What `mixture` draws from. `silent` costs whoever asks their whole deadline."""


class Faults:
    """Orders for trouble. Those for one request are carried out in the order in which they were given.

    `latency` is the time, in seconds, that every answer takes. `met` names the faults that requests have met.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.met: list[str] = []
        self._waiting: deque[Fault] = deque()
        self._poison: list[tuple[bytes, str]] = []
        self._hooks: list[Hook] = []
        self._chance: Callable[[str], Fault | None] | None = None

    def next(
        self,
        status: int,
        times: int = 1,
        after: int = 0,
        headers: dict | None = None,
        body: bytes = b"",
        only: str = "",
    ) -> None:
        """Answer with this status, as a gateway does that knows nothing of the tool's own errors."""
        for turn in range(times):
            self._add(Fault("status", 0 if turn else after, status, headers or {}, body, only=only))

    def slow(self, seconds: float, after: int = 0, only: str = "") -> None:
        """Answer correctly, but late."""
        self._add(Fault("slow", after, seconds=seconds, only=only))

    def truncated(self, after: int = 0, only: str = "") -> None:
        """Break off in the middle of the body."""
        self._add(Fault("truncated", after, only=only))

    def html(self, after: int = 0, only: str = "") -> None:
        """Answer 200 with a page for people."""
        self._add(Fault("status", after, 200, {"Content-Type": "text/html; charset=utf-8"}, HTML, only=only))

    def redirect(self, to: str, status: int = 307, after: int = 0, only: str = "") -> None:
        """Send whoever asks to another address; `Fake.elsewhere` says who came there, and with what."""
        self._add(Fault("status", after, status, {"Location": to}, only=only))

    def drop(self, after: int = 0, only: str = "") -> None:
        """Close the connection without an answer, and without having done anything."""
        self._add(Fault("drop", after, only=only))

    def cut(self, after: int = 0, only: str = "") -> None:
        """Do what was asked, then close the connection without an answer."""
        self._add(Fault("cut", after, only=only))

    def silent(self, seconds: float = AN_HOUR, after: int = 0, only: str = "") -> None:
        """Do what was asked, then hold the connection open for so long without an answer."""
        self._add(Fault("silent", after, seconds=seconds, only=only))

    def poison(self, text: str, only: str = "") -> None:
        """From now on, refuse as a whole any request whose body holds this text, in the tool's own words (400)."""
        self._poison.append((text.encode(), only))

    def when(self, only: str, action: Callable[[], object], after: int = 0, times: int = 1, committed=False) -> None:
        """Do something in the tool when such a request comes, before it is answered or after it was carried out."""
        self._hooks.append(Hook(only, action, after, times, committed))

    def storm(self, seed: int = 0, share: float = 0.5, only: str = "") -> None:
        """A gateway under load: so many of the requests get 429 or 503, with and without Retry-After, never a body."""
        self.mixture(seed, share, ("429", "429 with Retry-After", "503"), only)

    def mixture(self, seed: int, share: float, kinds: Sequence[str] = tuple(BAD_LUCK), only: str = "") -> None:
        """From now on, so large a share of the requests meet one of `BAD_LUCK`, drawn by `seed`."""
        draw = random.Random(seed)

        def chance(line: str) -> Fault | None:
            if not re.match(only, line) or draw.random() >= share:
                return None
            return replace(BAD_LUCK[draw.choice(kinds)])

        self._chance = chance

    def calm(self) -> None:
        """No more trouble, except for slowness."""
        self._waiting.clear()
        self._poison.clear()
        self._hooks.clear()
        self._chance = None

    def take(self, line: str = "") -> Fault | None:
        """The fault for the request that comes now."""
        first = self._waiting[0] if self._waiting else None
        if first and re.match(first.only, line):
            if first.after == 0:
                return self._waiting.popleft()
            first.after -= 1
        return self._chance(line) if self._chance else None

    def poisoned(self, line: str, body: bytes) -> bool:
        """Whether a request holds what makes the tool refuse it as a whole."""
        return any(text in body and re.match(only, line) for text, only in self._poison)

    def happen(self, line: str, committed: bool) -> None:
        """Let happen what is to happen with the request that comes now."""
        for hook in list(self._hooks):
            if hook.committed != committed or not re.match(hook.only, line):
                continue
            if hook.after > 0:
                hook.after -= 1
                continue
            hook.times -= 1
            if hook.times == 0:
                self._hooks.remove(hook)
            hook.action()

    def _add(self, fault: Fault) -> None:
        self._waiting.append(fault)

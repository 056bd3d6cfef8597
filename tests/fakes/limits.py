"""How tools count requests against their limits."""

from __future__ import annotations

import time
from collections import deque


class LeakyBucket:
    """So many requests at once, and `per_second` more as time goes by."""

    def __init__(self, size: int, per_second: float) -> None:
        self.size, self.per_second = size, per_second
        self.level, self.seen = 0.0, time.monotonic()

    def admits(self) -> bool:
        """True when there is room for one more request, which is then counted."""
        now = time.monotonic()
        self.level = max(0.0, self.level - (now - self.seen) * self.per_second)
        self.seen = now
        if self.level + 1 > self.size:
            return False
        self.level += 1
        return True


class RollingWindow:
    """At most `size` requests in any `seconds`."""

    def __init__(self, size: int, seconds: float) -> None:
        self.size, self.seconds = size, seconds
        self._times: deque[float] = deque()

    def admits(self) -> bool:
        """True when there is room for one more request, which is then counted."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        if len(self._times) >= self.size:
            return False
        self._times.append(now)
        return True

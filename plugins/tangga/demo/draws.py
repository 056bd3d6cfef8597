"""Counter-based random numbers: a value depends on the seed, the stream and its index, on nothing else.

That is what makes the demo *prefix-stable*: whoever draws for contact 17 gets the same number however
many contacts there are and in whatever order they are drawn, so the past does not change when a day is
added, and a month can be made without making those before it. The mixing function is SplitMix64's
(Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014), which does not
change with numpy's version, as the methods of `numpy.random.Generator` may.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


class Draws:
    """Random numbers for one seed. `stream` names what is drawn; `index` arrays say for whom."""

    def __init__(self, seed: int):
        self.seed = seed

    def uniform(self, stream: str, *index: np.ndarray) -> np.ndarray:
        """Floats in [0, 1), one for each element of the (broadcast) integer arrays `index`."""
        digest = hashlib.sha256(f"{self.seed}:{stream}".encode()).digest()
        state = np.uint64(int.from_bytes(digest[:8], "little"))
        for numbers in index:
            state = _mix(state + (np.atleast_1d(numbers).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
        return (state >> np.uint64(11)) * 2.0**-53

    def between(self, stream: str, low, high, *index: np.ndarray) -> np.ndarray:
        """Floats in [low, high); both may be arrays."""
        return low + (high - low) * self.uniform(stream, *index)

    def integers(self, stream: str, low, high, *index: np.ndarray) -> np.ndarray:
        """Integers from low to high, both included; both may be arrays."""
        return np.floor(self.between(stream, low, np.asarray(high) + 1, *index)).astype(np.int64)

    def chance(self, stream: str, share, *index: np.ndarray) -> np.ndarray:
        """True with probability `share`, which may be an array."""
        return self.uniform(stream, *index) < share

    def choose(self, stream: str, weights: Sequence[float], *index: np.ndarray) -> np.ndarray:
        """Positions in `weights`, in proportion to them."""
        edges = np.cumsum(np.asarray(weights, dtype=float))
        return np.searchsorted(edges[:-1] / edges[-1], self.uniform(stream, *index), side="right")

"""Limits how often each of any number of names may do something, in a fixed amount of memory.

A count-min sketch of token buckets. Nothing is evicted, so nobody escapes a limit by making the table forget.
Two names that meet in both rows share a limit; rows are keyed with a secret, so that nobody chooses with whom.

The buckets are those of the generic cell rate algorithm (ITU-T I.371); the sketch is updated conservatively
(Estan and Varghese, 2002, section 3.3.2).
"""

import secrets
import time
from array import array
from collections.abc import Callable
from hashlib import blake2b

ROW_BUCKETS = 8192
"""Buckets in each of the two rows, eight bytes each."""

_HALF_BITS = 32
_HALF_MASK = (1 << _HALF_BITS) - 1
_ROUNDING_S = 1e-6


class RateTable:
    """A limit for each name: ``burst`` at once, and then ``per_s`` a second."""

    def __init__(self, *, burst: float, per_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``clock_s``: seconds, never going back."""
        self._step_s = 1 / per_s
        self._slack_s = (burst - 1) / per_s
        self._clock_s = clock_s
        self._secret = secrets.token_bytes(32)
        # When each bucket is full again; before now: it is full.
        self._full_s = array("d", bytes(2 * ROW_BUCKETS * 8))

    def wait_s(self, name: bytes, /) -> float:
        """Return how long a name must wait until it may do one more, in seconds; 0: it may now."""
        now_s = self._clock_s()
        return self._wait_s(max(now_s, min(self._full_s[place] for place in self._places(name))), now_s)

    def take(self, name: bytes, /, *, cost: float = 1.0) -> float:
        """Count one more of a name, whether it may or not; return how long it must wait, in seconds.

        ``cost``: as how many it counts.
        """
        now_s, places = self._clock_s(), self._places(name)
        before_s = max(now_s, min(self._full_s[place] for place in places))
        for place in places:
            self._full_s[place] = max(self._full_s[place], before_s + cost * self._step_s)
        return self._wait_s(before_s, now_s)

    def give_back(self, name: bytes, /, *, cost: float = 1.0) -> None:
        """Take back what was counted."""
        for place in self._places(name):
            self._full_s[place] -= cost * self._step_s

    def _wait_s(self, full_s: float, now_s: float) -> float:
        wait_s = full_s - now_s - self._slack_s
        return wait_s if wait_s > _ROUNDING_S else 0.0

    def _places(self, name: bytes) -> tuple[int, int]:
        number = int.from_bytes(blake2b(name, key=self._secret, digest_size=8).digest())
        return (number & _HALF_MASK) % ROW_BUCKETS, ROW_BUCKETS + (number >> _HALF_BITS) % ROW_BUCKETS

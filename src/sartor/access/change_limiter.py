"""How often a loop may be changed: each change leaves a line in the audit log for ever, and costs others.

Generous for people and for tools that deploy, and an end for a key that fell into the wrong hands. What was
refused, or changes nothing, leaves no line and is not counted. Each process counts for itself.
"""

import math
import threading
import time
from collections.abc import Callable

from sartor.errors import TooManyRequests

CHANGES = 300
"""How many changes of a loop are allowed at once."""

CORRECTIONS = 1_000
"""How many corrections of rewards are allowed at once."""

PER_HOUR = 720
"""How many more of each are allowed in an hour."""

_STEP_S = 3_600 / PER_HOUR
_REMEMBERED = 4_096


class ChangeLimiter:
    """Counts the lines that each loop leaves in the audit log, by the generic cell rate algorithm."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``clock_s``: seconds, never going back."""
        self._clock_s = clock_s
        self._lock = threading.Lock()
        # When a loop has all its changes again, by its name and whether they are corrections.
        self._full_s: dict[tuple[str, bool], float] = {}

    def check(self, loop: str, /, *, correction: bool) -> None:
        """Check that a loop may be changed once more; nothing is counted.

        Args:
            loop: its name.
            correction: whether it is a correction of a reward.

        Raises:
            TooManyRequests: it was changed too often.
        """
        most = CORRECTIONS if correction else CHANGES
        full_s = self._full_s.get((loop, correction), -math.inf)
        wait_s = full_s - self._clock_s() - (most - 1) * _STEP_S
        if wait_s <= 1e-6:
            return
        what = "rewards may be corrected" if correction else "this loop may be changed"
        raise TooManyRequests(
            f"Too many changes: {what} {most} times at once and {PER_HOUR} times an hour.",
            retry_after_s=math.ceil(wait_s),
        )

    def count(self, loop: str, /, *, correction: bool) -> None:
        """Count one line of a loop."""
        now_s, key = self._clock_s(), (loop, correction)
        with self._lock:  # handlers of one loop run on several threads
            self._full_s[key] = max(now_s, self._full_s.get(key, now_s)) + _STEP_S
            if len(self._full_s) > _REMEMBERED:
                self._full_s = {one: full_s for one, full_s in self._full_s.items() if full_s > now_s}

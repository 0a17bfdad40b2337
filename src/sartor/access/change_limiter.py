"""How often a loop may be changed: each change leaves a line in the audit log for ever, and costs others.

Generous for people and for tools that deploy, and an end for a key that fell into the wrong hands. What was
refused, or changes nothing, leaves no line and is not counted. Each process counts for itself.

What keys of a loop can't do is counted apart: whoever has a key that leaked must not be able to keep others
from replacing it.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from sartor.errors import TooManyRequests

ChangeKind: TypeAlias = Literal["change", "correction", "management"]
"""What its keys change; a correction of a reward; what takes a role: terms, keys, deletion, erasure."""

CHANGES = 300
"""How many changes of a loop are allowed at once, of those by keys and of those that take a role."""

CORRECTIONS = 1_000
"""How many corrections of rewards are allowed at once."""

PER_HOUR = 720
"""How many more of each are allowed in an hour."""

_MOST: Mapping[ChangeKind, int] = {"change": CHANGES, "correction": CORRECTIONS, "management": CHANGES}
_STEP_S = 3_600 / PER_HOUR
_REMEMBERED = 4_096


class ChangeLimiter:
    """Counts the lines that each loop leaves in the audit log, by the generic cell rate algorithm."""

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``clock_s``: seconds, never going back."""
        self._clock_s = clock_s
        self._lock = threading.Lock()
        # When a loop has all its changes again, by its name and their kind.
        self._full_s: dict[tuple[str, ChangeKind], float] = {}

    def check(self, loop: str, kind: ChangeKind, /) -> None:
        """Check that a loop may be changed once more; nothing is counted.

        Args:
            loop: its name.
            kind: what is to be changed.

        Raises:
            TooManyRequests: it was changed too often.
        """
        most = _MOST[kind]
        full_s = self._full_s.get((loop, kind), -math.inf)
        wait_s = full_s - self._clock_s() - (most - 1) * _STEP_S
        if wait_s <= 1e-6:
            return
        what = "rewards may be corrected" if kind == "correction" else "this loop may be changed"
        raise TooManyRequests(
            f"Too many changes: {what} {most} times at once and {PER_HOUR} times an hour.",
            retry_after_s=math.ceil(wait_s),
        )

    def count(self, loop: str, kind: ChangeKind, /) -> None:
        """Count one line of a loop."""
        now_s, key = self._clock_s(), (loop, kind)
        with self._lock:  # handlers of one loop run on several threads
            self._full_s[key] = max(now_s, self._full_s.get(key, now_s)) + _STEP_S
            if len(self._full_s) > _REMEMBERED:
                self._full_s = {one: full_s for one, full_s in self._full_s.items() if full_s > now_s}

"""Removes what a loop need not keep any longer (``logRetentionDays``), in a thread of its own.

Retention may take minutes; the other tasks of the work process don't wait for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sartor.ports import Loop, Stores
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.times import DAY_US, now_us

_log = logging.getLogger(__name__)

_UNLIMITED = -1


class RetentionSchedule:
    """Applies the retention of every loop at intervals."""

    def __init__(
        self,
        stores: Stores,
        /,
        *,
        now_us: Callable[[], int] = now_us,
        pause_s: float = 300.0,
    ) -> None:
        """Nothing is removed yet.

        Args:
            stores: the instance's stores.
            now_us: the clock.
            pause_s: seconds between two visits.
        """
        self._stores = stores
        self._now_us = now_us
        self._pause_s = pause_s
        self._thread: threading.Thread | None = None
        self._due_s = 0.0
        self.visits = LoopVisits("retention_failed")
        """What failed last, by loop."""

    def run_once(self, loops: Sequence[Loop], /) -> None:
        """Begin a visit, if one is due and none is under way; returns at once."""
        if time.monotonic() < self._due_s or (self._thread is not None and self._thread.is_alive()):
            return
        self._due_s = time.monotonic() + self._pause_s
        self._thread = threading.Thread(target=self.visit, args=(loops,), name="retention", daemon=True)
        self._thread.start()

    def visit(self, loops: Sequence[Loop], /) -> int:
        """Visit every loop; one that fails does not stop the others. Returns how many rows were removed."""
        removed = 0

        def apply(loop: Loop) -> None:
            nonlocal removed
            removed += self._apply_retention(loop)

        for_each_loop(loops, apply, visits=self.visits)
        return removed

    def _apply_retention(self, loop: Loop) -> int:
        days = loop.settings.log_retention_days
        if days == _UNLIMITED:
            return 0
        removed = self._stores.apply_retention(loop, before_us=self._now_us() - days * DAY_US)
        if removed:
            extra = {"action": "retain", "loop": loop.name, "rows": removed}
            _log.info("The old log of a loop was removed.", extra=extra)
        return removed

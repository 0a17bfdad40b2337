"""Removes what a loop need not keep any longer (``logRetentionDays``), in a thread of its own.

Retention may take minutes; the other tasks of the work process don't wait for it.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sartor.clocks import ReadUptime
from sartor.ports import Loop, Stores
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.runtime.report_once import ReportOnce
from sartor.runtime.trusted_clock import TrustedClock
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
        uptime: ReadUptime | None = None,
        pause_s: float = 300.0,
    ) -> None:
        """Nothing is removed yet.

        Args:
            stores: the instance's stores.
            now_us: the clock. What it shows counts only as far as it can be trusted; see ``TrustedClock``.
            uptime: that of the machine of this clock; by default it is read where the clock is this machine's.
            pause_s: seconds between two visits.
        """
        self._stores = stores
        self._clock = TrustedClock(stores, now_us=now_us, uptime=uptime)
        self._pause_s = pause_s
        self._thread: threading.Thread | None = None
        self._due_s = 0.0
        self._report = ReportOnce("Retention", action="retention_failed")
        self.visits = LoopVisits("retention_failed", stores.catalog)
        """What failed last, by loop."""

    def run_once(self, loops: Sequence[Loop], /) -> None:
        """Begin a visit, if one is due and none is under way; returns at once."""
        if time.monotonic() < self._due_s or (self._thread is not None and self._thread.is_alive()):
            return
        self._due_s = time.monotonic() + self._pause_s
        self._thread = threading.Thread(target=self._try_visit, args=(loops,), name="retention", daemon=True)
        self._thread.start()

    def _try_visit(self, loops: Sequence[Loop]) -> None:
        try:
            self.visit(loops)
        except Exception as error:  # the clock can't be recorded: nothing is removed
            self._report.note_failure(error)
        else:
            self._report.note_success()

    def visit(self, loops: Sequence[Loop], /) -> int:
        """Visit every loop; one that fails does not stop the others. Returns how many rows were removed."""
        removed, now_us = 0, self._clock.observe().trusted_us

        def apply(loop: Loop) -> None:
            nonlocal removed
            removed += self._apply_retention(loop, now_us=now_us)

        for_each_loop(loops, apply, visits=self.visits)
        return removed

    def _apply_retention(self, loop: Loop, *, now_us: int) -> int:
        days = loop.settings.log_retention_days
        if days == _UNLIMITED:
            return 0
        removed = self._stores.apply_retention(loop, before_us=now_us - days * DAY_US)
        if removed:
            extra = {"action": "retain", "loop": loop.name, "rows": removed}
            _log.info("The old log of a loop was removed.", extra=extra)
        return removed

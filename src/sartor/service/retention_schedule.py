"""Removing what a loop need not keep any longer (``logRetentionDays``), in a thread of its own.

It takes its time, so that nobody waits for it; nothing else that must be done waits for it either.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sartor.errors import SartorError
from sartor.ports import Loop, Stores
from sartor.times import DAY_US, now_us

_log = logging.getLogger(__name__)

_FOR_EVER = -1


class RetentionSchedule:
    """Visits every loop once in a while."""

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
            pause_s: the time between two visits.
        """
        self._stores = stores
        self._now_us = now_us
        self._pause_s = pause_s
        self._thread: threading.Thread | None = None
        self._due_s = 0.0

    def run_once(self, loops: Sequence[Loop], /) -> None:
        """Begin a visit, if one is due and none is under way; returns at once."""
        if time.monotonic() < self._due_s or (self._thread is not None and self._thread.is_alive()):
            return
        self._due_s = time.monotonic() + self._pause_s
        self._thread = threading.Thread(target=self.visit, args=(loops,), name="retention", daemon=True)
        self._thread.start()

    def visit(self, loops: Sequence[Loop], /) -> int:
        """Visit every loop; one that fails does not stop the others. Returns how many rows were removed."""
        return sum(self._retained(loop) for loop in loops)

    def _retained(self, loop: Loop) -> int:
        days = loop.settings.log_retention_days
        if days == _FOR_EVER:
            return 0
        extra = {"action": "retain", "loop": loop.name}
        try:
            removed = self._stores.apply_retention(loop, before_us=self._now_us() - days * DAY_US)
        except Exception as error:  # whatever is wrong with one loop, the others are visited
            known = isinstance(error, SartorError)
            exc_info = None if known else error
            _log.warning(
                "The old log of a loop could not be removed: %s", error, extra=extra, exc_info=exc_info
            )
            return 0
        if removed:
            _log.info("The old log of a loop was removed.", extra=extra | {"rows": removed})
        return removed

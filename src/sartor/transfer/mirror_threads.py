"""The mirrors of all loops: each copies in a thread of its own, so that a hanging target delays no other loop.

The threads are daemons: what they leave undone when the process ends, the next one does.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from sartor.errors import LocationUnavailable
from sartor.ports import Loop, LoopStores, Stores
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.transfer import mirror
from sartor.transfer.locations import FileLocation, strip_secrets

_log = logging.getLogger(__name__)

_LONGEST_RETRY_S = 300.0

MOST_AT_ONCE = 32
"""Mirrors that copy at a time; each holds a blob in memory until its target has taken it."""


class MirrorThreads:
    """Starts the mirrors that are due, and keeps their threads."""

    def __init__(
        self,
        stores: Stores,
        place: Callable[[Loop], FileLocation],
        read: mirror.Read,
        /,
        *,
        pause_s: float = 10.0,
    ) -> None:
        """Nothing is copied yet.

        Args:
            stores: the instance's stores; those of a loop are opened in its thread.
            place: opens the target of a loop's mirror.
            read: gives the outcomes of a loop as lines.
            pause_s: how long a mirror rests after it has copied everything, and at least after a failure.
        """
        self._stores = stores
        self._place = place
        self._read = read
        self._pause_s = pause_s
        self._threads: dict[str, _MirrorThread] = {}
        self._starts = LoopVisits("mirror_not_started", stores.catalog)
        self._copies = LoopVisits("mirror_failed", stores.catalog)

    @property
    def visits(self) -> Sequence[LoopVisits]:
        """What failed last, by loop."""
        return self._starts, self._copies

    def run_once(self, loops: Sequence[Loop], /) -> None:
        """Start the copying of every loop that wants it and is due; returns at once."""
        wanted = {loop.loop_id: loop for loop in loops if mirror_target(loop) is not None}
        self._copies.forget_all_but(wanted.values())
        for loop_id in self._threads.keys() - wanted.keys():
            if self._threads[loop_id].is_idle:
                del self._threads[loop_id]
        for loop_id in wanted:
            self._threads.setdefault(loop_id, _MirrorThread(self._pause_s))
        if self._is_full():
            return
        for_each_loop(wanted.values(), self._start, visits=self._starts, is_due=self._is_due)

    def _is_due(self, loop: Loop) -> bool:
        thread = self._threads[loop.loop_id]
        return thread.is_idle and thread.due_s <= time.monotonic()

    def _start(self, loop: Loop) -> bool:
        """Start a mirror; returns whether no other can be started now: the next round begins with another."""
        self._threads[loop.loop_id].start(partial(self._copy, loop), name=f"mirror of {loop.name}")
        return self._is_full()

    def _is_full(self) -> bool:
        return sum(not thread.is_idle for thread in self._threads.values()) >= MOST_AT_ONCE

    def _copy(self, loop: Loop) -> bool:
        url = mirror_target(loop)
        assert url is not None
        try:
            with closing(self._stores.open(loop)) as logs:
                went_well = self._copy_all(loop, logs, url)
        except Exception as error:  # whatever is wrong with one mirror, the others go on
            self._copies.note_failure(loop, error)
            return False
        self._copies.note_success(loop)
        return went_well

    def _copy_all(self, loop: Loop, logs: LoopStores, url: str) -> bool:
        before = mirror.read_progress(logs.blobs, strip_secrets(url)).problem
        try:
            copying = mirror.Mirror(loop, logs, self._place(loop), self._read)
            while copying.step():
                pass
        except LocationUnavailable as error:
            if before != error.message:  # once until it changes
                extra = {"action": "mirror_failed", "loop": loop.name}
                _log.warning("Log mirroring failed: %s", error, extra=extra)
            mirror.note_failure(logs.blobs, strip_secrets(url), error.message)
            return False
        if before:
            extra = {"action": "mirror_recovered", "loop": loop.name}
            _log.info("Log mirroring recovered.", extra=extra)
            mirror.note_recovery(logs.blobs, strip_secrets(url))
        return True


def mirror_target(loop: Loop, /) -> str | None:
    """Where a loop's log is copied to; None: nowhere."""
    return loop.settings.log_mirror_sas_uri if loop.settings.log_mirror_enabled else None


class _MirrorThread:
    """The thread of one loop, and when the next one is due. Failures double the pause."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._retry_s = pause_s
        self._thread: threading.Thread | None = None
        self.due_s = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being copied."""
        return self._thread is None or not self._thread.is_alive()

    def start(self, copy: Callable[[], bool], *, name: str) -> None:
        """Copy in a thread; ``copy`` says whether all went well."""
        self._thread = threading.Thread(target=self._run, args=(copy,), name=name, daemon=True)
        self._thread.start()

    def _run(self, copy: Callable[[], bool]) -> None:
        went_well = copy()
        pause_s = self._pause_s if went_well else self._retry_s
        self._retry_s = self._pause_s if went_well else min(2 * self._retry_s, _LONGEST_RETRY_S)
        self.due_s = time.monotonic() + pause_s

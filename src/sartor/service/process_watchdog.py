"""Ends child processes that have made no progress for a long time; their supervisor starts them again."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence, Set

from sartor.problems import ProcessRole
from sartor.runtime.instance_state import ProcessState
from sartor.runtime.instance_watch import STALLED_S, START_S, InstanceWatch, describe_stall
from sartor.service.child_process import ChildSupervisor

_log = logging.getLogger(__name__)

KILL_AFTER_S = 300.0
"""After so long without progress a process is killed.

Killing one loses nothing at any time: what was acknowledged is committed, a settlement and a model are each one
transaction, and what was half done is done again. It must not come too early for another reason: the longest
single piece of work, the migration of a large log by a new version, takes minutes and would begin again and
again. So there is more time than that, and each time the process that follows has twice as long.
"""

_LONGEST_S = 3_600.0
_EVERY_S = 1.0


class ProcessWatchdog:
    """Logs once that a child has stalled, and that it goes on; kills one that stays so."""

    def __init__(
        self,
        watch: InstanceWatch,
        children: Sequence[ChildSupervisor],
        /,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is watched yet; ``monotonic_s`` is a clock in seconds that is never set."""
        self._watch = watch
        self._monotonic_s = monotonic_s
        self._silent_s: dict[int, float] = {}
        self._looked_s = monotonic_s()
        self._children = children
        self._stalled: dict[int, ProcessState] = {}
        self._kill_after_s: dict[ProcessRole, float] = {}

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                self.look()
            except Exception:  # whatever is wrong with the watch, the children are kept running
                _log.exception("The processes can't be watched.", extra={"action": "watch_failed"})

    def look(self) -> None:
        """Look at the progress of the children once."""
        self._watch.look()
        children = {child.pid: child for child in self._children if child.pid is not None}
        processes = {one.pid: one for one in self._watch.processes() if one.pid in children}
        processes |= {one.pid: one for one in self._find_silent(children.keys() - processes.keys())}
        for pid in self._stalled.keys() - processes.keys():
            del self._stalled[pid]
        for pid, process in processes.items():
            self._note(process)
            if process.idle_s > self._kill_after_s.get(process.role, KILL_AFTER_S):
                self._kill(children[pid], process)

    def _find_silent(self, pids: Set[int]) -> Iterator[ProcessState]:
        """Children that have not reported once: what counts is the time since they were seen first."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s > STALLED_S:  # this process was stopped itself, perhaps with them
            self._silent_s.clear()
        self._looked_s = now_s
        self._silent_s = {pid: self._silent_s.get(pid, now_s) for pid in pids}
        for pid, since_s in self._silent_s.items():
            if now_s - since_s > START_S:
                role = next(child.role for child in self._children if child.pid == pid)
                silent_s = now_s - since_s
                yield ProcessState(role=role, pid=pid, host="", started_us=0, progressed_us=0, idle_s=silent_s)

    def _note(self, process: ProcessState) -> None:
        extra = {"action": "process_stalled", "role": process.role, "pid": process.pid}
        if process.idle_s <= STALLED_S:
            if self._stalled.pop(process.pid, None) is not None:
                message = "The %s process %d makes progress again."
                _log.info(message, process.role, process.pid, extra={**extra, "action": "process_stalled_over"})
        elif process.pid not in self._stalled:
            self._stalled[process.pid] = process
            problem = describe_stall(process.role, process.idle_s, busy_with=process.busy_with, pid=process.pid)
            _log.error("%s", problem.message, extra=extra)

    def _kill(self, child: ChildSupervisor, process: ProcessState) -> None:
        limit_s = self._kill_after_s.get(process.role, KILL_AFTER_S)
        self._kill_after_s[process.role] = min(_LONGEST_S, 2 * limit_s)
        extra = {"action": "process_killed", "role": process.role, "pid": process.pid}
        message = "The %s process %d made no progress for %.0f s and is killed; another one takes its place."
        _log.error(message, process.role, process.pid, process.idle_s, extra=extra)
        child.signal(signal.SIGKILL)

"""Notices that the time of a log runs ahead of the clock of the machine, and notes it in the audit log once."""

from sartor.errors import SartorError
from sartor.ports import AuditLog, BlobStore, Loop
from sartor.problems import Problem
from sartor.records import AuditEntry
from sartor.runtime.trusted_clock import NOTED_BY, encode_time, find_log_time_problem

_NOTED = "log-time-ahead"


class LogTimeWatch:
    """Compares horizons of the log of one loop with the clock."""

    def __init__(self, audit: AuditLog, blobs: BlobStore, loop: Loop, /) -> None:
        """Nothing is known yet. ``blobs``: those of the loop, which say whether it was noted already."""
        self._audit = audit
        self._blobs = blobs
        self._loop = loop
        self._horizon_us: int | None = None
        self._is_noted: bool | None = None
        self.problem: Problem | None = None

    def compare(self, horizon_us: int | None, *, now_us: int) -> None:
        """Compare a horizon, if it is new, with the clock; None: there is none yet."""
        if horizon_us is None or horizon_us == self._horizon_us:
            return
        self._horizon_us = horizon_us
        message = find_log_time_problem(horizon_us, now_us=now_us)
        self.problem = None if message is None else Problem(message, action="log_time_ahead", fatal=False)
        try:
            self._note(horizon_us, now_us)
        except SartorError:  # the next horizon tries again: learning does not wait for it
            self._is_noted = None

    def _note(self, horizon_us: int, now_us: int) -> None:
        is_ahead = self.problem is not None
        if self._is_noted is None:
            self._is_noted = self._blobs.get(_NOTED) is not None
        if is_ahead and not self._is_noted:
            self._audit.append(
                AuditEntry(
                    by=NOTED_BY,
                    action="log time ahead",
                    loop=self._loop.name,
                    loop_id=self._loop.loop_id,
                    before=encode_time(horizon_us),
                    after=encode_time(now_us),
                )
            )
            self._blobs.put(_NOTED, encode_time(horizon_us))
        elif self._is_noted and not is_ahead:
            self._blobs.delete(_NOTED)
        self._is_noted = is_ahead

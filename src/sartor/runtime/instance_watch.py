"""Watches the progress of the processes of an instance by their reports.

Progress is measured on the watcher's own clock, which is never set: from when a report last changed. If the
watcher itself was stopped for a while (a laptop that slept, a paused container), it begins anew: the others may
have been stopped with it.
"""

import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import asdict

from sartor.errors import SartorError
from sartor.problems import Problem, ProcessReport, ProcessReports, ProcessRole
from sartor.runtime.instance_state import ProcessState
from sartor.runtime.report_once import ReportOnce

STALLED_S = 10.0
"""Without progress for this long a process has stalled. One piece of work takes a second at most."""

START_S = 30.0
"""How long a process that is expected may take to start."""

_LONGEST_GAP_S = 5.0
"""A watcher that looked last longer ago than this begins anew."""

_Key = tuple[ProcessRole, str, int, int]


class _Seen(Struct):
    report: ProcessReport
    changed_s: float


class InstanceWatch:
    """What the reports of the processes say; call ``look`` about once a second."""

    def __init__(
        self,
        reports: ProcessReports,
        /,
        *,
        expected: Sequence[ProcessRole] = (),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is known yet.

        Args:
            reports: of the processes.
            expected: roles of which a process must be running after ``START_S``; of others only one that was
                seen once must go on.
            monotonic_s: a clock in seconds that is never set.
        """
        self._reports = reports
        self._expected = expected
        self._monotonic_s = monotonic_s
        self._seen: dict[_Key, _Seen] = {}
        self._progress_s: dict[ProcessRole, float] = {}
        self._looked_s = float("-inf")
        self._failure = ReportOnce("The reports of the processes can't be read", action="reports_not_read")

    def look(self) -> None:
        """Read the reports."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s > _LONGEST_GAP_S:
            self._begin(now_s)
        self._looked_s = now_s
        try:
            reports = self._reports.all()
        except SartorError as error:
            self._failure.note_failure(error)
            self._begin(now_s)
            return
        self._failure.note_success()
        self._seen = {_key(report): self._compare(report, now_s) for report in reports}
        for seen in self._seen.values():
            role = seen.report.role
            self._progress_s[role] = max(seen.changed_s, self._progress_s.get(role, seen.changed_s))

    def _begin(self, now_s: float) -> None:
        self._seen.clear()
        self._progress_s = dict.fromkeys(self._progress_s, now_s)
        for role in self._expected:
            self._progress_s.setdefault(role, now_s + START_S - STALLED_S)

    def _compare(self, report: ProcessReport, now_s: float) -> _Seen:
        known = self._seen.get(_key(report))
        is_as_before = known is not None and known.report.progressed_us == report.progressed_us
        return _Seen(report, known.changed_s if known is not None and is_as_before else now_s)

    def processes(self) -> list[ProcessState]:
        """The processes, as of the last look."""
        return [
            ProcessState(**asdict(seen.report), idle_s=max(0.0, self._looked_s - seen.changed_s))
            for seen in self._seen.values()
        ]

    def find_problems(self) -> list[Problem]:
        """Which processes have stalled; an api process among others keeps the instance from nothing."""
        found = self._failure.find_problems(fatal=False)
        processes = self.processes()
        for role in ("learn", "work"):
            idle_s = self._looked_s - self._progress_s.get(role, self._looked_s)
            if idle_s > STALLED_S:
                busy_with = next((one.busy_with for one in processes if one.role == role), "")
                found.append(describe_stall(role, idle_s, busy_with=busy_with))
        found += [
            describe_stall("api", one.idle_s, pid=one.pid, fatal=False)
            for one in processes
            if one.role == "api" and one.idle_s > STALLED_S
        ]
        return found


def describe_stall(
    role: str, idle_s: float, /, *, busy_with: str = "", pid: int | None = None, fatal: bool = True
) -> Problem:
    """Describes a process without progress: what, for how long, at what, and what to do."""
    which = "" if pid is None else f" {pid}"
    at = f", at the loop {busy_with!r}" if busy_with else ""
    return Problem(
        f"The {role} process{which} has made no progress for {idle_s:.0f} s{at}. If it was stopped, let it "
        "go on; if it hangs, end it with SIGKILL: it is started again and loses nothing.",
        action="process_stalled",
        fatal=fatal,
    )


def _key(report: ProcessReport) -> _Key:
    return report.role, report.host, report.pid, report.started_us

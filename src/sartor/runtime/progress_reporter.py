"""Posts the report of this process about once a second, from a thread that runs while the work hangs."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

from sartor.problems import Problem, ProcessReport, ProcessReports, ProcessRole
from sartor.runtime.report_once import ReportOnce
from sartor.times import now_us

_EVERY_S = 1.0


class ProgressReporter:
    """What this process says about itself. The work calls ``note_progress``; a thread posts it."""

    def __init__(
        self, reports: ProcessReports, role: ProcessRole, /, *, now_us: Callable[[], int] = now_us
    ) -> None:
        """Nothing is posted yet; ``now_us`` is the clock."""
        self._reports = reports
        self._role: ProcessRole = role
        self._now_us = now_us
        self._started_us = self._progressed_us = now_us()
        self._busy_with = ""
        self._problems: tuple[Problem, ...] = ()
        self._examined_s = float("-inf")
        self._progressed_s = time.monotonic()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure = ReportOnce("The report of this process can't be posted", action="report_not_posted")

    def start(self) -> None:
        """Post now, and once a second from now on."""
        self.post()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def note_progress(self, find_problems: Callable[[], Sequence[Problem]] | None = None, /) -> None:
        """A piece of work is done; costs a microsecond.

        Args:
            find_problems: called once a second at most, on the thread that works.
        """
        self._progressed_us = self._now_us()
        self._progressed_s = time.monotonic()
        self._busy_with = ""
        if find_problems is not None and time.monotonic() - self._examined_s >= _EVERY_S:
            self._problems = tuple(find_problems())
            self._examined_s = time.monotonic()

    def note_start(self, busy_with: str, /) -> None:
        """A piece of work begins; if it never ends, the report says which: the name of a loop."""
        self._busy_with = busy_with

    def report(self) -> ProcessReport:
        """Returns what would be posted now."""
        return ProcessReport(
            role=self._role,
            pid=os.getpid(),
            host=socket.gethostname(),
            started_us=self._started_us,
            progressed_us=self._progressed_us,
            # Only of a piece of work that takes long: otherwise each report would differ from the one before.
            busy_with=self._busy_with if self._is_late() else "",
            problems=self._problems,
        )

    def post(self) -> None:
        """Post the report; a failure is logged once, and ends nothing."""
        try:
            self._reports.post(self.report())
        except Exception as error:  # whatever is wrong with the report, the work goes on
            self._failure.note_failure(error)
        else:
            self._failure.note_success()

    def _is_late(self) -> bool:
        return time.monotonic() - self._progressed_s > 2 * _EVERY_S

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self.post()

    def close(self) -> None:
        """Post nothing more, and remove the report: this process ends in order."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._reports.remove(self.report())

"""The reports of processes in memory."""

from collections.abc import Sequence

from sartor.problems import ProcessReport
from sartor.testing.fakes import Disk


class MemoryProcessReports:
    """``ProcessReports`` that live as long as the object. No process ends unless it removes its report."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._reports: dict[tuple[str, int], ProcessReport] = {}

    def post(self, report: ProcessReport, /) -> None:
        """Replaces the report of a process."""
        self._disk.check()
        if report.role == "learn":
            for key in [key for key in self._reports if key[0] == "learn"]:
                del self._reports[key]
        self._reports[report.role, report.pid] = report

    def all(self) -> Sequence[ProcessReport]:
        """Returns the reports, by role and pid."""
        self._disk.check()
        return [self._reports[key] for key in sorted(self._reports)]

    def remove(self, report: ProcessReport, /) -> None:
        """Removes the report of a process; idempotent."""
        self._reports.pop((report.role, report.pid), None)

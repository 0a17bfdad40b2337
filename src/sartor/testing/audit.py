"""An activity log in memory."""

from collections.abc import Callable, Sequence

from sartor.records import Activity, LoggedActivity
from sartor.stores.audit import BEGINNING, chain_digest
from sartor.testing.disk import Disk


class MemoryAudit:
    """An ``AuditLog`` that lives as long as the object."""

    def __init__(self, *, clock_us: Callable[[], int], disk: Disk) -> None:
        self._clock_us = clock_us
        self._disk = disk
        self._lines: list[LoggedActivity] = []

    def append(self, activity: Activity, /) -> None:
        """Commit a change."""
        self._disk.check()
        seq, before, at_us = 1, BEGINNING, self._clock_us()
        if self._lines:
            last = self._lines[-1]
            seq, before, at_us = last.seq + 1, last.digest, max(last.at_us, at_us)
        made = chain_digest(before, activity, seq=seq, at_us=at_us)
        self._lines.append(LoggedActivity(seq=seq, at_us=at_us, activity=activity, digest=made))

    def activities(self, *, after: int = 0, limit: int) -> Sequence[LoggedActivity]:
        """The next changes after a number, in order."""
        self._disk.check()
        return self._lines[after : after + limit]

    def last(self, limit: int, /) -> Sequence[LoggedActivity]:
        """The newest changes, newest first."""
        self._disk.check()
        return self._lines[::-1][:limit]

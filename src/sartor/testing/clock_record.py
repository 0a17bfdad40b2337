"""The record of the clock in memory."""

from collections.abc import Callable

from sartor.clocks import ClockRecord
from sartor.testing.fakes import Disk


class MemoryClockRecords:
    """``ClockRecords`` that live as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._record: ClockRecord | None = None

    def read(self) -> ClockRecord | None:
        """Returns the record; None: there is none yet."""
        self._disk.check()
        return self._record

    def update(self, change: Callable[[ClockRecord | None], ClockRecord], /) -> ClockRecord:
        """Replaces the record by what the function returns for it."""
        self._disk.check()
        self._record = change(self._record)
        return self._record

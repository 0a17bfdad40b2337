"""The latest time that a log assigned, shared by all processes that write to it.

It is kept in a small file beside the log and not in the log itself: a horizon promises a time without writing
anything to the log, and the promise must hold even when the clock of the machine is set back. Reading and
writing eight bytes costs a microsecond and a half.
"""

import logging
import os
from pathlib import Path

from sartor.errors import Corrupt, StoreUnavailable

_log = logging.getLogger(__name__)
_SIZE = 8

LATEST_US = 7_258_118_400_000_000
"""The year 2200: a later time was never assigned by this service, and would not fit into the log for long."""


class MonotonicClock:
    """A clock that never runs backwards. Use it only while holding the write lock of its log."""

    def __init__(self, path: Path, /) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether ``open`` was called, as it must be before ``next``."""
        return self._file is not None

    def open(self, *, at_least_us: int) -> None:
        """Opens the file, created at first use. ``at_least_us``: the latest time in the log itself.

        Raises:
            StoreUnavailable: the file can't be written.
        """
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if at_least_us and os.fstat(self._file).st_size < _SIZE:
                message = "%s/%s was missing or no time; it was taken from the log."
                extra = {"action": "latest_time_made_again"}
                _log.warning(message, self._path.parent.name, self._path.name, extra=extra)
            self.next(at_least_us)
        except OSError as error:
            raise self._unavailable(error) from error

    def next(self, now_us: int, /) -> int:
        """Returns the time to assign now: ``now_us``, or the latest one assigned if that is later.

        Raises:
            StoreUnavailable: the file can't be written.
            Corrupt: it holds no time.
        """
        assert self._file is not None
        try:
            latest_us = int.from_bytes(os.pread(self._file, _SIZE, 0), "little")
            if latest_us > LATEST_US:
                raise Corrupt(
                    f"{self._path.parent.name}/{self._path.name} holds no time: run `sartor doctor --repair`, "
                    "which takes it from the log."
                )
            if latest_us >= now_us:
                return latest_us
            os.pwrite(self._file, now_us.to_bytes(_SIZE, "little"), 0)
        except OSError as error:
            raise self._unavailable(error) from error
        return now_us

    def close(self) -> None:
        """Closes the file; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} can't be written: {error.strerror}.")

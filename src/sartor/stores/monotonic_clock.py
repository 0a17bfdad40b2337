"""The latest time that a log assigned, shared by all processes that write to it.

It is kept in a small file beside the log and not in the log itself: a horizon promises a time without writing
anything to the log, and the promise must hold even when the clock of the machine is set back. Reading and
writing forty bytes costs two microseconds.
"""

import logging
import os
import struct
from pathlib import Path

from sartor.clocks import LogTime, Uptime, advance_log_time
from sartor.errors import Corrupt, StoreUnavailable
from sartor.private_files import FILE_MODE
from sartor.stores.made_files import shorten_path

_log = logging.getLogger(__name__)

_FORMAT = struct.Struct("<Qqqqq")
"""The latest time comes first: for long the file held nothing else."""

_TIME_BYTES = 8

LATEST_US = 7_258_118_400_000_000
"""The year 2200: a later time was never assigned by this service, and would not fit into the log for long."""


def holds_time(content: bytes, /) -> bool:
    """Whether this is the content of such a file, as it is written now or was once."""
    is_whole = len(content) in (_TIME_BYTES, _FORMAT.size)
    return is_whole and _is_time(LogTime(*_FORMAT.unpack(content.ljust(_FORMAT.size, b"\0"))))


def _is_time(time: LogTime) -> bool:
    return time.latest_us <= LATEST_US and abs(time.ahead_us) <= LATEST_US


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
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            if at_least_us and os.fstat(self._file).st_size < _TIME_BYTES:
                message = "%s was missing or no time; it was taken from the log."
                _log.warning(message, shorten_path(self._path), extra={"action": "latest_time_made_again"})
            was = self._read()
            if was.latest_us < at_least_us:  # it was lost, or is of before a power cut
                self._write(LogTime(latest_us=at_least_us))
        except OSError as error:
            raise self._unavailable(error) from error

    def next(self, now_us: int, uptime: Uptime | None, /) -> int:
        """Returns the time to assign now, never before the latest one; see ``advance_log_time``.

        Raises:
            StoreUnavailable: the file can't be written.
            Corrupt: it holds no time.
        """
        try:
            time = advance_log_time(self._read(), now_us=now_us, uptime=uptime)
            self._write(time)
        except OSError as error:
            raise self._unavailable(error) from error
        return time.latest_us

    def close(self) -> None:
        """Closes the file; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self) -> LogTime:
        assert self._file is not None
        content = os.pread(self._file, _FORMAT.size, 0)
        was = LogTime(*_FORMAT.unpack(content.ljust(_FORMAT.size, b"\0")))
        if not _is_time(was):
            raise Corrupt(
                f"{shorten_path(self._path)} holds no time: run `sartor doctor --repair`, "
                "which takes it from the log."
            )
        return was

    def _write(self, time: LogTime) -> None:
        assert self._file is not None
        content = _FORMAT.pack(time.latest_us, time.ahead_us, time.boot, time.uptime_us, time.set_us)
        os.pwrite(self._file, content, 0)

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} can't be written: {error.strerror}.")

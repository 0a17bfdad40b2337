"""The open SQLite connections of a process: a bounded number, the least recently used ones closed for others.

An instance may have more loops than the process may have files. A connection that is in use is never closed;
one that is idle is closed when another has to be opened at the bound, or after two minutes, and opened again
when it is needed, which takes half a millisecond. Only SQLite closes its files here, so that no lock of another
connection is lost.
"""

import errno
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from sartor import open_files

IDLE_S = 120.0
"""After this time without a use a connection is closed, which gives back about 0.1 MB. By then housekeeping has
copied its write-ahead log back, so that closing has nothing to write."""

_SWEEP_EVERY_S = 0.05
_SWEPT_AT_ONCE = 2

_SPARE_FILES = 4
"""What SQLite needs to open one database."""


class ClosableConnection(Protocol):
    """A connection that can be closed for others, and is opened again at its next use."""

    def release(self) -> Callable[[], None] | None:
        """Give up the open file; returns what closes it, None if it is not open. Takes no time."""


class OpenConnections:
    """Which connections are open, and which of them are idle, oldest first. Threads share it."""

    def __init__(
        self,
        most: Callable[[], int] = lambda: open_files.divide().databases,
        /,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is open yet.

        Args:
            most: returns how many may be open; asked at each opening: a process may raise its limit.
            clock_s: a clock that never goes back.
        """
        self._most = most
        self._clock_s = clock_s
        self._swept_s = clock_s()
        self._lock = threading.Lock()
        self._idle: OrderedDict[ClosableConnection, float] = OrderedDict()
        self._users: dict[ClosableConnection, int] = {}
        self._open = 0
        self._bound = 0

    @property
    def open(self) -> int:
        """How many are open now."""
        return self._open

    def enter(self, connection: ClosableConnection, /) -> None:
        """A connection is in use from now on, until as many calls of ``leave``: it stays as it is."""
        with self._lock:
            self._idle.pop(connection, None)
            self._users[connection] = self._users.get(connection, 0) + 1

    def leave(self, connection: ClosableConnection, /, *, is_open: bool) -> None:
        """A use is over. ``is_open``: whether it may be closed for others from now on."""
        now_s = self._clock_s()
        with self._lock:
            users = self._users.pop(connection) - 1
            if users:
                self._users[connection] = users
            elif is_open:
                self._idle[connection] = now_s
            excess = self._open - self._bound
        if excess > 0:  # more were in use at once than may be open
            self.close_idle(excess)
        elif now_s - self._swept_s >= _SWEEP_EVERY_S:
            self._swept_s = now_s
            self.close_idle(_SWEPT_AT_ONCE, since_s=now_s - IDLE_S)

    def note_opened(self) -> None:
        """One was opened: it counts, and idle ones are closed down to the bound."""
        with self._lock:
            self._open += 1
            self._bound = self._most()
            excess = self._open - self._bound
        if excess > 0:
            self.close_idle(excess)

    def note_closed(self) -> None:
        """One was closed by its owner."""
        with self._lock:
            self._open -= 1

    def close_idle(self, count: int, /, *, since_s: float = float("inf")) -> int:
        """Close the connections that were idle for longest, ``count`` at most; returns how many.

        ``since_s``: only those that are idle since before this time of the clock.
        """
        closing: list[Callable[[], None]] = []
        with self._lock:
            while self._idle and len(closing) < count:
                connection, left_s = next(iter(self._idle.items()))
                if left_s >= since_s:
                    break
                del self._idle[connection]
                # Under the lock its owner can't enter; from now on it finds itself closed, and opens anew.
                if (close := connection.release()) is not None:
                    closing.append(close)
                    self._open -= 1
        for close in closing:
            close()
        return len(closing)

    def make_room(self) -> bool:
        """Close idle connections if the process has too few files left to open one; whether that helped."""
        return not _has_files_left() and self.close_idle(max(_SPARE_FILES, self._open // 8)) > 0


def _has_files_left() -> bool:
    """Whether the process may open as many files as a database needs: tried, since nothing tells."""
    opened: list[int] = []
    try:
        while len(opened) < _SPARE_FILES:
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in (errno.EMFILE, errno.ENFILE)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


OPEN_CONNECTIONS = OpenConnections()
"""Those of this process."""

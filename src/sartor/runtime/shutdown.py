"""Ending a process: on SIGTERM and SIGINT, as an event to wait on, and when its parent has ended."""

import os
import signal
import threading
import time
from types import FrameType


class StopSignal:
    """Set by the first SIGTERM or SIGINT. Sleeping on it wakes at once when it is set."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> None:
        """Install the signal handlers of this process; call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def set(self) -> None:
        """Ask the process to end."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether the process should end."""
        return self._event.is_set()

    def wait(self, seconds: float, /) -> None:
        """Sleep until the time is over or the signal is set."""
        self._event.wait(seconds)


def watch_parent(descriptor: int, /, *, grace_s: float = 3.0) -> None:
    """Stop this process when a pipe ends: by SIGTERM first, and at once after ``grace_s`` seconds more.

    The parent holds the other end. The kernel closes it however the parent ends, ``kill -9`` included.
    """
    threading.Thread(target=_wait_for_end, args=(descriptor, grace_s), name="parent watch", daemon=True).start()


def _wait_for_end(descriptor: int, grace_s: float) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_s)
    os._exit(1)

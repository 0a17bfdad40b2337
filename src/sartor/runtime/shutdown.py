"""A process's wish to end: SIGTERM and SIGINT, as something that a loop of work can wait on."""

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
        """Take over the signals of this process; call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ring)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def set(self) -> None:
        """Ask for the end."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether the process should end."""
        return self._event.is_set()

    def wait(self, seconds: float, /) -> None:
        """Sleep, or until it rings."""
        self._event.wait(seconds)


def watch_parent(descriptor: int, /, *, grace_s: float = 3.0) -> None:
    """Stop this process when the pipe ends: politely first, and for good after ``grace_s`` seconds.

    The kernel closes the other end whatever the supervisor died of, ``kill -9`` included.
    """
    threading.Thread(target=_wait, args=(descriptor, grace_s), name="lifeline", daemon=True).start()


def _wait(descriptor: int, grace_s: float) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_s)
    os._exit(1)

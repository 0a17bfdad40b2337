"""A process's wish to end: SIGTERM and SIGINT, as something that a loop of work can wait on."""

import signal
import threading
from types import FrameType


class Alarm:
    """Set by the first SIGTERM or SIGINT. Sleeping on it wakes at once when it is set."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> None:
        """Take over the signals of this process; call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ring)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self._event.set()

    def ring(self) -> None:
        """Ask for the end."""
        self._event.set()

    @property
    def rung(self) -> bool:
        """Whether the process should end."""
        return self._event.is_set()

    def sleep(self, seconds: float, /) -> None:
        """Sleep, or until it rings."""
        self._event.wait(seconds)

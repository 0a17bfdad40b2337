"""When a client is late that has to send or to read at a rate."""

NEVER = float("inf")


class ProgressClock:
    """A time by which more bytes must have moved. What moved fast buys no time for what comes later.

    Otherwise a client could send nearly all of a large body, and have it held for minutes.
    """

    def __init__(self, *, patience_s: float, rate: int) -> None:
        """``patience_s``: how long nothing may move; ``rate``: the bytes that buy a second."""
        self._patience_s = patience_s
        self._rate = rate
        self._due_s = NEVER

    @property
    def is_running(self) -> bool:
        """Whether bytes have to move."""
        return self._due_s != NEVER

    def start(self, now_s: float, /) -> None:
        """From now on bytes have to move."""
        self._due_s = now_s + self._patience_s

    def stop(self) -> None:
        """Nothing has to move any more."""
        self._due_s = NEVER

    def add(self, moved: int, now_s: float, /) -> None:
        """Bytes have moved."""
        self._due_s = min(self._due_s + moved / self._rate, now_s + self._patience_s)

    def is_late(self, now_s: float, /) -> bool:
        """Whether more should have moved by now."""
        return now_s > self._due_s

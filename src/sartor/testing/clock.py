"""A clock that moves only by hand."""


class Clock:
    """Called, it tells the time in microseconds since 1970, as a store's ``clock_us``."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        """The time."""
        return self.now_us

    def advance(self, seconds: float, /) -> int:
        """Move on (or back, if negative); returns the new time."""
        self.now_us += round(seconds * 1_000_000)
        return self.now_us

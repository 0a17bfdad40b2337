"""Small fakes that tests set by hand: a clock, a disk, and what an engine for single slots need not answer."""

from collections.abc import Sequence

from sartor.errors import EngineRefused, StoreUnavailable


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


class Disk:
    """While ``failing`` is set, every call on the stores raises ``StoreUnavailable`` and changes nothing."""

    def __init__(self) -> None:
        self.failing = False

    def check(self) -> None:
        """Fail if the disk fails.

        Raises:
            StoreUnavailable: ``failing`` is set.
        """
        if self.failing:
            raise StoreUnavailable("The disk is full, as a test asked.")


class SingleSlot:
    """The part of an ``Engine`` that is about several slots, and about explanations: there is none."""

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """Refuse.

        Raises:
            EngineRefused: always.
        """
        raise EngineRefused("This engine fills no slots.")

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """None: there are no estimates."""
        return None

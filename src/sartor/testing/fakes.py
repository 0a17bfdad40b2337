"""Small fakes: a clock and a disk that tests set by hand, and a base for engines of single-slot tests."""

from collections.abc import Sequence

from sartor.errors import EngineRefused, StoreUnavailable


class Clock:
    """Returns, when called, microseconds since 1970, as a store's ``clock_us``."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        """Returns the time."""
        return self.now_us

    def advance(self, seconds: float, /) -> int:
        """Advances the time (sets it back if negative); returns the new time."""
        self.now_us += round(seconds * 1_000_000)
        return self.now_us


class Disk:
    """While ``failing`` is set, every call on the stores raises ``StoreUnavailable`` and changes nothing."""

    def __init__(self) -> None:
        self.failing = False

    def check(self) -> None:
        """Raises if the disk fails.

        Raises:
            StoreUnavailable: ``failing`` is set.
        """
        if self.failing:
            raise StoreUnavailable("The disk is full, as a test asked.")


class SingleSlot:
    """The methods of an ``Engine`` about several slots and explanations, which it does not support."""

    def slot_probabilities(
        self, query: bytes, actions: int, /, *, slots: int, offered: Sequence[int]
    ) -> list[float]:
        """Refuses the query.

        Raises:
            EngineRefused: always.
        """
        raise EngineRefused("This engine fills no slots.")

    def estimates(self, query: bytes, actions: int, /, *, slots: int = 0) -> list[float] | None:
        """Returns None: there are no estimates."""
        return None

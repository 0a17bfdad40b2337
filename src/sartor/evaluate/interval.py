"""An interval, and the range in which rewards are known to lie."""

from msgspec import Struct

from sartor.errors import InvalidColumns


class Interval(Struct, frozen=True):
    """From ``lower`` to ``upper``, in units of reward."""

    lower: float
    upper: float

    @property
    def half_width(self) -> float:
        """Half of the distance between its ends."""
        return (self.upper - self.lower) / 2

    def holds(self, value: float, /) -> bool:
        """Whether a value lies in it; its ends belong to it."""
        return self.lower <= value <= self.upper


class Bounds(Struct, frozen=True):
    """The range in which every reward is known to lie, before any is seen; ``lower`` < ``upper``.

    Raises:
        InvalidColumns: the range is empty.
    """

    lower: float = 0.0
    upper: float = 1.0

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise InvalidColumns(f"Rewards can't lie between {self.lower} and {self.upper}.")

    @property
    def width(self) -> float:
        """The length of the range."""
        return self.upper - self.lower

    def reward(self, share: float, /) -> float:
        """From the unit interval back to units of reward."""
        return self.lower + share * self.width

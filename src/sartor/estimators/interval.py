"""An interval, and the range in which rewards are known to lie."""

from math import sqrt

from msgspec import Struct

from sartor.errors import InvalidColumns
from sartor.estimators import quantiles


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


def standard_error(total: float, squares: float, events: float, /) -> float | None:
    """sqrt(var / N) with var = (squares - total² / N) / (N - 1); None for one event or fewer.

    Args:
        total: the sum of the per-event values.
        squares: the sum of their squares.
        events: N.
    """
    if events <= 1:
        return None
    return sqrt(max(0.0, squares - total * total / events) / (events - 1) / events)


def gaussian_interval(centre: float | None, error: float | None, /, *, alpha: float) -> Interval | None:
    """The interval centre ± z · error, z the 1 - alpha / 2 quantile of the normal (1.96 at 5 %).

    Assumes: independent events, a variance that exists, and enough events for the central limit theorem,
    which heavy weights can put far away. It holds at one sample size that was fixed beforehand: looked at
    again and again it is left by far more than ``alpha`` of all runs. Cost: O(1).
    """
    if centre is None or error is None:
        return None
    reach = quantiles.normal_quantile(1 - alpha / 2) * error
    return Interval(centre - reach, centre + reach)

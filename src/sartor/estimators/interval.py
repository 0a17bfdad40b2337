"""Intervals: their ends, the Gaussian one, and the range in which rewards are known to lie."""

from math import sqrt

from msgspec import Struct

from sartor.errors import InvalidColumns
from sartor.estimators import quantiles


class Interval(Struct, frozen=True):
    """An interval from ``lower`` to ``upper``, both included, in units of reward."""

    lower: float
    upper: float

    @property
    def half_width(self) -> float:
        """Half of the distance between the ends."""
        return (self.upper - self.lower) / 2


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
        """Returns the reward at a share, 0 to 1, of the range."""
        return self.lower + share * self.width


def standard_error(total: float, squares: float, events: float, /) -> float | None:
    """Returns sqrt(var / N) with var = (squares - total² / N) / (N - 1); None for one event or fewer.

    Args:
        total: the sum of the per-event values.
        squares: the sum of their squares.
        events: N.
    """
    if events <= 1:
        return None
    return sqrt(max(0.0, squares - total * total / events) / (events - 1) / events)


def gaussian_interval(centre: float | None, error: float | None, /, *, alpha: float) -> Interval | None:
    """Returns the interval centre ± z · error, z the 1 - alpha / 2 quantile of the normal (1.96 at 5 %).

    Assumes: independent events, a variance that exists, and enough events for the central limit theorem,
    of which heavy weights can need very many. It covers at one sample size that was fixed beforehand: with
    repeated looks, far more than ``alpha`` of all runs leave it at some time. Cost: O(1).
    """
    if centre is None or error is None:
        return None
    half_width = quantiles.normal_quantile(1 - alpha / 2) * error
    return Interval(centre - half_width, centre + half_width)

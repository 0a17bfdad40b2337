"""The Gaussian interval: what the retired service reported (contract, section 4.3)."""

from math import sqrt

from sartor.evaluate import quantiles
from sartor.evaluate.interval import Interval


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


def gaussian(centre: float | None, error: float | None, /, *, alpha: float) -> Interval | None:
    """The interval centre ± z · error, z the 1 - alpha / 2 quantile of the normal (1.96 at 5 %).

    Assumes: independent events, a variance that exists, and enough events for the central limit theorem,
    which heavy weights can put far away. It holds at one sample size that was fixed beforehand: looked at
    again and again it is left by far more than ``alpha`` of all runs. Cost: O(1).
    """
    if centre is None or error is None:
        return None
    reach = quantiles.normal(1 - alpha / 2) * error
    return Interval(centre - reach, centre + reach)

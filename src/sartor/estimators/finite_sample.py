"""Intervals that hold at any fixed number of events: Clopper-Pearson and empirical Bernstein."""

from math import log, sqrt
from typing import ClassVar

import numpy as np

from sartor.errors import InvalidColumns
from sartor.estimators import quantiles
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Interval
from sartor.estimators.ips import BoundedSums


def clopper_pearson(successes: float, trials: float, /, *, alpha: float) -> Interval:
    """Returns the interval of a success probability; ``successes`` and ``trials`` may be fractions.

    lower = Beta(alpha/2; s, n - s + 1), upper = Beta(1 - alpha/2; s + 1, n - s). Exact (never below its
    level) for independent trials with outcomes 0 and 1. Paper: Clopper, Pearson 1934. Cost: O(1).
    """
    lower, upper = 0.0, 1.0
    if successes > 0:
        lower = quantiles.beta_quantile(alpha / 2, a=successes, b=max(trials - successes, 0.0) + 1)
    if successes < trials:
        upper = quantiles.beta_quantile(1 - alpha / 2, a=successes + 1, b=trials - successes)
    return Interval(lower, upper)


class ClopperPearson(BoundedSums, kw_only=True):
    """Σ w R / c successes out of N, times c; R is the reward scaled to [0, 1], c the largest weight seen.

    The lower end is that of w R / c, the upper end comes from w (1 - R) / c in the same way. Where all
    weights are 1 this is the classical interval.

    Assumes: what IPS assumes, independent events, rewards within ``bounds``, and that the largest weight
    seen is about the largest possible. Exact level for weights of 1 and rewards 0 or 1; otherwise
    conservative, as no variable in [0, 1] varies more than a coin of the same mean (Hoeffding 1963). Holds at
    one sample size fixed beforehand.
    Paper: Clopper, Pearson 1934. Cost: O(rows), O(1) memory.
    """

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the conservative interval.

        None with too few events, and where its ends cross: the log then refutes an assumption.
        """
        if self.largest_weight <= 0:
            return None
        low, high = (
            self._lower_bound(self._gain_sums()[0], alpha),
            1 - self._lower_bound(self._loss_sums()[0], alpha),
        )
        return Interval(self.bounds.reward(low), self.bounds.reward(high)) if low <= high else None

    def _lower_bound(self, total: float, alpha: float) -> float:
        scale = max(1.0, self.largest_weight)
        return min(1.0, scale * clopper_pearson(total / scale, self.events, alpha=alpha).lower)


class EmpiricalBernstein(BoundedSums, kw_only=True):
    """mean - sqrt(2 var ln(2/δ) / N) - 7 ln(2/δ) / (3 (N - 1)) for terms in [0, 1], δ = alpha/2.

    The lower end is that bound for w R / c, with R the reward scaled to [0, 1]; the upper end comes from
    the same bound for w (1 - R) / c, as E[w R] ≤ V and E[w (1 - R)] ≤ 1 - V. Weights above ``weight_cap`` (c)
    are cut to it: both inequalities still hold, so a small cap makes the interval wider, never invalid. A cap
    near the largest plausible weight, such as 1 / (smallest logged probability), is a good choice.

    Assumes: propensities as in IPS (support may be missing), independent events, rewards within ``bounds``.
    Conservative at any N that was fixed beforehand.
    Paper: Maurer, Pontil 2009 (0907.3740), theorem 4. Cost: O(rows), O(1) memory.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"bounds", "weight_cap"})

    weight_cap: float

    def __post_init__(self) -> None:
        if not 0 < self.weight_cap < float("inf"):
            raise InvalidColumns("weight_cap is a finite number above 0.")

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the conservative interval.

        None with too few events, and where its ends cross: the log then refutes an assumption.
        """
        if self.events <= 1:
            return None
        low = self._lower_bound(*self._gain_sums(), alpha=alpha)
        high = 1 - self._lower_bound(*self._loss_sums(), alpha=alpha)
        return Interval(self.bounds.reward(low), self.bounds.reward(high)) if low <= high else None

    def _weight(self, columns: Columns) -> Floats:
        return np.minimum(columns.weight, self.weight_cap)

    def _lower_bound(self, total: float, squares: float, *, alpha: float) -> float:
        n, cap, log_level = self.events, self.weight_cap, log(4 / alpha)
        variance = max(0.0, squares - total * total / n) / (n - 1)
        bound = total / n - sqrt(2 * variance * log_level / n) - cap * 7 * log_level / (3 * (n - 1))
        return min(1.0, max(0.0, bound))

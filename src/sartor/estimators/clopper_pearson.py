"""The Clopper-Pearson interval, of a success probability and of weighted rewards."""

from sartor.estimators import quantiles
from sartor.estimators.interval import Interval
from sartor.estimators.weighted import BoundedSums


def clopper_pearson(successes: float, trials: float, /, *, alpha: float) -> Interval:
    """The interval of a success probability, from ``successes`` out of ``trials``; both may be fractions.

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
        """Conservative; None also where its ends cross: the log then refutes an assumption."""
        if self.largest_weight <= 0:
            return None
        low, high = self._least(self._gain()[0], alpha), 1 - self._least(self._loss()[0], alpha)
        return Interval(self.bounds.reward(low), self.bounds.reward(high)) if low <= high else None

    def _least(self, total: float, alpha: float) -> float:
        scale = max(1.0, self.largest_weight)
        return min(1.0, scale * clopper_pearson(total / scale, self.events, alpha=alpha).lower)

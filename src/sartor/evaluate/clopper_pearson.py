"""Clopper-Pearson intervals of weighted rewards, in two forms."""

from sartor.evaluate import quantiles
from sartor.evaluate.interval import Interval
from sartor.evaluate.weighted import BoundedSums, WeightedSums


def clopper_pearson(successes: float, trials: float, /, *, alpha: float) -> Interval:
    """The interval of a success probability, from ``successes`` out of ``trials``; both may be fractions.

    lower = Beta(alpha/2; s, n - s + 1), upper = Beta(1 - alpha/2; s + 1, n - s). Exact (never below its
    level) for independent trials with outcomes 0 and 1. Paper: Clopper, Pearson 1934. Cost: O(1).
    """
    lower, upper = 0.0, 1.0
    if successes > 0:
        lower = quantiles.beta(alpha / 2, a=successes, b=max(trials - successes, 0.0) + 1)
    if successes < trials:
        upper = quantiles.beta(1 - alpha / 2, a=successes + 1, b=trials - successes)
    return Interval(lower, upper)


def tooling_interval(sums: WeightedSums, /, *, alpha: float = 0.05) -> Interval | None:
    """The form of the retired service's tooling (contract, section 4.3): Σwr/c successes out of N/c.

    c is the largest abs(w r) seen. Right for rewards 0 and 1; too narrow where all rewards seen are small,
    as c then says nothing about those that were not seen. None without a positive reward.
    """
    largest = sums.largest_product
    if largest <= 0 or sums.product < 0:
        return None
    return clopper_pearson(sums.product / largest, sums.events / largest, alpha=alpha)


class ClopperPearson(BoundedSums, kw_only=True):
    """Σ w R / c successes out of N / c trials, with R the reward scaled to [0, 1] and c the largest weight.

    Assumes: what IPS assumes, independent events, rewards within ``bounds``. Exact where all weights are 1
    and rewards are 0 or 1; otherwise conservative in practice (a variable in [0, 1] varies at most as a
    coin of the same mean), while c is the largest weight *seen*. Holds at a sample size fixed beforehand.
    Paper: Clopper, Pearson 1934; the scaling is that of the Vowpal Wabbit project's estimators.
    Cost: O(rows), O(1) memory.
    """

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Conservative; at one sample size fixed beforehand."""
        largest = self.largest_weight
        if largest <= 0:
            return None
        share = clopper_pearson(self._gain()[0] / largest, self.events / largest, alpha=alpha)
        return Interval(self.bounds.reward(share.lower), self.bounds.reward(share.upper))

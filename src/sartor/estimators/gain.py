"""How much more a policy would have earned than what was done, from the same decisions."""

from math import sqrt

import numpy as np

from sartor.estimators.columns import Columns
from sartor.estimators.interval import Interval, gaussian_interval
from sartor.estimators.weighted import WeightedSums


class Gain(WeightedSums, kw_only=True):
    """V - M: SNIPS of the policy less the mean reward of what was done.

    Both stand on the same decisions, so that much of their luck is the same and cancels: the interval is
    narrower than those of the two values suggest. Assumes what SNIPS assumes.
    Interval: Gaussian, at one sample size fixed beforehand; the delta method gives the variance
    Σ ( w_i (r_i - V) / W - (r_i - M) )² / N², with W the mean weight (Owen, Monte Carlo Theory, section 9.2).
    Cost: O(rows), O(1) memory.
    """

    done: float = 0.0
    done_product: float = 0.0
    done_product_sq: float = 0.0
    both: float = 0.0
    both_product: float = 0.0
    both_product_sq: float = 0.0

    def _take(self, columns: Columns, /) -> None:
        super()._take(columns)
        weight, reward = columns.weight, columns.reward
        done = columns.inflated(np.ones(columns.rows))
        self.done += float(done @ done)
        self.done_product += float(done @ (done * reward))
        self.done_product_sq += float((done * reward) @ (done * reward))
        self.both += float(weight @ done)
        self.both_product += float(weight @ (done * reward))
        self.both_product_sq += float((weight * reward) @ (done * reward))

    def value(self) -> float | None:
        """The difference, per decision."""
        policy = self._policy()
        return None if policy is None else policy - self.reward / self.events

    def standard_error(self) -> float | None:
        """The estimated standard deviation of the difference."""
        policy = self._policy()
        if policy is None or self.rows <= 1:
            return None
        mean, reward = self.weight / self.events, self.reward / self.events
        theirs = self.product_sq - 2 * policy * self.product_weight + policy**2 * self.weight_sq
        ours = self.done_product_sq - 2 * reward * self.done_product + reward**2 * self.done
        shared = self.both_product_sq - (policy + reward) * self.both_product + policy * reward * self.both
        return sqrt(max(0.0, theirs / mean**2 - 2 * shared / mean + ours)) / self.events

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    def _policy(self) -> float | None:
        return self.product / self.weight if self.weight else None

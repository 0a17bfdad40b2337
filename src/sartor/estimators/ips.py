"""IPS, SNIPS and the gain over the logging policy: estimates from weights alone, and their sums."""

from math import sqrt
from typing import ClassVar

import numpy as np

from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Bounds, Interval, gaussian_interval, standard_error


class WeightedSums(Estimator, kw_only=True):
    """Sums of w, w², wr, w²r, w²r², with w = target / propensity / (1 - drop_probability), and their extremes.

    They include all numbers of the contract's section 4.3: ``product`` is the numerator, ``events`` the
    denominator of IPS, ``weight`` that of SNIPS, ``product_sq`` the sum of squares, ``matched`` the count
    with w > 0, ``largest_product`` the largest abs(r w). Cost: O(rows) time, O(1) memory.
    """

    LARGEST: ClassVar[frozenset[str]] = frozenset({"largest_weight", "largest_product"})
    SMALLEST: ClassVar[frozenset[str]] = frozenset({"smallest_weight"})

    rows: int = 0
    events: float = 0.0
    matched: int = 0
    reward: float = 0.0
    weight: float = 0.0
    weight_sq: float = 0.0
    product: float = 0.0
    product_weight: float = 0.0
    product_sq: float = 0.0
    largest_weight: float = 0.0
    smallest_weight: float = float("inf")
    largest_product: float = 0.0

    def _take(self, columns: Columns, /) -> None:
        self._sum(columns, weight=columns.weight, reward=columns.reward)

    def _sum(self, columns: Columns, *, weight: Floats, reward: Floats) -> None:
        product = weight * reward
        self.rows += columns.rows
        self.events += columns.events
        self.matched += int(np.count_nonzero(weight))
        self.reward += float(columns.inflate(reward).sum())
        self.weight += float(weight.sum())
        self.weight_sq += float(weight @ weight)
        self.product += float(product.sum())
        self.product_weight += float(weight @ product)
        self.product_sq += float(product @ product)
        self.largest_weight = max(self.largest_weight, float(weight.max()))
        self.smallest_weight = min(self.smallest_weight, float(weight.min()))
        self.largest_product = max(self.largest_product, float(product.max()), -float(product.min()))


class BoundedSums(WeightedSums, kw_only=True):
    """``WeightedSums`` for rewards in a known range.

    A reward outside of ``bounds`` is moved to the nearest end and counted in ``clipped``: one
    outlier must not prevent an interval, which is then one for the clipped reward.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"bounds"})

    bounds: Bounds
    clipped: int = 0

    def _take(self, columns: Columns, /) -> None:
        reward = np.clip(columns.reward, self.bounds.lower, self.bounds.upper)
        self.clipped += int(np.count_nonzero(reward != columns.reward))
        self._sum(columns, weight=self._weight(columns), reward=reward)

    def value(self) -> float | None:
        """Returns IPS of the clipped rewards."""
        return self.product / self.events if self.events else None

    def _weight(self, columns: Columns) -> Floats:
        return columns.weight

    def _gain_sums(self) -> tuple[float, float]:
        """Returns the sums of w R and (w R)², with R the reward scaled to [0, 1]."""
        low, width = self.bounds.lower, self.bounds.width
        squares = self.product_sq - 2 * low * self.product_weight + low * low * self.weight_sq
        return max(0.0, (self.product - low * self.weight) / width), max(0.0, squares / (width * width))

    def _loss_sums(self) -> tuple[float, float]:
        """Returns the sums of w (1 - R) and its square: ``_gain_sums`` from the other end of the range."""
        high, width = self.bounds.upper, self.bounds.width
        squares = self.product_sq - 2 * high * self.product_weight + high * high * self.weight_sq
        return max(0.0, (high * self.weight - self.product) / width), max(0.0, squares / (width * width))


class Ips(WeightedSums, kw_only=True):
    """Inverse propensity scoring: V = (1/N) Σ w_i r_i, with w = target / propensity.

    Assumes: logged propensities are the probabilities that were used, and are positive wherever the policy's
    are. Then unbiased, also when the logging policy learns while it logs. The variance grows with w.
    Interval: Gaussian, of the terms w r (contract, section 4.3).
    Paper: Horvitz, Thompson 1952; for policies Dudík, Langford, Li 2011 (1103.4601), section 2.
    Cost: O(rows), O(1) memory.
    """

    def value(self) -> float | None:
        """Returns Σ w r / N; None without events."""
        return self.product / self.events if self.events else None

    def standard_error(self) -> float | None:
        """Returns the estimated standard deviation of the value; None with fewer than two events."""
        return standard_error(self.product, self.product_sq, self.events)

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the Gaussian interval; it covers at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)


class Snips(WeightedSums, kw_only=True):
    """Self-normalised IPS: V = Σ w_i r_i / Σ w_i.

    Assumes the same as IPS. Biased by O(1/N), never outside of the range of the rewards seen, unchanged
    when a constant is added to all rewards; mostly of far smaller variance than IPS: reports show it as the
    value.
    Interval: Gaussian with the variance of the delta method, Σ w_i² (r_i - V)² / (Σ w_i)².
    Paper: Swaminathan, Joachims 2015 (The Self-Normalized Estimator for Counterfactual Learning), section 4;
    the variance is that of ratio estimates: Owen, Monte Carlo Theory, section 9.2.
    Cost: O(rows), O(1) memory.
    """

    def value(self) -> float | None:
        """Returns Σ w r / Σ w; None where no row has a weight."""
        return self.product / self.weight if self.weight else None

    def standard_error(self) -> float | None:
        """Returns the estimated standard deviation of the value; None with fewer than two events."""
        value = self.value()
        if value is None or self.matched <= 1:
            return None
        squares = self.product_sq - 2 * value * self.product_weight + value * value * self.weight_sq
        return sqrt(max(0.0, squares)) / self.weight

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the Gaussian interval; it covers at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)


class Gain(WeightedSums, kw_only=True):
    """The gain V - M: SNIPS of the policy less the mean logged reward M.

    Both are estimated from the same decisions, so that much of their noise is shared and cancels: the interval
    is narrower than those of the two values suggest. Assumes what SNIPS assumes.
    Interval: Gaussian, at one sample size fixed beforehand; the delta method gives the variance
    Σ ( w_i (r_i - V) / W - (r_i - M) )² / N², with W the mean weight (Owen, Monte Carlo Theory, section 9.2).
    Cost: O(rows), O(1) memory.
    """

    logged: float = 0.0
    logged_product: float = 0.0
    logged_product_sq: float = 0.0
    cross: float = 0.0
    cross_product: float = 0.0
    cross_product_sq: float = 0.0

    def _take(self, columns: Columns, /) -> None:
        super()._take(columns)
        weight, reward = columns.weight, columns.reward
        logged = columns.inflate(np.ones(columns.rows))
        self.logged += float(logged @ logged)
        self.logged_product += float(logged @ (logged * reward))
        self.logged_product_sq += float((logged * reward) @ (logged * reward))
        self.cross += float(weight @ logged)
        self.cross_product += float(weight @ (logged * reward))
        self.cross_product_sq += float((weight * reward) @ (logged * reward))

    def value(self) -> float | None:
        """Returns the gain per decision; None where no row has a weight."""
        policy = self._snips()
        return None if policy is None else policy - self.reward / self.events

    def standard_error(self) -> float | None:
        """Returns the estimated standard deviation of the gain; None with fewer than two rows."""
        policy = self._snips()
        if policy is None or self.rows <= 1:
            return None
        mean, reward = self.weight / self.events, self.reward / self.events
        policy_terms = self.product_sq - 2 * policy * self.product_weight + policy**2 * self.weight_sq
        logged_terms = self.logged_product_sq - 2 * reward * self.logged_product + reward**2 * self.logged
        cross_terms = self.cross_product_sq - (policy + reward) * self.cross_product
        cross_terms += policy * reward * self.cross
        return sqrt(max(0.0, policy_terms / mean**2 - 2 * cross_terms / mean + logged_terms)) / self.events

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the Gaussian interval; it covers at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    def _snips(self) -> float | None:
        return self.product / self.weight if self.weight else None

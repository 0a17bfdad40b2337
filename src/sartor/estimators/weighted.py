"""The sums from which every estimator without a reward model is made: nine numbers and three extremes."""

from typing import ClassVar

import numpy as np

from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Bounds


class WeightedSums(Estimator, kw_only=True):
    """Sums of w, w², wr, w²r, w²r² with w = target / propensity / (1 - drop_probability).

    They hold all numbers of the contract's section 4.3: ``product`` is the numerator, ``events`` the
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
        self.reward += float(columns.inflated(reward).sum())
        self.weight += float(weight.sum())
        self.weight_sq += float(weight @ weight)
        self.product += float(product.sum())
        self.product_weight += float(weight @ product)
        self.product_sq += float(product @ product)
        self.largest_weight = max(self.largest_weight, float(weight.max()))
        self.smallest_weight = min(self.smallest_weight, float(weight.min()))
        self.largest_product = max(self.largest_product, float(product.max()), -float(product.min()))


class BoundedSums(WeightedSums, kw_only=True):
    """The same, for rewards in a known range.

    A reward outside of ``bounds`` is moved to the nearest end and counted in ``clipped``: one wild number
    must not silence an interval, which then speaks of the clipped reward.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"bounds"})

    bounds: Bounds
    clipped: int = 0

    def _take(self, columns: Columns, /) -> None:
        reward = np.clip(columns.reward, self.bounds.lower, self.bounds.upper)
        self.clipped += int(np.count_nonzero(reward != columns.reward))
        self._sum(columns, weight=self._weight(columns), reward=reward)

    def value(self) -> float | None:
        """IPS of the clipped rewards."""
        return self.product / self.events if self.events else None

    def _weight(self, columns: Columns) -> Floats:
        return columns.weight

    def _gain(self) -> tuple[float, float]:
        """Sums of w R and (w R)², with R the reward scaled to [0, 1]."""
        low, width = self.bounds.lower, self.bounds.width
        squares = self.product_sq - 2 * low * self.product_weight + low * low * self.weight_sq
        return max(0.0, (self.product - low * self.weight) / width), max(0.0, squares / (width * width))

    def _loss(self) -> tuple[float, float]:
        """Sums of w (1 - R) and its square: the same, seen from the other end of the range."""
        high, width = self.bounds.upper, self.bounds.width
        squares = self.product_sq - 2 * high * self.product_weight + high * high * self.weight_sq
        return max(0.0, (high * self.weight - self.product) / width), max(0.0, squares / (width * width))

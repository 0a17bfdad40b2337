"""The Cressie-Read estimator: the most likely value, given that weights average to one."""

from math import inf, sqrt
from typing import ClassVar

from sartor.errors import InvalidColumns
from sartor.estimators import quantiles
from sartor.estimators.interval import Interval
from sartor.estimators.ips import BoundedSums


class CressieRead(BoundedSums, kw_only=True):
    """Empirical likelihood with the Cressie-Read divergence of power -2, which has a closed form.

    Among all distributions over (w, r) with E[w] = 1, the one nearest to the log (in the divergence) gives
    the value; those that are near enough by the F distribution give the interval. One imagined event
    with an extreme weight and an extreme reward stands for the events that were not seen.

    Assumes: what IPS assumes, independent events, weights within ``min_weight`` … ``max_weight`` (widened
    by what is seen), rewards within ``bounds``. As precise as SNIPS or better, and never outside of the
    rewards' range. Give ``max_weight``, 1 / (smallest probability that is logged), where it is known: the
    interval is then asymptotically exact. Without it, the interval is wider than it says, and the value
    leans towards the mean logged reward, by a fraction of its standard error, where weights average
    less than 1.
    Paper: Karampatziakis, Langford, Mineiro 2020 (Empirical Likelihood for Contextual Bandits, 1906.03323),
    the Cressie-Read case; the same closed form as the estimators of the Vowpal Wabbit project.
    Dropped rows enter the weight and the number of events, as there. Cost: O(rows), O(1) memory.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"bounds", "min_weight", "max_weight"})

    min_weight: float = 0.0
    max_weight: float = inf

    def __post_init__(self) -> None:
        if not self.min_weight < 1 < self.max_weight:
            raise InvalidColumns("Weights lie around 1: min_weight < 1 < max_weight.")

    def value(self) -> float | None:
        """Returns the most likely value; None without events."""
        if not self.events:
            return None
        n, size = self.events, 1 + self.events
        gamma, beta = self._tilt(n)
        observed = (-gamma * self.product - beta * self.product_weight) / size
        missing = max(0.0, 1 - (-gamma * self.weight - beta * self.weight_sq) / size)
        return observed + missing * self.reward / n

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the interval, asymptotically exact at one sample size fixed beforehand."""
        if not self.events:
            return None
        phi = self._allowance(alpha)
        lower = self._bound(self.bounds.lower, phi=phi, sign=1.0)
        upper = self._bound(self.bounds.upper, phi=phi, sign=-1.0)
        return Interval(lower, upper)

    def _extreme_weights(self) -> tuple[float, float]:
        return min(self.min_weight, self.smallest_weight), max(self.max_weight, self.largest_weight)

    def _imagined_weight(self, n: float) -> float:
        """Returns the weight of the imagined event: it pulls the mean weight towards 1."""
        least, most = self._extreme_weights()
        return most if self.weight < n else least

    def _tilt(self, n: float) -> tuple[float, float]:
        """Returns gamma, beta: the likeliest probability at weight w is -(gamma + beta w) / (1 + n)."""
        imagined = self._imagined_weight(n)
        if imagined == inf:
            return -(1 + n) / n, 0.0
        mean = (imagined + self.weight) / (1 + n)
        mean_sq = (imagined**2 + self.weight_sq) / (1 + n)
        spread = mean * mean - mean_sq
        return (mean_sq - mean) / spread, (1 - mean) / spread

    def _allowance(self, alpha: float) -> float:
        """Returns how far from the log a distribution may be, as the dual constraint needs it."""
        n, imagined = self.events, self._imagined_weight(self.events)
        if imagined == inf:
            best = 1 + 1 / n
        else:
            mean = (imagined + self.weight) / (1 + n)
            mean_sq = (imagined**2 + self.weight_sq) / (1 + n)
            best = (1 + n) * (mean - 1) ** 2 / (mean_sq - mean * mean)
        return (-best - quantiles.f_one_quantile(1 - alpha, degrees=n)) / (2 * (1 + n))

    def _bound(self, reward: float, *, phi: float, sign: float) -> float:
        """Returns the extreme value with an imagined event of this reward, over both extreme weights."""
        extremes = [
            extreme
            for weight in self._extreme_weights()
            if (extreme := self._extreme_value(weight, reward, phi=phi, sign=sign)) is not None
        ]
        best = sign * min(extremes) if extremes else reward
        return min(self.bounds.upper, max(self.bounds.lower, best))

    def _extreme_value(self, weight: float, reward: float, *, phi: float, sign: float) -> float | None:
        terms = self._infinite_weight_terms if weight == inf else self._finite_weight_terms
        centre, curve, room = terms(weight, reward, phi=phi, sign=sign)
        if abs(curve * room) <= 1e-18:
            return centre - sqrt(2) * 1e-9
        return centre - sqrt(2 * curve * room) if room <= 0 and curve <= 0 else None

    def _infinite_weight_terms(
        self, weight: float, reward: float, *, phi: float, sign: float
    ) -> tuple[float, float, float]:
        """Returns the limit of ``_finite_weight_terms`` for an infinite weight."""
        n = self.events
        centre = sign * (reward + (self.product - self.weight * reward) / n)
        squares = reward**2 * self.weight_sq - 2 * reward * self.product_weight + self.product_sq
        curve = (reward * self.weight - self.product) ** 2 / (n * (1 + n)) - squares / (1 + n)
        return centre, curve, phi + 1 / (2 * n)

    def _finite_weight_terms(
        self, weight: float, reward: float, *, phi: float, sign: float
    ) -> tuple[float, float, float]:
        size = 1 + self.events
        w = (weight + self.weight) / size
        w_sq = (weight**2 + self.weight_sq) / size
        wr = sign * (weight * reward + self.product) / size
        w_sq_r = sign * (weight**2 * reward + self.product_weight) / size
        wr_sq = (weight**2 * reward**2 + self.product_sq) / size
        spread, shared = w_sq - w * w, w_sq_r - w * wr
        if spread <= 0:
            return 0.0, 1.0, -1.0
        centre = wr + (1 - w) * shared / spread
        curve = shared**2 / spread - (wr_sq - wr * wr)
        return centre, curve, phi + (1 - w) ** 2 / (2 * spread)

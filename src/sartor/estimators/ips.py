"""IPS and SNIPS: what the log says when it is only reweighted."""

from math import sqrt

from sartor.estimators.interval import Interval, gaussian_interval, standard_error
from sartor.estimators.weighted import WeightedSums


class Ips(WeightedSums, kw_only=True):
    """Inverse propensity scoring: V = (1/N) Σ w_i r_i, with w = target / propensity.

    Assumes: logged propensities are the probabilities that were used, and are positive wherever the policy's
        are.
    Then unbiased, also when the logging policy learns while it logs. The variance grows with w.
    Interval: Gaussian, of the terms w r (contract, section 4.3).
    Paper: Horvitz, Thompson 1952; for policies Dudík, Langford, Li 2011 (1103.4601), section 2.
    Cost: O(rows), O(1) memory.
    """

    def value(self) -> float | None:
        """Numerator / events."""
        return self.product / self.events if self.events else None

    def standard_error(self) -> float | None:
        """The estimated standard deviation of the value."""
        return standard_error(self.product, self.product_sq, self.events)

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)


class Snips(WeightedSums, kw_only=True):
    """Self-normalised IPS: V = Σ w_i r_i / Σ w_i.

    Assumes the same as IPS. Biased by O(1/N), never outside of the range of the rewards seen, unchanged
    when a constant is added to all rewards; mostly of far smaller variance than IPS, hence the headline.
    Interval: Gaussian with the variance of the delta method, Σ w_i² (r_i - V)² / (Σ w_i)².
    Paper: Swaminathan, Joachims 2015 (The Self-Normalized Estimator for Counterfactual Learning), section 4;
    the variance is that of ratio estimates: Owen, Monte Carlo Theory, section 9.2.
    Cost: O(rows), O(1) memory.
    """

    def value(self) -> float | None:
        """Numerator / sum of the weights."""
        return self.product / self.weight if self.weight else None

    def standard_error(self) -> float | None:
        """The estimated standard deviation of the value."""
        value = self.value()
        if value is None or self.matched <= 1:
            return None
        squares = self.product_sq - 2 * value * self.product_weight + value * value * self.weight_sq
        return sqrt(max(0.0, squares)) / self.weight

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

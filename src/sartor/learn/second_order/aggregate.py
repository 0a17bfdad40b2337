"""Weights of the regressors, by how well each predicted so far; and how large the noise is."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from sartor.learn.second_order.columns import Vector

_DISCOUNT = 0.999
_LARGEST_LOSS = 8.0
_UNIFORM = 0.1
_LEAST_NOISE = 1e-4
"""The noise is at least this share of the variance of the rewards."""


class Aggregate(Struct, kw_only=True):
    """Exponential weights over regressors, with a discount (Cesa-Bianchi, Lugosi 2006, sections 2.8 and 2.11).

    Attributes:
        losses: the discounted losses of the regressors: squared errors over twice the noise, each at most 8.
        squares: their discounted squared errors.
        rows: the discounted number of outcomes.
        count: how many rewards were seen, ``mean``: their mean, ``deviations``: the sum of squared differences
            from it (Welford 1962).
    """

    losses: list[float]
    squares: list[float]
    rows: float = 0.0
    count: int = 0
    mean: float = 0.0
    deviations: float = 0.0

    @classmethod
    def of(cls, regressors: int, /) -> "Aggregate":
        """Returns the weights of so many regressors before any outcome: all the same."""
        return cls(losses=[0.0] * regressors, squares=[0.0] * regressors)

    @property
    def variance(self) -> float:
        """The variance of the rewards, at least 0."""
        return self.deviations / self.count if self.count else 0.0

    def weights(self) -> Vector:
        """Returns the weight of each regressor; they sum to 1."""
        least = min(self.losses)
        powers = [math.exp(least - loss) for loss in self.losses]
        total = sum(powers)
        uniform = _UNIFORM / len(powers)
        return np.array([(1.0 - _UNIFORM) * power / total + uniform for power in powers])

    def noise(self) -> float:
        """Returns the variance of a reward around its prediction by the best regressor; 0: none is known."""
        if not self.rows:
            return self.variance
        best = min(range(len(self.losses)), key=self.losses.__getitem__)
        return max(self.squares[best] / self.rows, _LEAST_NOISE * self.variance)

    def score(self, predictions: Sequence[float], reward: float, /) -> None:
        """Charge the regressors with the errors of their predictions, which were made before the reward."""
        noise = self.noise()
        errors = [reward - prediction for prediction in predictions]
        errors = [error * error for error in errors]  # infinite where ** would raise
        if noise > 0:
            losses = [
                _DISCOUNT * loss + min(error / (2.0 * noise), _LARGEST_LOSS)
                for loss, error in zip(self.losses, errors, strict=True)
            ]
            least = min(losses)
            self.losses = [loss - least for loss in losses]
        self.squares = [_DISCOUNT * old + error for old, error in zip(self.squares, errors, strict=True)]
        self.rows = _DISCOUNT * self.rows + 1.0

    def add(self, reward: float, /) -> None:
        """Count a reward."""
        self.count += 1
        difference = reward - self.mean
        self.mean += difference / self.count
        self.deviations += difference * (reward - self.mean)

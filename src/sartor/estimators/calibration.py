"""Calibration of the logged probabilities: whether actions were chosen as often as they say."""

from collections.abc import Sequence
from math import copysign, sqrt
from typing import ClassVar

import numpy as np
from msgspec import Struct, field

from sartor.estimators.accumulator import Mergeable

EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""The edges of the bins of probabilities; an upper edge belongs to its bin."""

_CERTAIN_DEVIATION = 1e9
"""Stands for infinity, which JSON can't hold."""


class CalibrationBin(Struct, frozen=True, kw_only=True, rename="camel"):
    """Actions whose logged probability lay above ``low`` and up to ``high``.

    ``expected``: the sum of their probabilities; ``observed``: how often they were chosen; ``error``: the
    standard error of that; ``deviation``: the distance of the two in standard errors.
    """

    low: float
    high: float
    actions: int
    expected: float
    observed: int
    error: float
    deviation: float


class PropensityCalibration(Mergeable, kw_only=True):
    """Counts by bins of probability, over all actions of all decisions. Constant memory.

    Assumes that a choice was drawn with the logged probabilities: then observed - expected has mean 0 and the
    variance Σ p (1 - p) at most, whichever policy made the probabilities.
    """

    SMALLEST: ClassVar[frozenset[str]] = frozenset({"smallest"})

    smallest: float = 1.0
    """The smallest positive probability of any action."""
    actions: list[int] = field(default_factory=lambda: [0] * (len(EDGES) - 1))
    observed: list[int] = field(default_factory=lambda: [0] * (len(EDGES) - 1))
    expected: list[float] = field(default_factory=lambda: [0.0] * (len(EDGES) - 1))
    variance: list[float] = field(default_factory=lambda: [0.0] * (len(EDGES) - 1))

    def add(self, probabilities: Sequence[float], chosen: Sequence[int], /) -> None:
        """Adds decisions.

        Args:
            probabilities: the probabilities of all actions of all of them, one after another.
            chosen: for each decision, the index in ``probabilities`` of the chosen action.
        """
        p = np.asarray(probabilities, dtype=float)
        index = np.searchsorted(EDGES[1:-1], p, side="left")
        chosen_flags = np.zeros(len(p))
        chosen_flags[np.asarray(chosen, dtype=int)] = 1.0
        possible = p > 0
        self.smallest = min(self.smallest, float(p[possible].min(initial=1.0)))
        self.actions = _add_counts(self.actions, index[possible], np.ones(int(possible.sum())), int)
        self.observed = _add_counts(self.observed, index, chosen_flags, int)
        self.expected = _add_counts(self.expected, index, p, float)
        self.variance = _add_counts(self.variance, index, p * (1 - p), float)

    def bins(self) -> tuple[CalibrationBin, ...]:
        """Returns the bins that saw anything, from the smallest probability up."""
        return tuple(
            CalibrationBin(
                low=EDGES[index],
                high=EDGES[index + 1],
                actions=actions,
                expected=self.expected[index],
                observed=self.observed[index],
                error=sqrt(self.variance[index]),
                deviation=self._deviation(index),
            )
            for index, actions in enumerate(self.actions)
            if actions or self.observed[index]
        )

    def worst_deviation(self) -> float:
        """Returns the largest absolute deviation of any bin, in standard errors; 0 for an empty log."""
        return max((abs(one.deviation) for one in self.bins()), default=0.0)

    def _deviation(self, index: int) -> float:
        gap = self.observed[index] - self.expected[index]
        if self.variance[index] <= 1e-12:
            return 0.0 if abs(gap) < 1e-6 else copysign(_CERTAIN_DEVIATION, gap)
        return gap / sqrt(self.variance[index])


def _add_counts(counts: list, index: np.ndarray, weights: np.ndarray, kind: type) -> list:  # type: ignore[type-arg]
    return [a + kind(b) for a, b in zip(counts, np.bincount(index, weights, len(EDGES) - 1), strict=True)]

"""Diagnostics of importance weights: effective sample size, calibration, overlap and heavy tails."""

from math import inf, sqrt
from typing import ClassVar

import numpy as np
from msgspec import field

from sartor.estimators.accumulator import Accumulator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import standard_error

BINS_PER_DOUBLING = 4
"""Histogram bins for each doubling of a weight: within a bin, weights differ by 19 % at most."""
_BINS = 64 * BINS_PER_DOUBLING
UNIT_BIN = 24 * BINS_PER_DOUBLING
"""The index of the bin that begins with weight 1."""


class Diagnostics(Accumulator, kw_only=True):
    """Sums over the weights of one policy on one log. Cost: O(rows), O(1) memory (a histogram of 256 bins).

    ``uniform`` sums 1 / (p n): the weights that the uniform policy would have. ``uncovered`` sums the
    policy's probability of actions that the log could not choose, where it is known.
    """

    LARGEST: ClassVar[frozenset[str]] = frozenset({"largest_weight", "largest_propensity"})
    SMALLEST: ClassVar[frozenset[str]] = frozenset({"smallest_propensity"})

    rows: int = 0
    events: float = 0.0
    matched: int = 0
    weight: float = 0.0
    weight_sq: float = 0.0
    largest_weight: float = 0.0
    smallest_propensity: float = inf
    largest_propensity: float = 0.0
    uniform_events: float = 0.0
    uniform: float = 0.0
    uniform_sq: float = 0.0
    uncovered_events: float = 0.0
    uncovered: float = 0.0
    bin_rows: list[int] = field(default_factory=lambda: [0] * _BINS)
    bin_weight: list[float] = field(default_factory=lambda: [0.0] * _BINS)

    def _take(self, columns: Columns, /) -> None:
        weight = columns.weight
        self.rows += columns.rows
        self.events += columns.events
        self.matched += int(np.count_nonzero(weight))
        self.weight += float(weight.sum())
        self.weight_sq += float(weight @ weight)
        self.largest_weight = max(self.largest_weight, float(weight.max()))
        self.smallest_propensity = min(self.smallest_propensity, float(columns.propensity.min()))
        self.largest_propensity = max(self.largest_propensity, float(columns.propensity.max()))
        self._add_to_histogram(weight)
        self._take_optional(columns)

    def _take_optional(self, columns: Columns) -> None:
        if columns.actions is not None:
            uniform = columns.inflate(1.0 / (columns.propensity * columns.actions))
            self.uniform_events += columns.events
            self.uniform += float(uniform.sum())
            self.uniform_sq += float(uniform @ uniform)
        if columns.uncovered is not None:
            self.uncovered_events += columns.events
            self.uncovered += float(columns.inflate(columns.uncovered).sum())

    def _add_to_histogram(self, weight: Floats) -> None:
        positive = weight[weight > 0]
        index = np.floor(np.log2(positive) * BINS_PER_DOUBLING).astype(np.int64) + UNIT_BIN
        index = np.clip(index, 0, _BINS - 1)
        rows = np.bincount(index, minlength=_BINS)
        weights = np.bincount(index, weights=positive, minlength=_BINS)
        self.bin_rows = [a + int(b) for a, b in zip(self.bin_rows, rows, strict=True)]
        self.bin_weight = [a + float(b) for a, b in zip(self.bin_weight, weights, strict=True)]

    def effective_sample_size(self) -> float:
        """Returns (Σ w)² / Σ w²: how many rows of equal weight would be as good (Kong 1992)."""
        return self.weight**2 / self.weight_sq if self.weight_sq else 0.0

    def mean_weight(self) -> float | None:
        """Returns (1/N) Σ w: about 1 if propensities are right and the log covers what the policy chooses."""
        return self.weight / self.events if self.events else None

    def mean_weight_error(self) -> float | None:
        """Returns the standard error of the mean weight; None with fewer than two events."""
        return standard_error(self.weight, self.weight_sq, self.events)

    def calibration(self) -> float | None:
        """Returns (mean weight - 1) in standard errors; None with fewer than two events."""
        return _deviation(self.weight, self.weight_sq, self.events)

    def uniform_calibration(self) -> float | None:
        """Returns (mean of 1/(p n) - 1) in standard errors: the same test for the uniform policy.

        Far above 0: logged probabilities are smaller than the probabilities that were used. Far below 0: some
        actions can't be chosen, or logged probabilities are too large. Needs the ``actions`` column.
        """
        return _deviation(self.uniform, self.uniform_sq, self.uniform_events)

    def overlap(self) -> float | None:
        """Returns the share, 0 to 1, of the policy's choices that the log could have made.

        Exact where ``uncovered`` is given; else the mean weight (at most 1), which estimates it.
        """
        if self.uncovered_events:
            return 1 - self.uncovered / self.uncovered_events
        mean = self.mean_weight()
        return None if mean is None else min(1.0, mean)

    def matched_share(self) -> float:
        """Returns the share of rows with a positive weight, 0 to 1."""
        return self.matched / self.rows if self.rows else 0.0

    def largest_share(self) -> float:
        """Returns the share of all weight on the heaviest row, 0 to 1."""
        return self.largest_weight / self.weight if self.weight else 0.0

    def tail_share(self, part: float = 0.01) -> float:
        """Returns the share of all weight on the heaviest ``part`` of rows (1 % by default).

        From the histogram; where its edge cuts a bin, rows of that bin count with their mean weight.
        """
        remaining, gathered = part * self.rows, 0.0
        for rows, weight in zip(reversed(self.bin_rows), reversed(self.bin_weight), strict=True):
            if rows >= remaining:
                gathered += weight * (remaining / rows if rows else 0.0)
                break
            remaining, gathered = remaining - rows, gathered + weight
        return gathered / self.weight if self.weight else 0.0


def _deviation(total: float, squares: float, events: float) -> float | None:
    error = standard_error(total, squares, events)
    if error is None:
        return None
    gap = total / events - 1
    if error <= 1e-12 * sqrt(events):
        return 0.0 if abs(gap) < 1e-9 else gap * inf
    return gap / error

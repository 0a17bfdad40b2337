"""Were the logged probabilities the probabilities that were used? Drawn as often as they say, or not."""

from collections.abc import Sequence
from math import copysign, sqrt
from typing import ClassVar

import numpy as np
from msgspec import Struct, field

from sartor.estimators.accumulator import Mergeable

EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Where the classes of probabilities end; an upper edge belongs to its class."""

_HOPELESS = 1e9


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
    """Counts by class of probability, over all actions of all decisions. Constant memory.

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
        """Take in decisions.

        Args:
            probabilities: the probabilities of all actions of all of them, one after another.
            chosen: for each decision, where in ``probabilities`` that of the chosen action is.
        """
        p = np.asarray(probabilities, dtype=float)
        place = np.searchsorted(EDGES[1:-1], p, side="left")
        drawn = np.zeros(len(p))
        drawn[np.asarray(chosen, dtype=int)] = 1.0
        possible = p > 0
        self.smallest = min(self.smallest, float(p[possible].min(initial=1.0)))
        self.actions = _plus(self.actions, place[possible], np.ones(int(possible.sum())), int)
        self.observed = _plus(self.observed, place, drawn, int)
        self.expected = _plus(self.expected, place, p, float)
        self.variance = _plus(self.variance, place, p * (1 - p), float)

    def classes(self) -> tuple[CalibrationBin, ...]:
        """The classes that saw anything, from the smallest probability up."""
        return tuple(
            CalibrationBin(
                low=EDGES[place],
                high=EDGES[place + 1],
                actions=actions,
                expected=self.expected[place],
                observed=self.observed[place],
                error=sqrt(self.variance[place]),
                deviation=self._deviation(place),
            )
            for place, actions in enumerate(self.actions)
            if actions or self.observed[place]
        )

    def worst(self) -> float:
        """The largest deviation of any class, in standard errors; 0 for an empty log."""
        return max((abs(found.deviation) for found in self.classes()), default=0.0)

    def _deviation(self, place: int) -> float:
        gap = self.observed[place] - self.expected[place]
        if self.variance[place] <= 1e-12:
            return 0.0 if abs(gap) < 1e-6 else copysign(_HOPELESS, gap)
        return gap / sqrt(self.variance[place])


def _plus(known: list, place: np.ndarray, added: np.ndarray, kind: type) -> list:  # type: ignore[type-arg]
    return [a + kind(b) for a, b in zip(known, np.bincount(place, added, len(EDGES) - 1), strict=True)]

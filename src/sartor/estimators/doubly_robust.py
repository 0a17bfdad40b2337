"""Estimators with a reward model: DM, DR, and DR with smaller weights (SWITCH-DR, DRos)."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from msgspec import field

from sartor.errors import InvalidColumns
from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Interval, gaussian_interval, standard_error


class MeanSums(Estimator, kw_only=True):
    """The mean of one number per decision, with a Gaussian interval at a sample size fixed beforehand."""

    rows: int = 0
    events: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def value(self) -> float | None:
        """Returns total / events; None without events."""
        return self.total / self.events if self.events else None

    def standard_error(self) -> float | None:
        """Returns the estimated standard deviation of the value; None with fewer than two events."""
        return standard_error(self.total, self.squares, self.events)

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the Gaussian interval; it covers at one sample size fixed beforehand."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    def _sum(self, columns: Columns, terms: Floats) -> None:
        self.rows += columns.rows
        self.events += columns.events
        self.total += float(terms.sum())
        self.squares += float(terms @ terms)


class Dm(MeanSums, kw_only=True):
    """Direct method: V = (1/N) Σ_i Σ_a target(a) q(x_i, a), the model's prediction for the policy.

    Assumes: the model q is right. It uses neither rewards nor propensities of the rows; where q is wrong it
    is biased by an amount that no number of rows and no interval shows: the interval has the spread of
    the predictions over contexts only. For comparison only; don't decide by it.
    Paper: Dudík, Langford, Li 2011 (1103.4601), section 2. Cost: O(rows), O(1) memory.
    """

    def _take(self, columns: Columns, /) -> None:
        _, q_policy = columns.predictions()
        self._sum(columns, columns.inflate(q_policy))


class Dr(MeanSums, kw_only=True):
    """Doubly robust: V = (1/N) Σ_i [ Σ_a target(a) q(x_i, a) + w_i (r_i - q(x_i, a_i)) ].

    Assumes: what IPS assumes, and that q for a row was made without its reward: by a model that predicts first
    and learns afterwards, or one fitted on other folds. Then unbiased whatever q is, also when the logging
    policy learns while it logs; the better q, the smaller the variance.
    Paper: Dudík, Langford, Li 2011 (1103.4601), section 2; cross-fitting: Chernozhukov et al. 2018
    (1608.00060), definition 3.2. Cost: O(rows), O(1) memory.
    """

    def _take(self, columns: Columns, /) -> None:
        q_logged, q_policy = columns.predictions()
        self._sum(columns, columns.inflate(q_policy + columns.ratio * (columns.reward - q_logged)))


_PRIOR = 10.0
"""Each action starts as if it had been chosen so many times, with the overall mean reward."""
_MAX_ACTIONS = 100_000


class ActionMeans:
    """A reward model: the running mean reward of each action, shrunk to the overall mean.

    Predict a row before you learn it, as DR needs. Ids beyond ``max_actions`` are predicted by the overall
    mean.
    """

    def __init__(self, *, max_actions: int = _MAX_ACTIONS) -> None:
        self._max_actions = max_actions
        self._sums: dict[str, tuple[float, int]] = {}
        self._total, self._count = 0.0, 0

    def predict(self, ids: Sequence[str], /) -> list[float]:
        """Returns the expected reward of each action, from what was learned so far."""
        prior = _PRIOR * (self._total / self._count if self._count else 0.0)
        sums = self._sums
        predicted = []
        for name in ids:
            total, count = sums.get(name, (0.0, 0))
            predicted.append((prior + total) / (_PRIOR + count))
        return predicted

    def learn(self, name: str, reward: float, /) -> None:
        """Learns the reward of an action that was chosen."""
        self._total += reward
        self._count += 1
        total, count = self._sums.get(name, (0.0, 0))
        if count or len(self._sums) < self._max_actions:
            self._sums[name] = (total + reward, count + 1)


INFINITE = float("inf")
TAUS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, INFINITE)
LAMBDAS = (0.0, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, INFINITE)


class TunedSums(Estimator, kw_only=True):
    """DR with smaller weights, by a parameter that the data choose: sums for every point of a grid.

    The chosen point has the smallest estimate of the mean squared error, var/N + bias². The interval is
    Gaussian at the chosen point: it covers neither the bias that was accepted in exchange, nor the choice. It
    describes, and is not for decisions.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"grid", "largest_reward"})

    grid: tuple[float, ...]
    rows: int = 0
    events: float = 0.0
    totals: list[float] = field(default_factory=list)
    squares: list[float] = field(default_factory=list)
    biases: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.grid or any(not point >= 0 for point in self.grid):
            raise InvalidColumns("A grid holds one number or more, none below 0.")
        for name in ("totals", "squares", "biases"):
            if len(getattr(self, name)) != len(self.grid):
                setattr(self, name, [0.0] * len(self.grid))

    def chosen(self) -> float:
        """Returns the grid point with the smallest estimated mean squared error; of equals the largest."""
        return self.grid[self._best_index()]

    def value(self) -> float | None:
        """Returns the estimate at the chosen grid point; None without events."""
        return self.totals[self._best_index()] / self.events if self.events else None

    def standard_error(self) -> float | None:
        """Returns the estimated standard deviation at the chosen grid point."""
        return self._standard_error_at(self._best_index())

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Returns the Gaussian interval at the chosen point; it covers neither the bias nor the choice."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    @abstractmethod
    def _shrink(self, ratio: Floats, point: float) -> Floats:
        """Returns the reduced weights at one grid point; shape (rows,)."""

    @abstractmethod
    def _bias(self, removed: Floats, residual: Floats, inflation: Floats) -> float:
        """Returns the bias that the removed weight may cause, summed over rows."""

    def _take(self, columns: Columns, /) -> None:
        q_logged, q_policy = columns.predictions()
        ratio, inflation = columns.ratio, columns.inflate(np.ones(columns.rows))
        predicted, residual = q_policy * inflation, (columns.reward - q_logged) * inflation
        total, squares = float(predicted.sum()), float(predicted @ predicted)
        for index, point in enumerate(self.grid):
            shrunk = self._shrink(ratio, point)
            shift = shrunk * residual
            self.totals[index] += total + float(shift.sum())
            self.squares[index] += squares + float(2 * (predicted @ shift) + shift @ shift)
            self.biases[index] += self._bias(ratio - shrunk, residual, inflation)
        self.rows += columns.rows
        self.events += columns.events

    def _standard_error_at(self, index: int) -> float | None:
        return standard_error(self.totals[index], self.squares[index], self.events)

    def _best_index(self) -> int:
        costs = [self._squared_error_at(index) for index in range(len(self.grid))]
        return max(range(len(costs)), key=lambda index: (-costs[index], self.grid[index]))

    def _squared_error_at(self, index: int) -> float:
        error = self._standard_error_at(index)
        return 0.0 if error is None else error**2 + (self.biases[index] / self.events) ** 2


class SwitchDr(TunedSums, kw_only=True):
    """SWITCH-DR: V(τ) = (1/N) Σ_i [ Σ_a target(a) q(x_i, a) + 1(w_i ≤ τ) w_i (r_i - q(x_i, a_i)) ].

    τ = 0 is DM, τ = ∞ is DR. The choice minimises var/N + (R_max · mass)², where mass is the
    policy's probability of actions with w > τ. The paper sums that mass over all actions of each context;
    here it is (1/N) Σ w_i 1(w_i > τ), which has the same mean and needs the logged action only.
    Assumes: what DR assumes, and abs(r) ≤ ``largest_reward`` (R_max).
    Paper: Wang, Agarwal, Dudík 2017 (1612.01205), the SWITCH estimator and its automatic tuning.
    Cost: O(rows × grid), O(grid) memory.
    """

    grid: tuple[float, ...] = TAUS
    largest_reward: float = 1.0

    def _shrink(self, ratio: Floats, point: float) -> Floats:
        return ratio * (ratio <= point)

    def _bias(self, removed: Floats, residual: Floats, inflation: Floats) -> float:
        return self.largest_reward * float(removed @ inflation)


class DrOs(TunedSums, kw_only=True):
    """DR with optimistic shrinkage: w is replaced by λ w / (w² + λ) in DR.

    λ = 0 is DM, λ = ∞ is DR. The choice minimises var/N + bias², with the direct estimate of the
    bias, (1/N) Σ (w_i - ŵ_i) (r_i - q(x_i, a_i)) (page 17 of the paper).
    Assumes: what DR assumes.
    Paper: Su, Dimakopoulou, Krishnamurthy, Dudík 2020 (1907.09623), optimistic shrinkage.
    Cost: O(rows × grid), O(grid) memory.
    """

    grid: tuple[float, ...] = LAMBDAS

    def _shrink(self, ratio: Floats, point: float) -> Floats:
        return ratio / (1.0 + ratio * ratio / point) if point else np.zeros_like(ratio)

    def _bias(self, removed: Floats, residual: Floats, inflation: Floats) -> float:
        return float(removed @ residual)

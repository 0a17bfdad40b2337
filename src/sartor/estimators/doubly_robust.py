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
        """Total / events."""
        return self.total / self.events if self.events else None

    def standard_error(self) -> float | None:
        """The estimated standard deviation of the value."""
        return standard_error(self.total, self.squares, self.events)

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian; at one sample size fixed beforehand."""
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
    the predictions over contexts only. For comparison, never for a decision.
    Paper: Dudík, Langford, Li 2011 (1103.4601), section 2. Cost: O(rows), O(1) memory.
    """

    def _take(self, columns: Columns, /) -> None:
        _, q_policy = columns.predictions()
        self._sum(columns, columns.inflated(q_policy))


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
        self._sum(columns, columns.inflated(q_policy + columns.ratio * (columns.reward - q_logged)))


_PRIOR = 10.0
"""How many decisions of the overall mean each action begins with."""
_MOST = 100_000


class ActionMeans:
    """Mean rewards by the id of the action; ids beyond ``most`` share the overall mean."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._sums: dict[str, tuple[float, int]] = {}
        self._total, self._count = 0.0, 0

    def predictions(self, ids: Sequence[str], /) -> list[float]:
        """The reward that is expected of each action, from what was learned until now."""
        start = _PRIOR * (self._total / self._count if self._count else 0.0)
        sums = self._sums
        found = []
        for name in ids:
            total, count = sums.get(name, (0.0, 0))
            found.append((start + total) / (_PRIOR + count))
        return found

    def learn(self, name: str, reward: float, /) -> None:
        """This action was chosen and paid."""
        self._total += reward
        self._count += 1
        total, count = self._sums.get(name, (0.0, 0))
        if count or len(self._sums) < self._most:
            self._sums[name] = (total + reward, count + 1)


INFINITE = float("inf")
TAUS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, INFINITE)
LAMBDAS = (0.0, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, INFINITE)


class TunedSums(Estimator, kw_only=True):
    """DR with weights reduced by a parameter that the data choose: sums for every value on a grid, in one pass.

    The chosen value has the smallest estimate of the mean squared error, var/N + bias². The interval is
    Gaussian at the chosen value: it covers neither the bias that was accepted in exchange, nor the choice. It
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
        """The value on the grid with the smallest estimated mean squared error; the largest of equals."""
        return self.grid[self._choice()]

    def value(self) -> float | None:
        """The estimate at the chosen value."""
        return self.totals[self._choice()] / self.events if self.events else None

    def standard_error(self) -> float | None:
        """The estimated standard deviation at the chosen value."""
        return self._error(self._choice())

    def interval(self, alpha: float = 0.05) -> Interval | None:
        """Gaussian at the chosen value; it covers neither the bias nor the choice."""
        return gaussian_interval(self.value(), self.standard_error(), alpha=alpha)

    @abstractmethod
    def _tamed(self, ratio: Floats, point: float) -> Floats:
        """The weights at one value on the grid."""

    @abstractmethod
    def _bias(self, lost: Floats, residual: Floats, stands_for: Floats) -> float:
        """What the lost weight may cost, summed over rows."""

    def _take(self, columns: Columns, /) -> None:
        q_logged, q_policy = columns.predictions()
        ratio, stands_for = columns.ratio, columns.inflated(np.ones(columns.rows))
        predicted, residual = q_policy * stands_for, (columns.reward - q_logged) * stands_for
        total, squares = float(predicted.sum()), float(predicted @ predicted)
        for index, point in enumerate(self.grid):
            tamed = self._tamed(ratio, point)
            shift = tamed * residual
            self.totals[index] += total + float(shift.sum())
            self.squares[index] += squares + float(2 * (predicted @ shift) + shift @ shift)
            self.biases[index] += self._bias(ratio - tamed, residual, stands_for)
        self.rows += columns.rows
        self.events += columns.events

    def _error(self, index: int) -> float | None:
        return standard_error(self.totals[index], self.squares[index], self.events)

    def _choice(self) -> int:
        costs = [self._cost(index) for index in range(len(self.grid))]
        return max(range(len(costs)), key=lambda index: (-costs[index], self.grid[index]))

    def _cost(self, index: int) -> float:
        error = self._error(index)
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

    def _tamed(self, ratio: Floats, point: float) -> Floats:
        return ratio * (ratio <= point)

    def _bias(self, lost: Floats, residual: Floats, stands_for: Floats) -> float:
        return self.largest_reward * float(lost @ stands_for)


class DrOs(TunedSums, kw_only=True):
    """DR with optimistic shrinkage: w is replaced by λ w / (w² + λ) in DR.

    λ = 0 is DM, λ = ∞ is DR. The choice minimises var/N + bias², with the direct estimate of the
    bias, (1/N) Σ (w_i - ŵ_i) (r_i - q(x_i, a_i)) (page 17 of the paper).
    Assumes: what DR assumes.
    Paper: Su, Dimakopoulou, Krishnamurthy, Dudík 2020 (1907.09623), optimistic shrinkage.
    Cost: O(rows × grid), O(grid) memory.
    """

    grid: tuple[float, ...] = LAMBDAS

    def _tamed(self, ratio: Floats, point: float) -> Floats:
        return ratio / (1.0 + ratio * ratio / point) if point else np.zeros_like(ratio)

    def _bias(self, lost: Floats, residual: Floats, stands_for: Floats) -> float:
        return float(lost @ residual)

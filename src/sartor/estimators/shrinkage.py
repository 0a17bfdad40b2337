"""SWITCH-DR and DRos: doubly robust with tamed weights, and the taming chosen by the data.

Both keep the sums of every value of their parameter on a grid, in one pass, and choose the value with
the smallest estimate of the mean squared error, var/N + bias². Their intervals are Gaussian at the chosen
value: they do not cover the bias that was accepted in exchange, nor the choice; so they describe, and
are not for decisions.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from msgspec import field

from sartor.errors import InvalidColumns
from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns, Floats
from sartor.estimators.interval import Interval, gaussian_interval, standard_error

INFINITE = float("inf")
TAUS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, INFINITE)
LAMBDAS = (0.0, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, INFINITE)


class TunedSums(Estimator, kw_only=True):
    """Sums for every value on a grid."""

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

"""Doubly robust sums for the policies of the scorecard, and for the differences between them."""

from collections.abc import Mapping
from math import log, sqrt
from typing import Self

import numpy as np
from msgspec.structs import replace

from sartor.estimators import wealth
from sartor.estimators.accumulator import Mergeable
from sartor.estimators.columns import Floats
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reward_model import RewardModel
from sartor.ranking import share_among_likeliest

BASELINE, RANDOM, LEARNED, LIFT, EXPLORATION = TARGETS = tuple(range(5))
"""Always the first action; a random one; the learned policy, without control group; the learned policy less the
baseline; what the learned policy prefers, less what was done."""

_DIFFERENCES = (LIFT, EXPLORATION)
_COUNT = len(TARGETS)
_SHAPE = (2 * _COUNT, 2 + len(wealth.STAKES))


class DoublyRobustSums(Mergeable, kw_only=True):
    """Sums over choices from which values and anytime intervals follow; ``wealth.py`` derives them.

    A value is (1/N) Σ [ Σ_a target(a) m(a) + w (r - m(A)) ], w = target(A) / p(A), with a reward model m that
    was fitted to earlier outcomes: unbiased whatever m is (Dudík, Langford, Li 2011, 1103.4601).

    ``sums``: little-endian float64, shape (targets and their reflections, 16): the terms, the squares of w (r -
    m), and the exponents of each stake. ``done``: the sum of Σ_a p(a) m(a) + (r - m(A)), which estimates what
    was done with the same model. ``doublings``: stakes are meant for rewards within a range of length 2 **
    ``doublings``.
    """

    rows: int = 0
    events: float = 0.0
    done: float = 0.0
    doublings: int = 0
    sums: bytes = b""

    def add(self, choice: LoggedChoice, model: RewardModel, /) -> None:
        """Adds a choice that the model has not learned yet, but whose reward is in its range."""
        self._set_doublings(wealth.doublings_of(model.highest - model.lowest))
        propensity, predicted = np.array(choice.probabilities), np.array(model.predict(choice.ids))
        chosen, reward, rows = choice.chosen, choice.reward, choice.rows
        bets = wealth.bet(
            find_targets(choice, propensity),
            propensity,
            predicted,
            chosen,
            reward,
            rewards=wealth.RewardRange(model.lowest, model.highest, 2.0**self.doublings),
        )
        self.rows += 1
        self.events += rows
        self.done += rows * float(propensity @ predicted + reward - predicted[chosen])
        sums = self._read_sums()
        sums[:, 0] += bets.terms
        sums[:, 1] += bets.squares
        sums[:, 2:] += bets.exponents
        self.sums = sums.tobytes()

    def __add__(self, other: Self) -> Self:
        """Returns the sums of both."""
        mine, theirs = replace(self), replace(other)
        for one in (mine, theirs):
            one._set_doublings(max(self.doublings, other.doublings))
        return replace(
            mine,
            rows=mine.rows + theirs.rows,
            events=mine.events + theirs.events,
            done=mine.done + theirs.done,
            sums=(mine._read_sums() + theirs._read_sums()).tobytes(),
        )

    def value(self, target: int, /) -> float:
        """Returns the estimate of a target per decision; there is one choice at least."""
        return float(self._read_sums()[target, 0]) / self.events

    def standard_error(self, target: int, /) -> float:
        """Returns the estimated standard deviation of a target's value, given the situations."""
        return sqrt(float(self._read_sums()[target, 1])) / self.events

    def control_cost(self) -> float:
        """Returns the learned policy's value less that of what was done: what the control group costs."""
        return self.value(LEARNED) - self.done / self.events

    def differs(self, target: int, /) -> bool:
        """Whether a difference was ever other than 0."""
        return bool(self._read_sums()[target, 1])

    def intervals(self, alphas: Mapping[int, float], bounds: Bounds, /) -> dict[int, Interval | None]:
        """Returns the anytime interval of each target at its level; there is one choice at least.

        None where the ends cross: then the log refutes an assumption.

        Args:
            alphas: the level of each target.
            bounds: the range of rewards that the sums were made with.
        """
        targets = list(alphas)
        ranges = [
            (-bounds.width, bounds.width) if target in _DIFFERENCES else (bounds.lower, bounds.upper)
            for target in targets
        ]
        ends = np.array(ranges + [(-upper, -lower) for lower, upper in ranges])
        found = wealth.smallest_means(
            self._read_sums()[targets + [target + _COUNT for target in targets], 2:],
            self.events,
            2.0**self.doublings,
            log_threshold=np.array([log(2 / alphas[target]) for target in targets] * 2),
            low=ends[:, 0],
            high=ends[:, 1],
        ).tolist()
        lower, upper = found[: len(targets)], [-end for end in found[len(targets) :]]
        return {
            target: Interval(low, high) if low <= high else None
            for target, low, high in zip(targets, lower, upper, strict=True)
        }

    def _read_sums(self) -> Floats:
        if not self.sums:
            return np.zeros(_SHAPE, dtype="<f8")
        return np.frombuffer(self.sums, dtype="<f8").reshape(_SHAPE).copy()

    def _set_doublings(self, doublings: int) -> None:
        more = doublings - self.doublings
        if more > 0:
            sums = self._read_sums()
            sums[:, 2:] = wealth.widen_span(sums[:, 2:], more)
            self.sums, self.doublings = sums.tobytes(), doublings


def find_targets(choice: LoggedChoice, done: Floats, /) -> Floats:
    """Returns the targets of a choice, then their reflections: shape (10, actions).

    Where the policy prefers several actions alike, as before there is a model, it takes them in equal parts.

    Args:
        choice: the choice; its targets count as often as it does.
        done: its logged probabilities.
    """
    rows = choice.rows
    targets = np.zeros((2 * _COUNT, len(done)))
    learned = done if not choice.control else np.array(choice.policy)
    targets[BASELINE, choice.baseline] = rows
    targets[RANDOM] = rows / len(done)
    targets[LEARNED] = rows * learned
    targets[LIFT] = targets[LEARNED] - targets[BASELINE]
    targets[EXPLORATION] = rows * (np.array(share_among_likeliest(learned.tolist())) - done)
    targets[_COUNT:] = -targets[:_COUNT]
    return targets

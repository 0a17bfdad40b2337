"""The regressors of the engine: what each sees, learns and predicts."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from sartor.bounded_cache import BoundedCache
from sartor.learn.second_order.columns import ColumnPlan, Matrix, Vector
from sartor.learn.second_order.inverses import count_packed_bytes
from sartor.learn.second_order.reading import RawFeatures, read_action_features
from sartor.learn.second_order.ridge import RidgePerAction, SharedRidge, einsum
from sartor.learn.second_order.views import ColumnView, Crossings

ViewName: TypeAlias = Literal["linear", "fine", "crossed"]


class RegressorKind(Struct, frozen=True):
    """A ridge regression per action: which columns it sees, how much it shrinks, whether it forgets fast."""

    view: ViewName
    penalty: float
    is_fast: bool = False


def count_columns(kind: RegressorKind, contexts: ColumnPlan, /, *, crossed: int) -> int:
    """Returns how many columns a regression per action sees.

    Args:
        kind: of the regression.
        contexts: the columns of contexts.
        crossed: how many the crossed regression sees.
    """
    if kind.view == "crossed":
        return crossed
    return contexts.linear if kind.view == "linear" else contexts.size


def count_row_bytes(contexts: ColumnPlan, /, *, crossed: int) -> int:
    """Returns how many bytes the P of one action take as they are stored, in all regressions."""
    seen = [count_columns(kind, contexts, crossed=crossed) for kind in PER_ACTION]
    return sum(map(count_packed_bytes, seen))


PER_ACTION = (
    RegressorKind("linear", 10.0),
    RegressorKind("linear", 300.0),
    RegressorKind("linear", 10.0, is_fast=True),
    RegressorKind("fine", 100.0),
    RegressorKind("crossed", 50.0),
)
COUNT = 1 + len(PER_ACTION)
"""How many regressors there are: the shared one, and those of each action."""

_LONG_HALF_LIFE = 8_000.0
"""After how many outcomes the regressions that don't forget fast weigh one by half."""

_SHARED_PENALTY = 10.0
_SHARED_COLUMNS = 192
_LEAST_SHARED_CONTEXT = 8
_MEMORY = 3_500_000
"""How many bytes the P of all actions may take as they are stored."""
_RECENTRE_SHARE, _RECENTRE_MOST = 0.1, 100


class ActionRow(Struct, array_like=True):
    """An action that has learned: its vector when it was shown last, and the last outcome it learned."""

    vector: list[float]
    clock: int = 0


class Regressors:
    """All regressors of one engine; ``fit_regressors`` makes them from the first outcomes.

    Attributes:
        contexts: the columns of contexts.
        actions: the columns of the features of actions.
        crossings: products of columns, which are columns after those of ``contexts``.
        views: what each regression per action sees, in the order of ``PER_ACTION``; the crossed one is missing
            until ``add_crossed``.
        shared: the regression for all actions; what it predicts is what each action shrinks towards.
        per_action: in the order of ``views``.
        rows: the row of each action that has learned, by id; ``details`` and ``priors`` are in that order.
        priors: what each action shrinks towards: weights of the linear columns; shape (rows, linear).
        clock: how many outcomes were learned; ``recentred``: at which of them the priors changed last.
    """

    def __init__(self, contexts: ColumnPlan, actions: ColumnPlan, *, half_life: float) -> None:
        self.contexts = contexts
        self.actions = actions
        self.half_life = half_life
        self.crossings = Crossings()
        self.shared = SharedRidge(*_shape_shared(contexts, actions), _SHARED_PENALTY)
        self.views = [
            ColumnView(np.arange(count_columns(kind, contexts, crossed=0)))
            for kind in PER_ACTION
            if kind.view != "crossed"
        ]
        self.per_action = [
            _make_regression(kind, view, half_life) for kind, view in zip(PER_ACTION, self.views, strict=False)
        ]
        self.rows: dict[str, int] = {}
        self.details: list[ActionRow] = []
        self.priors: Matrix = np.zeros((0, contexts.linear))
        self.clock = 0
        self.recentred = 0
        self._vectors: BoundedCache[Vector] = BoundedCache()

    def add_crossed(self, columns: Sequence[int], crossings: Crossings, /) -> RidgePerAction:
        """Add the crossed regression, which has learned nothing yet; returns it.

        Args:
            columns: the columns of contexts that it sees, ascending, the intercept first.
            crossings: the products that it sees.
        """
        size = self.contexts.size
        seen = [*columns, *range(size, size + len(crossings))]
        self.crossings = crossings
        self.views.append(ColumnView(np.array(seen, dtype=np.int64)))
        regression = _make_regression(PER_ACTION[-1], self.views[-1], self.half_life)
        regression.ensure_room(len(self.details))
        for row, prior in enumerate(self.priors[: len(self.details)]):
            regression.reset(row, self.views[-1].narrow(prior))
        self.per_action.append(regression)
        return regression

    def encode_context(self, features: RawFeatures, /) -> Vector:
        """Returns the vector of a context with the products; shape (columns + pairs,)."""
        return self.crossings.extend(self.contexts.encode(features))

    def encode_action(self, features: bytes, /) -> Vector:
        """Returns the vector of an action.

        Args:
            features: JSON array of feature objects.

        Raises:
            EngineRefused: they are not features.
        """
        u = self._vectors.get(features)
        if u is None:
            u = self._vectors.put(features, self.actions.encode(read_action_features(features)))
        return u

    def inherit(self, u: Vector, /) -> Vector:
        """Returns the weights of an action that has learned nothing: those of the shared regression.

        Args:
            u: from ``encode_action``.

        Returns:
            Shape (linear,).
        """
        weights = np.zeros(self.contexts.linear)
        weights[: self.shared.shape[1]] = self.shared.project(u)
        return weights

    def predict_each(self, z: Vector, action: str, features: bytes, /) -> list[float]:
        """Returns what each regressor expects of an action, the shared one first; less the mean reward."""
        inherited = self.inherit(self.encode_action(features))
        linear = z[: self.contexts.linear]
        shared = float(einsum("i,i->", inherited, linear))
        row = self.rows.get(action)
        if row is None:
            return [shared] * COUNT
        moved = float(einsum("i,i->", inherited - self.priors[row], linear))
        own = [
            float(einsum("i,i->", regression.weights[row], view.take(z))) + moved
            for regression, view in zip(self.per_action, self.views, strict=True)
        ]
        return [shared, *own]

    def learn(self, z: Vector, action: str, features: bytes, target: float, /) -> None:
        """Learn the reward of an action, less the mean reward, in a context from ``encode_context``."""
        self.clock += 1
        u = self.encode_action(features)
        row = self._find_row(action, u)
        self.details[row] = ActionRow(u.tolist(), self.clock)
        for regression, view in zip(self.per_action, self.views, strict=True):
            regression.learn(row, view.take(z), target, clock=self.clock)
        self.shared.learn(u, z, target)
        if self.clock - self.recentred >= min(max(1.0, _RECENTRE_SHARE * self.clock), _RECENTRE_MOST):
            self._recentre()

    def notice(self, context: RawFeatures, features: bytes, /) -> None:
        """Give a column to what appeared after the columns were planned."""
        self.contexts.notice(context)
        if self.actions.spare:
            before = len(self.actions.spare)
            self.actions.notice(read_action_features(features))
            if len(self.actions.spare) != before:
                self._vectors.clear()

    def count_remembered(self, weights: Vector, /) -> float:
        """Returns how many outcomes the weighted regressors remember, the mean of what each does.

        A regression with a half life of H outcomes remembers H / ln 2 at most; the shared one counts as slow.

        Args:
            weights: of each regressor, shape (regressors,); they sum to 1.
        """
        fast = sum(float(weight) for weight, kind in zip(weights[1:], PER_ACTION, strict=True) if kind.is_fast)
        slow_memory, fast_memory = (half / math.log(2) for half in (_LONG_HALF_LIFE, self.half_life))
        return (1.0 - fast) * min(self.clock, slow_memory) + fast * min(self.clock, fast_memory)

    @property
    def row_bytes(self) -> int:
        """How many bytes the P of one action take as they are stored, in all regressions."""
        return sum(count_packed_bytes(len(view)) for view in self.views)

    def _find_row(self, action: str, u: Vector) -> int:
        row = self.rows.get(action)
        if row is not None:
            return row
        if len(self.details) < max(1, _MEMORY // self.row_bytes):
            row = len(self.details)
            self.details.append(ActionRow(u.tolist()))
            self._ensure_room(row + 1)
        else:
            row = self._free_row()
        self.rows[action] = row
        prior = self.priors[row] = self.inherit(u)
        for regression, view in zip(self.per_action, self.views, strict=True):
            regression.reset(row, view.narrow(prior))
        return row

    def _free_row(self) -> int:
        """Forget the action that was not shown for the longest time."""
        oldest = min(self.rows, key=lambda action: self.details[self.rows[action]].clock)
        return self.rows.pop(oldest)

    def _ensure_room(self, rows: int) -> None:
        for regression in self.per_action:
            regression.ensure_room(rows)
        if rows > len(self.priors):
            more = np.zeros((max(rows, 2 * len(self.priors)) - len(self.priors), self.contexts.linear))
            self.priors = np.concatenate([self.priors, more])

    def _recentre(self) -> None:
        """Let every action shrink towards what the shared regression says of it now."""
        self.recentred = self.clock
        for row, detail in enumerate(self.details):
            inherited = self.inherit(np.array(detail.vector))
            difference = inherited - self.priors[row]
            self.priors[row] = inherited
            for kind, regression, view in zip(PER_ACTION, self.per_action, self.views, strict=False):
                if not kind.is_fast:  # it is worth more where it differs from the others (measured)
                    regression.move_prior(row, view.narrow(difference))


def _shape_shared(contexts: ColumnPlan, actions: ColumnPlan) -> tuple[int, int]:
    seen = min(contexts.linear, max(_LEAST_SHARED_CONTEXT, _SHARED_COLUMNS // actions.size))
    return min(actions.size, _SHARED_COLUMNS // seen), seen


def _make_regression(kind: RegressorKind, view: ColumnView, half_life: float) -> RidgePerAction:
    return RidgePerAction(len(view), kind.penalty, half_life=half_life if kind.is_fast else _LONG_HALF_LIFE)

"""Scores actions in a context: all regressors, weighted, as one vector of weights per action."""

from collections.abc import Sequence

import numpy as np

from sartor.learn.second_order.columns import Matrix, Vector
from sartor.learn.second_order.reading import RawFeatures, read_action
from sartor.learn.second_order.regressors import Regressors
from sartor.learn.second_order.ridge import einsum

_ROWS, _TEXT_BYTES = 4096, 4_000_000
"""How many actions are remembered, and about how many bytes of their texts: they are the callers'."""


class LinearScorer:
    """The weighted regressors of one moment: all are linear, so their mean is one vector per action.

    ``remembered``: how many outcomes they rest on.
    """

    def __init__(self, regressors: Regressors, weights: Vector) -> None:
        """Combine the regressors as they are now.

        Args:
            regressors: all of them.
            weights: of each, shape (regressors,); they sum to 1.
        """
        self._regressors = regressors
        self.remembered = regressors.count_remembered(weights)
        self._own = _combine(regressors, weights)
        self._table: Matrix = np.zeros((64, self._own.shape[1]))
        self._rows: dict[tuple[str, bytes] | bytes, int] = {}
        self._text_bytes = 0

    def score(self, context: RawFeatures, actions: Sequence[tuple[str, bytes] | bytes], /) -> Vector:
        """Returns the expected reward of each action, less the mean reward; shape (actions,).

        Args:
            context: the features of the context.
            actions: of each its id and features (JSON array of feature objects), or its text in the request.

        Raises:
            EngineRefused: an action can't be read.
        """
        rows = self._rows
        found = [rows.get(action, -1) for action in actions]
        if -1 in found:
            if len(rows) + len(actions) > _ROWS or self._text_bytes > _TEXT_BYTES:
                rows.clear()
                self._text_bytes = 0
            found = [self._find_row(action) for action in actions]
        z = self._regressors.encode_context(context)
        return np.asarray(einsum("ij,j->i", self._table[found], z))

    def _find_row(self, action: tuple[str, bytes] | bytes) -> int:
        row = self._rows.get(action)
        if row is None:
            row = len(self._rows)
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            named = read_action(action) if isinstance(action, bytes) else action
            self._table[row] = self._weigh(*named)
            self._rows[action] = row
            self._text_bytes += len(action) if isinstance(action, bytes) else len(action[1])
        return row

    def _weigh(self, action: str, features: bytes) -> Vector:
        inherited = self._regressors.inherit(self._regressors.encode_action(features))
        row = self._regressors.rows.get(action)
        weights = np.zeros(self._own.shape[1]) if row is None else self._own[row].copy()
        weights[: len(inherited)] += inherited
        return weights


def _combine(regressors: Regressors, weights: Vector) -> Matrix:
    """What the actions add to what they inherit: shape (actions, columns + pairs)."""
    count, linear = len(regressors.details), regressors.contexts.linear
    priors = regressors.priors[:count]
    combined = np.zeros((count, regressors.contexts.size + len(regressors.crossings)))
    for weight, regression, view in zip(weights[1:], regressors.per_action, regressors.views, strict=True):
        if view.is_prefix:
            combined[:, : len(view)] += weight * regression.weights[:count]
        else:
            combined[:, view.columns] += weight * regression.weights[:count]
    combined[:, :linear] += (weights[0] - 1.0) * priors
    return combined

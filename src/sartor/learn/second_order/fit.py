"""Makes the regressors from the first outcomes: plans the columns, then learns the outcomes again."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from sartor.learn.second_order.arguments import SecondOrderSettings
from sartor.learn.second_order.columns import ColumnPlan, Matrix, Vector
from sartor.learn.second_order.plan_columns import plan_columns
from sartor.learn.second_order.reading import RawFeatures, read_action_features
from sartor.learn.second_order.regressors import PER_ACTION, Regressors, count_row_bytes
from sartor.learn.second_order.ridge import einsum
from sartor.learn.second_order.views import choose_crossings

_LINEAR_SHARE = 0.75
_LEAST_COLUMNS = 24
_MEMORY = 3_000_000
MOST_ACTION_COLUMNS = 24
_ACTION_SPARE = 2
_CROSSED_LINEAR = 16
_MOST_TELLING = next(place for place, kind in enumerate(PER_ACTION) if kind.view == "fine")
"""The regression whose weights say which columns tell most."""


class ShownOutcome(Struct, frozen=True, array_like=True):
    """An outcome as it is learned: the context, and the id, the features and the reward of what was shown."""

    context: RawFeatures
    action: str
    features: bytes
    reward: float


def fit_regressors(
    outcomes: Sequence[ShownOutcome], offered: Sequence[bytes], settings: SecondOrderSettings, /, *, mean: float
) -> Regressors:
    """Returns regressors that have learned these outcomes.

    Args:
        outcomes: all outcomes so far, in order; at least one.
        offered: features of actions that were offered, each once.
        settings: the learning settings.
        mean: the mean reward.
    """
    contexts = _plan_contexts(outcomes, settings)
    actions = plan_columns(
        [read_action_features(features) for features in offered],
        linear=MOST_ACTION_COLUMNS,
        size=MOST_ACTION_COLUMNS,
        spare=_ACTION_SPARE,
    )
    regressors = Regressors(contexts, actions, half_life=settings.half_life)
    vectors = np.array([contexts.encode(outcome.context) for outcome in outcomes])
    for z, outcome in zip(vectors, outcomes, strict=True):
        regressors.learn(z, outcome.action, outcome.features, outcome.reward - mean)
    _add_crossed(regressors, outcomes, vectors, settings, mean=mean)
    return regressors


def _plan_contexts(outcomes: Sequence[ShownOutcome], settings: SecondOrderSettings) -> ColumnPlan:
    """As many columns as there is memory for, with twice as many actions as were shown so far."""
    actions = 2 * len({outcome.action for outcome in outcomes})
    examples = [outcome.context for outcome in outcomes]
    size = settings.columns
    while True:
        plan = plan_columns(examples, linear=int(size * _LINEAR_SHARE), size=size)
        crossed = min(plan.size, 1 + _CROSSED_LINEAR) + settings.pairs
        needed = actions * count_row_bytes(plan, crossed=crossed)
        if needed <= _MEMORY or size <= _LEAST_COLUMNS:
            return plan
        size = max(_LEAST_COLUMNS, int(size * 0.8))


def _add_crossed(
    regressors: Regressors,
    outcomes: Sequence[ShownOutcome],
    vectors: Matrix,
    settings: SecondOrderSettings,
    *,
    mean: float,
) -> None:
    targets = np.array([outcome.reward - mean for outcome in outcomes])
    # An action that had to make room for another is not among the rows any more: any row will do.
    rows = np.array([regressors.rows.get(outcome.action, 0) for outcome in outcomes])
    weights = regressors.per_action[_MOST_TELLING].weights
    importance = _weigh_columns(weights[: len(regressors.details)], vectors)
    columns = np.argsort(-importance, kind="stable")[:_CROSSED_LINEAR].tolist()
    errors = targets - einsum("ij,ij->i", weights[rows], vectors)
    crossings = choose_crossings(importance, vectors, errors, rows, count=settings.pairs)
    regression = regressors.add_crossed(sorted({0, *columns}), crossings)
    view = regressors.views[-1]
    for place, (z, outcome) in enumerate(zip(vectors, outcomes, strict=True)):
        if outcome.action in regressors.rows:
            seen = view.take(crossings.extend(z))
            regression.learn(int(rows[place]), seen, float(targets[place]), clock=place + 1)


def _weigh_columns(weights: Matrix, vectors: Matrix) -> Vector:
    """How much each column tells: the mean squared weight of the actions, times the variance of the column."""
    importance = (weights**2).mean(axis=0) * vectors.var(axis=0)
    importance[0] = 0.0
    return np.asarray(importance)

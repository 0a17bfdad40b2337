"""Makes the regressors from the first outcomes: plans the columns, then learns the outcomes again."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from sartor.learn.second_order.arguments import SecondOrderSettings
from sartor.learn.second_order.columns import ColumnPlan, Vector
from sartor.learn.second_order.plan_columns import plan_columns
from sartor.learn.second_order.reading import RawFeatures, read_action_features
from sartor.learn.second_order.regressors import PER_ACTION, Regressors
from sartor.learn.second_order.views import choose_crossings

_LINEAR_SHARE = 0.75
_LEAST_COLUMNS = 24
_MEMORY = 3_000_000
MOST_ACTION_COLUMNS = 24
_ACTION_SPARE = 2
_CROSSED_LINEAR = 32
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
    vectors = [contexts.encode(outcome.context) for outcome in outcomes]
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
        needed = actions * Regressors(plan, ColumnPlan(), half_life=settings.half_life).row_bytes
        if needed <= _MEMORY or size <= _LEAST_COLUMNS:
            return plan
        size = max(_LEAST_COLUMNS, int(size * 0.8))


def _add_crossed(
    regressors: Regressors,
    outcomes: Sequence[ShownOutcome],
    vectors: Sequence[Vector],
    settings: SecondOrderSettings,
    *,
    mean: float,
) -> None:
    importance = _weigh_columns(regressors, vectors)
    order = np.argsort(-importance, kind="stable")[:_CROSSED_LINEAR]
    columns = sorted({0, *(int(column) for column in order)})
    crossings = choose_crossings(importance, vectors, count=settings.pairs)
    regression = regressors.add_crossed(columns, crossings)
    view = regressors.views[-1]
    for clock, (z, outcome) in enumerate(zip(vectors, outcomes, strict=True), 1):
        row = regressors.rows.get(outcome.action)
        if row is not None:  # its row may have gone to another action
            target = outcome.reward - mean
            regression.learn(row, view.take(crossings.extend(z)), target, clock=clock)


def _weigh_columns(regressors: Regressors, vectors: Sequence[Vector]) -> Vector:
    """How much each column tells: the mean squared weight of the actions, times the variance of the column."""
    weights = regressors.per_action[_MOST_TELLING].weights[: len(regressors.details)]
    importance = (weights**2).mean(axis=0) * np.array(vectors).var(axis=0)
    importance[0] = 0.0
    return np.asarray(importance)

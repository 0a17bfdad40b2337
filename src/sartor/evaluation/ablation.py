"""Ablation: the same policy several times in one pass, each time without one feature, and its weights."""

import numpy as np
from msgspec import Struct

from sartor.errors import EngineRefused
from sartor.estimators.columns import Floats
from sartor.estimators.logged_choices import LoggedChoice, as_shown, logged_choices
from sartor.evaluation.row_predictions import RowPredictions
from sartor.evaluation.tasks import LogTask, TaskContext, open_task
from sartor.evaluation.time_range import SettledDecision, read_settled
from sartor.feature_names import FeatureName, remove_decision_feature
from sartor.ports import Engine
from sartor.records import LoggedDecision


class AblationTask(LogTask, frozen=True, kw_only=True):
    """The policy to learn with all features, and once without each of ``left_out``."""

    arguments: str
    left_out: tuple[FeatureName, ...]


class AblationWeights(Struct, kw_only=True):
    """The weights of each variant on the same decisions, the full policy first; and the rewards.

    Shapes: ``weights`` (1 + left out, decisions), ``rewards`` (decisions,).
    """

    weights: list[list[float]]
    rewards: list[float]

    def weights_of(self, variant: int, /) -> Floats:
        """Returns the weights of one variant; 0 is the full policy."""
        return np.array(self.weights[variant], dtype=float)

    def reward_column(self) -> Floats:
        """Returns the rewards, in the same order."""
        return np.array(self.rewards, dtype=float)


def run_ablation(task: AblationTask, /) -> AblationWeights:
    """Learns all variants in one pass and returns their weights. Of several slots the first counts.

    Raises:
        InvalidPolicy: the arguments are not accepted.
        StoreUnavailable: the log can't be read.
    """
    with open_task(task) as context:
        return _compute_weights(task, context)


def _compute_weights(task: AblationTask, context: TaskContext) -> AblationWeights:
    variants: list[tuple[Engine, FeatureName | None]] = []
    try:
        for left_out in (None, *task.left_out):
            variants.append((context.create_engine(task.arguments), left_out))
        result = AblationWeights(weights=[[] for _ in variants], rewards=[])
        for settled in read_settled(context.logs, task.outcomes):
            _weigh_and_learn(result, variants, settled)
            context.progress.write(task.outcomes.share_up_to(settled.seq))
        return result
    finally:
        for engine, _ in variants:
            engine.close()


def _weigh_and_learn(
    result: AblationWeights, variants: list[tuple[Engine, FeatureName | None]], settled: SettledDecision
) -> None:
    logged = settled.decision
    shown = as_shown(logged.decision)
    choices = logged_choices(shown, settled.outcome)
    result.rewards.append(choices[0].reward)
    for weights, (engine, left_out) in zip(result.weights, variants, strict=True):
        seen = shown if left_out is None else remove_decision_feature(shown, left_out)
        predictions = RowPredictions(LoggedDecision(logged.seq, logged.at_us, seen), settled.outcome, choices)
        weights.append(_weight_of(engine, predictions, choices[0]))
        predictions.learn(engine)


def _weight_of(engine: Engine, predictions: RowPredictions, choice: LoggedChoice) -> float:
    """Returns the weight of the logged choice; without a ranking the variant counts as choosing at random."""
    try:
        probabilities = predictions.predict(engine, 0)
    except EngineRefused:
        return choice.rows / (choice.propensity * len(choice.ids))
    return choice.rows * probabilities[choice.chosen] / choice.propensity

"""Ablation: the same policy several times in one pass, each time without some features."""

import numpy as np
from msgspec import Struct

from sartor.errors import EngineRefused
from sartor.estimators.columns import Floats
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice, as_shown, logged_choices
from sartor.evaluation.row_predictions import RowPredictions
from sartor.evaluation.tasks import LogTask, TaskContext, open_task
from sartor.evaluation.time_range import SettledDecision, read_settled
from sartor.feature_names import FeatureFilter, FeatureSelection
from sartor.inference import query_of, uniform_probabilities
from sartor.ports import Engine
from sartor.records import Decision, LoggedDecision


class AblationTask(LogTask, frozen=True, kw_only=True):
    """The policy to learn with all features, and once with each selection of them."""

    arguments: str
    selections: tuple[FeatureSelection, ...]


class AblationResult(Struct, kw_only=True):
    """What the variants make of the same decisions: the full policy first, then one for each selection.

    Shapes: ``weights`` and ``values`` (1 + selections, decisions); ``random_values``, ``rewards`` and ``rows``,
    how many decisions each stands for, (decisions,). ``values`` are guesses of what the variant would have
    earned by each decision, and ``random_values`` of what choosing at random would have:
    Σ_a π(a) q(a) + w (r - q(a_i)), with q the rewards that the full policy expected before it learned the
    decision: unbiased whatever q is (Dudík, Langford, Li 2011, 1103.4601, section 2).
    """

    weights: list[list[float]]
    values: list[list[float]]
    random_values: list[float]
    rewards: list[float]
    rows: list[float]

    def weights_of(self, variant: int, /) -> Floats:
        """Returns the weights of one variant; 0 is the full policy."""
        return np.array(self.weights[variant], dtype=float)

    def values_of(self, variant: int | None, /) -> Floats:
        """Returns the values of one variant, whose mean is that of a decision; None: of choosing at random."""
        values = self.random_values if variant is None else self.values[variant]
        column: Floats = np.array(values, dtype=float) / np.mean(self.rows)
        return column

    def reward_column(self) -> Floats:
        """Returns the rewards, in the same order."""
        return np.array(self.rewards, dtype=float)


def run_ablation(task: AblationTask, /) -> AblationResult:
    """Learns all variants in one pass and returns what they make of it. Of several slots the first counts.

    Raises:
        InvalidPolicy: the arguments are not accepted.
        StoreUnavailable: the log can't be read.
    """
    with open_task(task) as context:
        return _compare_variants(task, context)


class _Variant(Struct, frozen=True):
    """An engine, and what it sees of decisions; None: all."""

    engine: Engine
    filter: FeatureFilter | None


def _compare_variants(task: AblationTask, context: TaskContext) -> AblationResult:
    variants: list[_Variant] = []
    try:
        variants.append(_Variant(context.create_engine(task.arguments), None))
        for selection in task.selections:
            variants.append(_Variant(context.create_engine(task.arguments), FeatureFilter(selection)))
        result = AblationResult(
            weights=[[] for _ in variants],
            values=[[] for _ in variants],
            random_values=[],
            rewards=[],
            rows=[],
        )
        for settled in read_settled(context.logs, task.outcomes):
            _compare_and_learn(result, variants, settled, task.outcomes.bounds)
            context.progress.write(task.outcomes.share_up_to(settled.seq))
        return result
    finally:
        for variant in variants:
            variant.engine.close()


def _compare_and_learn(
    result: AblationResult, variants: list[_Variant], settled: SettledDecision, bounds: Bounds
) -> None:
    logged = settled.decision
    shown = as_shown(logged.decision)
    choices = logged_choices(shown, settled.outcome)
    choice = choices[0]
    expected = _expect_rewards(variants[0].engine, shown, choice, bounds)
    result.rewards.append(choice.reward)
    result.rows.append(choice.rows)
    at_random = uniform_probabilities(len(choice.ids))
    result.random_values.append(_value_of(at_random, choice, expected))
    for weights, values, variant in zip(result.weights, result.values, variants, strict=True):
        seen = shown if variant.filter is None else variant.filter.apply(shown)
        predictions = RowPredictions(LoggedDecision(logged.seq, logged.at_us, seen), settled.outcome, choices)
        try:
            probabilities = predictions.predict(variant.engine, 0)
        except EngineRefused:  # without a ranking the variant counts as choosing at random
            probabilities = at_random
        weights.append(choice.rows * probabilities[choice.chosen] / choice.propensity)
        values.append(_value_of(probabilities, choice, expected))
        predictions.learn(variant.engine)


def _expect_rewards(engine: Engine, shown: Decision, choice: LoggedChoice, bounds: Bounds) -> list[float]:
    """Returns the reward that an engine expects of each action of a choice; 0 where it can't say."""
    query = query_of(shown, slot=0)
    try:
        found = engine.estimates(query.encode(), len(query.actions), slots=query.slots)
    except EngineRefused:
        found = None
    if found is None:
        return [0.0] * len(choice.ids)
    return [min(max(found[index], bounds.lower), bounds.upper) for index in query.offered]


def _value_of(probabilities: list[float], choice: LoggedChoice, expected: list[float]) -> float:
    ratio = probabilities[choice.chosen] / choice.propensity
    guessed = sum([p * q for p, q in zip(probabilities, expected, strict=True)])
    return choice.rows * (guessed + ratio * (choice.reward - expected[choice.chosen]))

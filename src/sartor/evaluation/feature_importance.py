"""Feature importance: what each feature, and each namespace, is worth to the loop's own learning settings.

A feature is left out by ablation: the policy learns the log again from the beginning without it, and may
compensate with the other features.
"""

from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from sartor.errors import InvalidEvaluation, NoLogsInRange
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.leave_one_out import Effect, measure_effect, normalise_effects
from sartor.estimators.support import check_support, explain_refusal
from sartor.evaluation.ablation import AblationTask, AblationWeights, run_ablation
from sartor.evaluation.executor import LOCAL, Executor, open_executor
from sartor.evaluation.progress import FEATURES
from sartor.evaluation.spec import ImportanceResult, ImportanceScore, ImportanceSpec
from sartor.evaluation.tasks import run_stage, split_evenly, without_keys
from sartor.evaluation.time_range import OutcomeRange, find_outcome_range, read_settled
from sartor.feature_names import FeatureName, list_decision_features, list_namespaces
from sartor.ports import Loop, LoopStores

_BUDGET = 400_000
"""How many decisions all variants together make: about a minute on one core."""

_SAMPLE = 1_000
"""How many decisions are read to find out which features there are."""
_MAX_FEATURES = 60
_MAX_DECISIONS = 20_000


class ImportanceMeasurement(Struct, frozen=True, kw_only=True, rename="camel"):
    """The effects of features and of namespaces, measured on the newest decisions of the time.

    ``reasons``: why the log can't answer; there are no effects then. ``unmeasured``: how many further features
    are too rare to be measured.
    """

    decisions: int
    arguments: str
    features: tuple[Effect, ...] = ()
    namespaces: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
    # Stored reports have this name.
    unmeasured: int = field(default=0, name="left")


def run_importance(
    logs: LoopStores,
    loop: Loop,
    spec: ImportanceSpec,
    /,
    *,
    where: str,
    compute: str = LOCAL,
    progress: Path | None = None,
) -> ImportanceResult:
    """Computes the result of a job: scores from 0 to 1, and the effects behind them as the report.

    Args:
        logs: the loop's stores.
        loop: the loop.
        spec: what to measure.
        where: the folder or URL of the stores, for other processes.
        compute: see ``executor.open_executor``.
        progress: the folder for the progress; see ``progress.py``.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
        InvalidEvaluation: the log can't answer this.
    """
    outcomes = find_outcome_range(logs, start_us=spec.start_us, end_us=spec.end_us)
    with open_executor(compute) as executor:
        measured = measure_importance(logs, loop, outcomes, executor, where=where, progress=progress)
    if measured.reasons:
        raise InvalidEvaluation(explain_refusal(measured.reasons))
    return ImportanceResult(
        scores=tuple(
            ImportanceScore(
                namespace=one.namespace, feature=one.feature, score=one.effect, low=one.low, high=one.high
            )
            for one in normalise_effects(measured.features)
        ),
        report=msgspec.Raw(msgspec.json.encode(measured)),
    )


def measure_importance(
    logs: LoopStores,
    loop: Loop,
    outcomes: OutcomeRange,
    executor: Executor,
    /,
    *,
    where: str,
    progress: Path | None = None,
    budget: int = _BUDGET,
) -> ImportanceMeasurement:
    """Measures the effects of features, with fewer decisions the more features there are, within the budget.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
    """
    arguments = loop.effective_arguments
    newest = _list_newest(logs, outcomes)
    features, unmeasured = _list_frequent_features(logs, _narrow(outcomes, newest, _SAMPLE))
    left_out = [*features, *list_namespaces(features)]
    narrowed = _narrow(outcomes, newest, max(1, budget // (len(left_out) + 1)))
    groups = split_evenly(left_out, executor.workers)
    tasks = [
        AblationTask(
            where=where,
            loop=without_keys(loop),
            outcomes=narrowed,
            arguments=arguments,
            left_out=group,
        )
        for group in groups
    ]
    results = run_stage(executor, run_ablation, tasks, stage=FEATURES, progress=progress)
    return _summarise(groups, results, arguments, unmeasured)


def _list_frequent_features(logs: LoopStores, outcomes: OutcomeRange) -> tuple[list[FeatureName], int]:
    """Returns the most frequent features, and how many others there are."""
    counts: Counter[FeatureName] = Counter()
    for settled in read_settled(logs, outcomes):
        counts.update(list_decision_features(settled.decision.decision))
    ranked = sorted(counts, key=lambda feature: (-counts[feature], feature))
    return sorted(ranked[:_MAX_FEATURES]), max(0, len(ranked) - _MAX_FEATURES)


def _list_newest(logs: LoopStores, outcomes: OutcomeRange) -> Sequence[int]:
    """Returns the numbers of the newest outcomes in the time, as many as could be needed, in order."""
    newest = deque((settled.seq for settled in read_settled(logs, outcomes)), maxlen=_MAX_DECISIONS)
    if not newest:
        raise NoLogsInRange
    return newest


def _narrow(outcomes: OutcomeRange, newest: Sequence[int], count: int) -> OutcomeRange:
    return replace(outcomes, first=newest[-min(count, len(newest))], last=newest[-1])


def _summarise(
    groups: Sequence[Sequence[FeatureName]],
    results: Sequence[AblationWeights],
    arguments: str,
    unmeasured: int,
) -> ImportanceMeasurement:
    full = results[0]
    decisions = len(full.rewards)
    if not decisions:
        raise NoLogsInRange
    verdict = check_support(_diagnose(full))
    if not verdict.answerable:
        return ImportanceMeasurement(
            decisions=decisions, arguments=arguments, reasons=verdict.reasons, unmeasured=unmeasured
        )
    effects = [
        measure_effect(left_out, result.weights_of(0), result.weights_of(variant), result.reward_column())
        for group, result in zip(groups, results, strict=True)
        for variant, left_out in enumerate(group, start=1)
    ]
    effects.sort(key=lambda one: (-one.effect, one.namespace, one.feature))
    return ImportanceMeasurement(
        decisions=decisions,
        arguments=arguments,
        features=tuple(one for one in effects if one.feature),
        namespaces=tuple(one for one in effects if not one.feature),
        unmeasured=unmeasured,
    )


def _diagnose(full: AblationWeights) -> Diagnostics:
    weight = full.weights_of(0)
    return Diagnostics(
        rows=len(weight),
        events=float(len(weight)),
        matched=int((weight > 0).sum()),
        weight=float(weight.sum()),
        weight_sq=float(weight @ weight),
        largest_weight=float(weight.max()),
    )

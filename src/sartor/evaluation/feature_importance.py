"""Feature importance: what each feature, and each namespace, is worth to the loop's own learning settings.

Leaving a feature out is done in earnest: the policy learns the log from the beginning without it, and may make
up for it with what the others tell.
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
from sartor.estimators.support import check_support
from sartor.evaluation.ablation import AblationTask, AblationWeights, decode_weights, run_ablation
from sartor.evaluation.batch import without_keys
from sartor.evaluation.executor import LOCAL, Executor, open_executor
from sartor.evaluation.progress import FEATURES, finish_stage, start_stage
from sartor.evaluation.spec import ImportanceResult, ImportanceScore, ImportanceSpec
from sartor.evaluation.time_range import OutcomeRange, SettledDecision, find_outcome_range, read_settled
from sartor.feature_names import FeatureName, list_decision_features, list_namespaces
from sartor.learn.policy import with_epsilon
from sartor.ports import Loop, LoopStores

_BUDGET = 400_000
"""How many decisions are made in all, by all variants together: about a minute on one core."""

_LOOKED_AT = 1_000
_MOST_FEATURES = 60
_MOST_DECISIONS = 20_000


class ImportanceMeasurement(Struct, frozen=True, kw_only=True, rename="camel"):
    """The effects of features and of namespaces, measured on the newest decisions of the time.

    ``reasons``: why the log can't tell; there are no effects then. ``left``: features that are too rare to be
    among those that were measured.
    """

    decisions: int
    arguments: str
    features: tuple[Effect, ...] = ()
    namespaces: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
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
    """The result of a job: scores from 0 to 1, and the effects behind them as the report.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
        InvalidEvaluation: the log can't answer this.
    """
    read = find_outcome_range(logs, start_us=spec.start_us, end_us=spec.end_us)
    with open_executor(compute) as place:
        found = measure_importance(logs, loop, read, place, where=where, progress=progress)
    if found.reasons:
        raise InvalidEvaluation(f"The log can't answer this, because {'; '.join(found.reasons)}.")
    return ImportanceResult(
        scores=tuple(
            ImportanceScore(
                namespace=one.namespace, feature=one.feature, score=one.effect, low=one.low, high=one.high
            )
            for one in normalise_effects(found.features)
        ),
        report=msgspec.Raw(msgspec.json.encode(found)),
    )


def measure_importance(
    logs: LoopStores,
    loop: Loop,
    read: OutcomeRange,
    place: Executor,
    /,
    *,
    where: str,
    progress: Path | None = None,
    budget: int = _BUDGET,
) -> ImportanceMeasurement:
    """Measure. With more features fewer decisions are looked at, so that the cost stays within the budget.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
    """
    arguments = with_epsilon(loop.arguments, epsilon=loop.settings.exploration_percentage)
    numbers = _numbers(logs, read)
    names, left = _names(logs, _newest(read, numbers, _LOOKED_AT))
    left_out = [*names, *list_namespaces(names)]
    newest = _newest(read, numbers, max(1, budget // (len(left_out) + 1)))
    parts = _parts(left_out, place.workers)
    files = start_stage(progress, FEATURES, parts=len(parts))
    orders = [
        AblationTask(
            where=where,
            loop=without_keys(loop),
            span=newest,
            arguments=arguments,
            left_out=tuple(part),
            progress=file,
        )
        for part, file in zip(parts, files, strict=True)
    ]
    answers = [decode_weights(answer) for answer in place.map(run_ablation, orders)]
    finish_stage(progress, FEATURES)
    return _measured(parts, answers, arguments, left)


def _names(logs: LoopStores, read: OutcomeRange) -> tuple[list[FeatureName], int]:
    """The most frequent features, and how many others there are."""
    seen: Counter[FeatureName] = Counter()
    for one in read_settled(logs, read):
        if isinstance(one, SettledDecision):
            seen.update(list_decision_features(one.decision.decision))
    ranked = sorted(seen, key=lambda feature: (-seen[feature], feature))
    return sorted(ranked[:_MOST_FEATURES]), max(0, len(ranked) - _MOST_FEATURES)


def _numbers(logs: LoopStores, read: OutcomeRange) -> Sequence[int]:
    """The newest outcomes of decisions that lie in the time, as many as could be needed, in order."""
    numbers = deque(
        (one.seq for one in read_settled(logs, read) if isinstance(one, SettledDecision)),
        maxlen=_MOST_DECISIONS,
    )
    if not numbers:
        raise NoLogsInRange
    return numbers


def _newest(read: OutcomeRange, numbers: Sequence[int], count: int) -> OutcomeRange:
    return replace(read, first=numbers[-min(count, len(numbers))], last=numbers[-1])


def _parts(left_out: Sequence[FeatureName], most: int) -> list[list[FeatureName]]:
    count = max(1, min(most, len(left_out)))
    return [list(left_out[start::count]) for start in range(count)]


def _measured(
    parts: Sequence[Sequence[FeatureName]], answers: Sequence[AblationWeights], arguments: str, left: int
) -> ImportanceMeasurement:
    whole = answers[0]
    decisions = len(whole.rewards)
    if not decisions:
        raise NoLogsInRange
    verdict = check_support(_diagnostics(whole))
    if not verdict.answerable:
        return ImportanceMeasurement(
            decisions=decisions, arguments=arguments, reasons=verdict.reasons, unmeasured=left
        )
    found = [
        measure_effect(left_out, answer.of(0), answer.of(place), answer.rewards_of())
        for part, answer in zip(parts, answers, strict=True)
        for place, left_out in enumerate(part, start=1)
    ]
    found.sort(key=lambda one: (-one.effect, one.namespace, one.feature))
    return ImportanceMeasurement(
        decisions=decisions,
        arguments=arguments,
        features=tuple(one for one in found if one.feature),
        namespaces=tuple(one for one in found if not one.feature),
        unmeasured=left,
    )


def _diagnostics(whole: AblationWeights) -> Diagnostics:
    weight = whole.of(0)
    return Diagnostics(
        rows=len(weight),
        events=float(len(weight)),
        matched=int((weight > 0).sum()),
        weight=float(weight.sum()),
        weight_sq=float(weight @ weight),
        largest_weight=float(weight.max()),
    )

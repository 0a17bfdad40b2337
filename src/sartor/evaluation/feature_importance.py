"""Feature importance: what each feature, and each namespace, is worth to the loop's own learning settings.

Two views of one pass over the log, in which the policy learns it from the beginning without some features.
*Left out*: one is missing, and the policy may compensate with the others; nothing is lost where another says
the same. *Shares*: what all features are worth together, divided by Shapley values (``estimators.shapley``), so
that features that say the same share it.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from sartor.errors import InvalidEvaluation, NoLogsInRange
from sartor.estimators.columns import Floats
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.leave_one_out import Effect, measure_effect, normalise_effects
from sartor.estimators.shapley import (
    CoalitionPlan,
    FeatureShares,
    largest_number_of_players,
    measure_shares,
    plan_coalitions,
)
from sartor.estimators.support import check_support, explain_refusal
from sartor.evaluation.ablation import AblationResult, AblationTask, run_ablation
from sartor.evaluation.executor import LOCAL, Executor, open_executor
from sartor.evaluation.feature_census import FeatureCensus
from sartor.evaluation.feature_groups import (
    OTHERS,
    FeatureGroup,
    divide_shares,
    group_features,
    select_groups,
    sort_effects,
    split_twins,
)
from sartor.evaluation.progress import FEATURES
from sartor.evaluation.spec import ImportanceResult, ImportanceScore, ImportanceSpec
from sartor.evaluation.tasks import run_stage, split_evenly, without_keys
from sartor.evaluation.time_range import OutcomeRange, find_outcome_range, read_settled
from sartor.feature_names import (
    FeatureName,
    FeatureSelection,
    list_namespaces,
)
from sartor.ports import Loop, LoopStores

_BUDGET = 400_000
"""How many decisions all variants together make: 15 s (Vowpal Wabbit) to 3 min (--sartor) on one core."""

_COALITIONS = 64
"""How many policies are learned for the shares at most: all orders of six groups of features, six of eleven."""

_SAMPLE = 1_000
"""How many decisions are read to find out which features there are."""
_MAX_FEATURES = 60
_MAX_DECISIONS = 20_000


class ImportanceMeasurement(Struct, frozen=True, kw_only=True, rename="camel"):
    """The importance of features and of namespaces, measured on the newest decisions of the time.

    Attributes:
        decisions: how many there were.
        arguments: the learning settings.
        features: what is lost without each feature, the greatest loss first.
        namespaces: what is lost without each namespace of several features.
        reasons: why the log can't answer; nothing is measured then.
        unmeasured: how many further features are too rare to be measured on their own.
        shares: those of features or groups of them; None without features, and in reports of older versions.
        feature_shares: those of measured features, the greatest first; see ``feature_groups.divide_shares``.
    """

    decisions: int
    arguments: str
    features: tuple[Effect, ...] = ()
    namespaces: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
    # Stored reports have this name.
    unmeasured: int = field(default=0, name="left")
    shares: FeatureShares | None = None
    feature_shares: tuple[Effect, ...] = ()


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
            for one in normalise_effects(measured.feature_shares)
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
    coalitions: int = _COALITIONS,
) -> ImportanceMeasurement:
    """Measures the importance of features, with fewer decisions the more variants there are.

    Args:
        logs: the loop's stores.
        loop: the loop.
        outcomes: what to read.
        executor: runs the variants.
        where: the folder or URL of the stores, for other processes.
        progress: the folder for the progress; see ``progress.py``.
        budget: how many decisions all variants together make.
        coalitions: how many variants there are at most for the shares.

    Raises:
        NoLogsInRange: no settled decision lies in the time.
    """
    newest = _list_newest(logs, outcomes)
    variants = _plan_variants(_take_census(logs, _narrow(outcomes, newest, _SAMPLE)), coalitions)
    narrowed = _narrow(outcomes, newest, max(1, budget // (len(variants.selections) + 1)))
    batches = split_evenly(variants.selections, executor.workers)
    tasks = [
        AblationTask(
            where=where,
            loop=without_keys(loop),
            outcomes=narrowed,
            arguments=loop.effective_arguments,
            selections=batch,
        )
        for batch in batches
    ]
    results = run_stage(executor, run_ablation, tasks, stage=FEATURES, progress=progress)
    return _summarise(variants, results, loop.effective_arguments)


class _Variants(Struct, frozen=True):
    """What to learn: without each of ``left_out``, and then with each coalition of groups only.

    ``unmeasured``: how many features are too rare to be left out one by one.
    """

    left_out: list[FeatureName]
    unmeasured: int
    groups: list[FeatureGroup]
    plan: CoalitionPlan | None

    @property
    def selections(self) -> list[FeatureSelection]:
        coalitions = () if self.plan is None else self.plan.coalitions
        return [
            *(FeatureSelection(left_out=(name,)) for name in self.left_out),
            *(select_groups(self.groups, coalition) for coalition in coalitions),
        ]


def _take_census(logs: LoopStores, outcomes: OutcomeRange) -> FeatureCensus:
    census = FeatureCensus()
    for settled in read_settled(logs, outcomes):
        census.add(settled.decision.decision)
    return census


def _plan_variants(census: FeatureCensus, coalitions: int) -> _Variants:
    measured, unmeasured = census.list_frequent(_MAX_FEATURES)
    left_out = [*measured, *list_namespaces(measured)]
    if not measured:
        return _Variants(left_out, unmeasured, [], None)
    groups = group_features(
        census.find_twins(measured), most=largest_number_of_players(coalitions), others=unmeasured > 0
    )
    further = census.of_actions.difference(measured)
    telling = frozenset(
        number
        for number, group in enumerate(groups)
        if census.of_actions.intersection(group.members) or (group.name == OTHERS and further)
    )
    plan = plan_coalitions(len(groups), telling, most=coalitions)
    return _Variants(left_out, unmeasured, groups, plan)


def _list_newest(logs: LoopStores, outcomes: OutcomeRange) -> Sequence[int]:
    """Returns the numbers of the newest outcomes in the time, as many as could be needed, in order."""
    newest = deque((settled.seq for settled in read_settled(logs, outcomes)), maxlen=_MAX_DECISIONS)
    if not newest:
        raise NoLogsInRange
    return newest


def _narrow(outcomes: OutcomeRange, newest: Sequence[int], count: int) -> OutcomeRange:
    return replace(outcomes, first=newest[-min(count, len(newest))], last=newest[-1])


def _summarise(variants: _Variants, results: Sequence[AblationResult], arguments: str) -> ImportanceMeasurement:
    full = results[0]
    decisions = len(full.rewards)
    if not decisions:
        raise NoLogsInRange
    verdict = check_support(_diagnose(full))
    if not verdict.answerable:
        return ImportanceMeasurement(
            decisions=decisions,
            arguments=arguments,
            reasons=verdict.reasons,
            unmeasured=variants.unmeasured,
        )
    where = _locate_selections(len(variants.selections), results)
    effects = sort_effects(
        measure_effect(left_out, full.weights_of(0), result.weights_of(variant), full.reward_column())
        for left_out, (result, variant) in zip(variants.left_out, where, strict=False)
    )
    features = tuple(one for one in effects if one.feature)
    values = [result.values_of(variant) for result, variant in where[len(variants.left_out) :]]
    shares = _share_features(variants, full, values)
    return ImportanceMeasurement(
        decisions=decisions,
        arguments=arguments,
        features=features,
        namespaces=tuple(one for one in effects if not one.feature),
        unmeasured=variants.unmeasured,
        shares=shares,
        feature_shares=() if shares is None else tuple(divide_shares(shares, variants.groups, features)),
    )


def _locate_selections(count: int, results: Sequence[AblationResult]) -> list[tuple[AblationResult, int]]:
    """Returns for each selection, in their order, the result that has it and its number there.

    The selections were dealt to the batches in turn (``split_evenly``), and the full policy is 0 in each.
    """
    return [(results[number % len(results)], number // len(results) + 1) for number in range(count)]


def _share_features(
    variants: _Variants, full: AblationResult, values: Sequence[Floats]
) -> FeatureShares | None:
    if variants.plan is None:
        return None
    names = [group.name for group in variants.groups]
    columns = np.array([full.values_of(0), full.values_of(None), *values])
    return split_twins(measure_shares(variants.plan, names, columns), variants.groups)


def _diagnose(full: AblationResult) -> Diagnostics:
    weight = full.weights_of(0)
    return Diagnostics(
        rows=len(weight),
        events=float(len(weight)),
        matched=int((weight > 0).sum()),
        weight=float(weight.sum()),
        weight_sq=float(weight @ weight),
        largest_weight=float(weight.max()),
    )

"""The result of an evaluation: what each API shows, and beside it the report that only Sartor has."""

from collections.abc import Sequence

import msgspec

from sartor.estimators.estimator_set import PolicyScore
from sartor.estimators.ips import Ips
from sartor.estimators.leave_one_out import group_by_share, normalise_effects
from sartor.estimators.results_table import ResultRow, make_result_row
from sartor.estimators.verdict import find_best_policy
from sartor.evaluation.feature_importance import ImportanceMeasurement
from sartor.evaluation.progressive_validation import CandidateScore, LogSummary
from sartor.evaluation.report import build_report
from sartor.evaluation.spec import (
    WINDOWS_S,
    EvaluationResult,
    EvaluationSpec,
    EvaluationWindow,
    PolicyResult,
    merge_windows,
    model_name,
)
from sartor.evaluation.time_range import OutcomeRange
from sartor.ports import Loop, LoopStores

_S_US = 1_000_000


def build_result(
    logs: LoopStores,
    loop: Loop,
    spec: EvaluationSpec,
    read: OutcomeRange,
    found: Sequence[CandidateScore],
    summary: LogSummary,
    weighed: ImportanceMeasurement,
    /,
    *,
    job_id: str,
) -> EvaluationResult:
    """The result; the models of the policies are kept in the loop's blob store, named after the job's id.

    Doing it twice keeps each model once.
    """
    entries = result_rows(found, summary)
    winner = find_best_policy(entries)
    policies = [
        _policy(one, slot, score, spec, _kept(logs, one, model_name(job_id, place)) if not slot else None)
        for place, one in enumerate(found)
        for slot, score in one.scores.items()
    ]
    told = build_report(loop, spec, read, found, summary, entries, weighed)
    return EvaluationResult(
        policies=tuple(policies),
        optimal_policy=None if winner is None else winner.name,
        importance=tuple(tuple(tier) for tier in group_by_share(normalise_effects(weighed.features))),
        report=msgspec.Raw(msgspec.json.encode(told)),
    )


def result_rows(found: Sequence[CandidateScore], summary: LogSummary, /) -> tuple[ResultRow, ...]:
    """The table, a line for each policy and slot."""
    max_weight = 1.0 / summary.calibration.smallest
    compared = sum(one.model is not None for one in found)
    return tuple(
        make_result_row(
            score,
            name=one.name,
            source=one.source,
            arguments=one.arguments,
            slot=slot,
            refused=one.refused,
            learned=one.learned,
            max_weight=max_weight,
            compared=compared,
        )
        for one in found
        for slot, score in one.scores.items()
    )


def _kept(logs: LoopStores, one: CandidateScore, name: str) -> str | None:
    if one.model is None:
        return None
    logs.blobs.put(name, one.model)
    return name


def _policy(
    one: CandidateScore, slot: str, score: PolicyScore, spec: EvaluationSpec, model: str | None
) -> PolicyResult:
    windows = {
        name: tuple(_window(start_us, sums) for start_us, sums in score.bins.windows(length_s * _S_US).items())
        for name, length_s in WINDOWS_S.items()
    }
    return PolicyResult(
        name=one.name,
        arguments=one.arguments,
        source=one.source,
        total=_window(spec.start_us, score.estimators.ips),
        windows=windows,
        slot=slot,
        model=model,
    )


def _window(start_us: int, sums: Ips) -> EvaluationWindow:
    bare = EvaluationWindow(
        start_us=start_us,
        events=round(sums.events),
        numerator=sums.product,
        sum_of_weights=sums.weight,
        non_zero=sums.matched,
        sum_of_squares=sums.product_sq,
        largest=sums.largest_product,
        expected_reward=0.0,
        low=0.0,
        high=0.0,
        weights_squared=sums.weight_sq,
        weighted_products=sums.product_weight,
    )
    return merge_windows([bare])

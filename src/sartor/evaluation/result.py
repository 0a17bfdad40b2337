"""The result of an evaluation: what every API shows, and the report that only Sartor has."""

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
from sartor.times import SECOND_US


def build_result(
    logs: LoopStores,
    loop: Loop,
    spec: EvaluationSpec,
    outcomes: OutcomeRange,
    scores: Sequence[CandidateScore],
    summary: LogSummary,
    importance: ImportanceMeasurement,
    /,
    *,
    job_id: str,
) -> EvaluationResult:
    """Builds the result, and keeps the policies' models in the loop's blob store, named after the job's id.

    Repeating it keeps each model once.
    """
    rows = make_result_rows(scores, summary)
    winner = find_best_policy(rows)
    policies = [
        _to_policy_result(
            one, slot, score, spec, _keep_model(logs, one, model_name(job_id, index)) if not slot else None
        )
        for index, one in enumerate(scores)
        for slot, score in one.scores.items()
    ]
    report = build_report(loop, spec, outcomes, scores, summary, rows, importance)
    return EvaluationResult(
        policies=tuple(policies),
        optimal_policy=None if winner is None else winner.name,
        importance=tuple(
            tuple(group) for group in group_by_share(normalise_effects(importance.feature_shares))
        ),
        report=msgspec.Raw(msgspec.json.encode(report)),
    )


def make_result_rows(scores: Sequence[CandidateScore], summary: LogSummary, /) -> tuple[ResultRow, ...]:
    """Returns the results table, a row for each policy and slot."""
    max_weight = 1.0 / summary.calibration.smallest
    compared = sum(one.model is not None for one in scores)
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
        for one in scores
        for slot, score in one.scores.items()
    )


def _keep_model(logs: LoopStores, one: CandidateScore, name: str) -> str | None:
    if one.model is None:
        return None
    logs.blobs.put(name, one.model)
    return name


def _to_policy_result(
    one: CandidateScore, slot: str, score: PolicyScore, spec: EvaluationSpec, model: str | None
) -> PolicyResult:
    windows = {
        name: tuple(
            _to_window(start_us, sums) for start_us, sums in score.bins.windows(length_s * SECOND_US).items()
        )
        for name, length_s in WINDOWS_S.items()
    }
    return PolicyResult(
        name=one.name,
        arguments=one.arguments,
        source=one.source,
        total=_to_window(spec.start_us, score.estimators.ips),
        windows=windows,
        slot=slot,
        model=model,
    )


def _to_window(start_us: int, sums: Ips) -> EvaluationWindow:
    window = EvaluationWindow(
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
    return merge_windows([window])

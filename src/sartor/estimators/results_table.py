"""The results table of an evaluation: a row of estimates and diagnostics for each policy."""

from math import isfinite

from msgspec import Struct, field
from msgspec.structs import replace

from sartor.estimators.diagnostics import BINS_PER_DOUBLING, UNIT_BIN, Diagnostics
from sartor.estimators.estimator_set import (
    Disagreement,
    EstimatorResult,
    EstimatorSet,
    PolicyScore,
    largest_disagreement,
)
from sartor.estimators.interval import Interval
from sartor.estimators.support import SupportThresholds, check_support


class WeightDiagnostics(Struct, frozen=True, kw_only=True, rename="camel"):
    """The diagnostics of a policy's weights; see the methods of ``Diagnostics``. None: unknown."""

    effective_sample_size: float
    mean_weight: float | None
    calibration: float | None
    uniform_calibration: float | None
    overlap: float | None
    matched_share: float
    tail_share: float
    largest_share: float
    largest_weight: float
    smallest_propensity: float


class HistogramBar(Struct, frozen=True, kw_only=True, rename="camel"):
    """The decisions whose weight lies between ``low`` and twice that, and their share of all weight."""

    low: float
    rows: int
    share: float


class ResultRow(Struct, frozen=True, kw_only=True, rename="camel"):
    """One policy in the table. ``value``: SNIPS. Where the log can't answer there is no number, but reasons.

    ``gaussian`` is the interval of the API, ``anytime`` the one to act on. ``gain``: how much more than the
    logging policy; its interval holds for all compared policies at once, at one look. ``refused``: decisions
    that the policy could not rank. ``learned``: outcomes that it learned.
    """

    name: str
    source: str
    arguments: str
    slot: str
    events: int
    answerable: bool
    reasons: tuple[str, ...]
    value: float | None = None
    gaussian: Interval | None = None
    anytime: Interval | None = None
    gain: float | None = None
    gain_interval: Interval | None = None
    estimates: tuple[EstimatorResult, ...] = ()
    # Stored reports have these two names.
    disagreement: Disagreement | None = field(default=None, name="agreement")
    diagnostics: WeightDiagnostics | None = field(default=None, name="health")
    weights: tuple[HistogramBar, ...] = ()
    refused: int = 0
    learned: int = 0


def make_result_row(
    score: PolicyScore,
    /,
    *,
    name: str,
    source: str,
    arguments: str,
    slot: str = "",
    refused: int = 0,
    learned: int = 0,
    max_weight: float,
    compared: int = 1,
    limits: SupportThresholds | None = None,
) -> ResultRow:
    """Returns the row of one policy. About 20 ms.

    Args:
        score: the sums of the policy.
        name: the policy's name.
        source: where it comes from; "Online" is the logging policy, which needs no support.
        arguments: its learning settings.
        slot: the id of the slot, "" for all.
        refused: how many decisions it could not rank; they are not in the score.
        learned: how many outcomes it learned.
        max_weight: the largest possible weight, 1 / (smallest logged probability).
        compared: how many policies are compared: the intervals of their gains hold all at once.
        limits: beyond them the log can't answer.
    """
    estimators = with_largest_weight(score.estimators, max_weight=max_weight)
    diagnostics = estimators.diagnostics
    verdict = check_support(diagnostics, limits=limits)
    reasons = verdict.reasons if source != "Online" else ()
    if refused > 0.05 * (refused + diagnostics.rows):
        share = refused / (refused + diagnostics.rows)
        reasons = (*reasons, f"the policy could not rank {share:.0%} of its decisions")
    row = ResultRow(
        name=name,
        source=source,
        arguments=arguments,
        slot=slot,
        events=diagnostics.rows,
        answerable=not reasons,
        reasons=reasons,
        diagnostics=weight_diagnostics(diagnostics),
        weights=weight_histogram(diagnostics),
        refused=refused,
        learned=learned,
    )
    return row if reasons else _add_estimates(row, score, estimators, compared)


def _add_estimates(row: ResultRow, score: PolicyScore, estimators: EstimatorSet, compared: int) -> ResultRow:
    estimates = estimators.estimates()
    return replace(
        row,
        value=estimators.snips.value(),
        gaussian=estimators.snips.interval(),
        anytime=estimators.anytime.interval(),
        gain=score.gain.value(),
        gain_interval=score.gain.interval(0.05 / max(1, compared)),
        estimates=tuple(_drop_infinite(estimate) for estimate in estimates),
        disagreement=_finite_gap(largest_disagreement(estimates)),
    )


def with_largest_weight(estimators: EstimatorSet, /, *, max_weight: float) -> EstimatorSet:
    """Returns the estimators with the largest possible weight, which is known once the whole log was read."""
    if not 1 < max_weight < float("inf"):
        return estimators
    return replace(estimators, cressie_read=replace(estimators.cressie_read, max_weight=max_weight))


def weight_diagnostics(diagnostics: Diagnostics, /) -> WeightDiagnostics:
    """Returns the diagnostics as numbers that JSON can hold."""
    return WeightDiagnostics(
        effective_sample_size=diagnostics.effective_sample_size(),
        mean_weight=diagnostics.mean_weight(),
        calibration=_finite_or_none(diagnostics.calibration()),
        uniform_calibration=_finite_or_none(diagnostics.uniform_calibration()),
        overlap=diagnostics.overlap(),
        matched_share=diagnostics.matched_share(),
        tail_share=diagnostics.tail_share(),
        largest_share=diagnostics.largest_share(),
        largest_weight=diagnostics.largest_weight,
        smallest_propensity=diagnostics.smallest_propensity if diagnostics.rows else 1.0,
    )


def weight_histogram(diagnostics: Diagnostics, /) -> tuple[HistogramBar, ...]:
    """Returns the histogram of weights by powers of two; weights of 0 are left out."""
    bars = []
    for start in range(0, len(diagnostics.bin_rows), BINS_PER_DOUBLING):
        rows = sum(diagnostics.bin_rows[start : start + BINS_PER_DOUBLING])
        if rows:
            weight = sum(diagnostics.bin_weight[start : start + BINS_PER_DOUBLING])
            bars.append(
                HistogramBar(
                    low=2.0 ** ((start - UNIT_BIN) // BINS_PER_DOUBLING),
                    rows=rows,
                    share=weight / diagnostics.weight,
                )
            )
    return tuple(bars)


def _finite_or_none(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _drop_infinite(estimate: EstimatorResult) -> EstimatorResult:
    interval = estimate.interval
    if interval is not None and not (isfinite(interval.lower) and isfinite(interval.upper)):
        return replace(estimate, interval=None)
    return estimate


def _finite_gap(disagreement: Disagreement | None) -> Disagreement | None:
    if disagreement is None or isfinite(disagreement.gap):
        return disagreement
    return replace(disagreement, gap=1e9)

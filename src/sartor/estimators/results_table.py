"""The table of an evaluation: each policy's place, what stands behind it, and whether the log can say so."""

from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from sartor.estimators.diagnostics import Diagnostics
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
    """What to look at before believing an estimate; see ``Diagnostics``. None: it can't be told."""

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

    ``gaussian`` is the interval of the API, ``anytime`` the one to act on. ``gain``: how much more than what
    was done; its interval holds for all compared policies at once, at one look. ``refused``: decisions that
    the policy could not rank.
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
    agreement: Disagreement | None = None
    health: WeightDiagnostics | None = None
    weights: tuple[HistogramBar, ...] = ()
    refused: int = 0
    learned: int = 0


def result_row(
    score: PolicyScore,
    /,
    *,
    name: str,
    source: str,
    arguments: str,
    slot: str = "",
    refused: int = 0,
    learned: int = 0,
    most_weight: float,
    rivals: int = 1,
    limits: SupportThresholds | None = None,
) -> ResultRow:
    """The place of one policy. About 20 ms.

    Args:
        score: what was counted.
        name: the policy's name.
        source: where it comes from; "Online" is what was done, and needs no support.
        arguments: its learning settings.
        slot: of which slot, "" for all.
        refused: how many decisions it could not rank; they are not in the score.
        learned: how many outcomes it learned.
        most_weight: the largest possible weight, 1 / (smallest logged probability).
        rivals: how many policies are compared: the intervals of their gains hold all at once.
        limits: where answering ends.
    """
    panel = with_largest_weight(score.panel, most_weight=most_weight)
    found = panel.diagnostics
    verdict = check_support(found, limits=limits)
    reasons = verdict.reasons if source != "Online" else ()
    if refused > 0.05 * (refused + found.rows):
        share = refused / (refused + found.rows)
        reasons = (*reasons, f"the policy could not rank {share:.0%} of its decisions")
    bare = ResultRow(
        name=name,
        source=source,
        arguments=arguments,
        slot=slot,
        events=found.rows,
        answerable=not reasons,
        reasons=reasons,
        health=weight_diagnostics(found),
        weights=weight_histogram(found),
        refused=refused,
        learned=learned,
    )
    return bare if reasons else _with_numbers(bare, score, panel, rivals)


def _with_numbers(bare: ResultRow, score: PolicyScore, panel: EstimatorSet, rivals: int) -> ResultRow:
    estimates = panel.estimates()
    return replace(
        bare,
        value=panel.snips.value(),
        gaussian=panel.snips.interval(),
        anytime=panel.anytime.interval(),
        gain=score.gain.value(),
        gain_interval=score.gain.interval(0.05 / max(1, rivals)),
        estimates=tuple(_finite(estimate) for estimate in estimates),
        agreement=_told(largest_disagreement(estimates)),
    )


def with_largest_weight(panel: EstimatorSet, /, *, most_weight: float) -> EstimatorSet:
    """The panel with the largest possible weight, which is known once the whole log was read."""
    if not 1 < most_weight < float("inf"):
        return panel
    return replace(panel, cressie_read=replace(panel.cressie_read, most_weight=most_weight))


def weight_diagnostics(found: Diagnostics, /) -> WeightDiagnostics:
    """The diagnostics in numbers that JSON can hold."""
    return WeightDiagnostics(
        effective_sample_size=found.effective_sample_size(),
        mean_weight=found.mean_weight(),
        calibration=_number(found.calibration()),
        uniform_calibration=_number(found.uniform_calibration()),
        overlap=found.overlap(),
        matched_share=found.matched_share(),
        tail_share=found.tail_share(),
        largest_share=found.largest_share(),
        largest_weight=found.largest_weight,
        smallest_propensity=found.smallest_propensity if found.rows else 1.0,
    )


def weight_histogram(found: Diagnostics, /) -> tuple[HistogramBar, ...]:
    """The histogram of weights by powers of two; weights of 0 are left out."""
    each = 4
    middle = 24 * each
    made = []
    for start in range(0, len(found.bin_rows), each):
        rows = sum(found.bin_rows[start : start + each])
        if rows:
            weight = sum(found.bin_weight[start : start + each])
            made.append(
                HistogramBar(low=2.0 ** ((start - middle) // each), rows=rows, share=weight / found.weight)
            )
    return tuple(made)


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _finite(estimate: EstimatorResult) -> EstimatorResult:
    interval = estimate.interval
    if interval is not None and not (isfinite(interval.lower) and isfinite(interval.upper)):
        return replace(estimate, interval=None)
    return estimate


def _told(found: Disagreement | None) -> Disagreement | None:
    return replace(found, gap=1e9) if found is not None and not isfinite(found.gap) else found

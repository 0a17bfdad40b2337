"""The report of an evaluation: everything that the page shows, as JSON."""

from collections.abc import Sequence

from msgspec import Struct

from sartor.estimators.calibration import CalibrationBin, PropensityCalibration
from sartor.estimators.interval import Bounds
from sartor.estimators.policy_estimate import best_fixed
from sartor.estimators.results_table import ResultRow
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.estimators.time_series import SeriesPoint, expanding_series, rolling_series
from sartor.estimators.verdict import best_policy, verdict
from sartor.evaluation.feature_importance import ImportanceMeasurement
from sartor.evaluation.progressive_validation import CandidateScore, LogSummary
from sartor.evaluation.spec import EvaluationSpec
from sartor.evaluation.time_range import OutcomeRange
from sartor.ports import Loop

_SUSPICIOUS = 4.0
"""Standard errors beyond which logged probabilities are not believed: 1 in 1,000 for fifteen classes."""


_ROLLING = 40


class EstimateSeries(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the estimate of one policy moved: over all that was seen so far, and moment by moment."""

    name: str
    expanding: tuple[SeriesPoint, ...]
    rolling: tuple[SeriesPoint, ...]


class CalibrationSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether choices were drawn as often as their logged probabilities say, in one sentence and in classes."""

    sentence: str
    believable: bool
    classes: tuple[CalibrationBin, ...]


class EvaluationReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """An evaluation for people. Times are in microseconds; ``moment_us``: how long a moment is."""

    loop: str
    name: str
    start_us: int
    end_us: int
    first_us: int
    last_us: int
    decisions: int
    first_outcome: int
    last_outcome: int
    revision: int
    rewards: Bounds
    moment_us: int
    verdict: str
    optimal_policy: str | None
    table: tuple[ResultRow, ...]
    courses: tuple[EstimateSeries, ...]
    calibration: CalibrationSummary
    importance: ImportanceMeasurement
    best_fixed: PolicyEstimate | None = None


def build_report(
    loop: Loop,
    spec: EvaluationSpec,
    read: OutcomeRange,
    found: Sequence[CandidateScore],
    summary: LogSummary,
    entries: tuple[ResultRow, ...],
    weighed: ImportanceMeasurement,
    /,
) -> EvaluationReport:
    """The report. A policy about which the log can't answer has no course either."""
    winner = best_policy(entries)
    answered = {one.name for one in entries if one.answerable and not one.slot}
    return EvaluationReport(
        loop=loop.name,
        name=spec.name,
        start_us=spec.start_us,
        end_us=spec.end_us,
        first_us=summary.first_us,
        last_us=summary.last_us,
        decisions=summary.decisions,
        first_outcome=read.first,
        last_outcome=read.last,
        revision=read.revision,
        rewards=read.bounds,
        moment_us=read.moment_us,
        verdict=verdict(entries),
        optimal_policy=None if winner is None else winner.name,
        table=entries,
        courses=tuple(_course(one, read) for one in found if one.name in answered),
        calibration=summarise_calibration(summary.propensities),
        importance=weighed,
        best_fixed=best_fixed(summary.tally, summary.followed),
    )


def _course(one: CandidateScore, read: OutcomeRange) -> EstimateSeries:
    moments = one.scores[""].moments
    return EstimateSeries(
        name=one.name,
        expanding=expanding_series(moments, bounds=read.bounds),
        rolling=rolling_series(moments, moments.width_us, bounds=read.bounds, most=_ROLLING),
    )


def summarise_calibration(found: PropensityCalibration, /) -> CalibrationSummary:
    """The self-audit of the log."""
    worst = found.worst()
    if worst <= _SUSPICIOUS:
        sentence = "Actions were chosen as often as their logged probabilities say."
    else:
        off = max(found.classes(), key=lambda one: abs(one.deviation))
        sentence = (
            f"Something is wrong with the logged probabilities: between {off.low:.0%} and {off.high:.0%}, "
            f"actions were chosen {off.observed:,} times where {off.expected:,.0f} was to be expected."
        )
    return CalibrationSummary(sentence=sentence, believable=worst <= _SUSPICIOUS, classes=found.classes())

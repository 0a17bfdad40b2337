"""The report of an evaluation: everything that the page shows, as JSON."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType, field

from sartor.estimators.calibration import CalibrationBin, PropensityCalibration
from sartor.estimators.interval import Bounds
from sartor.estimators.lift import estimate_exploration, estimate_lift
from sartor.estimators.policy_estimate import find_best_fixed
from sartor.estimators.results_table import ResultRow
from sartor.estimators.scorecard_view import ExplorationCost, Lift, PolicyEstimate
from sartor.estimators.time_series import SeriesPoint, expanding_series, rolling_series
from sartor.estimators.verdict import find_best_policy, state_verdict
from sartor.evaluation.feature_importance import ImportanceMeasurement
from sartor.evaluation.progressive_validation import CandidateScore, LogSummary
from sartor.evaluation.spec import EvaluationSpec
from sartor.evaluation.time_range import OutcomeRange
from sartor.numbers import REWARD_RANGE
from sartor.ports import Loop

_SUSPICIOUS = 4.0
"""Standard errors beyond which logged probabilities are not believed: 1 in 1,000 for fifteen bins."""


_ROLLING = 40
"""How many points the chart of single windows has at most."""


class EstimateSeries(Struct, frozen=True, kw_only=True, rename="camel"):
    """The estimates of one policy over time: from all rows up to each bin, and bin by bin."""

    name: str
    expanding: tuple[SeriesPoint, ...]
    rolling: tuple[SeriesPoint, ...]


class CalibrationSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether choices were drawn as often as their logged probabilities say, in one sentence and by bins."""

    sentence: str
    believable: bool
    bins: tuple[CalibrationBin, ...] = field(name="classes")


class EvaluationReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """An evaluation for people. Times are in microseconds; ``bin_us``: the length of the bins of ``series``.

    ``notes``: what was left out of it, as sentences; UNSET: nothing. ``lift`` and ``exploration``: of the
    policy that made the log, as in the scorecard; UNSET in reports that were written before there were any.

    Stored reports have the names of fields in camel case, or those given here.
    """

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
    bin_us: int = field(name="momentUs")
    verdict: str
    optimal_policy: str | None
    table: tuple[ResultRow, ...]
    series: tuple[EstimateSeries, ...] = field(name="courses")
    calibration: CalibrationSummary
    importance: ImportanceMeasurement
    best_fixed: PolicyEstimate | None = None
    notes: tuple[str, ...] | UnsetType = UNSET
    lift: Lift | UnsetType = UNSET
    exploration: ExplorationCost | UnsetType = UNSET


def build_report(
    loop: Loop,
    spec: EvaluationSpec,
    outcomes: OutcomeRange,
    scores: Sequence[CandidateScore],
    summary: LogSummary,
    rows: tuple[ResultRow, ...],
    importance: ImportanceMeasurement,
    /,
) -> EvaluationReport:
    """Builds the report. A policy about which the log can't answer has no series."""
    winner = find_best_policy(rows)
    answered = {one.name for one in rows if one.answerable and not one.slot}
    return EvaluationReport(
        loop=loop.name,
        name=spec.name,
        start_us=spec.start_us,
        end_us=spec.end_us,
        first_us=summary.first_us,
        last_us=summary.last_us,
        decisions=summary.decisions,
        first_outcome=outcomes.first,
        last_outcome=outcomes.last,
        revision=outcomes.revision,
        rewards=outcomes.bounds,
        bin_us=outcomes.bin_us,
        verdict=state_verdict(rows),
        optimal_policy=None if winner is None else winner.name,
        table=rows,
        series=tuple(_to_series(one, outcomes) for one in scores if one.name in answered),
        calibration=summarise_calibration(summary.calibration),
        importance=importance,
        best_fixed=find_best_fixed(summary.reference_policies, summary.tracked_actions),
        notes=_list_notes(outcomes),
        lift=estimate_lift(summary.reference_policies) or UNSET,
        exploration=estimate_exploration(summary.reference_policies) or UNSET,
    )


def list_leads(report: EvaluationReport, /) -> list[str]:
    """Returns the sentences before the verdict: the lift of the logging policy, and what exploring costs."""
    return [lead.sentence for lead in (report.lift, report.exploration) if lead and lead.sentence]


def _list_notes(outcomes: OutcomeRange) -> tuple[str, ...] | UnsetType:
    if not outcomes.set_aside:
        return UNSET
    count = f"{outcomes.set_aside:,} outcome{'' if outcomes.set_aside == 1 else 's'}"
    return (f"{count} of the log set aside: a reward is {REWARD_RANGE}. 'sartor doctor' names them.",)


def _to_series(one: CandidateScore, outcomes: OutcomeRange) -> EstimateSeries:
    chart_bins = one.scores[""].chart_bins
    return EstimateSeries(
        name=one.name,
        expanding=expanding_series(chart_bins, bounds=outcomes.bounds),
        rolling=rolling_series(chart_bins, chart_bins.width_us, bounds=outcomes.bounds, most=_ROLLING),
    )


def summarise_calibration(calibration: PropensityCalibration, /) -> CalibrationSummary:
    """Summarises whether the logged probabilities can be believed."""
    worst = calibration.worst_deviation()
    if worst <= _SUSPICIOUS:
        sentence = "Actions were chosen as often as their logged probabilities say."
    else:
        off = max(calibration.bins(), key=lambda one: abs(one.deviation))
        sentence = (
            f"Something is wrong with the logged probabilities: between {off.low:.0%} and {off.high:.0%}, "
            f"actions were chosen {off.observed:,} times where {off.expected:,.0f} was to be expected."
        )
    return CalibrationSummary(sentence=sentence, believable=worst <= _SUSPICIOUS, bins=calibration.bins())

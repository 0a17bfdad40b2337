"""The report of an evaluation: everything that the page shows, as JSON."""

from collections.abc import Sequence

from msgspec import Struct

from sartor.estimators.calibration import Class, Propensities
from sartor.estimators.interval import Bounds
from sartor.estimators.policy_estimate import best_fixed
from sartor.estimators.results_table import Entry
from sartor.estimators.scorecard_view import Standing
from sartor.estimators.series import Moment, expanding, rolling
from sartor.estimators.verdict import best, verdict
from sartor.evaluation.feature_importance import Importance
from sartor.evaluation.progressive_validation import LogSummary, Scored
from sartor.evaluation.spec import EvaluationSpec
from sartor.evaluation.time_range import Span
from sartor.ports import Loop

_SUSPICIOUS = 4.0
"""Standard errors beyond which logged probabilities are not believed: 1 in 1,000 for fifteen classes."""


_ROLLING = 40


class Course(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the estimate of one policy moved: over all that was seen so far, and moment by moment."""

    name: str
    expanding: tuple[Moment, ...]
    rolling: tuple[Moment, ...]


class Calibration(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether choices were drawn as often as their logged probabilities say, in one sentence and in classes."""

    sentence: str
    believable: bool
    classes: tuple[Class, ...]


class Report(Struct, frozen=True, kw_only=True, rename="camel"):
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
    table: tuple[Entry, ...]
    courses: tuple[Course, ...]
    calibration: Calibration
    importance: Importance
    best_fixed: Standing | None = None


def report(
    loop: Loop,
    spec: EvaluationSpec,
    read: Span,
    found: Sequence[Scored],
    summary: LogSummary,
    entries: tuple[Entry, ...],
    weighed: Importance,
    /,
) -> Report:
    """The report. A policy about which the log can't answer has no course either."""
    winner = best(entries)
    answered = {one.name for one in entries if one.answerable and not one.slot}
    return Report(
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
        calibration=calibration(summary.propensities),
        importance=weighed,
        best_fixed=best_fixed(summary.tally, summary.followed),
    )


def _course(one: Scored, read: Span) -> Course:
    moments = one.scores[""].moments
    return Course(
        name=one.name,
        expanding=expanding(moments, bounds=read.bounds),
        rolling=rolling(moments, moments.width_us, bounds=read.bounds, most=_ROLLING),
    )


def calibration(found: Propensities, /) -> Calibration:
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
    return Calibration(sentence=sentence, believable=worst <= _SUSPICIOUS, classes=found.classes())

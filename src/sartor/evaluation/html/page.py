"""The report as one page of HTML that needs nothing else: no script, no font, no picture from anywhere."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from sartor.estimators.results_table import ResultRow
from sartor.estimators.verdict import find_best_policy, find_online
from sartor.evaluation.html import charts
from sartor.evaluation.html.policy_cards import render_card
from sartor.evaluation.html.svg import assign_colours
from sartor.evaluation.html.table import render_table
from sartor.evaluation.report import EvaluationReport


def render_report(report: EvaluationReport, /) -> str:
    """The page."""
    shades = assign_colours(report.table)
    return Template(_file("page.html")).substitute(
        title=escape(f"{report.name} · {report.loop}"),
        style=_file("page.css"),
        loop=escape(report.loop),
        name=escape(report.name),
        verdict=escape(report.verdict),
        subject=_subject(report),
        warning=_warning(report),
        table=render_table(report, shades),
        courses=_courses(report, shades),
        importance=_importance(report),
        belief=_belief(report),
        cards="\n".join(
            render_card(one, shades) for one in report.table if one.source != "Online" and not one.slot
        ),
        calibration=_calibration(report),
        footer=_footer(report),
    )


@cache
def _file(name: str) -> str:
    return files("sartor.evaluation.html").joinpath(name).read_text(encoding="utf-8")


def _subject(report: EvaluationReport) -> str:
    first, last = _time(report.first_us), _time(report.last_us)
    rewards = f"{report.rewards.lower:g} to {report.rewards.upper:g}"
    return escape(f"{report.decisions:,} settled decisions, {first} to {last} (UTC); rewards from {rewards}.")


def _warning(report: EvaluationReport) -> str:
    if report.calibration.believable:
        return ""
    return f'<p class="warning">{escape(report.calibration.sentence)} All numbers below stand on them.</p>'


def _courses(report: EvaluationReport, shades: Mapping[str, str]) -> str:
    so_far = {one.name: one.expanding for one in report.series}
    if not any(len(found) > 1 for found in so_far.values()):
        return ""
    each = {one.name: one.rolling for one in report.series}
    banded = [name for name in ("Online", _leader(report)) if name in so_far]
    length = _length(report)
    return (
        "<section><h2>In time</h2><p>The value of all decisions up to each moment, with the anytime interval "
        f"of {escape(' and '.join(f'“{name}”' for name in banded))}.</p>"
        + charts.draw_time_chart(so_far, shades, banded=banded, label="Values so far")
        + f'<p class="caption">Window by window, each of {length}:</p>'
        + charts.draw_time_chart(each, shades, banded=(), label="Values by windows", height=250)
        + "</section>"
    )


def _leader(report: EvaluationReport) -> str:
    """The policy that matters most beside what was done."""
    winner = find_best_policy(report.table)
    if winner is not None:
        return winner.name
    told = [one for one in report.table if one.source not in ("Online", "Random") and one.value is not None]
    return max(told, key=lambda one: one.value or 0.0).name if told else ""


def _length(report: EvaluationReport) -> str:
    starts = sorted({moment.start_us for one in report.series for moment in one.rolling})
    seconds = min((b - a for a, b in itertools.pairwise(starts)), default=report.bin_us) // 1_000_000
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


def _importance(report: EvaluationReport) -> str:
    found = report.importance
    head = "<section><h2>What features are worth</h2>"
    if found.reasons:
        return f"{head}<p>The log can't answer this, because {escape('; '.join(found.reasons))}.</p></section>"
    if not found.features:
        return ""
    left = f" {found.unmeasured} rarer features were not measured." if found.unmeasured else ""
    return (
        f"{head}<p>Reward per decision that is lost without a feature, on the newest {found.decisions:,} "
        f"decisions, with 95 % intervals.{left}</p>{charts.draw_effects(found.features)}"
        + (
            f'<p class="caption">Without a whole namespace:</p>{charts.draw_effects(found.namespaces)}'
            if found.namespaces
            else ""
        )
        + "</section>"
    )


def _belief(report: EvaluationReport) -> str:
    told = [one for one in report.table if one.source != "Online" and not one.slot]
    silent = [one for one in told if not one.answerable]
    if told and len(silent) == len(told):
        return "The log can't answer about any policy; the reasons are in the table."
    apart = [one for one in told if one.disagreement is not None and not one.disagreement.agrees]
    if apart:
        names = ", ".join(f"“{one.name}”" for one in apart)
        return escape(
            f"Estimators disagree about {names} by more than their intervals allow: be careful there."
        )
    return (
        "Estimators that aim at the same number agree within their intervals, for every policy with a number."
    )


def _calibration(report: EvaluationReport) -> str:
    return (
        "<section><h2>Were the logged probabilities used?</h2>"
        f"<p>{escape(report.calibration.sentence)} For each class of probabilities: how often actions were "
        "chosen, over how often that was to be expected, ± 2 standard errors; below, how often. Classes with "
        "fewer than five choices to be expected are left out.</p>"
        f"{charts.draw_calibration(report.calibration.bins)}</section>"
    )


def _footer(report: EvaluationReport) -> str:
    online: ResultRow | None = find_online(report.table)
    arguments = "" if online is None else f" Learning settings at work: {online.arguments}"
    outcomes = (
        f"Outcomes {report.first_outcome:,} to {report.last_outcome:,} of the log, revision {report.revision}."
    )
    return escape(f"{outcomes}{arguments}")


def _time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M")

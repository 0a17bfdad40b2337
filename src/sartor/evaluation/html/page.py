"""The report as one page of HTML that needs nothing else: no script, no font, no image from anywhere."""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from sartor.estimators.results_table import ResultRow
from sartor.estimators.shapley import FeatureShares
from sartor.estimators.support import explain_refusal
from sartor.estimators.verdict import find_best_policy, find_online
from sartor.evaluation.html import charts
from sartor.evaluation.html.policy_cards import render_card
from sartor.evaluation.html.svg import assign_colours
from sartor.evaluation.html.table import render_table
from sartor.evaluation.report import EvaluationReport, list_leads
from sartor.times import SECOND_US


def render_report(report: EvaluationReport, /) -> str:
    """Returns the page as HTML."""
    colours = assign_colours(report.table)
    return Template(_read_file("page.html")).substitute(
        title=escape(f"{report.name} · {report.loop}"),
        style=_read_file("page.css"),
        loop=escape(report.loop),
        name=escape(report.name),
        leads="\n".join(f'<p class="lead">{escape(lead)}</p>' for lead in list_leads(report)),
        verdict=escape(report.verdict),
        subject=_describe_log(report),
        warning=_render_warning(report),
        table=render_table(report, colours),
        series=_render_series(report, colours),
        importance=_render_importance(report),
        agreement=_state_agreement(report),
        cards="\n".join(
            render_card(one, colours) for one in report.table if one.source != "Online" and not one.slot
        ),
        calibration=_render_calibration(report),
        footer=_render_footer(report),
    )


@cache
def _read_file(name: str) -> str:
    return files("sartor.evaluation.html").joinpath(name).read_text(encoding="utf-8")


def _describe_log(report: EvaluationReport) -> str:
    first, last = _format_time(report.first_us), _format_time(report.last_us)
    rewards = f"{report.rewards.lower:g} to {report.rewards.upper:g}"
    return escape(f"{report.decisions:,} settled decisions, {first} to {last} (UTC); rewards from {rewards}.")


def _render_warning(report: EvaluationReport) -> str:
    warnings = list(report.notes or ())
    if not report.calibration.believable:
        warnings.append(f"{report.calibration.sentence} All numbers below depend on them.")
    return "".join(f'<p class="warning">{escape(warning)}</p>' for warning in warnings)


def _render_series(report: EvaluationReport, colours: Mapping[str, str]) -> str:
    so_far = {one.name: one.expanding for one in report.series}
    if not any(len(points) > 1 for points in so_far.values()):
        return ""
    each = {one.name: one.rolling for one in report.series}
    banded = [name for name in ("Online", _find_leader(report)) if name in so_far]
    length = _describe_bin(report)
    return (
        "<section><h2>Over time</h2><p>The value of all decisions up to each time, with the anytime interval "
        f"of {escape(' and '.join(f'“{name}”' for name in banded))}.</p>"
        + charts.draw_time_chart(so_far, colours, banded=banded, label="Values so far")
        + f'<p class="caption">Window by window, each of {length}:</p>'
        + charts.draw_time_chart(each, colours, banded=(), label="Values by windows", height=250)
        + "</section>"
    )


def _find_leader(report: EvaluationReport) -> str:
    """Returns the name of the most interesting policy beside the logging policy, or ""."""
    winner = find_best_policy(report.table)
    if winner is not None:
        return winner.name
    valued = [one for one in report.table if one.source not in ("Online", "Random") and one.value is not None]
    return max(valued, key=lambda one: one.value or 0.0).name if valued else ""


def _describe_bin(report: EvaluationReport) -> str:
    starts = sorted({point.start_us for one in report.series for point in one.rolling})
    seconds = min((b - a for a, b in itertools.pairwise(starts)), default=report.bin_us) // SECOND_US
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


def _render_importance(report: EvaluationReport) -> str:
    importance = report.importance
    head = "<section><h2>Feature importance</h2>"
    if importance.reasons:
        return f"{head}<p>{escape(explain_refusal(importance.reasons))}</p></section>"
    if not importance.features:
        return ""
    unmeasured = f" {importance.unmeasured} rarer features were not measured." if importance.unmeasured else ""
    left_out = charts.draw_effects(importance.features, label="What leaving a feature out costs")
    namespaces = charts.draw_effects(importance.namespaces, label="What leaving a namespace out costs")
    return (
        f"{head}<p>Measured on the newest {importance.decisions:,} decisions, with 95 % intervals."
        f"{unmeasured}</p>"
        f"{_render_shares(importance.shares)}"
        f'<p class="caption">Left out: the reward per decision that is lost without a feature, when the others '
        f"may make up for it.</p>{left_out}"
        + (f'<p class="caption">Without a whole namespace:</p>{namespaces}' if importance.namespaces else "")
        + "</section>"
    )


def _render_shares(shares: FeatureShares | None) -> str:
    if shares is None:  # stored by an older version
        return ""
    orders = f" Drawn from {shares.orders} orders of features." if shares.orders else ""
    return (
        f"<p>All features together are worth {shares.value:+.4f} reward per decision ({shares.low:+.4f} to "
        f"{shares.high:+.4f}), compared with choosing at random. This is the share of each; features that say "
        f"the same share it.{orders}</p>{charts.draw_effects(shares.shares, label='The share of each feature')}"
    )


def _state_agreement(report: EvaluationReport) -> str:
    others = [one for one in report.table if one.source != "Online" and not one.slot]
    unanswered = [one for one in others if not one.answerable]
    if others and len(unanswered) == len(others):
        return "The log can't answer about any policy; the reasons are in the table."
    disagreeing = [one for one in others if one.disagreement is not None and not one.disagreement.agrees]
    if disagreeing:
        names = ", ".join(f"“{one.name}”" for one in disagreeing)
        return escape(
            f"Estimators disagree about {names} by more than their intervals allow: be careful there."
        )
    return (
        "Estimators that aim at the same number agree within their intervals, for every policy with a number."
    )


def _render_calibration(report: EvaluationReport) -> str:
    return (
        "<section><h2>Calibration of the logged probabilities</h2>"
        f"<p>{escape(report.calibration.sentence)} For each bin of probabilities: how often actions were "
        "chosen, over how often they were expected to be, ± 2 standard errors; below, the count. Bins with "
        "fewer than five expected choices are left out.</p>"
        f"{charts.draw_calibration(report.calibration.bins)}</section>"
    )


def _render_footer(report: EvaluationReport) -> str:
    online: ResultRow | None = find_online(report.table)
    arguments = "" if online is None else f" The loop's learning settings: {online.arguments}"
    outcomes = (
        f"Outcomes {report.first_outcome:,} to {report.last_outcome:,} of the log, revision {report.revision}."
    )
    return escape(f"{outcomes}{arguments}")


def _format_time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M")

"""The results table of the report's page."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from sartor.estimators.interval import Interval
from sartor.estimators.results_table import ResultRow
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.estimators.verdict import find_online
from sartor.evaluation.html.charts import draw_intervals, shared_scale
from sartor.evaluation.html.svg import Scale
from sartor.evaluation.report import EvaluationReport

_WIDTH = 360
_HEADS = (
    ("policy", ""),
    ("", ""),
    ("value", "right"),
    ("95 %", "right"),
    ("95 % anytime", "right"),
    ("gain", "right"),
    ("effective decisions", "right"),
)


def render_table(report: EvaluationReport, colours: Mapping[str, str], /) -> str:
    """Returns a row for each policy, the best value first, those without a number at the end."""
    scale = shared_scale(report.table, _WIDTH)
    online = find_online(report.table)
    value = None if online is None else online.value
    heads = "".join(f'<th class="{kind}">{title}</th>' for title, kind in _HEADS)
    rows = [
        _render_row(one, scale, value, colours, best=one.name == report.optimal_policy and not one.slot)
        for one in _sort(report.table)
    ]
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>{_render_best_fixed(report.best_fixed)}"


def _sort(rows: Sequence[ResultRow]) -> list[ResultRow]:
    return sorted(rows, key=lambda one: (one.slot, one.value is None, -(one.value or 0.0)))


def _render_row(
    one: ResultRow, scale: Scale, online: float | None, colours: Mapping[str, str], *, best: bool
) -> str:
    kind = ' class="best"' if best else ""
    cells = _render_numbers(one, scale, online, colours) if one.answerable else _render_reasons(one)
    return f"<tr{kind}>{_render_policy(one, colours)}{cells}</tr>"


def _render_policy(one: ResultRow, colours: Mapping[str, str]) -> str:
    slot = f' <span class="soft">slot {escape(one.slot)}</span>' if one.slot else ""
    arguments = "" if one.slot else f'<div class="arguments">{_render_arguments(one.arguments)}</div>'
    swatch = f'<span class="swatch" style="background:{colours[one.name]}"></span>'
    return f'<td>{swatch}<span class="policy">{escape(one.name)}</span>{slot}{arguments}</td>'


def _render_arguments(arguments: str) -> str:
    """Returns learning settings that break between options, not within one."""
    options = re.split(r" (?=--?[a-z])", arguments)
    return " ".join(f"<span>{escape(option)}</span>" for option in options)


def _render_numbers(one: ResultRow, scale: Scale, online: float | None, colours: Mapping[str, str]) -> str:
    figure = draw_intervals(one, scale, online, colour=colours[one.name], width=_WIDTH)
    size = "" if one.diagnostics is None else f"{one.diagnostics.effective_sample_size:,.0f}"
    cells = (
        _format_value(one.value),
        _format_range(one.gaussian),
        _format_range(one.anytime),
        _render_gain(one),
        size,
    )
    return f'<td class="figure">{figure}</td>' + "".join(f'<td class="right">{cell}</td>' for cell in cells)


def _render_reasons(one: ResultRow) -> str:
    reasons = escape("; ".join(one.reasons))
    return f'<td colspan="6" class="refused">The log can’t answer this, because {reasons}.</td>'


def _format_value(value: float | None) -> str:
    return "–" if value is None else f"<b>{value:.4f}</b>"


def _format_range(interval: Interval | None) -> str:
    if interval is None:
        return '<span class="soft">none</span>'
    return f'<span class="soft">{interval.lower:.3f} … {interval.upper:.3f}</span>'


def _render_gain(one: ResultRow) -> str:
    if one.source == "Online" or one.gain is None:
        return ""
    interval = one.gain_interval
    kind = "" if interval is None else "up" if interval.lower > 0 else "down" if interval.upper < 0 else ""
    between = "" if interval is None else f"<br>{_format_range(interval)}"
    return f'<span class="{kind}">{one.gain:+.4f}</span>{between}'


def _render_best_fixed(estimate: PolicyEstimate | None) -> str:
    if estimate is None or estimate.value is None or estimate.action is None:
        return ""
    between = ""
    if estimate.interval is not None:
        between = f", {estimate.interval.lower:.3f} … {estimate.interval.upper:.3f} anytime"
    return (
        f'<p class="soft">The best fixed action: always “{escape(estimate.action)}” would have earned '
        f"{estimate.value:.4f}{between}. Its interval accounts for having compared "
        "all fixed actions.</p>"
    )

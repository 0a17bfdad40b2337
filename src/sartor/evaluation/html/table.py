"""The league table of the report's page."""

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


def render_table(report: EvaluationReport, shades: Mapping[str, str], /) -> str:
    """A row for each policy, the best value first, and those without a number at the end."""
    scale = shared_scale(report.table, _WIDTH)
    online = find_online(report.table)
    value = None if online is None else online.value
    heads = "".join(f'<th class="{kind}">{title}</th>' for title, kind in _HEADS)
    rows = [
        _row(one, scale, value, shades, best=one.name == report.optimal_policy and not one.slot)
        for one in _ordered(report.table)
    ]
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>{_fixed(report.best_fixed)}"


def _ordered(entries: Sequence[ResultRow]) -> list[ResultRow]:
    return sorted(entries, key=lambda one: (one.slot, one.value is None, -(one.value or 0.0)))


def _row(one: ResultRow, scale: Scale, online: float | None, shades: Mapping[str, str], *, best: bool) -> str:
    kind = ' class="best"' if best else ""
    cells = _numbers(one, scale, online, shades) if one.answerable else _reasons(one)
    return f"<tr{kind}>{_policy(one, shades)}{cells}</tr>"


def _policy(one: ResultRow, shades: Mapping[str, str]) -> str:
    slot = f' <span class="soft">slot {escape(one.slot)}</span>' if one.slot else ""
    arguments = "" if one.slot else f'<div class="arguments">{escape(one.arguments)}</div>'
    swatch = f'<span class="swatch" style="background:{shades[one.name]}"></span>'
    return f'<td>{swatch}<span class="policy">{escape(one.name)}</span>{slot}{arguments}</td>'


def _numbers(one: ResultRow, scale: Scale, online: float | None, shades: Mapping[str, str]) -> str:
    figure = draw_intervals(one, scale, online, colour=shades[one.name], width=_WIDTH)
    size = "" if one.diagnostics is None else f"{one.diagnostics.effective_sample_size:,.0f}"
    cells = (_value(one.value), _range(one.gaussian), _range(one.anytime), _gain(one), size)
    return f'<td class="figure">{figure}</td>' + "".join(f'<td class="right">{cell}</td>' for cell in cells)


def _reasons(one: ResultRow) -> str:
    reasons = escape("; ".join(one.reasons))
    return f'<td colspan="6" class="refused">The log can’t answer this, because {reasons}.</td>'


def _value(value: float | None) -> str:
    return "–" if value is None else f"<b>{value:.4f}</b>"


def _range(interval: Interval | None) -> str:
    if interval is None:
        return '<span class="soft">none</span>'
    return f'<span class="soft">{interval.lower:.3f} … {interval.upper:.3f}</span>'


def _gain(one: ResultRow) -> str:
    if one.source == "Online" or one.gain is None:
        return ""
    interval = one.gain_interval
    kind = "" if interval is None else "up" if interval.lower > 0 else "down" if interval.upper < 0 else ""
    between = "" if interval is None else f"<br>{_range(interval)}"
    return f'<span class="{kind}">{one.gain:+.4f}</span>{between}'


def _fixed(found: PolicyEstimate | None) -> str:
    if found is None or found.value is None or found.action is None:
        return ""
    between = ""
    if found.interval is not None:
        between = f", {found.interval.lower:.3f} … {found.interval.upper:.3f} anytime"
    return (
        f'<p class="soft">Without looking at the context: always “{escape(found.action)}” would have earned '
        f"{found.value:.4f}{between}. It is the action of which most can be shown, with room for having looked "
        "at all.</p>"
    )

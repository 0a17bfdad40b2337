"""What stands behind each policy's number, on the report's page."""

from collections.abc import Mapping
from html import escape

from sartor.estimators.results_table import ResultRow, WeightDiagnostics
from sartor.evaluation.html.charts import draw_estimators, draw_weights


def render_card(one: ResultRow, shades: Mapping[str, str], /) -> str:
    """A card: diagnostics, the estimators beside one another, the weights."""
    colour = shades[one.name]
    swatch = f'<span class="swatch" style="background:{colour}"></span>'
    parts = [f"<h3>{swatch}{escape(one.name)}</h3>"]
    if one.diagnostics is not None:
        parts.append(_numbers(one, one.diagnostics))
    if one.answerable:
        parts.append(f'<p class="caption">Estimators{_gap(one)}</p>{draw_estimators(one, colour=colour)}')
    parts.append('<p class="caption">Weights: decisions (pale), share of all weight (solid)</p>')
    parts.append(draw_weights(one.weights, colour=colour))
    return f'<div class="card">{"".join(parts)}</div>'


def _numbers(one: ResultRow, health: WeightDiagnostics) -> str:
    rows = [
        ("decisions", f"{one.events:,}"),
        ("effective decisions", f"{health.effective_sample_size:,.0f}"),
        ("mean weight", _number(health.mean_weight)),
        ("calibration z", _number(health.calibration)),
        ("overlap", _percent(health.overlap)),
        ("weight on the heaviest 1 %", _percent(health.tail_share)),
        ("weight on one decision, at most", _percent(health.largest_share)),
        ("largest weight", _number(health.largest_weight)),
        ("could not be ranked", f"{one.refused:,}" if one.refused else ""),
    ]
    told = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return f'<dl class="numbers">{told}</dl>'


def _gap(one: ResultRow) -> str:
    if one.disagreement is None:
        return ""
    state = "agree" if one.disagreement.agrees else "disagree"
    return f" ({state}: gap {one.disagreement.gap:.2f} of 1)"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"

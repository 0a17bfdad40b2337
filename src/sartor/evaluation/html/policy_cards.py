"""The diagnostics of each policy, as cards on the report's page."""

from collections.abc import Mapping
from html import escape

from sartor.estimators.results_table import ResultRow, WeightDiagnostics
from sartor.evaluation.html.charts import draw_estimators, draw_weights


def render_card(one: ResultRow, colours: Mapping[str, str], /) -> str:
    """Returns a card: diagnostics, the results of all estimators, the weights."""
    colour = colours[one.name]
    swatch = f'<span class="swatch" style="background:{colour}"></span>'
    parts = [f"<h3>{swatch}{escape(one.name)}</h3>"]
    if one.diagnostics is not None:
        parts.append(_render_numbers(one, one.diagnostics))
    if one.answerable:
        parts.append(
            f'<p class="caption">Estimators{_describe_gap(one)}</p>{draw_estimators(one, colour=colour)}'
        )
    parts.append('<p class="caption">Weights: decisions (pale), share of all weight (solid)</p>')
    parts.append(draw_weights(one.weights, colour=colour))
    return f'<div class="card">{"".join(parts)}</div>'


def _render_numbers(one: ResultRow, diagnostics: WeightDiagnostics) -> str:
    rows = [
        ("decisions", f"{one.events:,}"),
        ("effective decisions", f"{diagnostics.effective_sample_size:,.0f}"),
        ("mean weight", _format_number(diagnostics.mean_weight)),
        ("calibration z", _format_number(diagnostics.calibration)),
        ("overlap", _format_percent(diagnostics.overlap)),
        ("weight on the heaviest 1 %", _format_percent(diagnostics.tail_share)),
        ("weight on one decision, at most", _format_percent(diagnostics.largest_share)),
        ("largest weight", _format_number(diagnostics.largest_weight)),
        ("could not be ranked", f"{one.refused:,}" if one.refused else ""),
    ]
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return f'<dl class="numbers">{items}</dl>'


def _describe_gap(one: ResultRow) -> str:
    if one.disagreement is None:
        return ""
    state = "agree" if one.disagreement.agrees else "disagree"
    return f" ({state}: gap {one.disagreement.gap:.2f} of 1)"


def _format_number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _format_percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"

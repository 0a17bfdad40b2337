"""Draws the scorecard: running means with anytime-valid confidence intervals."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET

from sartor.estimators.anytime import anytime_intervals
from sartor.estimators.interval import Interval
from sartor.estimators.ips import Ips
from sartor.estimators.lift import estimate_lift
from sartor.estimators.policy_estimate import FIXED, estimate_policies, reward_bounds, to_anytime, to_snips
from sartor.estimators.scorecard import CurvePoint, Scorecard, to_curve_point
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.metrics.chart_labels import label_lines
from sartor.private_files import open_private

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette: distinguishable with every kind of colour vision, and in grey.
_COLOURS = {"Online": "#0072B2", "Baseline": "#B8760B", "Random": "#7F7F7F", FIXED: "#009E73"}
_INK, _FAINT = "#222222", "#D9D9D9"
_LINE_CHARS = 110
_LEAST = 20
"""Points with fewer decisions are not drawn."""


def draw_scorecard(card: Scorecard, path: Path, /, *, loop: str) -> Path:
    """Write the curve of a loop's score as a PNG; returns the path."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = estimate_policies(card.total(), card.tracked)
    points = [one for one in (*card.curve.points, _to_last_point(card)) if one.events >= _LEAST]
    with matplotlib.rc_context({"font.size": 11, "text.color": _INK, "axes.labelcolor": _INK}):
        figure = Figure(figsize=(9, 5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _draw(axes, points, found)
        _draw_axes(axes, card, found, loop)
        _draw_lift(axes, card)
        with open_private(path) as file:
            figure.savefig(file, format=path.suffix[1:] or "png")
    return path


def _to_last_point(card: Scorecard) -> CurvePoint:
    return to_curve_point(card.total(), at_us=card.at_us)


def _draw(axes: "Axes", points: Sequence[CurvePoint], found: Sequence[PolicyEstimate]) -> None:
    estimates = {one.policy: one for one in found if one.value is not None}
    labels: list[tuple[str, float, str]] = []
    for policy in ("Random", "Baseline", "Online"):
        if policy in estimates and points:
            last = _draw_policy(axes, points, policy)
            labels.append((f"{policy} {last:.3f}", last, _COLOURS[policy]))
    fixed = estimates.get(FIXED)
    if fixed is not None and fixed.value is not None:
        axes.axhline(fixed.value, color=_COLOURS[FIXED], linewidth=1.6, linestyle=(0, (5, 3)))
        labels.append(
            (f"always {_shorten(fixed.action or '')} {fixed.value:.3f}", fixed.value, _COLOURS[FIXED])
        )
    label_lines(axes, labels, bold=_COLOURS["Online"])


def _draw_policy(axes: "Axes", points: Sequence[CurvePoint], policy: str) -> float:
    sums: list[Ips] = [getattr(one, policy.lower()) for one in points]
    bounds = reward_bounds(points[-1].lowest, points[-1].highest)
    values = [to_snips(one).value() or 0.0 for one in sums]
    bands = [
        band or Interval(bounds.lower, bounds.upper)
        for band in anytime_intervals([to_anytime(one, bounds) for one in sums])
    ]
    for number, point in enumerate(points):
        if point.estimates is not UNSET and policy in point.estimates:
            values[number], *ends = point.estimates[policy]
            bands[number] = Interval(*ends)
    events = [one.events for one in points]
    colour = _COLOURS[policy]
    if policy != "Random":
        low, high = [band.lower for band in bands], [band.upper for band in bands]
        axes.fill_between(events, low, high, color=colour, alpha=0.14, linewidth=0)
    axes.plot(events, values, color=colour, linewidth=2.6 if policy == "Online" else 1.8)
    return values[-1]


def _draw_axes(axes: "Axes", card: Scorecard, found: Sequence[PolicyEstimate], loop: str) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.set_title(_to_title(found, loop), loc="left", fontsize=14, fontweight="bold", pad=46)
    axes.set_xlabel("settled decisions")
    axes.set_ylabel("reward per decision")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda events, _: f"{events:,.0f}"))
    axes.set_xlim(0, max(card.events, 1))
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_lift(axes: "Axes", card: Scorecard) -> None:
    lift = estimate_lift(card.total())
    note = "Running means; the bands hold at 95 %, whenever one looks."
    lines = [*textwrap.wrap(lift.sentence if lift else "", _LINE_CHARS)[:2], note]
    axes.text(0.0, 1.03, "\n".join(lines), transform=axes.transAxes, fontsize=10, verticalalignment="bottom")


def _to_title(found: Sequence[PolicyEstimate], loop: str) -> str:
    online = next((one for one in found if one.policy == "Online"), None)
    if online is None or online.value is None:
        return f"{loop}: no settled decisions yet"
    return f"{loop}: {online.value:.3f} per decision over {online.events:,} decisions"


def _shorten(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"

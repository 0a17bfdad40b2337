"""Draws the learning curve: the share of the best possible reward in each turn."""

from pathlib import Path
from typing import TYPE_CHECKING

from sartor.lab.report import PlayReport
from sartor.metrics.chart_labels import label_lines
from sartor.private_files import open_private

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette, which people with colour blindness can distinguish.
_OURS, _FIXED, _RANDOM = "#0072B2", "#B8760B", "#7F7F7F"
_INK, _FAINT = "#222222", "#D9D9D9"
_CEILING = 1.06


def draw_curve(report: PlayReport, path: Path, /) -> Path:
    """Write the learning curve of a run as a PNG; returns the path.

    The curve is the share of the best possible expected reward in a moving window. Beside it, for the whole
    run: what random choices earn, and what can be earned without looking at the context.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.size": 11, "text.color": _INK, "axes.labelcolor": _INK}):
        figure = Figure(figsize=(9, 5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _draw_frame(axes, report)
        _draw_lines(axes, report)
        with open_private(path) as file:
            figure.savefig(file, format=path.suffix[1:] or "png")
    return path


def _draw_lines(axes: "Axes", report: PlayReport) -> None:
    reference, best = report.reference, report.reference.best
    levels = [1.0, reference.best_fixed / best, reference.random / best]
    for level, colour in zip(levels, (_INK, _FIXED, _RANDOM), strict=True):
        axes.axhline(level, color=colour, linewidth=1.6, linestyle=(0, (5, 3)))
    shares = _compute_shares(report)
    axes.plot([point.turn for point in report.curve], shares, color=_OURS, linewidth=2.6)
    labels = (
        ("best possible", levels[0], _INK),
        (f"best without context {levels[1]:.0%}", levels[1], _FIXED),
        (f"random {levels[2]:.0%}", levels[2], _RANDOM),
        (f"Sartor {shares[-1]:.0%}", shares[-1], _OURS),
    )
    label_lines(axes, labels, bold=_OURS)


def _draw_frame(axes: "Axes", report: PlayReport) -> None:
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    axes.set_title(
        f"{report.world}: {report.share_of_best:.0%} of the best possible in {report.iterations:,} turns",
        loc="left",
        fontsize=14,
        fontweight="bold",
        pad=28,
    )
    axes.text(0.0, 1.03, _format_subtitle(report), transform=axes.transAxes, fontsize=10)
    axes.set_xlabel(f"turns (moving window of {report.window})")
    axes.set_ylabel("share of the best possible reward")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda turn, _: f"{turn:,.0f}"))
    axes.set_xlim(0, report.iterations)
    axes.set_ylim(_lower_limit(report), _CEILING)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _format_subtitle(report: PlayReport) -> str:
    first, last = report.first_quarter.mean_reward, report.last_quarter.mean_reward
    return f"{report.reward_is}: mean {first:.3f} in the first quarter, {last:.3f} in the last"


def _compute_shares(report: PlayReport) -> list[float]:
    return [point.earned / point.best for point in report.curve]


def _lower_limit(report: PlayReport) -> float:
    lowest = min(*_compute_shares(report), report.reference.random / report.reference.best)
    return 0.0 if lowest >= 0 else max(-1.0, lowest - 0.08)

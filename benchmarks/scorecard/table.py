"""The runs as a table of Markdown, and its place on the page of the scorecard."""

from collections.abc import Sequence
from itertools import groupby
from math import sqrt
from pathlib import Path
from statistics import fmean

from benchmarks.scorecard.play import ScorecardRun
from sartor.estimators.doubly_robust_sums import TARGETS

PAGE = Path(__file__).parents[2] / "docs" / "design" / "scorecard.md"
WANTED = 0.05

_COLUMNS = (
    "world",
    "Baseline",
    "Random",
    "lift",
    "true lift",
    "lift told",
    "Baseline, weights alone",
    "exploration",
    "cost of control and floor",
    "earned of the best",
)

_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def format_table(runs: Sequence[ScorecardRun], /, *, command: str) -> str:
    """Formats the means over seeds, world by world, and what falls short."""
    lines = [
        f"Made by `{command}`. Half widths at 95 %, valid at any time, in units of the range of rewards:",
        "the mean over seeds and, for baseline and chance, the largest one.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"| --- |{' ---: |' * (len(_COLUMNS) - 1)}",
    ]
    for world, played in groupby(runs, key=lambda run: run.world):
        lines.append(_format_row(world, list(played)))
    lines.append(_format_row("mean", list(runs)))
    return "\n".join([*lines, "", _state_target(runs), "", _state_coverage(runs)])


def _format_row(name: str, runs: Sequence[ScorecardRun]) -> str:
    def mean(field: str) -> float:
        return fmean(getattr(run, field) for run in runs)

    told = sum(run.told for run in runs)
    return (
        f"| {name} | {mean('baseline'):.3f} ({max(run.baseline for run in runs):.3f}) "
        f"| {mean('random'):.3f} ({max(run.random for run in runs):.3f}) | {mean('lift_width'):.3f} "
        f"| {mean('lift'):+.3f} | {told} of {len(runs)} | {mean('by_weights'):.3f} "
        f"| {mean('exploration_width'):.3f} | {mean('cost'):.1%} | {mean('share'):.2f} |"
    )


def _state_target(runs: Sequence[ScorecardRun]) -> str:
    short = sorted({run.world for run in runs if max(run.baseline, run.random) > WANTED})
    if not short:
        return f"Every run tells baseline and chance within {WANTED}."
    missed = sum(max(run.baseline, run.random) > WANTED for run in runs)
    return f"Beyond {WANTED}: {missed} of {len(runs)} runs, in {', '.join(f'`{name}`' for name in short)}."


def _state_coverage(runs: Sequence[ScorecardRun]) -> str:
    left = sum(len(run.left) for run in runs)
    intervals = len(runs) * len(TARGETS)
    error = sqrt(0.05 * 0.95 / intervals)
    return (
        f"Looked at every 100 decisions, {left} of {intervals} intervals (five in each run) ever left out the "
        f"truth, which the world knows; {0.05:.0%} may, ± {error:.1%}."
    )


def write_page(table: str, /) -> None:
    """Replaces the measured part of the page."""
    text = PAGE.read_text()
    head, _, rest = text.partition(_BEGIN)
    tail = rest.partition(_END)[2]
    PAGE.write_text(f"{head}{_BEGIN}\n\n{table}\n\n{_END}{tail}")

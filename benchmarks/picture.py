"""``python -m benchmarks.picture``: measures and draws the learning curve of the README; ``--draw`` only draws.

Ten runs of what ``make demo`` plays, each on a new service. The curves are stored beside the results of the
benchmarks; the picture, one for light and one for dark pages, is drawn from them and carries their digest.
"""

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct

from benchmarks import server
from sartor.lab import demo, play
from sartor.lab.report import PlayReport, ReferenceMeans

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RUNS = 10
KEPT = Path(__file__).with_name("results") / "learning-curve.json"
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DIGEST = "Curves"
"""The key under which a picture carries the digest of what it was drawn from."""


class Curves(Struct, frozen=True, kw_only=True, rename="camel"):
    """Several runs of one world with one seed.

    ``earned``: for each run, and at each of ``turns``, the expected reward per turn: its mean in a moving
    window of ``window`` turns.
    """

    day: str
    world: str
    turns_per_s: float
    window: int
    reference: ReferenceMeans
    turns: tuple[int, ...]
    earned: tuple[tuple[float, ...], ...]


class Theme(NamedTuple):
    """The colours of one picture."""

    name: str
    page: str
    ink: str
    faint: str
    quiet: str
    ours: str


THEMES = (
    Theme("light", page="#FFFFFF", ink="#1F2328", faint="#E4E8EC", quiet="#59636E", ours="#0A63C9"),
    Theme("dark", page="#0D1117", ink="#E6EDF3", faint="#222A33", quiet="#9198A1", ours="#58A6FF"),
)


def main() -> None:
    """Measure, unless ``--draw`` is given, and draw."""
    if sys.argv[1:] != ["--draw"]:
        KEPT.write_bytes(msgspec.json.encode(build_curves([_play() for _ in range(RUNS)])) + b"\n")
    for theme in THEMES:
        path = draw_picture(KEPT, theme, PICTURES / f"learning-curve-{theme.name}.png")
        print(f"{path}: {path.stat().st_size:,} bytes")


def _play() -> PlayReport:
    with tempfile.TemporaryDirectory() as folder, server.run_service(Path(folder) / "data") as service:
        service.sartor("loop", "set", "default", "modelExportFrequency=PT1S")
        return play.play_world(
            demo.WORLD,
            endpoint=service.endpoint,
            key=service.key(),
            iterations=demo.TURNS,
            turns_per_s=demo.TURNS_PER_S,
        )


def build_curves(reports: Sequence[PlayReport], /) -> Curves:
    """Build the curves of the runs that are stored."""
    first = reports[0]
    return Curves(
        day=datetime.now(UTC).date().isoformat(),
        world=first.world,
        turns_per_s=demo.TURNS_PER_S,
        window=first.window,
        reference=first.reference,
        turns=tuple(point.turn for point in first.curve),
        earned=tuple(tuple(round(point.earned, 4) for point in report.curve) for report in reports),
    )


def compute_digest(kept: Path, /) -> str:
    """Returns the digest of the stored curves."""
    return hashlib.sha256(kept.read_bytes()).hexdigest()


def draw_picture(kept: Path, theme: Theme, path: Path, /) -> Path:
    """Draw the curves that are kept in a file as a PNG; returns its path."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seen = msgspec.json.decode(kept.read_bytes(), type=Curves)
    with matplotlib.rc_context({"font.size": 10.5, "text.color": theme.ink, "axes.labelcolor": theme.quiet}):
        figure = Figure(figsize=(8.0, 3.7), dpi=150, facecolor=theme.page)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.055, 0.135, 0.705, 0.66), facecolor=theme.page)
        _draw_levels(axes, seen, theme)
        _draw_curves(axes, seen, theme)
        _draw_frame(figure, axes, seen, theme)
        figure.savefig(path, metadata={DIGEST: compute_digest(kept), "Software": None})
    return path


def _draw_levels(axes: "Axes", seen: Curves, theme: Theme) -> None:
    of = seen.reference
    for level, name in (
        (of.best, "best possible"),
        (of.best_fixed, "best single choice"),
        (of.random, "random"),
    ):
        axes.axhline(100 * level, color=theme.quiet, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
        _label(axes, 100 * level, 100 * level, name, theme.quiet)


def _draw_curves(axes: "Axes", seen: Curves, theme: Theme) -> None:
    runs = [[100 * value for value in run] for run in seen.earned]
    moments = list(zip(*runs, strict=True))
    mean = [sum(moment) / len(moment) for moment in moments]
    lowest, highest = [min(moment) for moment in moments], [max(moment) for moment in moments]
    axes.fill_between(seen.turns, lowest, highest, color=theme.ours, alpha=0.16, linewidth=0)
    axes.plot(seen.turns, mean, color=theme.ours, linewidth=2.8, solid_capstyle="round", zorder=3)
    axes.plot(seen.turns[-1:], mean[-1:], "o", color=theme.ours, markersize=6.5, clip_on=False, zorder=4)
    axes.set_ylim(min(lowest) - 2, 100 * seen.reference.best + 3)
    low, high = axes.get_ylim()
    place = min(mean[-1], 100 * seen.reference.best - 0.075 * (high - low))
    _label(axes, place, mean[-1], "Sartor", theme.ours, weight="bold")


def _label(
    axes: "Axes", place: float, number: float, name: str, colour: str, *, weight: str = "normal"
) -> None:
    axes.annotate(
        f"{number:.0f}  {name}",
        xy=(1.0, place),
        xycoords=("axes fraction", "data"),
        xytext=(14, 0),
        textcoords="offset points",
        color=colour,
        va="center_baseline",
        fontweight=weight,
        annotation_clip=False,
    )


def _draw_frame(figure: "Figure", axes: "Axes", seen: Curves, theme: Theme) -> None:
    from matplotlib.ticker import FuncFormatter

    last = seen.turns[-1]
    about = (
        f"Expected clicks of 100 readers. Mean and range of {len(seen.earned)} runs of make demo: "
        f"{last:,} readers in {last / seen.turns_per_s:.0f} seconds."
    )
    figure.text(0.018, 0.925, "It learns what to show to whom while it serves", fontsize=14, fontweight="bold")
    figure.text(0.018, 0.853, about, color=theme.quiet)
    axes.set_xlabel("readers", loc="right", labelpad=1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda turn, _: f"{turn:,.0f}"))
    axes.set_xlim(0, last)
    axes.grid(axis="y", color=theme.faint, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.quiet, length=0, pad=6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.quiet)


if __name__ == "__main__":
    main()

"""Labels at the right ends of a chart's lines, moved apart where they would overlap."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_DISTANCE = 0.055
"""Between two labels, as a share of the height of the axes."""


def label_lines(axes: "Axes", labels: Sequence[tuple[str, float, str]], /, *, bold: str) -> None:
    """Write labels beside the right edge of the axes.

    Args:
        axes: with its limits set.
        labels: text, y in data coordinates, and colour of each.
        bold: the colour of the labels to print in bold.
    """
    low, high = axes.get_ylim()
    heights = move_apart([y for _, y, _ in labels], distance=_LEAST_DISTANCE * (high - low))
    for (text, _, colour), height in zip(labels, heights, strict=True):
        axes.annotate(
            text,
            xy=(1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontweight="bold" if colour == bold else "normal",
            annotation_clip=False,
        )


def move_apart(values: Sequence[float], /, *, distance: float) -> list[float]:
    """Returns the values, those that are closer than ``distance`` to a higher one moved down."""
    moved = list(values)
    order = sorted(range(len(values)), key=lambda index: -values[index])
    for above, below in pairwise(order):
        moved[below] = min(moved[below], moved[above] - distance)
    return moved

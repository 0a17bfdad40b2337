"""SVG as text: scales, ticks and marks."""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from msgspec import Struct

from sartor.estimators.results_table import ResultRow

Point = tuple[float, float]


class Scale(Struct, frozen=True):
    """Maps values ``low`` … ``high`` to pixels ``start`` … ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float, /) -> float:
        """Returns the pixel of a value; values beyond the ends are cut."""
        width = self.high - self.low
        share = (value - self.low) / width if width else 0.5
        return self.start + max(0.0, min(1.0, share)) * (self.end - self.start)

    def ticks(self, most: int = 6, /) -> list[float]:
        """Returns round values between the ends, about ``most``."""
        width = self.high - self.low
        if not width > 0 or not isfinite(width):
            return [self.low]
        step = _round_up(width / most)
        first = ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, floor(self.high / step + 1e-9) + 1)]


def _round_up(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def scale_over(values: Iterable[float], /, *, start: float, end: float, margin: float = 0.06) -> Scale:
    """Returns a scale over all values, with a margin on both sides."""
    known = [value for value in values if isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = margin * (high - low) or 0.5 * abs(high) or 0.5
    return Scale(low - room, high + room, start, end)


def svg_document(width: int, height: int, parts: Iterable[str], /, *, label: str) -> str:
    """Returns a drawing; ``label`` describes it for screen readers."""
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def line(a: Point, b: Point, kind: str, /, *, colour: str = "") -> str:
    """Returns a straight line; ``kind``: its CSS class, as everywhere here."""
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" class="{kind}"'
        f"{_stroke(colour)}/>"
    )


def path(points: Sequence[Point], kind: str, /, *, colour: str = "") -> str:
    """Returns a line through points."""
    return f'<path d="M{_join(points)}" class="{kind}"{_stroke(colour)}/>' if points else ""


def area(upper: Sequence[Point], lower: Sequence[Point], kind: str, /, *, colour: str) -> str:
    """Returns the area between two lines."""
    outline = [*upper, *reversed(lower)]
    return f'<path d="M{_join(outline)}Z" class="{kind}" style="fill:{colour}"/>' if outline else ""


def dot(at: Point, /, *, colour: str, radius: float = 4.0) -> str:
    """Returns a round mark."""
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}" style="fill:{colour}"/>'


def box(corner: Point, width: float, height: float, kind: str, /, *, colour: str = "") -> str:
    """Returns a rectangle from its upper left corner."""
    fill = f' style="fill:{colour}"' if colour else ""
    return (
        f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{max(0.0, width):.1f}" '
        f'height="{max(0.0, height):.1f}" class="{kind}"{fill}/>'
    )


def text(at: Point, content: str, kind: str = "", /, *, anchor: str = "start", colour: str = "") -> str:
    """Returns a text at a position; ``anchor``: start, middle or end."""
    fill = f' style="fill:{colour}"' if colour else ""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" class="{kind}"{fill}>'
        f"{escape(content)}</text>"
    )


def spread_apart(positions: Sequence[float], least: float, /, *, low: float, high: float) -> list[float]:
    """Moves positions, as little as needed, to be ``least`` apart, in the same order, within two ends."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    moved = list(positions)
    previous = low - least
    for index in order:
        moved[index] = previous = max(moved[index], previous + least)
    following = high + least
    for index in reversed(order):
        moved[index] = following = min(moved[index], following - least)
    return moved


def format_number(value: float, /) -> str:
    """Formats a number as a label with four significant digits, without trailing zeros."""
    return f"{value:.4g}" if value else "0"


def shorten(name: str, most: int = 18, /) -> str:
    """Shortens a name to ``most`` characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _join(points: Sequence[Point]) -> str:
    return "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _stroke(colour: str) -> str:
    return f' style="stroke:{colour}"' if colour else ""


# Okabe and Ito's palette, and four more that differ from it.
_REFERENCE = {"Online": "#0072B2", "Baseline": "#B8760B", "Random": "#7F7F7F"}
_OTHERS = (
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#6A3D9A",
    "#8C564B",
    "#A6A000",
    "#E7298A",
    "#1B7837",
    "#4D4D9F",
)


def assign_colours(rows: Sequence[ResultRow], /) -> dict[str, str]:
    """Returns a colour for each policy."""
    others = [one.name for one in rows if one.source not in _REFERENCE and not one.slot]
    return _REFERENCE | {name: _OTHERS[index % len(_OTHERS)] for index, name in enumerate(others)}

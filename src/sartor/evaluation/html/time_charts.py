"""How estimates moved in time, drawn."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sartor.estimators.series import SeriesPoint
from sartor.evaluation.html import svg as drawing
from sartor.evaluation.html.svg import (
    Scale,
    area,
    line,
    path,
    scale_over,
    shortened,
    svg_document,
    text,
    thousands,
)
from sartor.times import DAY_US

Courses = Mapping[str, Sequence[SeriesPoint]]


def draw_time_chart(
    courses: Courses, shades: Mapping[str, str], /, *, banded: Sequence[str], label: str, height: int = 330
) -> str:
    """Values over time, one line for each policy; those in ``banded`` with their anytime intervals."""
    width, left, right, bottom = 1040, 52, 178, height - 30
    moments = [moment for found in courses.values() for moment in found if moment.value is not None]
    if not moments:
        return ""
    start, end = min(one.start_us for one in moments), max(one.start_us for one in moments)
    x = Scale(start, max(end, start + 1), left, width - right)
    y = _heights(courses, banded, top=12, bottom=bottom)
    parts = [*_grid(x, y, width - right, bottom)]
    for name in banded:
        parts.append(_band(courses.get(name, ()), x, y, shades[name]))
    for name, found in courses.items():
        points = [(x(one.start_us), y(one.value)) for one in found if one.value is not None]
        parts.append(path(points, "online" if name == "Online" else "course", colour=shades[name]))
    parts.extend(_names(courses, shades, y, at=width - right + 10, low=14, high=bottom))
    return svg_document(width, height, parts, label=label)


def _heights(courses: Courses, banded: Sequence[str], *, top: float, bottom: float) -> Scale:
    """The scale of values: from what is drawn, without the first moments, whose wild swings say nothing."""
    values = []
    for found in courses.values():
        known = [one.value for one in found if one.value is not None]
        values += known[len(known) // 6 :]
    for name in banded:
        known_bands = [one.anytime for one in courses.get(name, ()) if one.anytime is not None]
        for band in known_bands[len(known_bands) // 3 :]:
            values += [band.lower, band.upper]
    return scale_over(values, start=bottom, end=top)


def _grid(x: Scale, y: Scale, right: float, bottom: float) -> list[str]:
    parts = []
    for tick in y.ticks(5):
        parts.append(line((x.start, y(tick)), (right, y(tick)), "grid"))
        parts.append(text((x.start - 8, y(tick) + 4), drawing.number(tick), "tick", anchor="end"))
    count = 5
    for place in range(count + 1):
        at_us = x.low + (x.high - x.low) * place / count
        anchor = "start" if place == 0 else "end" if place == count else "middle"
        parts.append(text((x(at_us), bottom + 20), _time(at_us, x.high - x.low), "tick", anchor=anchor))
    return parts


def _time(at_us: float, span_us: float) -> str:
    found = datetime.fromtimestamp(at_us / 1e6, UTC)
    if span_us > 4 * DAY_US:
        return found.strftime("%-d %b")
    if span_us > 600_000_000:
        return found.strftime("%-d %b %H:%M")
    return found.strftime("%H:%M:%S")


def _band(found: Sequence[SeriesPoint], x: Scale, y: Scale, colour: str) -> str:
    known = [(x(one.start_us), one.anytime) for one in found if one.anytime is not None]
    upper = [(at, y(band.upper)) for at, band in known]
    lower = [(at, y(band.lower)) for at, band in known]
    return area(upper, lower, "band", colour=colour)


def _names(
    courses: Courses, shades: Mapping[str, str], y: Scale, *, at: float, low: float, high: float
) -> list[str]:
    ends = []
    for name, found in courses.items():
        known = [one.value for one in found if one.value is not None]
        if known:
            ends.append((name, known[-1]))
    places = thousands([y(value) for _, value in ends], 17, low=low, high=high)
    return [
        text(
            (at, place + 4),
            f"{shortened(name)} {value:.3f}",
            "name strong" if name == "Online" else "name",
            colour=shades[name],
        )
        for (name, value), place in zip(ends, places, strict=True)
    ]

"""The charts of the report: of a policy, of the log and its features, and of values over time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from sartor.estimators.calibration import CalibrationBin
from sartor.estimators.interval import Interval
from sartor.estimators.leave_one_out import Effect
from sartor.estimators.results_table import HistogramBar, ResultRow
from sartor.estimators.time_series import SeriesPoint
from sartor.evaluation.html import svg as drawing
from sartor.evaluation.html.svg import (
    Scale,
    area,
    box,
    dot,
    line,
    path,
    scale_over,
    shorten,
    spread_apart,
    svg_document,
    text,
)
from sartor.times import DAY_US, MINUTE_US


def shared_scale(rows: Sequence[ResultRow], width: int, /) -> Scale:
    """Returns one scale for the values and Gaussian intervals of all policies; the rest is cut."""
    values = [one.value for one in rows if one.value is not None]
    ends = [end for one in rows for end in _ends(one.gaussian)]
    return scale_over([*values, *ends], start=6, end=width - 6)


def draw_intervals(one: ResultRow, scale: Scale, online: float | None, /, *, colour: str, width: int) -> str:
    """Draws a policy's value, its Gaussian (thick) and anytime interval (thin), on a common scale."""
    middle, height = 15.0, 30
    parts = []
    if online is not None:
        parts.append(line((scale(online), 0), (scale(online), height), "guide"))
    for interval, kind in ((one.anytime, "thin"), (one.gaussian, "thick")):
        if interval is not None:
            ends = (scale(interval.lower), middle), (scale(interval.upper), middle)
            parts.append(line(*ends, kind, colour=colour))
    if one.value is not None:
        parts.append(dot((scale(one.value), middle), colour=colour, radius=5))
    return svg_document(width, height, parts, label=f"{one.name}: {_describe(one)}")


def _describe(one: ResultRow) -> str:
    if one.value is None:
        return "no number"
    interval = one.gaussian
    return f"{one.value:.4g}" + ("" if interval is None else f", {interval.lower:.4g} to {interval.upper:.4g}")


def _ends(interval: Interval | None) -> tuple[float, ...]:
    return () if interval is None else (interval.lower, interval.upper)


def draw_estimators(one: ResultRow, /, *, colour: str) -> str:
    """Draws the value and interval of each estimator for one policy."""
    shown = [estimate for estimate in one.estimates if estimate.value is not None]
    width, row = 470, 21
    height = row * len(shown) + 24
    ends = [end for estimate in shown if estimate.estimator in _NARROW for end in _ends(estimate.interval)]
    x = scale_over([*ends, *(estimate.value or 0.0 for estimate in shown)], start=128, end=width - 8)
    parts = [line((x(tick), 0), (x(tick), height - 22), "grid") for tick in x.ticks(4)]
    parts += [
        text((x(tick), height - 6), drawing.format_number(tick), "tick", anchor="middle") for tick in x.ticks(4)
    ]
    for index, estimate in enumerate(shown):
        middle = row * index + row / 2
        parts.append(text((0, middle + 4), _ESTIMATORS.get(estimate.estimator, estimate.estimator), "tick"))
        if estimate.interval is not None:
            left, right = x(estimate.interval.lower), x(estimate.interval.upper)
            parts.append(line((left, middle), (right, middle), "thin", colour=colour))
        parts.append(dot((x(estimate.value or 0.0), middle), colour=colour))
    return svg_document(width, height, parts, label=f"Estimates for {one.name}")


_NARROW = ("ips", "snips", "dr", "cressie_read", "anytime")
_ESTIMATORS = {
    "ips": "IPS",
    "snips": "SNIPS",
    "dm": "DM",
    "dr": "DR",
    "switch_dr": "SWITCH-DR",
    "dr_os": "DRos",
    "cressie_read": "Cressie–Read",
    "clopper_pearson": "Clopper–Pearson",
    "empirical_bernstein": "emp. Bernstein",
    "anytime": "anytime",
}


def draw_weights(bars: Sequence[HistogramBar], /, *, colour: str) -> str:
    """Draws importance weights by powers of two: the share of decisions, and (solid) of all weight."""
    columns = _columns(bars)
    if not columns:
        return ""
    width, height, base = 470, 96, 74
    each = (width - 8) / len(columns)
    most = max(max(rows, share) for _, rows, share in columns)
    parts = [line((0, base), (width, base), "axis")]
    for index, (low, rows, share) in enumerate(columns):
        left = 4 + each * index
        for part, kind, offset in ((rows, "pale", 0.06), (share, "full", 0.5)):
            tall = 62 * part / most
            parts.append(box((left + offset * each, base - tall), each * 0.42, tall, kind, colour=colour))
        if each >= 34 or low in (0.0, 1.0) or index == len(columns) - 1:
            parts.append(text((left + each / 2, base + 16), _format_weight(low), "tick", anchor="middle"))
    return svg_document(width, height, parts, label="Importance weights")


def _columns(bars: Sequence[HistogramBar]) -> list[tuple[float, float, float]]:
    """Returns each power of two from 1/8 on, with shares of decisions and weight; 0: all below."""
    total = sum(bar.rows for bar in bars)
    heavy = [bar for bar in bars if bar.low >= _SMALL]
    light = [bar for bar in bars if bar.low < _SMALL]
    columns = {0.0: (sum(bar.rows for bar in light), sum(bar.share for bar in light))} if light else {}
    low, high = (min(bar.low for bar in heavy), max(bar.low for bar in heavy)) if heavy else (1.0, 0.5)
    while low <= high:
        columns[low] = next(((bar.rows, bar.share) for bar in heavy if bar.low == low), (0, 0.0))
        low *= 2
    return [(start, rows / total, share) for start, (rows, share) in columns.items()]


def _format_weight(low: float) -> str:
    if low == 0:
        return "< 1/8"
    return drawing.format_number(low) if low >= 1 else f"1/{round(1 / low)}"


_SMALL = 0.125


_MIN_EXPECTED = 5.0
"""Bins in which fewer choices were expected are too noisy to show."""


def draw_calibration(bins: Sequence[CalibrationBin], /) -> str:
    """Draws how often actions were chosen over how often their logged probabilities predict, by bins."""
    shown = [one for one in bins if one.expected >= _MIN_EXPECTED]
    if not shown:
        return ""
    width, height, left, bottom = 1040, 230, 52, 186
    ratios = [(one.observed / one.expected, 2 * one.error / one.expected) for one in shown]
    reach = max([0.1, *(min(1.0, abs(ratio - 1) + error) for ratio, error in ratios)])
    y = Scale(1 - 1.1 * reach, 1 + 1.1 * reach, bottom, 12)
    each = (width - left) / len(shown)
    parts = [line((left, y(tick)), (width, y(tick)), "grid") for tick in y.ticks(4)]
    parts += [text((left - 8, y(tick) + 4), f"{tick:.0%}", "tick", anchor="end") for tick in y.ticks(4)]
    parts.append(line((left, y(1)), (width, y(1)), "axis"))
    for index, (one, (ratio, error)) in enumerate(zip(shown, ratios, strict=True)):
        at = left + each * (index + 0.5)
        colour = "#C0392B" if abs(one.deviation) > 4 else "#0072B2"
        parts.append(line((at, y(ratio - error)), (at, y(ratio + error)), "thick", colour=colour))
        parts.append(dot((at, y(ratio)), colour=colour, radius=5))
        parts.append(text((at, bottom + 18), f"{one.low:.0%}–{one.high:.0%}", "tick", anchor="middle"))
        parts.append(text((at, bottom + 34), f"{one.observed:,}", "tick faint", anchor="middle"))
    return svg_document(width, height, parts, label="Calibration of the logged probabilities")


def draw_effects(effects: Sequence[Effect], /, *, label: str, most: int = 25) -> str:
    """Draws a reward per decision for each feature or group of features, with intervals."""
    shown = effects[:most]
    if not shown:
        return ""
    width, row, left = 1040, 24, 250
    height = row * len(shown) + 26
    x = scale_over([0.0, *(end for one in shown for end in (one.low, one.high))], start=left, end=width - 76)
    parts = [line((x(tick), 0), (x(tick), height - 24), "grid") for tick in x.ticks(6)]
    parts += [
        text((x(tick), height - 6), drawing.format_number(tick), "tick", anchor="middle") for tick in x.ticks(6)
    ]
    parts.append(line((x(0), 0), (x(0), height - 24), "axis"))
    for index, one in enumerate(shown):
        middle = row * index + row / 2
        colour = "#009E73" if one.low > 0 else "#D55E00" if one.high < 0 else "#7F7F7F"
        parts.append(text((left - 12, middle + 4), shorten(_name_features(one), 34), "name", anchor="end"))
        corner, wide = min(x(0), x(one.effect)), abs(x(one.effect) - x(0))
        parts.append(box((corner, middle - 6), wide, 12, "pale", colour=colour))
        parts.append(line((x(one.low), middle), (x(one.high), middle), "thin", colour=colour))
        parts.append(dot((x(one.effect), middle), colour=colour))
        parts.append(text((width, middle + 4), f"{one.effect:+.4f}", "tick", anchor="end"))
    return svg_document(width, height, parts, label=label)


def _name_features(one: Effect) -> str:
    if one.feature:
        return f"{one.namespace}.{one.feature}"
    return f"{one.namespace} (all)" if one.namespace else "all others"


SeriesByPolicy = Mapping[str, Sequence[SeriesPoint]]


def draw_time_chart(
    series: SeriesByPolicy,
    colours: Mapping[str, str],
    /,
    *,
    banded: Sequence[str],
    label: str,
    height: int = 330,
) -> str:
    """Draws values over time, a line for each policy; those in ``banded`` with their anytime intervals.

    Lines have gaps where values lie beyond the scale, which leaves out how widely the first values swing.
    """
    width, left, right, bottom = 1040, 52, 178, height - 30
    points = [point for policy_series in series.values() for point in policy_series if point.value is not None]
    if not points:
        return ""
    start, end = min(one.start_us for one in points), max(one.start_us for one in points)
    x = Scale(start, max(end, start + 1), left, width - right)
    y = _value_scale(series, banded, top=12, bottom=bottom)
    parts = [*_grid(x, y, width - right, bottom)]
    for name in banded:
        parts.append(_band(series.get(name, ()), x, y, colours[name]))
    for name, policy_series in series.items():
        known = [(one.start_us, one.value) for one in policy_series if one.value is not None]
        for inside, run in groupby(known, key=lambda point: y.low <= point[1] <= y.high):
            if inside:
                run_points = [(x(start_us), y(value)) for start_us, value in run]
                parts.append(path(run_points, "online" if name == "Online" else "series", colour=colours[name]))
    parts.extend(_names(series, colours, y, at=width - right + 10, low=14, high=bottom))
    return svg_document(width, height, parts, label=label)


def _value_scale(series: SeriesByPolicy, banded: Sequence[str], *, top: float, bottom: float) -> Scale:
    """Returns the scale of values: that of the lines without their first points, which swing widely."""
    values = []
    for policy_series in series.values():
        known = [one.value for one in policy_series if one.value is not None]
        values += known[len(known) // 6 :]
    for name in banded:
        known_bands = [one.anytime for one in series.get(name, ()) if one.anytime is not None]
        for band in known_bands[len(known_bands) // 3 :]:
            values += [band.lower, band.upper]
    return scale_over(values, start=bottom, end=top)


def _grid(x: Scale, y: Scale, right: float, bottom: float) -> list[str]:
    parts = []
    for tick in y.ticks(5):
        parts.append(line((x.start, y(tick)), (right, y(tick)), "grid"))
        parts.append(text((x.start - 8, y(tick) + 4), drawing.format_number(tick), "tick", anchor="end"))
    count = 5
    for index in range(count + 1):
        at_us = x.low + (x.high - x.low) * index / count
        anchor = "start" if index == 0 else "end" if index == count else "middle"
        parts.append(text((x(at_us), bottom + 20), _format_time(at_us, x.high - x.low), "tick", anchor=anchor))
    return parts


def _format_time(at_us: float, span_us: float) -> str:
    time = datetime.fromtimestamp(at_us / 1e6, UTC)
    if span_us > 4 * DAY_US:
        return time.strftime("%-d %b")
    if span_us > 10 * MINUTE_US:
        return time.strftime("%-d %b %H:%M")
    return time.strftime("%H:%M:%S")


def _band(points: Sequence[SeriesPoint], x: Scale, y: Scale, colour: str) -> str:
    known = [(x(one.start_us), one.anytime) for one in points if one.anytime is not None]
    upper = [(at, y(band.upper)) for at, band in known]
    lower = [(at, y(band.lower)) for at, band in known]
    return area(upper, lower, "band", colour=colour)


def _names(
    series: SeriesByPolicy, colours: Mapping[str, str], y: Scale, *, at: float, low: float, high: float
) -> list[str]:
    ends = []
    for name, points in series.items():
        known = [one.value for one in points if one.value is not None]
        if known:
            ends.append((name, known[-1]))
    heights = spread_apart([y(value) for _, value in ends], 17, low=low, high=high)
    return [
        text(
            (at, height + 4),
            f"{shorten(name)} {value:.3f}",
            "name strong" if name == "Online" else "name",
            colour=colours[name],
        )
        for (name, value), height in zip(ends, heights, strict=True)
    ]

"""What stands behind the estimate of one policy, drawn."""

from collections.abc import Sequence

from sartor.estimators.interval import Interval
from sartor.estimators.results_table import HistogramBar, ResultRow
from sartor.evaluation.html import svg as drawing
from sartor.evaluation.html.svg import Scale, box, dot, line, scale_over, svg_document, text


def shared_scale(entries: Sequence[ResultRow], width: int, /) -> Scale:
    """One scale for the intervals of all policies, that none of them squeezes beyond use."""
    values = [one.value for one in entries if one.value is not None]
    ends = [end for one in entries for end in _ends(one.gaussian)]
    return scale_over([*values, *ends], start=6, end=width - 6)


def draw_intervals(one: ResultRow, scale: Scale, online: float | None, /, *, colour: str, width: int) -> str:
    """A policy's value, its Gaussian interval (thick) and its anytime interval (thin), on the common scale."""
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
    return svg_document(width, height, parts, label=f"{one.name}: {_said(one)}")


def _said(one: ResultRow) -> str:
    if one.value is None:
        return "no number"
    interval = one.gaussian
    return f"{one.value:.4g}" + ("" if interval is None else f", {interval.lower:.4g} to {interval.upper:.4g}")


def _ends(interval: Interval | None) -> tuple[float, ...]:
    return () if interval is None else (interval.lower, interval.upper)


def draw_estimators(one: ResultRow, /, *, colour: str) -> str:
    """What each estimator says of one policy, beside one another."""
    told = [estimate for estimate in one.estimates if estimate.value is not None]
    width, row = 470, 21
    height = row * len(told) + 24
    ends = [end for estimate in told if estimate.estimator in _NARROW for end in _ends(estimate.interval)]
    x = scale_over([*ends, *(estimate.value or 0.0 for estimate in told)], start=128, end=width - 8)
    parts = [line((x(tick), 0), (x(tick), height - 22), "grid") for tick in x.ticks(4)]
    parts += [text((x(tick), height - 6), drawing.number(tick), "tick", anchor="middle") for tick in x.ticks(4)]
    for place, estimate in enumerate(told):
        middle = row * place + row / 2
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
    """Importance weights by powers of two: the share of decisions, and (solid) of all weight."""
    columns = _columns(bars)
    if not columns:
        return ""
    width, height, base = 470, 96, 74
    each = (width - 8) / len(columns)
    most = max(max(rows, share) for _, rows, share in columns)
    parts = [line((0, base), (width, base), "axis")]
    for place, (low, rows, share) in enumerate(columns):
        left = 4 + each * place
        for part, kind, offset in ((rows, "pale", 0.06), (share, "full", 0.5)):
            tall = 62 * part / most
            parts.append(box((left + offset * each, base - tall), each * 0.42, tall, kind, colour=colour))
        if each >= 34 or low in (0.0, 1.0) or place == len(columns) - 1:
            parts.append(text((left + each / 2, base + 16), _weight(low), "tick", anchor="middle"))
    return svg_document(width, height, parts, label="Importance weights")


def _columns(bars: Sequence[HistogramBar]) -> list[tuple[float, float, float]]:
    """Each power of two from 1/8 on, without gaps, with its shares of decisions and of weight; 0: all below."""
    total = sum(bar.rows for bar in bars)
    heavy = [bar for bar in bars if bar.low >= _SMALL]
    light = [bar for bar in bars if bar.low < _SMALL]
    found = {0.0: (sum(bar.rows for bar in light), sum(bar.share for bar in light))} if light else {}
    low, high = (min(bar.low for bar in heavy), max(bar.low for bar in heavy)) if heavy else (1.0, 0.5)
    while low <= high:
        found[low] = next(((bar.rows, bar.share) for bar in heavy if bar.low == low), (0, 0.0))
        low *= 2
    return [(start, rows / total, share) for start, (rows, share) in found.items()]


def _weight(low: float) -> str:
    if low == 0:
        return "< 1/8"
    return drawing.number(low) if low >= 1 else f"1/{round(1 / low)}"


_SMALL = 0.125

"""What the log says of itself, and of its features, drawn."""

from collections.abc import Sequence

from sartor.estimators.calibration import CalibrationBin
from sartor.estimators.leave_one_out import Effect
from sartor.evaluation.html import svg as drawing
from sartor.evaluation.html.svg import Scale, box, dot, line, scale_over, shortened, svg_document, text

_LEAST = 5.0
"""Classes in which fewer choices were to be expected say nothing."""


def draw_calibration(classes: Sequence[CalibrationBin], /) -> str:
    """How often actions were chosen, beside how often their logged probabilities say."""
    told = [one for one in classes if one.expected >= _LEAST]
    if not told:
        return ""
    width, height, left, bottom = 1040, 230, 52, 186
    ratios = [(one.observed / one.expected, 2 * one.error / one.expected) for one in told]
    reach = max([0.1, *(min(1.0, abs(ratio - 1) + error) for ratio, error in ratios)])
    y = Scale(1 - 1.1 * reach, 1 + 1.1 * reach, bottom, 12)
    each = (width - left) / len(told)
    parts = [line((left, y(tick)), (width, y(tick)), "grid") for tick in y.ticks(4)]
    parts += [text((left - 8, y(tick) + 4), f"{tick:.0%}", "tick", anchor="end") for tick in y.ticks(4)]
    parts.append(line((left, y(1)), (width, y(1)), "axis"))
    for place, (one, (ratio, error)) in enumerate(zip(told, ratios, strict=True)):
        at = left + each * (place + 0.5)
        colour = "#C0392B" if abs(one.deviation) > 4 else "#0072B2"
        parts.append(line((at, y(ratio - error)), (at, y(ratio + error)), "thick", colour=colour))
        parts.append(dot((at, y(ratio)), colour=colour, radius=5))
        parts.append(text((at, bottom + 18), f"{one.low:.0%}–{one.high:.0%}", "tick", anchor="middle"))
        parts.append(text((at, bottom + 34), f"{one.observed:,}", "tick faint", anchor="middle"))
    return svg_document(width, height, parts, label="Calibration of the logged probabilities")


def draw_effects(found: Sequence[Effect], /, *, most: int = 25) -> str:
    """What leaving each feature out costs, with intervals."""
    told = found[:most]
    if not told:
        return ""
    width, row, left = 1040, 24, 250
    height = row * len(told) + 26
    x = scale_over([0.0, *(end for one in told for end in (one.low, one.high))], start=left, end=width - 76)
    parts = [line((x(tick), 0), (x(tick), height - 24), "grid") for tick in x.ticks(6)]
    parts += [text((x(tick), height - 6), drawing.number(tick), "tick", anchor="middle") for tick in x.ticks(6)]
    parts.append(line((x(0), 0), (x(0), height - 24), "axis"))
    for place, one in enumerate(told):
        middle = row * place + row / 2
        colour = "#009E73" if one.low > 0 else "#D55E00" if one.high < 0 else "#7F7F7F"
        name = f"{one.namespace}.{one.feature}" if one.feature else f"{one.namespace} (all)"
        parts.append(text((left - 12, middle + 4), shortened(name, 34), "name", anchor="end"))
        corner, wide = min(x(0), x(one.effect)), abs(x(one.effect) - x(0))
        parts.append(box((corner, middle - 6), wide, 12, "pale", colour=colour))
        parts.append(line((x(one.low), middle), (x(one.high), middle), "thin", colour=colour))
        parts.append(dot((x(one.effect), middle), colour=colour))
        parts.append(text((width, middle + 4), f"{one.effect:+.4f}", "tick", anchor="end"))
    return svg_document(width, height, parts, label="What leaving a feature out costs")

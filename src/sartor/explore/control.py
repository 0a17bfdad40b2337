"""Draws whether a decision is the control group's, which the baseline answers; see ``mixture.py``."""

from msgspec import Struct

from sartor.explore.draw import draw_point
from sartor.feature_names import CONTEXT, find_value
from sartor.mixture import MixtureRules

_PURPOSE = b"control group"


class ControlDraw(Struct, frozen=True):
    """Whether the control group answers, and the point in [0, 1) with which the action is drawn otherwise.

    ``feature``: by whose value; empty where the decision was drawn on its own. ``share``: the probability.
    """

    point: float
    share: float = 0.0
    feature: str = ""
    in_control: bool = False


def draw_control(rules: MixtureRules, /, *, context: bytes, loop_id: str, event_id: str) -> ControlDraw:
    """Draw for a decision.

    By event, the control group has the points below its share, and the others are spread over [0, 1) again:
    one draw decides both, and their mixture is exact. By the value of a feature it has the values whose hash,
    keyed with the loop id, is below its share: the same ones for good, and a larger share only adds to them.

    Args:
        rules: of the loop.
        context: features of the context, canonical: JSON array of feature objects.
        loop_id: seeds the draw.
        event_id: of the decision.
    """
    point, share = draw_point(loop_id, event_id), rules.control_share
    if not share:
        return ControlDraw(point)
    if feature := rules.control_feature:
        name = feature if "." in feature else f"{CONTEXT}.{feature}"
        if value := find_value(context, name, namespace=CONTEXT):
            return ControlDraw(point, share, feature, draw_point(loop_id, value, _PURPOSE) < share)
    if point < share:
        return ControlDraw(point, share, in_control=True)
    return ControlDraw((point - share) / (1.0 - share), share)

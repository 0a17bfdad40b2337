"""Whether a line from elsewhere asks more of an engine than a request here may (``settings.Limits``)."""

from itertools import chain

import msgspec

from sartor.api import measure
from sartor.features import Features
from sartor.records import Decision
from sartor.settings import Limits

_decode = msgspec.json.Decoder(Features).decode


def fits(decision: Decision, line: bytes, /, *, limits: Limits) -> bool:
    """Whether it has no more features, and no more pairs of them, than the limits allow."""
    looks = max(1, len(decision.slots))
    if measure.surely_fits(line, actions=looks * len(decision.actions), limits=limits):
        return True
    context = measure.features(_decode(decision.context))
    actions = [measure.features(_decode(action.features)) for action in decision.actions]
    slots = [measure.features(_decode(slot.features)) for slot in decision.slots]
    total = sum(chain([context], actions, slots))
    pairs = looks * measure.pairs(context + max(slots, default=0), actions)
    return total <= limits.features and pairs <= limits.feature_pairs

"""Ranks of several slots: from a request to the decision of the model that serves, and to the answer."""

import msgspec

from sartor.api.desks import Desk
from sartor.api.multislot_wire import MultiSlotRankResponse, SlotResponse
from sartor.errors import EngineRefused
from sartor.explore.answer import answered_slots
from sartor.explore.asking import slot_odds
from sartor.explore.slots import MultiRequest, decide_slots
from sartor.records import NO_MODEL, Decision

_encode = msgspec.json.Encoder().encode


def decided_slots(desk: Desk, request: MultiRequest, /) -> Decision:
    """The decision of the model that serves; uniform before there is one.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    engine = desk.slots_engine
    try:
        return decide_slots(
            request,
            odds=slot_odds(engine, request),
            loop_id=desk.loop.loop_id,
            model_id=NO_MODEL if engine is None else desk.live.model_id,
            settings_version=desk.loop.version,
            mode=desk.loop.settings.learning_mode,
        )
    except ValueError as error:
        raise EngineRefused from error


def slots_body(decision: Decision, /) -> bytes:
    """The answer to a rank of several slots (contract, sections 1.4 and 2.10)."""
    slots = [
        SlotResponse(slot.id, decision.actions[slot.chosen].id, slot.probability)
        for slot in answered_slots(decision)
    ]
    return _encode(MultiSlotRankResponse(slots=slots, event_id=decision.event_id))

"""Ranks of several slots: from a request to the decision of the model that serves, and to the answer."""

import msgspec

from sartor.access.served_loops import ServedLoop
from sartor.api.dataplane.multislot_wire import MultiSlotRankResponse, SlotResponse
from sartor.errors import EngineRefused
from sartor.explore.response_view import view_slots
from sartor.explore.slots import decide_slots
from sartor.inference import slot_predictor
from sartor.records import NO_MODEL, Decision, MultiSlotInput

_encode = msgspec.json.Encoder().encode


def decide_multislot(served_loop: ServedLoop, request: MultiSlotInput, /) -> Decision:
    """The decision of the model that serves; uniform before there is one.

    Raises:
        EngineRefused: the engine can't rank this request.
    """
    engine = served_loop.slots_engine
    try:
        return decide_slots(
            request,
            predict=slot_predictor(engine, request),
            loop_id=served_loop.loop.loop_id,
            model_id=NO_MODEL if engine is None else served_loop.live.model_id,
            settings_version=served_loop.loop.version,
            mode=served_loop.loop.settings.learning_mode,
        )
    except ValueError as error:
        raise EngineRefused from error


def encode_multislot(decision: Decision, /) -> bytes:
    """The answer to a rank of several slots (contract, sections 1.4 and 2.10)."""
    slots = [
        SlotResponse(slot.id, decision.actions[slot.chosen].id, slot.probability)
        for slot in view_slots(decision)
    ]
    return _encode(MultiSlotRankResponse(slots=slots, event_id=decision.event_id))

"""Recomputing a past decision: what was asked then, and whether the answer is the same now."""

from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import request_probabilities, slot_predictor
from sartor.ports import Engine
from sartor.records import Decision, MultiRequest, Request, SlotRequest


def asked(decision: Decision, /) -> Request:
    """The request that a decision answered."""
    return Request(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        excluded=decision.excluded,
        deferred=decision.deferred,
    )


def asked_slots(decision: Decision, /) -> MultiRequest:
    """The request that a multi-slot decision answered."""
    slots = [
        SlotRequest(id=slot.id, features=slot.features, baseline=slot.baseline, excluded=slot.excluded)
        for slot in decision.slots
    ]
    return MultiRequest(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        slots=tuple(slots),
        deferred=decision.deferred,
    )


def recomputed(decision: Decision, engine: Engine | None, /, *, loop_id: str) -> Decision:
    """The decision that the engine makes now of the same request, under the same model id and mode.

    Args:
        decision: one of the past.
        engine: with the model that made it; None: there was no model.
        loop_id: of its loop.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    if decision.slots:
        request = asked_slots(decision)
        return decide_slots(
            request,
            predict=slot_predictor(engine, request),
            loop_id=loop_id,
            model_id=decision.model_id,
            settings_version=decision.settings_version,
            mode=decision.mode,
        )
    return decide(
        asked(decision),
        probabilities=request_probabilities(engine, asked(decision)),
        loop_id=loop_id,
        model_id=decision.model_id,
        settings_version=decision.settings_version,
        mode=decision.mode,
    )


def differences(decision: Decision, again: Decision, /) -> list[str]:
    """The names of the fields in which a recomputed decision differs; none: it is the same, bit for bit."""
    fields = Decision.__struct_fields__
    return [name for name in fields if getattr(decision, name) != getattr(again, name)]

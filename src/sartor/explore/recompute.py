"""Recomputing a past decision: what was asked then, and whether the answer is the same now."""

from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import request_probabilities, slot_predictor
from sartor.ports import Engine
from sartor.records import Decision, MultiSlotInput, RankInput, SlotInput


def request_of(decision: Decision, /) -> RankInput:
    """The request that a decision answered."""
    return RankInput(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        excluded=decision.excluded,
        deferred=decision.deferred,
    )


def slots_request_of(decision: Decision, /) -> MultiSlotInput:
    """The request that a multi-slot decision answered."""
    slots = [
        SlotInput(id=slot.id, features=slot.features, baseline=slot.baseline, excluded=slot.excluded)
        for slot in decision.slots
    ]
    return MultiSlotInput(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        slots=tuple(slots),
        deferred=decision.deferred,
    )


def recompute_decision(decision: Decision, engine: Engine | None, /, *, loop_id: str) -> Decision:
    """The decision that the engine makes now of the same request, under the same model id and mode.

    Args:
        decision: one of the past.
        engine: with the model that made it; None: there was no model.
        loop_id: of its loop.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    if decision.slots:
        request = slots_request_of(decision)
        return decide_slots(
            request,
            predict=slot_predictor(engine, request),
            loop_id=loop_id,
            model_id=decision.model_id,
            settings_version=decision.settings_version,
            mode=decision.mode,
        )
    return decide(
        request_of(decision),
        probabilities=request_probabilities(engine, request_of(decision)),
        loop_id=loop_id,
        model_id=decision.model_id,
        settings_version=decision.settings_version,
        mode=decision.mode,
    )


def differing_fields(decision: Decision, again: Decision, /) -> list[str]:
    """The names of the fields in which a recomputed decision differs; none: it is the same, bit for bit."""
    fields = Decision.__struct_fields__
    return [name for name in fields if getattr(decision, name) != getattr(again, name)]

"""Recomputes a past decision: rebuilds its request, decides it again, and compares the two."""

from msgspec.structs import replace

from sartor.explore.decide import decide
from sartor.explore.slots import decide_slots
from sartor.inference import request_probabilities, slot_predictor
from sartor.mixture import MixtureRules
from sartor.ports import Engine
from sartor.records import Decision, MultiSlotInput, RankInput, SlotInput


def rebuild_request(decision: Decision, /) -> RankInput:
    """Returns the single-slot request that a decision answered."""
    return RankInput(
        event_id=decision.event_id,
        context=decision.context,
        actions=decision.actions,
        excluded=decision.excluded,
        deferred=decision.deferred,
    )


def rebuild_slots_request(decision: Decision, /) -> MultiSlotInput:
    """Returns the request that a multi-slot decision answered."""
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


def rebuild_rules(decision: Decision) -> MixtureRules:
    """Returns what was mixed into the model's probabilities when a decision was made."""
    return MixtureRules(
        control_share=decision.control_share,
        control_feature=decision.control_feature,
        floor=decision.floor,
    )


def recompute_decision(decision: Decision, engine: Engine | None, /, *, loop_id: str) -> Decision:
    """Returns the decision that the engine makes now for the same request, model id and mode.

    Args:
        decision: a past decision.
        engine: holds the model that made it; None: there was no model.
        loop_id: of its loop.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    if decision.slots:
        request = rebuild_slots_request(decision)
        return decide_slots(
            request,
            predict=slot_predictor(engine, request),
            loop_id=loop_id,
            model_id=decision.model_id,
            settings_version=decision.settings_version,
            mode=decision.mode,
            rules=rebuild_rules(decision),
        )
    single = rebuild_request(decision)
    return decide(
        single,
        probabilities=request_probabilities(engine, single),
        loop_id=loop_id,
        model_id=decision.model_id,
        settings_version=decision.settings_version,
        mode=decision.mode,
        rules=rebuild_rules(decision),
    )


def find_differing_fields(decision: Decision, recomputed: Decision, /, *, tolerance: float = 0.0) -> list[str]:
    """Returns the names of the fields in which a recomputed decision differs; empty: the same.

    Args:
        decision: a past decision.
        recomputed: the same, decided again.
        tolerance: by how much a probability may differ; 0: not by a bit.
    """
    fields = Decision.__struct_fields__
    differing = [name for name in fields if getattr(decision, name) != getattr(recomputed, name)]
    if tolerance and differing and _is_close(decision, recomputed, tolerance):
        return []
    return differing


def _is_close(decision: Decision, recomputed: Decision, tolerance: float) -> bool:
    """Whether two decisions are the same but for probabilities, which are close."""
    pairs = list(zip(_list_probabilities(decision), _list_probabilities(recomputed), strict=False))
    return _without_probabilities(decision) == _without_probabilities(recomputed) and all(
        len(one) == len(other) and all(map(lambda p, q: abs(p - q) <= tolerance, one, other))
        for one, other in pairs
    )


def _list_probabilities(decision: Decision) -> list[tuple[float, ...]]:
    return [decision.probabilities, *(slot.probabilities for slot in decision.slots)]


def _without_probabilities(decision: Decision) -> Decision:
    slots = tuple([replace(slot, probabilities=()) for slot in decision.slots])
    return replace(decision, probabilities=(), slots=slots)

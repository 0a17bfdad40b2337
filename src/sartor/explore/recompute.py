"""Recomputes a past decision: rebuilds its request, decides it again, and compares the two."""

from collections.abc import Sequence

from msgspec.structs import replace

from sartor.explore.control import draw_control
from sartor.explore.decide import decide
from sartor.explore.draw import draw_point, pick_action
from sartor.explore.slots import decide_slots, slot_seed
from sartor.inference import request_probabilities, slot_predictor
from sartor.mixture import MixtureRules, raise_to_floor
from sartor.ports import Engine
from sartor.ranking import normalise
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


def are_near(one: Sequence[float], other: Sequence[float], tolerance: float, /) -> bool:
    """Whether probabilities differ by no more than the tolerance."""
    return len(one) == len(other) and all(map(lambda p, q: abs(p - q) <= tolerance, one, other))


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
    pairs = zip(_list_probabilities(decision), _list_probabilities(recomputed), strict=False)
    return _without_probabilities(decision) == _without_probabilities(recomputed) and all(
        are_near(one, other, tolerance) for one, other in pairs
    )


def _list_probabilities(decision: Decision) -> list[tuple[float, ...]]:
    """Those of the decision, and then those of each slot, if it has several; the first are in there twice."""
    return [decision.probabilities, *(slot.probabilities for slot in decision.slots)]


def _without_probabilities(decision: Decision) -> Decision:
    slots = tuple([replace(slot, probabilities=()) for slot in decision.slots])
    return replace(decision, probabilities=(), slots=slots)


def is_drawn_by_rounding(
    decision: Decision, recomputed: Decision, engine: Engine, /, *, loop_id: str, tolerance: float
) -> bool:
    """Whether another action is drawn only because the last bits of probabilities are others.

    So it is where all probabilities up to the first other action are close, and the draw falls so near to the
    border between two actions that the recorded one is drawn when the border moves by the tolerance times the
    number of actions, which is as far as it can move. What follows in later slots depends on that action.

    Args:
        decision: a past decision.
        recomputed: the same, decided again.
        engine: what it was decided with again.
        loop_id: of its loop.
        tolerance: by how much a probability may differ.

    Raises:
        EngineRefused: the engine can't rank the request.
    """
    chosen = zip(_list_chosen(decision), _list_chosen(recomputed), strict=True)
    number = next((place for place, (one, other) in enumerate(chosen) if one != other), None)
    if number is None or decision.in_control or _without_draws(decision) != _without_draws(recomputed):
        return False
    one, other = (_list_probabilities(made)[: number + 2] for made in (decision, recomputed))
    if one == other or not all(map(lambda p, q: are_near(p, q, tolerance), one, other)):
        return False
    offered = list(decision.offered(number))
    if decision.slots:
        predict = slot_predictor(engine, rebuild_slots_request(decision))
        drawn_with = predict([slot.chosen for slot in decision.slots[:number]], offered)
    else:
        drawn_with = request_probabilities(engine, rebuild_request(decision))
    used = normalise(drawn_with)
    used = raise_to_floor(used, decision.floor) if decision.floor else used
    point, reach = _find_point(decision, loop_id, number), tolerance * len(offered)
    near = {offered[pick_action(used, moved)] for moved in (point - reach, point + reach)}
    return _list_chosen(decision)[number] in near


def _find_point(decision: Decision, loop_id: str, number: int) -> float:
    if number:
        return draw_point(loop_id, slot_seed(decision.event_id, number))
    rules = rebuild_rules(decision)
    return draw_control(rules, context=decision.context, loop_id=loop_id, event_id=decision.event_id).point


def _list_chosen(decision: Decision) -> list[int]:
    return [slot.chosen for slot in decision.slots] or [decision.chosen]


def _without_draws(decision: Decision) -> Decision:
    """A decision less what the draws decide."""
    slots = tuple([replace(slot, probabilities=(), ranking=(), chosen=0) for slot in decision.slots])
    return replace(decision, probabilities=(), ranking=(), chosen=0, slots=slots)

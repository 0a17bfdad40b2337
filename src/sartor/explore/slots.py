"""Decides several slots: one after the other, each with a different action (contract, section 2.10).

The engine draws for several slots by itself, in a way that can't be recomputed. So each slot is drawn here: the
engine is queried for the probabilities of one slot, given the actions drawn for those before it.
"""

from collections.abc import Sequence

from sartor.explore.control import ControlDraw, draw_control
from sartor.explore.draw import draw_point, pick_action
from sartor.explore.slot_matching import SlotMatching
from sartor.inference import SlotPredictor
from sartor.mixture import NO_MIXTURE, MixtureRules, mix_control, raise_to_floor
from sartor.ranking import keep_positions, normalise, order_actions, scatter
from sartor.records import Decision, Mode, MultiSlotInput, Slot, SlotInput, open_indexes


def decide_slots(
    request: MultiSlotInput,
    /,
    *,
    predict: SlotPredictor,
    loop_id: str,
    model_id: str,
    settings_version: int,
    mode: Mode = "Online",
    rules: MixtureRules = NO_MIXTURE,
) -> Decision:
    """Draw an action for each slot, in order, none twice: returns the record of the decision.

    An action is offered to a slot unless it is excluded there, an earlier slot took it, or a later slot could
    not be filled without it. Within a slot the actions are ranked as in ``decide``: those that it excludes, or
    that an earlier slot took, keep their positions.

    The control group answers in all slots or in none: its baselines never lead into a dead end. The logged
    probabilities of a slot are those of the mixture, given the slots before it.

    Args:
        request: the request.
        predict: called once for each slot, in order; not in LoggingOnly.
        loop_id: seeds the draws, together with the event id and the index of the slot.
        model_id: the model behind the probabilities, or ``NO_MODEL``.
        settings_version: the version of the loop's settings.
        mode: the learning mode of the loop: in LoggingOnly each slot gets its baseline, for certain.
        rules: what is mixed into the probabilities, in Online only; the floor is one for each slot.

    Raises:
        ValueError: ``predict`` did not return one probability for each offered action, or no distribution.
    """
    applied = rules if mode == "Online" else NO_MIXTURE
    drawn = draw_control(applied, context=request.context, loop_id=loop_id, event_id=request.event_id)
    if mode == "LoggingOnly":
        slots = _fill_with_baselines(request)
    else:
        slots = _draw_slots(request, predict, loop_id, drawn, applied.floor)
    first = slots[0]
    return Decision(
        event_id=request.event_id,
        context=request.context,
        actions=request.actions,
        excluded=first.excluded,
        probabilities=first.probabilities,
        ranking=first.ranking,
        chosen=first.chosen,
        model_id=model_id,
        settings_version=settings_version,
        mode=mode,
        deferred=request.deferred,
        slots=slots,
        control_share=drawn.share,
        control_feature=drawn.feature,
        in_control=drawn.in_control,
        floor=applied.floor,
    )


def slot_seed(event_id: str, number: int, /) -> str:
    """Returns what the draw of a slot depends on besides the loop; ``number`` counts from 0.

    No event id holds a NUL.
    """
    return event_id if number == 0 else f"{event_id}\0{number}"


def _draw_slots(
    request: MultiSlotInput, predict: SlotPredictor, loop_id: str, drawn: ControlDraw, floor: float
) -> tuple[Slot, ...]:
    matching = _match_baselines(request)
    taken: list[int] = []
    slots: list[Slot] = []
    # How likely the control group answers, and how likely the model does, given the slots so far.
    control, rest = drawn.share, 1.0 - drawn.share
    for number, slot in enumerate(request.slots):
        offered = matching.find_offered()
        probabilities = normalise(predict(taken, offered))
        if len(probabilities) != len(offered):
            raise ValueError(f"{len(probabilities)} probabilities for {len(offered)} actions")
        if floor:
            probabilities = raise_to_floor(probabilities, floor)
        if drawn.in_control:
            place = offered.index(slot.baseline)
        else:
            seed = slot_seed(request.event_id, number)
            place = pick_action(probabilities, draw_point(loop_id, seed) if number else drawn.point)
        if control:  # all slots before have their baselines, so this one is offered its own
            baseline = offered.index(slot.baseline)
            mixed = mix_control(probabilities, baseline, share=control, rest=rest)
            if place == baseline:
                control, rest = control / mixed[baseline], rest * probabilities[baseline] / mixed[baseline]
            else:
                control, rest = 0.0, 1.0
            probabilities = mixed
        slots.append(_build_slot(request, slot, taken, offered, probabilities, place))
        taken.append(offered[place])
        matching.take(offered[place])
    return tuple(slots)


def _match_baselines(request: MultiSlotInput) -> SlotMatching:
    everything = frozenset(range(len(request.actions)))
    return SlotMatching(
        accepted=[everything.difference(slot.excluded) for slot in request.slots],
        matching=[slot.baseline for slot in request.slots],
    )


def _fill_with_baselines(request: MultiSlotInput) -> tuple[Slot, ...]:
    baselines = [slot.baseline for slot in request.slots]
    return tuple(
        _build_slot(request, slot, baselines[:number], [slot.baseline], [1.0], 0)
        for number, slot in enumerate(request.slots)
    )


def _build_slot(
    request: MultiSlotInput,
    slot: SlotInput,
    taken: Sequence[int],
    offered: Sequence[int],
    probabilities: Sequence[float],
    place: int,
) -> Slot:
    count = len(request.actions)
    all_probabilities = scatter(probabilities, offered, count)
    closed = {*slot.excluded, *taken}
    ranked = open_indexes(count, closed)
    order = order_actions([all_probabilities[index] for index in ranked], ranked.index(offered[place]))
    return Slot(
        id=slot.id,
        features=slot.features,
        excluded=slot.excluded,
        baseline=slot.baseline,
        probabilities=tuple(all_probabilities),
        ranking=tuple(keep_positions(closed, [ranked[i] for i in order], count)),
        chosen=offered[place],
    )

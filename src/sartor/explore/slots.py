"""Deciding several slots at once: one after the other, each with another action (contract, section 2.10).

The engine has a draw of its own for several slots, which nobody could compute again. So each slot is drawn
here: the engine is asked for the probabilities of one slot, given what was drawn for those before it.
"""

from collections.abc import Sequence

from sartor.explore.draw import draw, pick
from sartor.explore.ranking import keep_positions, normalise, order_actions, scatter
from sartor.explore.slot_matching import SlotMatching
from sartor.inference import SlotPredictor
from sartor.records import Decision, Mode, MultiSlotInput, Slot, SlotInput


def decide_slots(
    request: MultiSlotInput,
    /,
    *,
    predict: SlotPredictor,
    loop_id: str,
    model_id: str,
    settings_version: int,
    mode: Mode = "Online",
) -> Decision:
    """Draw an action for each slot, in order; no action twice.

    An action is offered to a slot unless it is excluded there, an earlier slot took it, or a later slot could
    not be filled without it. Within a slot the order is made as in ``decide``: actions that it can't take, or
    that an earlier slot took, keep their place.

    Args:
        request: what was asked.
        predict: called once for each slot, in order; not in LoggingOnly.
        loop_id: seeds the draws, together with the event id and the number of the slot.
        model_id: the model behind the probabilities, or ``NO_MODEL``.
        settings_version: the version of the loop's settings.
        mode: the learning mode of the loop: in LoggingOnly each slot gets its baseline, for certain.

    Raises:
        ValueError: what was given is not one probability for each offered action, or they are no distribution.
    """
    slots = _logged(request) if mode == "LoggingOnly" else _drawn(request, predict, loop_id)
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
    )


def slot_seed(event_id: str, number: int, /) -> str:
    """What the draw of a slot depends on besides the loop; ``number`` counts from 0. No event id has a NUL."""
    return event_id if number == 0 else f"{event_id}\0{number}"


def _drawn(request: MultiSlotInput, predict: SlotPredictor, loop_id: str) -> tuple[Slot, ...]:
    vacancies = _vacancies(request)
    taken: list[int] = []
    slots: list[Slot] = []
    for number, asked in enumerate(request.slots):
        offered = vacancies.offered()
        probabilities = normalise(predict(taken, offered))
        if len(probabilities) != len(offered):
            raise ValueError(f"{len(probabilities)} probabilities for {len(offered)} actions")
        place = pick(probabilities, draw(loop_id, slot_seed(request.event_id, number)))
        slots.append(_slot(request, asked, taken, offered, probabilities, place))
        taken.append(offered[place])
        vacancies.take(offered[place])
    return tuple(slots)


def _vacancies(request: MultiSlotInput) -> SlotMatching:
    everything = frozenset(range(len(request.actions)))
    return SlotMatching(
        accepted=[everything.difference(slot.excluded) for slot in request.slots],
        filling=[slot.baseline for slot in request.slots],
    )


def _logged(request: MultiSlotInput) -> tuple[Slot, ...]:
    baselines = [slot.baseline for slot in request.slots]
    return tuple(
        _slot(request, slot, baselines[:number], [slot.baseline], [1.0], 0)
        for number, slot in enumerate(request.slots)
    )


def _slot(
    request: MultiSlotInput,
    asked: SlotInput,
    taken: Sequence[int],
    offered: Sequence[int],
    probabilities: Sequence[float],
    place: int,
) -> Slot:
    count = len(request.actions)
    wide = scatter(probabilities, offered, count)
    closed = {*asked.excluded, *taken}
    open_ = [index for index in range(count) if index not in closed]
    order = order_actions([wide[index] for index in open_], open_.index(offered[place]))
    return Slot(
        id=asked.id,
        features=asked.features,
        excluded=asked.excluded,
        baseline=asked.baseline,
        probabilities=tuple(wide),
        ranking=tuple(keep_positions(closed, [open_[i] for i in order], count)),
        chosen=offered[place],
    )

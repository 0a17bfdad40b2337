"""Parses a line of several slots (contract, section 3.2)."""

from collections.abc import Sequence
from itertools import chain

from msgspec import UnsetType

from sartor.dsjson.parse.context import ParsedContext, parse_context
from sartor.dsjson.parse.members import (
    ParsedLine,
    SlotOutcome,
    build_imported,
    check_dropped,
    check_probabilities,
    read_mode,
    read_time_us,
    to_joined,
)
from sartor.errors import InvalidRequest
from sartor.ranking import keep_positions
from sartor.records import ImportedDecision, JoinedObservation, Mode, Slot, open_indexes


def has_probabilities(line: ParsedLine) -> bool:
    """Whether it holds, for every slot, the probabilities with which its action was drawn."""
    return not isinstance(line.outcomes, UnsetType) and all(
        not isinstance(filled.probabilities, UnsetType) and len(filled.probabilities) > 0
        for filled in line.outcomes
    )


def to_imported(line: ParsedLine) -> ImportedDecision:
    """Returns the decision and its outcome.

    Raises:
        InvalidRequest: a member is missing, or contradicts another.
        msgspec.DecodeError: the context holds what no engine can take.
    """
    if isinstance(line.context, UnsetType) or isinstance(line.outcomes, UnsetType):
        raise InvalidRequest("c, the context, is missing.")
    check_dropped(line)
    at_us = read_time_us(line)
    context = parse_context(line.context)
    slots = _read_slots(line, line.outcomes, context)
    joined = _read_observations(line.outcomes, slots, at_us)
    mode, rewards = _read_rewards(line.outcomes, slots)
    return build_imported(
        line, context, slots[0], at_us=at_us, joined=joined, mode=mode, rewards=rewards, slots=tuple(slots)
    )


def _read_slots(line: ParsedLine, outcomes: Sequence[SlotOutcome], context: ParsedContext) -> list[Slot]:
    count = len(context.actions)
    if not 1 <= len(outcomes) <= count or len(outcomes) != len(context.slots):
        raise InvalidRequest(
            f"_outcomes holds {len(outcomes)} slots, c {len(context.slots)}, of {count} actions."
        )
    baselines = None if isinstance(line.baselines, UnsetType) else line.baselines
    slots: list[Slot] = []
    for place, (filled, parsed) in enumerate(zip(outcomes, context.slots, strict=True)):
        excluded = () if parsed.included is None else open_indexes(count, parsed.included)
        closed = {*excluded, *(slot.chosen for slot in slots)}
        offered = open_indexes(count, closed)
        order, probabilities = _read_probabilities(filled, offered, count)
        slots.append(
            Slot(
                id=parsed.id if isinstance(filled.slot_id, UnsetType) else filled.slot_id,
                features=parsed.features,
                excluded=excluded,
                baseline=offered[0] if baselines is None else _read_baseline(baselines, place, excluded, count),
                probabilities=tuple(probabilities),
                ranking=tuple(keep_positions(closed, order, count)),
                chosen=order[0],
            )
        )
    if len({slot.id for slot in slots}) < len(slots):
        raise InvalidRequest("Two slots have the same _id.")
    return slots


def _read_probabilities(
    filled: SlotOutcome, offered: Sequence[int], count: int
) -> tuple[list[int], list[float]]:
    """The actions that the slot could take, in their order, and the probability of each action."""
    if isinstance(filled.order, UnsetType) or isinstance(filled.probabilities, UnsetType):
        raise InvalidRequest("_a, the order of the actions in a slot, is missing.")
    order = filled.order
    if not order or len(set(order)) < len(order) or not set(order) <= set(offered):
        raise InvalidRequest("_a names an action twice, or one that the slot could not take.")
    if len(filled.probabilities) != len(order):
        raise InvalidRequest(f"_p holds {len(filled.probabilities)} probabilities for {len(order)} actions.")
    check_probabilities(filled.probabilities, chosen=filled.probabilities[0])
    of_action = dict(zip(order, filled.probabilities, strict=True))
    rest = [index for index in offered if index not in of_action]
    return [*order, *rest], [of_action.get(index, 0.0) for index in range(count)]


def _read_baseline(baselines: Sequence[int], place: int, excluded: Sequence[int], count: int) -> int:
    if place >= len(baselines) or not 0 <= baselines[place] < count or baselines[place] in excluded:
        raise InvalidRequest("_ba does not name a baseline for each slot.")
    return baselines[place]


def _read_observations(
    outcomes: Sequence[SlotOutcome], slots: Sequence[Slot], at_us: int
) -> list[JoinedObservation]:
    """All observations, slot by slot; a repeated activation counts once."""
    found = chain.from_iterable(
        to_joined(filled.observed, at_us, slot.id) for filled, slot in zip(outcomes, slots, strict=True)
    )
    kept: list[JoinedObservation] = []
    for one in found:
        if one.reward is not None or one not in kept:
            kept.append(one)
    return kept


def _read_rewards(outcomes: Sequence[SlotOutcome], slots: Sequence[Slot]) -> tuple[Mode, list[float]]:
    costs: list[float] = []
    originals: list[float] = []
    for filled in outcomes:
        if isinstance(filled.cost, UnsetType):
            raise InvalidRequest("_label_cost of a slot is missing.")
        costs.append(filled.cost)
        original = filled.original_cost
        originals.append(filled.cost if isinstance(original, UnsetType) else original)
    imitation = [-1.0 if slot.chosen == slot.baseline else 0.0 for slot in slots]
    return read_mode(costs, originals, imitation)

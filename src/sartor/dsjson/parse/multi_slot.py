"""A line of several slots (contract, section 3.2)."""

from collections.abc import Sequence
from itertools import chain

from msgspec import UnsetType

from sartor.dsjson.parse.context import ParsedContext, ParsedSlot, parse_context
from sartor.dsjson.parse.members import (
    ParsedLine,
    SlotOutcome,
    check_dropped,
    check_probabilities,
    event_id_of,
    made_at_us,
    to_joined,
)
from sartor.errors import InvalidRequest
from sartor.records import Decision, ImportedDecision, JoinedObservation, Mode, Outcome, Slot


def has_probabilities(line: ParsedLine) -> bool:
    """Whether it says of every slot with which probabilities its action was drawn."""
    return not isinstance(line.outcomes, UnsetType) and all(
        not isinstance(filled.probabilities, UnsetType) and len(filled.probabilities) > 0
        for filled in line.outcomes
    )


def to_imported(line: ParsedLine) -> ImportedDecision:
    """The decision and its outcome.

    Raises:
        InvalidRequest: a member is missing, or contradicts another.
        msgspec.DecodeError: the context holds what no engine can take.
    """
    if isinstance(line.context, UnsetType) or isinstance(line.outcomes, UnsetType):
        raise InvalidRequest("c, the context, is missing.")
    check_dropped(line)
    at_us = made_at_us(line)
    what = parse_context(line.context)
    slots = _slots(line, line.outcomes, what)
    observed = _observed(line.outcomes, slots, at_us)
    mode, rewards = _rewards(line.outcomes, slots)
    first = slots[0]
    decision = Decision(
        event_id=event_id_of(line),
        context=what.context,
        actions=what.actions,
        excluded=first.excluded,
        probabilities=first.probabilities,
        ranking=first.ranking,
        chosen=first.chosen,
        model_id=line.model_id,
        settings_version=0,
        mode=mode,
        deferred=not line.learnable or any(one.reward is None for one in observed),
        slots=tuple(slots),
        dropped=line.dropped,
    )
    outcome = Outcome(
        decision_seq=0,
        event_id=decision.event_id,
        reward=rewards[0],
        learnable=line.learnable,
        joined=tuple(observed),
        settled_at_us=0,
        settings_version=0,
        slot_rewards=tuple(rewards),
    )
    return ImportedDecision(decision=decision, made_at_us=at_us, outcome=outcome)


def _slots(line: ParsedLine, outcomes: Sequence[SlotOutcome], what: ParsedContext) -> list[Slot]:
    count = len(what.actions)
    if not 1 <= len(outcomes) <= count or len(outcomes) != len(what.slots):
        raise InvalidRequest(f"_outcomes holds {len(outcomes)} slots, c {len(what.slots)}, of {count} actions.")
    baselines = None if isinstance(line.baselines, UnsetType) else line.baselines
    slots: list[Slot] = []
    for place, (filled, asked) in enumerate(zip(outcomes, what.slots, strict=True)):
        taken = [slot.chosen for slot in slots]
        excluded = _excluded(asked, count)
        order, probabilities = _probabilities(filled, {*excluded, *taken}, count)
        slots.append(
            Slot(
                id=asked.id if isinstance(filled.slot_id, UnsetType) else filled.slot_id,
                features=asked.features,
                excluded=excluded,
                baseline=_baseline(baselines, place, excluded, taken, count),
                probabilities=tuple(probabilities),
                ranking=_around({*excluded, *taken}, order, count),
                chosen=order[0],
            )
        )
    if len({slot.id for slot in slots}) < len(slots):
        raise InvalidRequest("Two slots have the same _id.")
    return slots


def _excluded(asked: ParsedSlot, count: int) -> tuple[int, ...]:
    if asked.included is None:
        return ()
    return tuple(index for index in range(count) if index not in asked.included)


def _probabilities(filled: SlotOutcome, closed: set[int], count: int) -> tuple[list[int], list[float]]:
    """The actions that the slot could take, in their order, and the probability of each action."""
    if isinstance(filled.order, UnsetType) or isinstance(filled.probabilities, UnsetType):
        raise InvalidRequest("_a, the order of the actions in a slot, is missing.")
    order, open_ = filled.order, [index for index in range(count) if index not in closed]
    if not order or len(set(order)) < len(order) or not set(order) <= set(open_):
        raise InvalidRequest("_a names an action twice, or one that the slot could not take.")
    if len(filled.probabilities) != len(order):
        raise InvalidRequest(f"_p holds {len(filled.probabilities)} probabilities for {len(order)} actions.")
    check_probabilities(filled.probabilities, chosen=filled.probabilities[0])
    of_action = dict(zip(order, filled.probabilities, strict=True))
    rest = [index for index in open_ if index not in of_action]
    return [*order, *rest], [of_action.get(index, 0.0) for index in range(count)]


def _baseline(
    baselines: Sequence[int] | None, place: int, excluded: Sequence[int], taken: Sequence[int], count: int
) -> int:
    """What the line names; where it names nothing, the first action that the slot could take."""
    if baselines is None:
        return next(index for index in range(count) if index not in excluded and index not in taken)
    if place >= len(baselines) or not 0 <= baselines[place] < count or baselines[place] in excluded:
        raise InvalidRequest("_ba does not name a baseline for each slot.")
    return baselines[place]


def _around(closed: set[int], order: Sequence[int], count: int) -> tuple[int, ...]:
    """The order with the actions that the slot could not take in their places."""
    others = iter(order)
    return tuple(index if index in closed else next(others) for index in range(count))


def _observed(outcomes: Sequence[SlotOutcome], slots: Sequence[Slot], at_us: int) -> list[JoinedObservation]:
    """All observations, slot by slot; a repeated activation counts once."""
    found = chain.from_iterable(
        to_joined(filled.observed, at_us, slot.id) for filled, slot in zip(outcomes, slots, strict=True)
    )
    kept: list[JoinedObservation] = []
    for one in found:
        if one.reward is not None or one not in kept:
            kept.append(one)
    return kept


def _rewards(outcomes: Sequence[SlotOutcome], slots: Sequence[Slot]) -> tuple[Mode, list[float]]:
    """The rewards, and the mode that the two costs tell: they differ in Apprentice only (contract, 2.6)."""
    costs: list[float] = []
    originals: list[float] = []
    for filled in outcomes:
        if isinstance(filled.cost, UnsetType):
            raise InvalidRequest("_label_cost of a slot is missing.")
        costs.append(filled.cost)
        original = filled.original_cost
        originals.append(filled.cost if isinstance(original, UnsetType) else original)
    imitation = [-1.0 if slot.chosen == slot.baseline else 0.0 for slot in slots]
    if costs != originals and costs == imitation:
        return "Apprentice", [-cost + 0.0 for cost in originals]
    return "Online", [-cost + 0.0 for cost in costs]

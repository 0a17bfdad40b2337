"""Writes lines of several slots (contract, section 3.2), and the engine's query about one of several slots.

A line holds the probabilities of every slot as they were used, given the slots before it. Actions are counted
from 0.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sartor.dsjson.context_json import encode_context, strip_reserved_names
from sartor.dsjson.members import (
    ObservationEntry,
    label_cost,
    skip_mark,
    timestamp_member,
    to_cost,
    to_entry,
)
from sartor.records import Decision, JoinedObservation, LoggedDecision, Outcome, Slot, open_indexes

_encode = msgspec.json.Encoder().encode
_FIXED = b'"_tag":"seed=0"'
"""Keeps the engine from drawing random numbers of its own, so that a query does not change its state."""


class _SlotOutcome(Struct, frozen=True, kw_only=True):
    _label_cost: float | UnsetType
    _id: str
    _a: list[int]
    _p: list[float]
    _o: list[ObservationEntry] | UnsetType
    _original_label_cost: float | UnsetType


def encode_outcome_line(logged: LoggedDecision, outcome: Outcome, /) -> bytes:
    """Encodes one line of the joined log; see ``single_slot.encode_outcome_line``.

    An activation stands with the first slot.
    """
    skip = skip_mark(logged.decision, outcome)
    return b"{" + timestamp_member(logged) + skip + _decision_members(logged.decision, outcome)


def encode_pending_line(logged: LoggedDecision, /) -> bytes:
    """Encodes a decision that is not settled yet: its outcomes have no costs."""
    head = b'{"_pending":true,"_skipLearn":true,' + timestamp_member(logged)
    return head + _decision_members(logged.decision, None)


def encode_slot_query(context: bytes, slot: bytes, /, *, taken: Sequence[int], offered: Sequence[int]) -> bytes:
    """Encodes the engine's query about the slot that follows those that took ``taken``.

    The earlier slots are there for their number only: an offer of one action leaves no choice.

    Args:
        context: from ``context_json.encode_context``, with all actions of the request.
        slot: JSON array of feature objects.
        taken: indexes of the actions in the slots before, in order.
        offered: indexes of the actions that the slot may take.
    """
    before = b"".join([b'{%b,"_inc":[%d]},' % (_FIXED, index) for index in taken])
    last = b'{%b,"_inc":%b,"sj":%b}' % (_FIXED, _encode(offered), strip_reserved_names(slot))
    return b'%b,"_slots":[%b%b]}' % (context[:-1], before, last)


def encode_slots_context(decision: Decision, /) -> bytes:
    """Encodes the ``c`` of a line: the features of context and actions, and the slots with what they accept."""
    count = len(decision.actions)
    slots = b",".join(_encode_slot(slot, count) for slot in decision.slots)
    return b'%b,"_slots":[%b]}' % (encode_context(decision.context, decision.actions)[:-1], slots)


def _encode_slot(slot: Slot, count: int) -> bytes:
    included = b""
    if slot.excluded:
        included = b',"_inc":%b' % _encode(open_indexes(count, slot.excluded))
    return b'{"_id":%b,"sj":%b%b}' % (_encode(slot.id), strip_reserved_names(slot.features), included)


def _decision_members(decision: Decision, outcome: Outcome | None) -> bytes:
    return b'"Version":"1","EventId":%b,"c":%b,"_outcomes":%b,"_ba":%b,"VWState":{"m":%b}%b}' % (
        _encode(decision.event_id),
        encode_slots_context(decision),
        _encode(list(_slot_outcomes(decision, outcome))),
        _encode([slot.baseline for slot in decision.slots]),
        _encode(decision.model_id),
        b',"pdrop":%b' % _encode(decision.dropped) if decision.dropped else b"",
    )


def _slot_outcomes(decision: Decision, outcome: Outcome | None) -> Iterator[_SlotOutcome]:
    for place, slot in enumerate(decision.slots):
        offered = set(decision.offered(place))
        order = [index for index in slot.ranking if index in offered]
        joined = [] if outcome is None else [one for one in outcome.joined if _is_about(slot, one, place)]
        reward = None if outcome is None else outcome.slot_rewards[place]
        is_baseline = slot.chosen == slot.baseline
        yield _SlotOutcome(
            _label_cost=UNSET if reward is None else label_cost(decision, reward, is_baseline=is_baseline),
            _id=slot.id,
            _a=order,
            _p=[slot.probabilities[index] for index in order],
            _o=[to_entry(decision.event_id, one) for one in joined] or UNSET,
            _original_label_cost=UNSET if reward is None else to_cost(reward),
        )


def _is_about(slot: Slot, joined: JoinedObservation, place: int) -> bool:
    """An activation is of the whole decision; it is written once, with the first slot."""
    return joined.slot == slot.id or (joined.slot is None and place == 0)

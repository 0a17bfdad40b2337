"""Lines of several slots (contract, section 3.2), and the question that the engine is asked about one slot.

A line holds the probabilities of every slot as they were used, given the slots before it. Actions are counted
from 0.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sartor.dsjson.context_json import encode_context, strip_reserved_names
from sartor.dsjson.observations import ObservationEntry, format_timestamp, to_entry
from sartor.records import Decision, JoinedObservation, LoggedDecision, Outcome, Slot

_encode = msgspec.json.Encoder().encode
_FIXED = b'"_tag":"seed=0"'
"""Keeps the engine from using its own random numbers, and so from changing by being asked."""


class _SlotOutcome(Struct, frozen=True, kw_only=True):
    _label_cost: float | UnsetType
    _id: str
    _a: list[int]
    _p: list[float]
    _o: list[ObservationEntry] | UnsetType
    _original_label_cost: float | UnsetType


def outcome_line(logged: LoggedDecision, outcome: Outcome, /) -> bytes:
    """One line of the joined log; see ``dsjson.outcome_line``. An activation stands with the first slot."""
    decision = logged.decision
    learnable = outcome.learnable and decision.mode != "LoggingOnly"
    head = b'{"Timestamp":"%b",' % format_timestamp(logged.at_us).encode()
    skip = b"" if learnable else b'"_skipLearn":true,'
    return head + skip + _members(decision, outcome)


def pending_line(logged: LoggedDecision, /) -> bytes:
    """A decision that is not settled yet: its outcomes have no costs."""
    head = b'{"_pending":true,"_skipLearn":true,"Timestamp":"%b",' % format_timestamp(logged.at_us).encode()
    return head + _members(logged.decision, None)


def encode_slot_query(context: bytes, slot: bytes, /, *, taken: Sequence[int], offered: Sequence[int]) -> bytes:
    """What the engine is asked about the slot that follows those that took ``taken``.

    The slots before it are there for their number only: an offer of one action leaves no choice.
    """
    before = b"".join([b'{%b,"_inc":[%d]},' % (_FIXED, index) for index in taken])
    asked = b'{%b,"_inc":%b,"sj":%b}' % (_FIXED, _encode(offered), strip_reserved_names(slot))
    return b'%b,"_slots":[%b%b]}' % (context[:-1], before, asked)


def encode_slots_context(decision: Decision, /) -> bytes:
    """The ``c`` of a line: the features of context and actions, and the slots with what could go there."""
    count = len(decision.actions)
    slots = b",".join(_slot(slot, count) for slot in decision.slots)
    return b'%b,"_slots":[%b]}' % (encode_context(decision.context, decision.actions)[:-1], slots)


def _slot(slot: Slot, count: int) -> bytes:
    included = b""
    if slot.excluded:
        included = b',"_inc":%b' % _encode([i for i in range(count) if i not in slot.excluded])
    return b'{"_id":%b,"sj":%b%b}' % (_encode(slot.id), strip_reserved_names(slot.features), included)


def _members(decision: Decision, outcome: Outcome | None) -> bytes:
    return b'"Version":"1","EventId":%b,"c":%b,"_outcomes":%b,"_ba":%b,"VWState":{"m":%b}%b}' % (
        _encode(decision.event_id),
        encode_slots_context(decision),
        _encode(list(_filled(decision, outcome))),
        _encode([slot.baseline for slot in decision.slots]),
        _encode(decision.model_id),
        b',"pdrop":%b' % _encode(decision.dropped) if decision.dropped else b"",
    )


def _filled(decision: Decision, outcome: Outcome | None) -> Iterator[_SlotOutcome]:
    for place, slot in enumerate(decision.slots):
        offered = set(decision.offered(place))
        order = [index for index in slot.ranking if index in offered]
        seen = [] if outcome is None else [one for one in outcome.joined if _is_of(slot, one, place)]
        yield _SlotOutcome(
            _label_cost=UNSET if outcome is None else _cost(decision, slot, outcome.slot_rewards[place]),
            _id=slot.id,
            _a=order,
            _p=[slot.probabilities[index] for index in order],
            _o=[to_entry(decision.event_id, one) for one in seen] or UNSET,
            _original_label_cost=UNSET if outcome is None else -outcome.slot_rewards[place] + 0.0,
        )


def _cost(decision: Decision, slot: Slot, reward: float) -> float:
    if decision.mode == "Apprentice":
        reward = 1.0 if slot.chosen == slot.baseline else 0.0
    return -reward + 0.0  # + 0.0: a cost of -0.0 would be written as such


def _is_of(slot: Slot, joined: JoinedObservation, place: int) -> bool:
    """An activation is of the whole decision; it is written once, with the first slot."""
    return joined.slot == slot.id or (joined.slot is None and place == 0)

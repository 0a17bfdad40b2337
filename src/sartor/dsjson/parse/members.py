"""The members of a line, of both kinds and all ages, and what both kinds of parser make of them.

Absent members are UNSET; unknown ones are ignored.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sartor.dsjson.parse.context import ParsedContext
from sartor.errors import InvalidRequest
from sartor.records import Decision, ImportedDecision, JoinedObservation, Mode, Outcome, Slot
from sartor.times import parse_time_us

_TOLERANCE = 1e-3
"""Logs hold probabilities of 32 bits: sums and products differ by as much."""

UNKNOWN_MODEL = "unknown"
"""The model id of a line that names none."""


class VwState(Struct):
    """``VWState``."""

    m: str = UNKNOWN_MODEL


class ParsedObservation(Struct, rename={"event_id": "EventId", "activates": "ActionTaken"}):
    """One of ``o`` or ``_o``. An activation has no value, whatever its flags say (they changed over time)."""

    v: object = UNSET
    event_id: str | UnsetType = UNSET
    activates: bool | UnsetType = UNSET


class SlotOutcome(
    Struct,
    rename={
        "cost": "_label_cost",
        "slot_id": "_id",
        "order": "_a",
        "probabilities": "_p",
        "observed": "_o",
        "original_cost": "_original_label_cost",
    },
):
    """One of ``_outcomes``: the action that was put into a slot, and its rewards. Actions count from 0."""

    slot_id: str | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    order: list[int] | UnsetType = UNSET
    probabilities: list[float] | UnsetType = UNSET
    observed: list[ParsedObservation] | UnsetType = UNSET
    original_cost: float | UnsetType = UNSET


class ParsedLine(
    Struct,
    rename={
        "cost": "_label_cost",
        "probability": "_label_probability",
        "number": "_label_Action",
        "index": "_labelIndex",
        "skipped": "_skipLearn",
        "deferred": "_deferred",
        "pending": "_pending",
        "original_cost": "_original_label_cost",
        "event_id": "EventId",
        "time": "Timestamp",
        "context": "c",
        "order": "a",
        "probabilities": "p",
        "observed": "o",
        "model": "VWState",
        "dropped": "pdrop",
        "outcomes": "_outcomes",
        "baselines": "_ba",
        "reward_value": "RewardValue",
        "enqueued": "EnqueuedTimeUtc",
    },
):
    """A line. Actions count from 1 in ``_label_Action`` and ``a``, from 0 elsewhere."""

    cost: float | UnsetType = UNSET
    probability: float | UnsetType = UNSET
    number: int | UnsetType = UNSET
    index: int | UnsetType = UNSET
    skipped: bool = False
    deferred: bool = False
    pending: bool = False
    original_cost: float | UnsetType = UNSET
    event_id: str | UnsetType = UNSET
    time: str | UnsetType = UNSET
    context: msgspec.Raw | UnsetType = UNSET
    order: list[int] | UnsetType = UNSET
    probabilities: list[float] | UnsetType = UNSET
    observed: list[ParsedObservation] | UnsetType | None = UNSET
    model: VwState | UnsetType = UNSET
    dropped: float = 0.0
    outcomes: list[SlotOutcome] | UnsetType = UNSET
    baselines: list[int] | UnsetType = UNSET
    reward_value: msgspec.Raw | UnsetType = UNSET
    enqueued: msgspec.Raw | UnsetType = UNSET

    @property
    def model_id(self) -> str:
        """The id of the model that decided."""
        return UNKNOWN_MODEL if isinstance(self.model, UnsetType) else self.model.m

    @property
    def learnable(self) -> bool:
        """Whether it is to be learned: neither skipped nor deferred without an activation."""
        return not (self.skipped or self.deferred)


def read_event_id(line: ParsedLine) -> str:
    """Returns the event id.

    Raises:
        InvalidRequest: there is none.
    """
    if isinstance(line.event_id, UnsetType) or not line.event_id:
        raise InvalidRequest("EventId is missing.")
    return line.event_id


def read_time_us(line: ParsedLine) -> int:
    """Returns when the decision was made, in µs since 1970; a time without a zone is UTC.

    Fractions of a microsecond are cut.

    Raises:
        InvalidRequest: there is no time, or it is not valid.
    """
    if isinstance(line.time, UnsetType):
        raise InvalidRequest("Timestamp is missing.")
    try:
        return parse_time_us(line.time)
    except ValueError as error:
        raise InvalidRequest(f"Timestamp: {error}.") from error


def to_joined(
    observed: list[ParsedObservation] | UnsetType | None, at_us: int, slot: str | None = None
) -> list[JoinedObservation]:
    """Returns the observations: activations, and rewards that are numbers; other rewards are left out."""
    found = []
    for one in observed or ():
        if one.v is UNSET or one.v is None:
            found.append(JoinedObservation(0, at_us, None))
        elif isinstance(one.v, int | float) and not isinstance(one.v, bool):
            found.append(JoinedObservation(0, at_us, float(one.v), slot))
    return found


def check_probabilities(probabilities: list[float], *, chosen: float) -> None:
    """Checks that these are the probabilities of one draw; ``chosen`` is that of the action drawn.

    Raises:
        InvalidRequest: one is negative, they don't sum to 1, or ``chosen`` is 0.
    """
    if min(probabilities) < 0 or abs(sum(probabilities) - 1) > _TOLERANCE:
        raise InvalidRequest("The probabilities are negative, or don't sum to 1.")
    if chosen <= 0:
        raise InvalidRequest("The action that was chosen has a probability of 0.")


def check_dropped(line: ParsedLine) -> None:
    """Checks that ``pdrop`` is a probability below 1.

    Raises:
        InvalidRequest: it is not.
    """
    if not 0 <= line.dropped < 1:
        raise InvalidRequest("pdrop is not a probability below 1.")


def is_close(one: float, other: float) -> bool:
    """Whether two numbers agree within the precision of 32 bits."""
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))


def read_mode(
    costs: Sequence[float], originals: Sequence[float], imitation: Sequence[float]
) -> tuple[Mode, list[float]]:
    """Returns the learning mode and the rewards; the two costs differ in Apprentice only (contract, 2.6).

    Args:
        costs: ``_label_cost`` of each slot.
        originals: ``_original_label_cost`` of each slot, or the cost where it is missing.
        imitation: the costs in Apprentice: -1 for a slot that got its baseline, otherwise 0.
    """
    if originals != costs and costs == imitation:
        return "Apprentice", [-cost + 0.0 for cost in originals]
    return "Online", [-cost + 0.0 for cost in costs]


def build_imported(
    line: ParsedLine,
    context: ParsedContext,
    first: Slot,
    /,
    *,
    at_us: int,
    joined: Sequence[JoinedObservation],
    mode: Mode,
    rewards: Sequence[float],
    slots: tuple[Slot, ...] = (),
) -> ImportedDecision:
    """Returns the decision of a line and its outcome; the versions of their settings are 0.

    Args:
        line: its event id, model, ``pdrop``, and whether it is learnable.
        context: its features and actions.
        first: what the decision itself repeats of its first slot; of a single-slot decision what was drawn.
        at_us: when it was made.
        joined: its observations.
        mode: the learning mode in which it was made.
        rewards: one for each slot, or one.
        slots: those of a multi-slot decision.

    Raises:
        InvalidRequest: the line has no event id.
    """
    decision = Decision(
        event_id=read_event_id(line),
        context=context.context,
        actions=context.actions,
        excluded=first.excluded,
        probabilities=first.probabilities,
        ranking=first.ranking,
        chosen=first.chosen,
        model_id=line.model_id,
        settings_version=0,
        mode=mode,
        deferred=not line.learnable or any(one.reward is None for one in joined),
        slots=slots,
        dropped=line.dropped,
    )
    outcome = Outcome(
        decision_seq=0,
        event_id=decision.event_id,
        reward=rewards[0],
        learnable=line.learnable,
        joined=tuple(joined),
        settled_at_us=0,
        settings_version=0,
        slot_rewards=tuple(rewards) if slots else (),
    )
    return ImportedDecision(decision=decision, made_at_us=at_us, outcome=outcome)

"""The members of a line, of both kinds and all ages. What is absent is UNSET; other members are ignored."""

import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sartor.errors import InvalidRequest
from sartor.records import JoinedObservation

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_TOLERANCE = 1e-3
"""Logs hold probabilities that were 32 bits wide: sums and products are off by as much."""

UNKNOWN_MODEL = "unknown"
"""The model id of a line that names none."""


class VwState(Struct):
    """``VWState``."""

    m: str = UNKNOWN_MODEL


class ParsedObservation(Struct, rename={"event_id": "EventId", "activates": "ActionTaken"}):
    """One of ``o`` or ``_o``. An activation has no value, whatever its marks say (they changed over time)."""

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
    """One of ``_outcomes``: what was put into a slot, and what came of it. Actions count from 0."""

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
        """The model that decided."""
        return UNKNOWN_MODEL if isinstance(self.model, UnsetType) else self.model.m

    @property
    def learnable(self) -> bool:
        """Whether it was to be learned: not deferred without an activation."""
        return not (self.skipped or self.deferred)


def event_id_of(line: ParsedLine) -> str:
    """The event id.

    Raises:
        InvalidRequest: there is none.
    """
    if isinstance(line.event_id, UnsetType) or not line.event_id:
        raise InvalidRequest("EventId is missing.")
    return line.event_id


def made_at_us(line: ParsedLine) -> int:
    """When the decision was made; parts of a microsecond are cut, a time without a zone is UTC.

    Raises:
        InvalidRequest: there is no time, or it is none.
    """
    found = None if isinstance(line.time, UnsetType) else _TIME.fullmatch(line.time)
    if found is None:
        raise InvalidRequest("Timestamp is missing, or not an ISO 8601 time.")
    second, fraction, zone = found.groups()
    return _second(second, zone or "Z") * 1_000_000 + int(((fraction or "") + "000000")[:6])


@lru_cache(maxsize=256)
def _second(text: str, zone: str) -> int:
    try:
        moment = datetime.fromisoformat(text + zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"Timestamp is not a time: {error}.") from error
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def to_joined(
    observed: list[ParsedObservation] | UnsetType | None, at_us: int, slot: str | None = None
) -> list[JoinedObservation]:
    """The observations: rewards that are numbers, and activations. Other rewards are left out."""
    found = []
    for one in observed or ():
        if one.v is UNSET or one.v is None:
            found.append(JoinedObservation(0, at_us, None))
        elif isinstance(one.v, int | float) and not isinstance(one.v, bool):
            found.append(JoinedObservation(0, at_us, float(one.v), slot))
    return found


def check_probabilities(probabilities: list[float], *, chosen: float) -> None:
    """Whether these are the probabilities of one draw. ``chosen``: those of what was drawn.

    Raises:
        InvalidRequest: they are not.
    """
    if min(probabilities) < 0 or abs(sum(probabilities) - 1) > _TOLERANCE:
        raise InvalidRequest("The probabilities are negative, or don't sum to 1.")
    if chosen <= 0:
        raise InvalidRequest("The action that was chosen has a probability of 0.")


def check_dropped(line: ParsedLine) -> None:
    """Whether ``pdrop`` is a probability below 1.

    Raises:
        InvalidRequest: it is not.
    """
    if not 0 <= line.dropped < 1:
        raise InvalidRequest("pdrop is not a probability below 1.")


def is_close(one: float, other: float) -> bool:
    """Whether two numbers agree as well as 32 bits allow."""
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))

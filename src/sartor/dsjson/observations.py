"""The parts that both kinds of dsjson line share: times, and what was observed of a decision."""

from datetime import UTC, datetime
from functools import lru_cache

from msgspec import UNSET, Struct, UnsetType

from sartor.records import JoinedObservation


class ObservationEntry(Struct):
    """A member of ``o``: a reward, or an activation, which has no value. ``Index``: the slot of a reward."""

    v: float | UnsetType
    EventId: str
    Index: str | UnsetType
    ActionTaken: bool


def to_entry(event_id: str, joined: JoinedObservation, /) -> ObservationEntry:
    """An observation as the log writes it."""
    slot = UNSET if joined.slot is None else joined.slot
    if joined.reward is None:
        return ObservationEntry(UNSET, event_id, slot, True)
    return ObservationEntry(joined.reward, event_id, slot, False)


def format_timestamp(at_us: int) -> str:
    """A time as the log writes it: UTC, microseconds, ``Z``."""
    seconds, micros = divmod(at_us, 1_000_000)
    return f"{_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    # Neighbours in the log share their second, and a calendar costs as much as the rest of a line.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

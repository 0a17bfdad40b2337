"""The members that both kinds of dsjson line share: what was observed, the cost of the label, the time."""

from msgspec import UNSET, Struct, UnsetType

from sartor.records import Decision, JoinedObservation, LoggedDecision, Outcome
from sartor.times import format_timestamp


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


def label_cost(decision: Decision, reward: float, /, *, is_baseline: bool) -> float:
    """The cost that is learned: in Apprentice it rewards the choice of the baseline (contract, section 2.6)."""
    if decision.mode == "Apprentice":
        reward = 1.0 if is_baseline else 0.0
    return to_cost(reward)


def to_cost(reward: float, /) -> float:
    """The cost of a reward; + 0.0, because a cost of -0.0 would be written as such."""
    return -reward + 0.0


def skip_mark(decision: Decision, outcome: Outcome, /) -> bytes:
    """The member that keeps a line from being learned; empty for one that is."""
    learnable = outcome.learnable and decision.mode != "LoggingOnly"
    return b"" if learnable else b'"_skipLearn":true,'


def timestamp_member(logged: LoggedDecision, /) -> bytes:
    """When the decision was made."""
    return b'"Timestamp":"%b",' % format_timestamp(logged.at_us).encode()

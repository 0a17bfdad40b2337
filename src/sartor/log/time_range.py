"""From when to when the settled part of a log reaches; a few short reads, however long it is."""

from sartor.ports import EventLog, OutcomeLog
from sartor.records import DecisionHeader

_BATCH = 1_000


def settled_time_range(events: EventLog, outcomes: OutcomeLog, /) -> tuple[int, int] | None:
    """When the first and the last of the settled decisions were made, in microseconds; None: there is none.

    Decisions that were erased don't count. The log is in order of settling: a decision that waited for its
    reward may be older than the first, or newer than the last, by the reward wait time.
    """
    first, last = _first(outcomes), _last(outcomes)
    if first is None or last is None:
        return None
    times = [head.at_us for number in (first, last) if (head := _head(events, number)) is not None]
    return (min(times), max(times)) if times else None


def _head(events: EventLog, number: int) -> DecisionHeader | None:
    heads = events.heads(after=number - 1, limit=1)
    return heads[0] if heads else None


def _first(outcomes: OutcomeLog) -> int | None:
    after = outcomes.counts().first_outcome - 1
    while batch := outcomes.outcomes(after=after, limit=_BATCH):
        for logged in batch:
            if logged.outcome.event_id:
                return logged.outcome.decision_seq
        after = batch[-1].seq
    return None


def _last(outcomes: OutcomeLog) -> int | None:
    counts = outcomes.counts()
    until = counts.last_outcome
    while until >= counts.first_outcome:
        batch = outcomes.outcomes(after=until - _BATCH, limit=_BATCH)
        for logged in reversed(batch):
            if logged.seq <= until and logged.outcome.event_id:
                return logged.outcome.decision_seq
        until -= _BATCH
    return None

"""Reads the joined log of a loop: each outcome with its decision, in the order in which the loop learned."""

from collections.abc import Iterator

from sartor.dsjson.single_slot import encode_outcome_line, encode_pending_line
from sartor.joined_outcomes import read_joined_outcomes
from sartor.ports import EventLog, LoopStores, OutcomeLog
from sartor.records import DecisionHeader, LoggedDecision, LoggedOutcome

_BATCH = 500

Pair = tuple[LoggedDecision, LoggedOutcome]


def read_settled_lines(logs: LoopStores, /) -> Iterator[bytes]:
    """Yields a dsjson line for each outcome, in order, without line ends; in bounded memory.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for decision, logged in read_pairs(logs):
        yield encode_outcome_line(decision, logged.outcome)


def read_pairs(logs: LoopStores, /, *, after: int = 0, batch_size: int = 1_000) -> Iterator[Pair]:
    """Yields the outcomes after a number with their decisions, in order.

    Those that retention removes meanwhile are left out.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for joined in read_joined_outcomes(logs.events, logs.outcomes, after=after, batch_size=batch_size):
        if joined.decision is not None:
            yield joined.decision, LoggedOutcome(seq=joined.seq, outcome=joined.outcome)


def read_pending_lines(logs: LoopStores, /) -> Iterator[bytes]:
    """Yields a dsjson line for each decision that is not settled yet, in order, without line ends."""
    for logged in read_open_decisions(logs):
        yield encode_pending_line(logged)


def read_open_decisions(logs: LoopStores, /) -> Iterator[LoggedDecision]:
    """Yields the decisions that have no outcome yet, in order."""
    after = logs.outcomes.counts().cursor.decisions  # all up to here are settled
    while batch := logs.events.decisions(after=after, limit=_BATCH):
        for logged in batch:
            if not is_settled(logs.outcomes, logged):
                yield logged
        after = batch[-1].seq


def is_settled(outcomes: OutcomeLog, logged: LoggedDecision, /) -> bool:
    """Whether a decision has its outcome. Two decisions may share an event id, so the number decides."""
    return outcomes.find_outcome(logged.seq) is not None


def find_settled_time_range(events: EventLog, outcomes: OutcomeLog, /) -> tuple[int, int] | None:
    """Returns when the first and the last settled decision were made, in microseconds; None: there is none.

    Takes a few short reads, however long the log is. Erased decisions don't count. The log is in order of
    settling: a decision that waited for its reward may be older than the first, or newer than the last, by the
    reward wait time.
    """
    first, last = _find_first(outcomes), _find_last(outcomes)
    if first is None or last is None:
        return None
    times = [head.at_us for number in (first, last) if (head := _find_head(events, number)) is not None]
    return (min(times), max(times)) if times else None


def _find_head(events: EventLog, number: int) -> DecisionHeader | None:
    heads = events.heads(after=number - 1, limit=1)
    return heads[0] if heads else None


def _find_first(outcomes: OutcomeLog) -> int | None:
    after = outcomes.counts().first_outcome - 1
    while batch := outcomes.outcomes(after=after, limit=_BATCH):
        for logged in batch:
            if logged.outcome.event_id:
                return logged.outcome.decision_seq
        after = batch[-1].seq
    return None


def _find_last(outcomes: OutcomeLog) -> int | None:
    counts = outcomes.counts()
    until = counts.last_outcome
    while until >= counts.first_outcome:
        batch = outcomes.outcomes(after=until - _BATCH, limit=_BATCH)
        for logged in reversed(batch):
            if logged.seq <= until and logged.outcome.event_id:
                return logged.outcome.decision_seq
        until -= _BATCH
    return None

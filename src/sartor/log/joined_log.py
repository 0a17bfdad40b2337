"""The joined log of a loop: each outcome beside its decision, in the order in which the loop learned."""

from collections.abc import Iterator

from sartor.dsjson.single_slot import outcome_line, pending_line
from sartor.joined_outcomes import read_joined_outcomes
from sartor.ports import LoopStores, OutcomeLog
from sartor.records import LoggedDecision, LoggedOutcome

_BATCH = 500

Pair = tuple[LoggedDecision, LoggedOutcome]


def settled_lines(logs: LoopStores, /) -> Iterator[bytes]:
    """A line for each outcome, in order, without line ends; memory is bounded however long the log is.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for decision, logged in read_pairs(logs):
        yield outcome_line(decision, logged.outcome)


def read_pairs(logs: LoopStores, /, *, after: int = 0) -> Iterator[Pair]:
    """The outcomes after a number with their decisions, in order. What retention takes meanwhile is left out.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
    """
    for joined in read_joined_outcomes(logs.events, logs.outcomes, after=after):
        if joined.decision is not None:
            yield joined.decision, LoggedOutcome(seq=joined.seq, outcome=joined.outcome)


def pending_lines(logs: LoopStores, /) -> Iterator[bytes]:
    """A line for each decision that is not settled yet, in order, without line ends."""
    for logged in open_decisions(logs):
        yield pending_line(logged)


def open_decisions(logs: LoopStores, /) -> Iterator[LoggedDecision]:
    """The decisions that have no outcome yet, in order."""
    after = logs.outcomes.counts().cursor.decisions  # all up to here are settled
    while batch := logs.events.decisions(after=after, limit=_BATCH):
        for logged in batch:
            if not is_settled(logs.outcomes, logged):
                yield logged
        after = batch[-1].seq


def is_settled(outcomes: OutcomeLog, logged: LoggedDecision, /) -> bool:
    """Whether a decision has its outcome. Two decisions may share an event id, so the number decides."""
    found = outcomes.outcomes_of(logged.decision.event_id)
    return any(one.outcome.decision_seq == logged.seq for one in found)

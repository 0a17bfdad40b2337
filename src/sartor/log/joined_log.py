"""The joined log of a loop: each outcome beside its decision, in the order in which the loop learned."""

from collections.abc import Iterator, Sequence

from sartor.dsjson.single_slot import outcome_line, pending_line
from sartor.errors import Corrupt
from sartor.ports import EventLog, LoopStores, OutcomeLog
from sartor.records import LoggedDecision, LoggedOutcome

_BATCH = 500
_GAP = 100

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
    for batch in _outcomes(logs.outcomes, after):
        decisions = _decisions_of(batch, logs.events)
        for logged in batch:
            decision = decisions.get(logged.outcome.decision_seq)
            if decision is not None:
                yield decision, logged
            elif logged.seq >= logs.outcomes.counts().first_outcome:
                raise Corrupt(f"Outcome {logged.seq} has no decision {logged.outcome.decision_seq}.")


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


def _outcomes(outcomes: OutcomeLog, after: int) -> Iterator[Sequence[LoggedOutcome]]:
    while batch := outcomes.outcomes(after=after, limit=_BATCH):
        yield batch
        after = batch[-1].seq


def _decisions_of(batch: Sequence[LoggedOutcome], events: EventLog) -> dict[int, LoggedDecision]:
    wanted = sorted(logged.outcome.decision_seq for logged in batch)
    return {
        logged.seq: logged
        for first, last in _stretches(wanted)
        for logged in events.decisions(after=first - 1, limit=last - first + 1)
    }


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges that hold all the numbers (sorted), with no gap above ``_GAP`` in any: few reads, few to spare."""
    start = 0
    for place, number in enumerate(numbers):
        last = place + 1 == len(numbers)
        if last or numbers[place + 1] - number > _GAP:
            yield numbers[start], number
            start = place + 1

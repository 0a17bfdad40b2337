"""Joins outcomes to their decisions, in the order in which the outcomes were settled.

Outcomes name their decisions in nearly increasing order, in two interleaved streams where rewards settle at
once and the rest at the end of their window; decisions are read in runs that fit both.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from sartor.errors import Corrupt
from sartor.ports import EventLog, OutcomeLog
from sartor.records import LoggedDecision, LoggedOutcome, Outcome

_BATCH = 1_000
_GAP = 8
"""Decisions that are read in vain rather than querying the store once more; a query costs about as much."""


class JoinedOutcome(Struct, frozen=True):
    """An outcome with its number, and the decision that it settles; None where that was not asked for."""

    seq: int
    outcome: Outcome
    decision: LoggedDecision | None


def read_joined_outcomes(
    events: EventLog,
    outcomes: OutcomeLog,
    /,
    *,
    after: int = 0,
    limit: int | None = None,
    learnable_only: bool = False,
    batch_size: int = _BATCH,
) -> Iterator[JoinedOutcome]:
    """Reads the outcomes after a number with their decisions, in order, ``batch_size`` at a time.

    What retention removes while this reads is left out.

    Args:
        events: where the decisions are.
        outcomes: where the outcomes are.
        after: the number of the outcome before the first that is read.
        limit: how many outcomes are read at most; None: all.
        batch_size: how many are in memory at a time; a decision may have a megabyte.
        learnable_only: don't read the decisions of outcomes that are not learnable; ``decision`` is None.

    Raises:
        Corrupt: an outcome of a decision that is not in the log.
        StoreUnavailable: the store can't be read; nothing was yielded of the batch.
    """
    while limit is None or limit > 0:
        batch = outcomes.outcomes(after=after, limit=batch_size if limit is None else min(limit, batch_size))
        if not batch:
            return
        yield from _join(batch, events, outcomes, learnable_only=learnable_only)
        after = batch[-1].seq
        limit = None if limit is None else limit - len(batch)


def _join(
    batch: Sequence[LoggedOutcome], events: EventLog, outcomes: OutcomeLog, *, learnable_only: bool
) -> Iterator[JoinedOutcome]:
    wanted = {one.outcome.decision_seq for one in batch if one.outcome.learnable or not learnable_only}
    decisions = _read_decisions(events, sorted(wanted))
    for logged in batch:
        number = logged.outcome.decision_seq
        if number not in wanted or number in decisions:
            skipped = learnable_only and not logged.outcome.learnable
            yield JoinedOutcome(logged.seq, logged.outcome, None if skipped else decisions[number])
        elif logged.seq >= outcomes.counts().first_outcome:
            raise Corrupt(f"Outcome {logged.seq} settles decision {number}, which is missing.")


def _read_decisions(events: EventLog, numbers: Sequence[int]) -> dict[int, LoggedDecision]:
    return {
        found.seq: found
        for first, last in _find_runs(numbers)
        for found in events.decisions(after=first - 1, limit=last - first + 1)
    }


def _find_runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Splits sorted numbers into runs whose gaps are at most ``_GAP``; yields the first and last of each."""
    start = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] - number > _GAP:
            yield numbers[start], number
            start = index + 1

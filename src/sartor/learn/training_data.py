"""What is learned, in order: outcomes beside the decisions that they settle.

Outcomes name their decisions in nearly increasing order, in two interleaved streams where rewards settle at
once and the rest at the end of their window; decisions are read in runs that fit both.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from sartor.dsjson import single_slot
from sartor.errors import Corrupt
from sartor.ports import EventLog, OutcomeLog
from sartor.records import LoggedDecision, LoggedOutcome, Outcome

_BLOCK = 1_000
_GAP = 8
"""Decisions that are read in vain rather than asking the store once more; a question costs about as much."""


class TrainingExample(Struct, frozen=True):
    """One outcome with its number, and the decision that it settles; None where there is nothing to learn."""

    seq: int
    outcome: Outcome
    decision: LoggedDecision | None

    def line(self) -> bytes | None:
        """What the engine learns, or None."""
        if self.decision is None or self.decision.decision.mode == "LoggingOnly":
            return None
        return single_slot.outcome_line(self.decision, self.outcome)


def read_examples(
    events: EventLog, outcomes: OutcomeLog, /, *, after: int, limit: int
) -> Iterator[TrainingExample]:
    """The next outcomes after a number, in order, ``limit`` at most; read in blocks as they are consumed.

    Raises:
        Corrupt: an outcome settles a decision that is not in the log.
        StoreUnavailable: the store can't be read; nothing was consumed of the block.
    """
    while limit > 0:
        block = outcomes.outcomes(after=after, limit=min(limit, _BLOCK))
        if not block:
            return
        yield from _block(events, block)
        after = block[-1].seq
        limit -= len(block)


def _block(events: EventLog, block: Sequence[LoggedOutcome]) -> Iterator[TrainingExample]:
    wanted = {logged.outcome.decision_seq for logged in block if logged.outcome.learnable}
    decisions = {found.seq: found for run in _runs(sorted(wanted)) for found in _read(events, run)}
    for logged in block:
        outcome = logged.outcome
        decision = decisions.get(outcome.decision_seq) if outcome.learnable else None
        if decision is None and outcome.learnable:
            raise Corrupt(f"Outcome {logged.seq} settles decision {outcome.decision_seq}, which is missing.")
        yield TrainingExample(logged.seq, outcome, decision)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers that lie close together."""
    start = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] - number > _GAP:
            yield numbers[start], number
            start = place + 1


def _read(events: EventLog, run: tuple[int, int]) -> Sequence[LoggedDecision]:
    first, last = run
    return events.decisions(after=first - 1, limit=last - first + 1)

"""Reads training examples: outcomes in order, with the decisions that they settle."""

from collections.abc import Iterator

from sartor.dsjson import single_slot
from sartor.joined_outcomes import JoinedOutcome, read_joined_outcomes
from sartor.ports import EventLog, OutcomeLog


class TrainingExample(JoinedOutcome, frozen=True):
    """An outcome with its number, and the decision that it settles; None if there is nothing to learn."""

    def encode_line(self) -> bytes | None:
        """The line that the engine learns; None if there is nothing to learn."""
        if self.decision is None or self.decision.decision.mode == "LoggingOnly":
            return None
        return single_slot.encode_outcome_line(self.decision, self.outcome)


def read_examples(
    events: EventLog, outcomes: OutcomeLog, /, *, after: int, limit: int
) -> Iterator[TrainingExample]:
    """Yields the next outcomes after a number, in order, at most ``limit``, read in batches.

    Raises:
        Corrupt: an outcome settles a decision that is not in the log.
        StoreUnavailable: the store can't be read; nothing was consumed of the batch.
    """
    for joined in read_joined_outcomes(events, outcomes, after=after, limit=limit, learnable_only=True):
        yield TrainingExample(joined.seq, joined.outcome, joined.decision)

"""An outcome log in memory."""

from collections.abc import Sequence

from sartor.errors import Corrupt
from sartor.ports import OutcomeCounts
from sartor.records import Cursor, LoggedOutcome, Settlement, StrayReason
from sartor.testing.disk import Disk


class MemoryOutcomes:
    """An ``OutcomeLog`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._outcomes: list[LoggedOutcome] = []
        self._settled: set[int] = set()
        self._strays: dict[int, StrayReason] = {}
        self._cursor = Cursor()

    def record(self, settlement: Settlement, /) -> None:
        """Add the outcomes and strays and move the cursor.

        Raises:
            StoreUnavailable: the disk fails.
            Corrupt: a decision would have two outcomes, or an observation be a stray twice.
        """
        self._disk.check()
        decisions = [outcome.decision_seq for outcome in settlement.outcomes]
        strays = [stray.observation_seq for stray in settlement.strays]
        _refuse_repeats(decisions, known=self._settled)
        _refuse_repeats(strays, known=set(self._strays))
        for outcome in settlement.outcomes:
            self._outcomes.append(LoggedOutcome(len(self._outcomes) + 1, outcome))
        self._settled.update(decisions)
        self._strays.update({stray.observation_seq: stray.reason for stray in settlement.strays})
        self._cursor = settlement.cursor

    def cursor(self) -> Cursor:
        """Where settling resumes."""
        self._disk.check()
        return self._cursor

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        """The next outcomes after a number."""
        self._disk.check()
        return self._outcomes[after : after + limit]

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        """The outcomes of the decisions with this event id."""
        self._disk.check()
        return [logged for logged in self._outcomes if logged.outcome.event_id == event_id]

    def counts(self) -> OutcomeCounts:
        """Totals."""
        self._disk.check()
        reasons = list(self._strays.values())
        return OutcomeCounts(
            outcomes=len(self._outcomes),
            last_outcome=len(self._outcomes),
            learnable=sum(logged.outcome.learnable for logged in self._outcomes),
            late=reasons.count("late"),
            dangling=reasons.count("dangling"),
        )


def _refuse_repeats(numbers: Sequence[int], *, known: set[int]) -> None:
    if len(set(numbers)) < len(numbers) or not known.isdisjoint(numbers):
        raise Corrupt(f"Something would be settled twice, among {sorted(numbers)}.")

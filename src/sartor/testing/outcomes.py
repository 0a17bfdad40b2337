"""An outcome log in memory."""

from collections.abc import Sequence

from sartor.errors import Corrupt
from sartor.ports import OutcomeCounts
from sartor.records import Cursor, LoggedOutcome, Outcome, Settlement, StrayReason
from sartor.testing.disk import Disk


class MemoryOutcomes:
    """An ``OutcomeLog`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._outcomes: list[LoggedOutcome] = []
        self._number: dict[int, int] = {}
        self._revision = 0
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
        _refuse_repeats(decisions, known=set(self._number))
        _refuse_repeats(strays, known=set(self._strays))
        for outcome in settlement.outcomes:
            self._outcomes.append(LoggedOutcome(len(self._outcomes) + 1, outcome))
            self._number[outcome.decision_seq] = len(self._outcomes)
        self._strays.update({stray.observation_seq: stray.reason for stray in settlement.strays})
        self._cursor = settlement.cursor

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        """Replace the outcomes of decisions that have one; numbers stay. Raises the revision and returns it.

        Raises:
            StoreUnavailable: the disk fails.
            Corrupt: a decision has no outcome; nothing is amended then.
        """
        self._disk.check()
        missing = [outcome.decision_seq for outcome in outcomes if outcome.decision_seq not in self._number]
        if missing:
            raise Corrupt(f"Decision {missing[0]} has no outcome that could be amended.")
        for outcome in outcomes:
            number = self._number[outcome.decision_seq]
            self._outcomes[number - 1] = LoggedOutcome(number, outcome)
        self._revision += 1
        return self._revision

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
            revision=self._revision,
            cursor=self._cursor,
        )


def _refuse_repeats(numbers: Sequence[int], *, known: set[int]) -> None:
    if len(set(numbers)) < len(numbers) or not known.isdisjoint(numbers):
        raise Corrupt(f"Something would be settled twice, among {sorted(numbers)}.")

"""An outcome log in memory."""

from collections.abc import Hashable, Sequence, Set

from msgspec.structs import replace

from sartor.errors import Corrupt
from sartor.ports import OutcomeCounts
from sartor.records import Cursor, LoggedOutcome, Outcome, Settlement, UnmatchedReason
from sartor.testing.fakes import Disk


class MemoryOutcomes:
    """An ``OutcomeLog`` that lives as long as the object."""

    def __init__(self, *, disk: Disk) -> None:
        self._disk = disk
        self._outcomes: list[LoggedOutcome] = []
        self._removed = 0
        self._forgotten = 0
        self._number: dict[int, int] = {}
        self._revision = 0
        self._unmatched: dict[int, UnmatchedReason] = {}
        self._cursor = Cursor()

    def mark(self) -> Hashable:
        """Returns what differs after something was recorded, amended or removed."""
        return self._last, self._removed, self._revision, len(self._unmatched), self._cursor

    def record(self, settlement: Settlement, /) -> None:
        """Adds the outcomes and unmatched observations and moves the cursor.

        Raises:
            StoreUnavailable: the disk fails.
            Corrupt: a decision would have two outcomes, or an observation be recorded as unmatched twice.
        """
        self._disk.check()
        decisions = [outcome.decision_seq for outcome in settlement.outcomes]
        unmatched = [one.observation_seq for one in settlement.unmatched]
        _refuse_repeats(decisions, known=self._number.keys())
        _refuse_repeats(unmatched, known=self._unmatched.keys())
        for outcome in settlement.outcomes:
            self._outcomes.append(LoggedOutcome(self._last + 1, outcome))
            self._number[outcome.decision_seq] = self._last
        self._unmatched.update({one.observation_seq: one.reason for one in settlement.unmatched})
        self._cursor = settlement.cursor

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        """Replaces the outcomes of decisions that have one; numbers and times stay. Returns the new revision.

        Raises:
            StoreUnavailable: the disk fails.
            Corrupt: a decision has no outcome; nothing is amended then.
        """
        self._disk.check()
        missing = [outcome.decision_seq for outcome in outcomes if outcome.decision_seq not in self._number]
        if missing:
            raise Corrupt(f"Decision {missing[0]} has no outcome that could be amended.")
        for outcome in outcomes:
            index = self._number[outcome.decision_seq] - self._removed - 1
            old = self._outcomes[index]
            if not old.outcome.event_id or (old.outcome.corrected and not outcome.corrected):
                continue
            settled_at_us = old.outcome.settled_at_us
            self._outcomes[index] = LoggedOutcome(old.seq, replace(outcome, settled_at_us=settled_at_us))
        self._revision += 1
        return self._revision

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        """Returns the next outcomes after a number."""
        self._disk.check()
        index = max(0, after - self._removed)
        return self._outcomes[index : index + limit]

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        """Returns the outcomes of the decisions with this event id."""
        self._disk.check()
        return [logged for logged in self._outcomes if logged.outcome.event_id == event_id]

    def has_outcome(self, event_id: str, /, *, until: int) -> bool:
        """Whether a decision with this event id, and this number or a lower one, has an outcome."""
        return any(one.outcome.decision_seq <= until for one in self.outcomes_of(event_id))

    def find_outcome(self, decision: int, /) -> LoggedOutcome | None:
        """Returns the outcome of the decision with this number; None: it has none."""
        self._disk.check()
        if decision not in self._number:
            return None
        return self._outcomes[self._number[decision] - self._removed - 1]

    def counts(self) -> OutcomeCounts:
        """Returns totals."""
        self._disk.check()
        reasons = list(self._unmatched.values())
        return OutcomeCounts(
            outcomes=len(self._outcomes),
            first_outcome=self._removed + 1,
            last_outcome=self._last,
            learnable=sum(logged.outcome.learnable for logged in self._outcomes),
            late=reasons.count("late"),
            dangling=reasons.count("dangling"),
            revision=self._revision,
            forgotten=self._forgotten,
            cursor=self._cursor,
        )

    def forget(self, *, before_us: int) -> int:
        """Removes the first outcomes that were settled before a time and passed by the cursor, but the last."""
        removed = 0
        while len(self._outcomes) > 1 and self._is_past(self._outcomes[0].outcome, before_us):
            decision = self._outcomes.pop(0).outcome.decision_seq
            del self._number[decision]
            self._forgotten = max(self._forgotten, decision)
            removed += 1
        self._removed += removed
        return removed

    def forget_unmatched(self, *, until: int) -> int:
        """Removes the unmatched observations up to an observation; returns how many."""
        passed = [number for number in self._unmatched if number <= until]
        for number in passed:
            del self._unmatched[number]
        return len(passed)

    def first_decision(self) -> int | None:
        """Returns the first decision whose outcome is kept; None: there is none."""
        return min(self._number, default=None)

    def of_decision(self, number: int, /) -> Outcome | None:
        """Returns the outcome of a decision; None: it has none."""
        found = self.find_outcome(number)
        return None if found is None else found.outcome

    def _is_past(self, outcome: Outcome, before_us: int) -> bool:
        return outcome.settled_at_us < before_us and outcome.decision_seq <= self._cursor.decisions

    @property
    def _last(self) -> int:
        return self._removed + len(self._outcomes)


def _refuse_repeats(numbers: Sequence[int], *, known: Set[int]) -> None:
    if len(set(numbers)) < len(numbers) or not known.isdisjoint(numbers):
        raise Corrupt(f"Something would be settled twice, among {sorted(numbers)}.")

"""A view of a loop's logs in which a settler settles a selected part of the decisions again.

Events outside the part keep their numbers, so that there are no gaps, under an event id that no event has.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from sartor.ports import EventLog, OutcomeCounts, OutcomeLog
from sartor.records import (
    Cursor,
    Decision,
    DecisionHeader,
    Horizon,
    LoggedDecision,
    LoggedObservation,
    LoggedOutcome,
    Observation,
    Outcome,
    Settlement,
)

_END_OF_TIME_US = 2**62
_NO_DECISION = "\0decision"
_NO_OBSERVATION = "\0observation"
_JOINED, _CLAIMED = 1, 2
"""The observation joined an outcome that is replaced; or a corrected one, which keeps it."""


class ResettledPart:
    """Which decisions are settled again, and which observations may join them, up to the cursor of settling."""

    def __init__(self, *, cursor: Cursor, since_us: int, first: Horizon) -> None:
        """Nothing is selected yet.

        Args:
            cursor: where settling was. Observations after it may still join another decision.
            since_us: unmatched observations from then on may join as well.
            first: how far the log reaches.
        """
        self._cursor = cursor
        self._since_us = since_us
        self._first = first
        self._decisions = bytearray(max(0, first.decisions - first.first_decision + 1))
        self._joined = bytearray(max(0, first.observations - first.first_observation + 1))
        self.first_decision = 0

    def add(self, outcome: Outcome, /) -> None:
        """Select the decision of an outcome, unless it was corrected or its events are gone.

        The observations of a corrected outcome stay with it.
        """
        place = outcome.decision_seq - self._first.first_decision
        if not 0 <= place < len(self._decisions):
            return
        if not outcome.corrected:
            self._decisions[place] = 1
            self.first_decision = min(self.first_decision or outcome.decision_seq, outcome.decision_seq)
        for one in outcome.joined:
            place = one.seq - self._first.first_observation
            if 0 <= place < len(self._joined):
                self._joined[place] = _CLAIMED if outcome.corrected else _JOINED

    def has_decision(self, seq: int, /) -> bool:
        """Whether a decision is settled again."""
        place = seq - self._first.first_decision
        return 0 <= place < len(self._decisions) and self._decisions[place] == 1

    def has_observation(self, logged: LoggedObservation, /) -> bool:
        """Whether an observation may join: it did before, or it is unmatched and behind the cursor."""
        place = logged.seq - self._first.first_observation
        state = self._joined[place] if 0 <= place < len(self._joined) else 0
        if state:
            return state == _JOINED
        return logged.at_us >= self._since_us and logged.seq <= self._cursor.observations

    @property
    def horizon(self) -> Horizon:
        """How far the log reached; nothing more will arrive."""
        return replace(self._first, now_us=_END_OF_TIME_US)


class ResettledEvents(EventLog):
    """The events of a part of a log, at a time when all windows have ended."""

    def __init__(self, events: EventLog, part: ResettledPart) -> None:
        self._events = events
        self._part = part

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        """Not possible: the view is of the past."""
        raise NotImplementedError

    def horizon(self) -> Horizon:
        """The end of the part."""
        return self._part.horizon

    def heads(self, *, after: int, limit: int) -> Sequence[DecisionHeader]:
        """The next decisions."""
        last = self._part.horizon.decisions
        heads = self._events.heads(after=after, limit=min(limit, last - after)) if after < last else ()
        return [self._hide_others(head) for head in heads]

    def _hide_others(self, head: DecisionHeader) -> DecisionHeader:
        if self._part.has_decision(head.seq) and head.outcome is None:
            return head
        return replace(head, event_id=_NO_DECISION, outcome=None)

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        """The next decisions in full, as they are."""
        return self._events.decisions(after=after, limit=limit)

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        """The next observations."""
        last = self._part.horizon.observations
        if after >= last:
            return ()
        found = self._events.observations(after=after, limit=min(limit, last - after))
        return [one if self._part.has_observation(one) else _hide(one) for one in found]


def _hide(logged: LoggedObservation) -> LoggedObservation:
    return replace(logged, observation=replace(logged.observation, event_id=_NO_OBSERVATION))


class ResettledOutcomes(OutcomeLog):
    """An outcome log that is empty to read, and amends the real one when something is recorded."""

    def __init__(self, outcomes: OutcomeLog, part: ResettledPart, cursor: Cursor) -> None:
        self._outcomes = outcomes
        self._part = part
        self._cursor = cursor

    def record(self, settlement: Settlement, /) -> None:
        """Amend the outcomes of the decisions that are settled again."""
        wanted = [outcome for outcome in settlement.outcomes if outcome.event_id != _NO_DECISION]
        if wanted:
            self._outcomes.amend(wanted)
        self._cursor = settlement.cursor

    def amend(self, outcomes: Sequence[Outcome], /) -> int:
        """Amend the real one."""
        return self._outcomes.amend(outcomes)

    def outcomes(self, *, after: int, limit: int) -> Sequence[LoggedOutcome]:
        """None."""
        return ()

    def outcomes_of(self, event_id: str, /) -> Sequence[LoggedOutcome]:
        """None."""
        return ()

    def has_outcome(self, event_id: str, /, *, until: int) -> bool:
        """No."""
        return False

    def find_outcome(self, decision: int, /) -> LoggedOutcome | None:
        """None."""
        return None

    def counts(self) -> OutcomeCounts:
        """The cursor from which settling goes on, and no outcomes."""
        return OutcomeCounts(outcomes=0, last_outcome=0, learnable=0, late=0, dangling=0, cursor=self._cursor)

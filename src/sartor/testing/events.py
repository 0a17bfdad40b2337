"""An event log in memory."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from msgspec.structs import replace

from sartor.clocks import LogTime, advance_log_time
from sartor.errors import InvalidRequest
from sartor.records import (
    Decision,
    DecisionHeader,
    Horizon,
    ImportedDecision,
    LoggedDecision,
    LoggedObservation,
    Observation,
    Usage,
)
from sartor.testing.fakes import Disk
from sartor.times import DAY_US


class MemoryEvents:
    """An ``EventLog`` that lives as long as the object."""

    def __init__(self, *, clock_us: Callable[[], int], disk: Disk) -> None:
        self._clock_us = clock_us
        self._disk = disk
        self._time = LogTime()
        self._decisions: list[LoggedDecision] = []
        self._observations: list[LoggedObservation] = []
        self._gone_decisions = 0
        self._gone_observations = 0
        self._ranks: Counter[int] = Counter()
        self._rewards: Counter[int] = Counter()
        self._imported: dict[int, ImportedDecision] = {}
        self._seen: dict[tuple[int, str], tuple[int, int, int]] = {}

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        """Appends all of the events, or none.

        Raises:
            StoreUnavailable: the disk fails.
            InvalidRequest: a reward is not a number.
        """
        self._disk.check()
        if any(_is_nan(event) for event in events):
            raise InvalidRequest("A reward must be a number.")
        at_us = self._next_time()
        for event in events:
            if isinstance(event, Decision):
                self._decisions.append(LoggedDecision(self._last_decision + 1, at_us, event))
                self._ranks[at_us // DAY_US] += 1
            else:
                self._observations.append(LoggedObservation(self._last_observation + 1, at_us, event))
                self._rewards[at_us // DAY_US] += event.reward is not None

    def mark(self) -> Hashable:
        """Returns what differs after something was appended or removed."""
        return self._last_decision, self._last_observation, self._gone_decisions, self._gone_observations

    def horizon(self) -> Horizon:
        """Returns how far the log reaches now."""
        self._disk.check()
        return Horizon(
            now_us=self._next_time(),
            decisions=self._last_decision,
            observations=self._last_observation,
            first_decision=self._gone_decisions + 1,
            first_observation=self._gone_observations + 1,
        )

    def heads(self, *, after: int, limit: int) -> Sequence[DecisionHeader]:
        """Returns the next decisions after a number, without their features."""
        self._disk.check()
        return [self._to_header(logged) for logged in self._after(after, limit)]

    def find_unsettled(self, event_id: str, /, *, settled: int) -> Sequence[int]:
        """Returns the numbers of the decisions after ``settled`` with this event id, in order."""
        self._disk.check()
        return [one.seq for one in self._decisions if one.seq > settled and one.decision.event_id == event_id]

    def _to_header(self, logged: LoggedDecision) -> DecisionHeader:
        decision, imported = logged.decision, self._imported.get(logged.seq)
        return DecisionHeader(
            logged.seq,
            logged.at_us,
            decision.event_id,
            decision.deferred,
            tuple(slot.id for slot in decision.slots),
            None if imported is None else replace(imported.outcome, decision_seq=logged.seq),
        )

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        """Returns the next decisions after a number."""
        self._disk.check()
        return [self._to_logged(logged) for logged in self._after(after, limit)]

    def _to_logged(self, logged: LoggedDecision) -> LoggedDecision:
        imported = self._imported.get(logged.seq)
        return replace(logged, at_us=imported.made_at_us, imported=True) if imported else logged

    def _after(self, after: int, limit: int) -> Sequence[LoggedDecision]:
        index = max(0, after - self._gone_decisions)
        return self._decisions[index : index + limit]

    def import_decisions(self, lines: Sequence[ImportedDecision], /, *, source: int) -> Sequence[bool]:
        """Imports what was not imported before, as a ``History`` does.

        Raises:
            StoreUnavailable: the disk fails.
        """
        self._disk.check()
        at_us = self._next_time()
        is_new = [self._is_new(line, source) for line in lines]
        for line, new in zip(lines, is_new, strict=True):
            if new:
                self._imported[self._last_decision + 1] = line
                self._decisions.append(LoggedDecision(self._last_decision + 1, at_us, line.decision))
        return is_new

    def _is_new(self, line: ImportedDecision, source: int) -> bool:
        key = line.made_at_us, line.decision.event_id
        taken, last_source, seen = self._seen.get(key, (0, source, 0))
        seen = seen + 1 if last_source == source else 1
        self._seen[key] = max(taken, seen), source, seen
        return seen > taken

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        """Returns the next observations after a number."""
        self._disk.check()
        index = max(0, after - self._gone_observations)
        return self._observations[index : index + limit]

    def forget(self, *, decisions: int, observations: int) -> int:
        """Removes the first decisions and observations, up to numbers; the last of each stays."""
        gone_decisions = max(0, min(decisions, self._last_decision - 1) - self._gone_decisions)
        gone_observations = max(0, min(observations, self._last_observation - 1) - self._gone_observations)
        del self._decisions[:gone_decisions], self._observations[:gone_observations]
        self._gone_decisions += gone_decisions
        self._gone_observations += gone_observations
        return gone_decisions + gone_observations

    def blank(self, decisions: set[int], event_ids: set[str]) -> None:
        """Blanks these decisions, and the observations with these event ids."""
        self._decisions = [
            replace(one, decision=_blank(one.decision)) if one.seq in decisions else one
            for one in self._decisions
        ]
        self._observations = [
            replace(one, observation=replace(one.observation, event_id=""))
            if one.observation.event_id in event_ids
            else one
            for one in self._observations
        ]

    def usage(self, *, from_us: int, to_us: int) -> Sequence[Usage]:
        """Returns the days that overlap a time range and saw an event, in order."""
        self._disk.check()
        days = range(from_us // DAY_US, (to_us - 1) // DAY_US + 1)
        return [
            Usage(day_us=day * DAY_US, decisions=self._ranks[day], rewards=self._rewards[day])
            for day in sorted(self._ranks.keys() | self._rewards.keys())
            if day in days and (self._ranks[day] or self._rewards[day])
        ]

    @property
    def _last_decision(self) -> int:
        return self._gone_decisions + len(self._decisions)

    @property
    def _last_observation(self) -> int:
        return self._gone_observations + len(self._observations)

    def _next_time(self) -> int:
        self._time = advance_log_time(self._time, now_us=self._clock_us(), uptime=None)
        return self._time.latest_us


def _is_nan(event: Decision | Observation) -> bool:
    return isinstance(event, Observation) and event.reward is not None and math.isnan(event.reward)


def _blank(decision: Decision) -> Decision:
    return replace(
        decision,
        event_id="",
        context=b"[]",
        actions=tuple(replace(action, features=b"[]") for action in decision.actions),
        slots=tuple(replace(slot, features=b"[]") for slot in decision.slots),
    )

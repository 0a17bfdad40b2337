"""An event log in memory."""

import math
from collections.abc import Callable, Sequence

from sartor.errors import InvalidRequest
from sartor.records import Decision, Head, Horizon, LoggedDecision, LoggedObservation, Observation
from sartor.testing.disk import Disk


class MemoryEvents:
    """An ``EventLog`` that lives as long as the object."""

    def __init__(self, *, clock_us: Callable[[], int], disk: Disk) -> None:
        self._clock_us = clock_us
        self._disk = disk
        self._latest_us = 0
        self._decisions: list[LoggedDecision] = []
        self._observations: list[LoggedObservation] = []

    def append(self, events: Sequence[Decision | Observation], /) -> None:
        """Keep all of the events, or none.

        Raises:
            StoreUnavailable: the disk fails.
            InvalidRequest: a reward is not a number.
        """
        self._disk.check()
        if any(_is_nan(event) for event in events):
            raise InvalidRequest("A reward must be a number.")
        at_us = self._stamp()
        for event in events:
            if isinstance(event, Decision):
                self._decisions.append(LoggedDecision(len(self._decisions) + 1, at_us, event))
            else:
                self._observations.append(LoggedObservation(len(self._observations) + 1, at_us, event))

    def horizon(self) -> Horizon:
        """How far the log reaches now."""
        self._disk.check()
        return Horizon(
            now_us=self._stamp(),
            decisions=len(self._decisions),
            observations=len(self._observations),
        )

    def heads(self, *, after: int, limit: int) -> Sequence[Head]:
        """The next decisions after a number, without their features."""
        return [
            Head(logged.seq, logged.at_us, logged.decision.event_id, logged.decision.deferred)
            for logged in self.decisions(after=after, limit=limit)
        ]

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        """The next decisions after a number."""
        self._disk.check()
        return self._decisions[after : after + limit]

    def observations(self, *, after: int, limit: int) -> Sequence[LoggedObservation]:
        """The next observations after a number."""
        self._disk.check()
        return self._observations[after : after + limit]

    def _stamp(self) -> int:
        self._latest_us = max(self._latest_us, self._clock_us())
        return self._latest_us


def _is_nan(event: Decision | Observation) -> bool:
    return isinstance(event, Observation) and event.reward is not None and math.isnan(event.reward)

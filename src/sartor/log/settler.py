"""Settling a loop's log, step by step: each decision gives one outcome, whatever happens in between.

A step reads new events, up to a horizon of the log, and records outcomes, unmatched observations and the
cursor together. Which decisions are due and which observations are unmatched is decided in memory, by
``reward_windows.py``: after a crash, an error or a change of the settings it is read again from the cursor.
"""

from collections.abc import Iterator

from sartor.log.reward_windows import RewardWindows
from sartor.ports import EventLog, OutcomeLog
from sartor.records import Cursor, Outcome, Settlement
from sartor.settings import LoopSettings

_LAG = 10_000
"""By how many events the recorded cursor may lie behind when there is nothing else to record."""

_CHUNK = 10_000


class Settler:
    """Turns the events of one loop into outcomes. One at a time per loop: the learn process."""

    def __init__(self, events: EventLog, outcomes: OutcomeLog) -> None:
        self._events = events
        self._outcomes = outcomes
        self._windows: RewardWindows | None = None
        self._recorded = Cursor()
        self.caught_up = False
        """Whether the last step settled all that was due, up to the end of the log."""

    def step(
        self,
        settings: LoopSettings,
        /,
        *,
        settings_version: int,
        limit: int = 10_000,
        now_us: int | None = None,
        reads: int | None = None,
    ) -> int:
        """Settle the decisions that are due, at most ``limit``; the settings of this step decide.

        Args:
            settings: those in force. A decision that was settled stays as it is when they change.
            settings_version: kept with the outcomes.
            limit: as many outcomes at most; when as many were settled, there may be more. Also how many
                events of each kind are read at a time.
            now_us: the caller's clock, if it has one. Where nothing has arrived and nothing is due by then,
                the step costs two short reads and takes no lock.
            reads: how many times events are read, at most; None: until something is due, or the log ends.
                With a bound, ``caught_up`` says whether there is more.

        Returns:
            How many decisions were settled.

        Raises:
            StoreUnavailable: nothing was recorded; the next step tries again.
        """
        try:
            windows = self._read_windows(settings)
            if not self._read_events(windows, limit) and not _may_be_due(windows, now_us):
                self.caught_up = True
                return 0
            settlement = self._settle(windows, settings_version, limit, reads)
            self._record(windows, settlement)
            return len(settlement.outcomes)
        except BaseException:
            self._windows = None  # it may be ahead of what is recorded
            raise

    def _read_windows(self, settings: LoopSettings) -> RewardWindows:
        """The windows of the step before; new ones from the cursor on, after an error or under other rules."""
        windows = self._windows
        if windows is None or _rules(windows.settings) != _rules(settings):
            self._recorded = self._outcomes.counts().cursor
            windows = RewardWindows(
                settings, cursor=self._recorded, recorded=self._recorded_after(self._recorded)
            )
            self._windows = windows
        windows.settings = settings
        return windows

    def _recorded_after(self, cursor: Cursor) -> Iterator[Outcome]:
        """The outcomes of decisions after the cursor, newest first.

        No outcome is older than its decision, so the search ends at one that was settled before them.
        """
        first = self._events.heads(after=cursor.decisions, limit=1)
        counts = self._outcomes.counts()
        last = counts.last_outcome if first else 0
        while last >= counts.first_outcome:
            after = max(counts.first_outcome - 1, last - _CHUNK)
            for logged in reversed(self._outcomes.outcomes(after=after, limit=last - after)):
                if logged.outcome.settled_at_us < first[0].at_us:
                    return
                if logged.outcome.decision_seq > cursor.decisions:
                    yield logged.outcome
            last = after

    def _read_events(self, windows: RewardWindows, limit: int) -> bool:
        """Read the next events of both kinds; whether there were any."""
        heads = self._events.heads(after=windows.decisions_read, limit=limit)
        windows.add_decisions(heads)
        observations = self._events.observations(after=windows.observations_read, limit=limit)
        windows.add_observations(observations)
        return bool(heads or observations)

    def _settle(
        self, windows: RewardWindows, settings_version: int, limit: int, reads: int | None
    ) -> Settlement:
        """Read on until enough is due, or the log ends, and settle it."""
        horizon = self._events.horizon()
        due = windows.find_due(windows.frontier_us(horizon), limit=limit)
        while (
            len(due) + windows.imported < limit
            and windows.is_behind(horizon)
            and (reads is None or (reads := reads - 1) > 0)
            and self._read_events(windows, limit)
        ):
            due = windows.find_due(windows.frontier_us(horizon), limit=limit)
        self.caught_up = len(due) < limit and not windows.is_behind(horizon)
        forgotten = windows.cursor.decisions
        return windows.settle(
            due,
            horizon=horizon,
            settings_version=settings_version,
            was_decided=lambda event_id: self._has_outcome(event_id, until=forgotten),
        )

    def _has_outcome(self, event_id: str, *, until: int) -> bool:
        """Whether a decision of an event id, with this number or a lower one, was settled."""
        return any(logged.outcome.decision_seq <= until for logged in self._outcomes.outcomes_of(event_id))

    def _record(self, windows: RewardWindows, settlement: Settlement) -> None:
        cursor, recorded = settlement.cursor, self._recorded
        moved = cursor.decisions - recorded.decisions + cursor.observations - recorded.observations
        is_due = moved >= _LAG or (moved and windows.is_idle)
        if settlement.outcomes or settlement.unmatched or is_due:
            self._outcomes.record(settlement)
            self._recorded = cursor


def _rules(settings: LoopSettings) -> tuple[object, ...]:
    """The settings under which the open windows were read."""
    return settings.reward_wait_time, settings.reward_aggregation, settings.learn_when


def _may_be_due(windows: RewardWindows, now_us: int | None) -> bool:
    next_us = windows.next_due_us
    return next_us is not None and (now_us is None or next_us <= now_us)

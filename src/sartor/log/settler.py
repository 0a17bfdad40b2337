"""Settling a loop's log, step by step: each decision gives one outcome, whatever happens in between.

A step reads new events, up to a horizon of the log, and records outcomes, unmatched observations and the
cursor together. Which decisions are due and which observations are unmatched is decided in memory, by
``reward_windows.py``: after a crash, an error or a change of the settings it is read again from the cursor.
"""

import math
from collections.abc import Iterator, Sequence

from sartor.log.reward_windows import RewardWindows
from sartor.ports import EventLog, OutcomeLog
from sartor.records import Cursor, Horizon, Outcome, Settlement
from sartor.settings import LoopSettings

_LAG = 10_000
"""By how many events the recorded cursor may lie behind when there is nothing else to record."""

_CHUNK = 1_000
"""How many outcomes are read at a time, at a start."""

_MOST_REMEMBERED = 10_000
"""Event ids whose past is remembered from step to step; each costs a query otherwise."""


class Settler:
    """Turns the events of one loop into outcomes. One at a time per loop: the learn process."""

    def __init__(self, events: EventLog, outcomes: OutcomeLog) -> None:
        self._events = events
        self._outcomes = outcomes
        self._windows: RewardWindows | None = None
        self._recorded = Cursor()
        self._known: Iterator[Sequence[Outcome]] = iter(())
        self._is_ready = False
        self._is_full = False
        self._ahead_us: int | None = None
        self._past = _PastDecisions(outcomes)
        self.horizon_us: int | None = None
        """The time of the log when it was last asked for; None: it was not."""
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
            now_us: the caller's clock, if it has one; only its progress counts. Where nothing has arrived and
                nothing is due by then, the step costs two short reads and takes no lock.
            reads: how many times events are read, at most; None: until something is due, or the log ends.
                With a bound a step takes a bounded time, however long the log is, and ``caught_up`` says
                whether there is more.

        Returns:
            How many decisions were settled.

        Raises:
            StoreUnavailable: nothing was recorded; the next step tries again.
        """
        try:
            windows = self._open_windows(settings)
            if not self._read_recorded(windows, reads):
                self.caught_up = False
                return 0
            return self._step(windows, settings_version, limit, now_us, reads)
        except BaseException:
            self._windows = None  # it may be ahead of what is recorded
            raise

    def find_pause_us(self, now_us: int, /) -> float:
        """How long a step finds nothing to do if nothing arrives, in microseconds; 0: not known.

        ``now_us``: the clock that ``step`` is given.
        """
        if self._windows is None or not self.caught_up:
            return 0.0
        next_us = self._windows.next_due_us
        if next_us is None:
            return math.inf
        return 0.0 if self._ahead_us is None else max(0.0, next_us - self._ahead_us - now_us)

    def _step(
        self, windows: RewardWindows, settings_version: int, limit: int, now_us: int | None, reads: int | None
    ) -> int:
        # What is due already is settled before more is read: memory holds what is open, and one page.
        is_new = not self._is_full and self._read_events(windows, limit)
        if is_new and reads is not None:
            reads -= 1
        if not (is_new or self._is_full or self._may_be_due(windows, now_us)):
            self.caught_up = True
            return 0
        horizon = self._events.horizon()
        self.horizon_us = horizon.now_us
        if now_us is not None:
            self._ahead_us = horizon.now_us - now_us
        settlement = self._settle(windows, horizon, settings_version, limit, reads)
        self._record(windows, settlement)
        return len(settlement.outcomes)

    def _may_be_due(self, windows: RewardWindows, now_us: int | None) -> bool:
        """Whether something may have fallen due since the horizon was read, as the caller's clock went on."""
        next_us = windows.next_due_us
        if next_us is None or now_us is None or self._ahead_us is None:
            return next_us is not None
        return next_us <= now_us + self._ahead_us

    def _open_windows(self, settings: LoopSettings) -> RewardWindows:
        """The windows of the step before; new ones from the cursor on, after an error or under other rules."""
        windows = self._windows
        if windows is None or _rules(windows.settings) != _rules(settings):
            self._recorded = self._outcomes.counts().cursor
            windows = RewardWindows(settings, cursor=self._recorded)
            self._known, self._is_ready = self._recorded_after(self._recorded), False
            self._windows, self._is_full, self._ahead_us = windows, False, None
        windows.settings = settings
        return windows

    def _read_recorded(self, windows: RewardWindows, reads: int | None) -> bool:
        """Take in the outcomes that open decisions have already; whether that is done."""
        while not self._is_ready:
            page = next(self._known, None)
            self._is_ready = page is None
            windows.add_recorded(page or ())
            if reads is not None:
                break
        return self._is_ready

    def _recorded_after(self, cursor: Cursor) -> Iterator[Sequence[Outcome]]:
        """The outcomes of decisions after the cursor, newest first, as they are read.

        No outcome is older than its decision, so the search ends at one that was settled before them.
        """
        first = self._events.heads(after=cursor.decisions, limit=1)
        counts = self._outcomes.counts()
        last = counts.last_outcome if first else 0
        while last >= counts.first_outcome:
            after = max(counts.first_outcome - 1, last - _CHUNK)
            read = [logged.outcome for logged in self._outcomes.outcomes(after=after, limit=last - after)]
            yield [outcome for outcome in read if outcome.decision_seq > cursor.decisions]
            if not read or read[0].settled_at_us < first[0].at_us:
                return
            last = after

    def _read_events(self, windows: RewardWindows, limit: int) -> bool:
        """Read the next events of both kinds; whether there were any."""
        heads = self._events.heads(after=windows.decisions_read, limit=limit)
        windows.add_decisions(heads)
        observations = self._events.observations(after=windows.observations_read, limit=limit)
        windows.add_observations(observations)
        return bool(heads or observations)

    def _settle(
        self,
        windows: RewardWindows,
        horizon: Horizon,
        settings_version: int,
        limit: int,
        reads: int | None,
    ) -> Settlement:
        """Read on until enough is due, or the log ends, and settle it."""
        due = windows.find_due(windows.frontier_us(horizon), limit=limit)
        while (
            len(due) + windows.imported < limit
            and windows.is_behind(horizon)
            and (reads is None or (reads := reads - 1) >= 0)
            and self._read_events(windows, limit)
        ):
            due = windows.find_due(windows.frontier_us(horizon), limit=limit)
        self._past.move(until=windows.cursor.decisions)
        settlement = windows.settle(
            due,
            horizon=horizon,
            settings_version=settings_version,
            was_decided=self._past.contains,
            limit=limit,
        )
        frontier_us = windows.frontier_us(horizon)
        self._is_full = windows.has_due(frontier_us) or windows.has_expired(frontier_us)
        self.caught_up = not self._is_full and not windows.is_behind(horizon)
        return settlement

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


class _PastDecisions:
    """Whether a decision of an event id was settled, up to a number: asked again for each unmatched reward."""

    def __init__(self, outcomes: OutcomeLog) -> None:
        self._outcomes = outcomes
        self._until = 0
        self._found: set[str] = set()
        self._not_found: set[str] = set()

    def move(self, *, until: int) -> None:
        """Look at the decisions up to a number."""
        if until < self._until or len(self._found) > _MOST_REMEMBERED:
            self._found.clear()
        if until != self._until or len(self._not_found) > _MOST_REMEMBERED:
            self._not_found.clear()
        self._until = until

    def contains(self, event_id: str, /) -> bool:
        """Whether one with this id was settled."""
        if event_id in self._found:
            return True
        if event_id not in self._not_found:
            is_found = self._outcomes.has_outcome(event_id, until=self._until)
            (self._found if is_found else self._not_found).add(event_id)
        return event_id in self._found

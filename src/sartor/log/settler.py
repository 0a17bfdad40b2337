"""Settling a loop's log, step by step: each decision gives one outcome, whatever happens in between.

A step reads what is new, up to a horizon of the log, and records outcomes, unmatched observations and the
cursor together. What it remembers between steps is only a reading of the log (``windows.py``): after a crash,
an error or a change of the settings it is read again from the cursor.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from sartor.log.reward_windows import PendingObservation, RewardWindow, RewardWindows
from sartor.log.settle import SettledReward
from sartor.ports import EventLog, OutcomeLog
from sartor.records import Cursor, Horizon, Outcome, Settlement
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
        """Settle what is due, at most ``limit`` decisions; the settings of this step decide.

        Args:
            settings: those in force. A decision that was settled stays as it is when they change.
            settings_version: kept with the outcomes.
            limit: as many outcomes at most; when as many were settled, there may be more.
            now_us: the caller's clock, if it has one. Where nothing has arrived and nothing is due by then,
                the step costs two short reads and takes no lock.
            reads: how often as many events as ``limit`` says are read at most; None: until something is due,
                or the log ends. With a bound, ``caught_up`` tells whether there is more.

        Returns:
            How many decisions were settled.

        Raises:
            StoreUnavailable: nothing was recorded; the next step does it.
        """
        try:
            windows = self._reading(settings)
            if not self._read(windows, limit) and not _may_be_due(windows, now_us):
                self.caught_up = True
                return 0
            return self._settle(windows, settings_version, limit, reads)
        except BaseException:
            self._windows = None  # it may be ahead of what is recorded
            raise

    def _reading(self, settings: LoopSettings) -> RewardWindows:
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

    def _read(self, windows: RewardWindows, limit: int) -> bool:
        """Take in the next events of both kinds; whether there were any."""
        heads = self._events.heads(after=windows.heads_read, limit=limit)
        windows.open(heads)
        observations = self._events.observations(after=windows.observations_read, limit=limit)
        windows.observe(observations)
        return bool(heads or observations)

    def _settle(self, windows: RewardWindows, settings_version: int, limit: int, reads: int | None) -> int:
        horizon = self._events.horizon()
        frontier_us = _frontier_us(windows, horizon)
        due = windows.due(frontier_us, limit=limit)
        while (
            len(due) + len(windows.imported) < limit
            and _lags(windows, horizon)
            and (reads is None or (reads := reads - 1) > 0)
            and self._read(windows, limit)
        ):
            frontier_us = _frontier_us(windows, horizon)
            due = windows.due(frontier_us, limit=limit)
        self.caught_up = len(due) < limit and not _lags(windows, horizon)
        windows.settle(window for window, _ in due)
        for held in windows.unmet(frontier_us):
            late = windows.decided_before(held) or self._was_decided_before(windows, held)
            held.unmatched = "late" if late else "dangling"
        imported = [replace(outcome, settled_at_us=horizon.now_us) for outcome in windows.imported]
        windows.imported.clear()
        settled = [_outcome(*pair, horizon.now_us, settings_version) for pair in due]
        outcomes = (*imported, *settled)
        self._record(windows, outcomes, frontier_us)
        return len(outcomes)

    def _was_decided_before(self, windows: RewardWindows, held: PendingObservation) -> bool:
        """Whether a decision that is forgotten, and so has an outcome, came before the observation."""
        forgotten = windows.cursor.decisions
        return any(
            logged.outcome.decision_seq <= forgotten for logged in self._outcomes.outcomes_of(held.event_id)
        )

    def _record(self, windows: RewardWindows, outcomes: tuple[Outcome, ...], frontier_us: int) -> None:
        unmatched = windows.forget(frontier_us)
        cursor = windows.cursor
        moved = cursor.decisions - self._recorded.decisions + cursor.observations - self._recorded.observations
        if outcomes or unmatched or moved >= _LAG or (moved and windows.idle):
            self._outcomes.record(Settlement(outcomes=outcomes, unmatched=unmatched, cursor=cursor))
            self._recorded = cursor


def _rules(settings: LoopSettings) -> tuple[object, ...]:
    """The settings under which the open windows were read."""
    return settings.reward_wait_time, settings.reward_aggregation, settings.learn_when


def _may_be_due(windows: RewardWindows, now_us: int | None) -> bool:
    next_us = windows.next_us
    return next_us is not None and (now_us is None or next_us <= now_us)


def _lags(windows: RewardWindows, horizon: Horizon) -> bool:
    return windows.heads_read < horizon.decisions or windows.observations_read < horizon.observations


def _frontier_us(windows: RewardWindows, horizon: Horizon) -> int:
    """The time up to which every event was taken in: all that are not have this time or a later one."""
    heads = windows.heads_read >= horizon.decisions
    observations = windows.observations_read >= horizon.observations
    return min(
        horizon.now_us if heads else windows.heads_us,
        horizon.now_us if observations else windows.observations_us,
    )


def _outcome(window: RewardWindow, verdict: SettledReward, now_us: int, settings_version: int) -> Outcome:
    return Outcome(
        decision_seq=window.head.seq,
        event_id=window.head.event_id,
        reward=verdict.reward,
        learnable=verdict.learnable,
        joined=verdict.joined,
        settled_at_us=now_us,
        settings_version=settings_version,
        slot_rewards=verdict.slot_rewards,
    )

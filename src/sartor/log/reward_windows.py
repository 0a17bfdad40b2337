"""The open reward windows of a loop, in memory: events go in, in the order of the log; settlements come out.

It holds nothing that the log does not: it can be thrown away at any time and read again from the cursor. It
does no I/O and reads no clock; ``settler.py`` reads the log, feeds it, and records what it returns. The rules
themselves are in ``settle.py``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush

from msgspec.structs import replace

from sartor.log.open_windows import PendingObservation, RewardWindow, WaitingObservations, WindowIndex
from sartor.log.settle import BEFORE_US, SettledReward, is_late, settle, settles_early, wait_us
from sartor.records import (
    Cursor,
    DecisionHeader,
    Horizon,
    LoggedObservation,
    Outcome,
    Settlement,
    UnmatchedObservation,
)
from sartor.settings import LoopSettings


class RewardWindows:
    """What is open under one set of rules: wait time, aggregation and ``learnWhen`` never change here."""

    def __init__(self, settings: LoopSettings, /, *, cursor: Cursor) -> None:
        """Nothing is read yet. Outcomes that decisions after the cursor have already are added first."""
        self.settings = settings
        self.decisions_read, self._decisions_us = cursor.decisions, 0
        self.observations_read, self._observations_us = cursor.observations, 0
        self._wait_us = wait_us(settings)
        self._settled: dict[int, int] = {}
        self._joined: set[int] = set()
        self._imported: list[Outcome] = []
        self._open: deque[RewardWindow] = deque()
        self._ended: deque[RewardWindow] = deque()
        self._index = WindowIndex()
        self._early: list[tuple[int, int, RewardWindow]] = []
        self._pending: deque[PendingObservation] = deque()
        self._waiting = WaitingObservations()
        self._expiring: deque[PendingObservation] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was read is finished."""
        return not (self._open or self._ended or self._pending)

    @property
    def imported(self) -> int:
        """How many imported decisions, which came with their outcomes, the next settlement will hold."""
        return len(self._imported)

    @property
    def next_due_us(self) -> int | None:
        """When something falls due if nothing more arrives; None: never."""
        times = [self._early[0][0]] if self._early else []
        if self._open:
            times.append(self._open[0].end_us)
        if self._expiring:
            times.append(self._expiring[0].joined.at_us + BEFORE_US)
        return min(times, default=None)

    @property
    def cursor(self) -> Cursor:
        """Where reading would have to begin again."""
        kept = self._ended or self._open
        return Cursor(
            decisions=kept[0].head.seq - 1 if kept else self.decisions_read,
            observations=self._pending[0].joined.seq - 1 if self._pending else self.observations_read,
        )

    def is_behind(self, horizon: Horizon, /) -> bool:
        """Whether the log holds events up to its horizon that were not read yet."""
        return self.decisions_read < horizon.decisions or self.observations_read < horizon.observations

    def frontier_us(self, horizon: Horizon, /) -> int:
        """The time up to which every event was read: those that were not have this time or a later one."""
        has_decisions = self.decisions_read >= horizon.decisions
        has_observations = self.observations_read >= horizon.observations
        return min(
            horizon.now_us if has_decisions else self._decisions_us,
            horizon.now_us if has_observations else self._observations_us,
        )

    def add_recorded(self, outcomes: Iterable[Outcome], /) -> None:
        """Take in outcomes that decisions after the cursor have already, before any decision is read."""
        for outcome in outcomes:
            joined = [one.seq for one in outcome.joined]
            self._settled[outcome.decision_seq] = max(joined, default=0)
            self._joined.update(joined)

    def add_decisions(self, heads: Sequence[DecisionHeader], /) -> None:
        """Open a window for each of the next decisions of the log."""
        for head in heads:
            reach = self._settled.pop(head.seq, None)
            if head.outcome is not None:  # it was settled elsewhere, and no observation here is meant for it
                self._imported += [head.outcome] if reach is None else []
                continue
            window = RewardWindow(head, end_us=head.at_us + self._wait_us, reach=reach)
            self._open.append(window)
            self._index.add(window)
            # What waits belongs to no decision before this one: nothing else is looked at.
            for pending in self._waiting.take(head, wait_us=self._wait_us):
                self._join(window, pending)
        if heads:
            self.decisions_read, self._decisions_us = heads[-1].seq, heads[-1].at_us

    def add_observations(self, observations: Sequence[LoggedObservation], /) -> None:
        """Give each of the next observations of the log to its window, or let it wait for its decision."""
        for logged in observations:
            pending = PendingObservation(logged)
            self._pending.append(pending)
            if logged.seq in self._joined:
                self._joined.remove(logged.seq)
                pending.done = True
                continue
            window = self._index.find_owner(pending, wait_us=self._wait_us)
            if window is not None:
                self._join(window, pending)
            else:
                self._waiting.add(pending)
                self._expiring.append(pending)
        if observations:
            self.observations_read, self._observations_us = observations[-1].seq, observations[-1].at_us

    def _join(self, window: RewardWindow, pending: PendingObservation) -> None:
        pending.placed = True
        if window.settled or window.early is not None:
            pending.done = True  # it came after what decided
            return
        if window.pending is None:
            window.pending = []
        window.reach = max(window.reach, pending.joined.seq)
        is_new_kind = window.is_new_kind(pending.joined)
        window.pending.append(pending)
        if is_new_kind and settles_early(self.settings):
            window.early = self._settle_window(window, now_us=pending.joined.at_us)
            if window.early is not None:
                heappush(self._early, (window.early.due_us, window.head.seq, window))

    def _settle_window(self, window: RewardWindow, *, now_us: int) -> SettledReward | None:
        joined = [pending.joined for pending in window.pending or ()]
        return settle(window.head, joined, now_us=now_us, settings=self.settings)

    def find_due(self, frontier_us: int, /, *, limit: int) -> list[tuple[RewardWindow, SettledReward]]:
        """The next decisions that can be settled, in order of falling due, then of the log.

        Args:
            frontier_us: the time up to which every event was read.
            limit: how many at most.
        """
        due = self._find_early(frontier_us, limit=limit)
        due += self._find_ended(frontier_us, limit=limit)
        due.sort(key=lambda pair: (pair[1].due_us, pair[0].head.seq))
        return due[:limit]

    def has_due(self, frontier_us: int, /) -> bool:
        """Whether a decision can be settled."""
        is_early = bool(self._early) and self._early[0][0] <= frontier_us
        return is_early or (bool(self._open) and self._open[0].end_us <= frontier_us)

    def _find_early(self, frontier_us: int, *, limit: int) -> list[tuple[RewardWindow, SettledReward]]:
        """The first that rewards have decided; they stay in the queue until they are closed."""
        found: list[tuple[int, int, RewardWindow]] = []
        while self._early and self._early[0][0] <= frontier_us and len(found) < limit:
            found.append(heappop(self._early))
        for entry in found:
            heappush(self._early, entry)
        return [(window, window.early) for _, _, window in found if window.early is not None]

    def _find_ended(self, frontier_us: int, *, limit: int) -> list[tuple[RewardWindow, SettledReward]]:
        found: list[tuple[RewardWindow, SettledReward]] = []
        for window in self._open:
            if window.end_us > frontier_us or len(found) >= limit:
                break
            if not window.settled and window.early is None:
                settled = self._settle_window(window, now_us=frontier_us)
                if settled is not None:
                    found.append((window, settled))
        return found

    def settle(
        self,
        due: Sequence[tuple[RewardWindow, SettledReward]],
        /,
        *,
        horizon: Horizon,
        settings_version: int,
        was_decided: Callable[[str], bool],
        limit: int,
    ) -> Settlement:
        """Close windows and drop what is finished, in the order of the log, which moves the cursor.

        Args:
            due: from ``find_due``, under this horizon.
            horizon: of the log; outcomes carry its time.
            settings_version: kept with the outcomes.
            was_decided: whether a decision of this event id had been forgotten here before this call.
            limit: of how many observations it is decided at most that they will never be learned.

        Returns:
            The outcomes of imported decisions and of those that are due, the observations that will never be
            learned, and where reading would begin again.
        """
        frontier_us = self.frontier_us(horizon)
        outcomes = [replace(outcome, settled_at_us=horizon.now_us) for outcome in self._imported]
        self._imported.clear()
        for window, settled in due:
            self._close(window)
            outcomes.append(_to_outcome(window.head, settled, horizon.now_us, settings_version))
        while self._early and self._early[0][2].settled:
            heappop(self._early)
        is_labelled = self._label_unmatched(frontier_us, was_decided, limit=limit)
        unmatched = self._drop_observations()
        if is_labelled:  # those that are left may be late for a window that ended
            self._drop_windows(frontier_us)
        return Settlement(outcomes=tuple(outcomes), unmatched=tuple(unmatched), cursor=self.cursor)

    def _close(self, window: RewardWindow) -> None:
        window.settled = True
        for pending in window.pending or ():
            pending.done = True
        window.pending = window.kinds = None

    def _label_unmatched(self, frontier_us: int, was_decided: Callable[[str], bool], *, limit: int) -> bool:
        """Find the observations that no decision can claim any more, and why; whether none is left."""
        while self.has_expired(frontier_us):
            if limit <= 0:
                return False
            pending = self._expiring.popleft()
            if pending.placed:
                continue
            limit -= 1
            self._waiting.drop(pending)
            late = self._is_late(pending) or was_decided(pending.event_id)
            pending.unmatched = "late" if late else "dangling"
        return True

    def has_expired(self, frontier_us: int, /) -> bool:
        """Whether there is an observation that no decision can claim any more."""
        return bool(self._expiring) and self._expiring[0].joined.at_us + BEFORE_US <= frontier_us

    def _is_late(self, pending: PendingObservation) -> bool:
        """Whether it is late for a decision that was not forgotten yet."""
        window = self._index.find_first(pending)
        return window is not None and is_late(window.head, pending.joined)

    def _drop_observations(self) -> list[UnmatchedObservation]:
        """An unmatched observation is returned when the cursor passes it, so that it is recorded once."""
        unmatched: list[UnmatchedObservation] = []
        while self._pending and (self._pending[0].done or self._pending[0].unmatched is not None):
            pending = self._pending.popleft()
            if pending.unmatched is not None:
                unmatched.append(UnmatchedObservation(pending.joined.seq, pending.unmatched))
        return unmatched

    def _drop_windows(self, frontier_us: int) -> None:
        """Forget settled decisions.

        One is kept until every observation that could belong to it is finished, and until the cursor has
        passed those that do, which rules of before may have given to it: read again after a crash, or under
        other rules, they must not meet a later decision with the same event id, or be unmatched.
        """
        while self._open and self._open[0].settled and self._open[0].end_us <= frontier_us:
            self._ended.append(self._open.popleft())
        while self._ended and self._is_finished(self._ended[0], frontier_us):
            self._index.remove(self._ended.popleft())

    def _is_finished(self, window: RewardWindow, frontier_us: int) -> bool:
        """Whether all that could concern a window that ended, and all that joined it, is finished."""
        if not self._pending:
            return window.end_us <= frontier_us
        oldest = self._pending[0].joined
        return window.end_us <= min(oldest.at_us, frontier_us) and window.reach < oldest.seq


def _to_outcome(head: DecisionHeader, settled: SettledReward, now_us: int, settings_version: int) -> Outcome:
    return Outcome(
        decision_seq=head.seq,
        event_id=head.event_id,
        reward=settled.reward,
        learnable=settled.learnable,
        joined=settled.joined,
        settled_at_us=now_us,
        settings_version=settings_version,
        slot_rewards=settled.slot_rewards,
    )

"""The decisions whose reward window is open, and the observations that are not done with.

It is what the settler remembers between two steps, and nothing that the log doesn't hold: it can be thrown
away at any time and read again from the cursor. Decisions, and observations, come in the order of the log.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from sartor.log.settle import BEFORE_US, SettledReward, belongs_to, is_about, settle, settles_early, wait_us
from sartor.records import (
    Cursor,
    DecisionHeader,
    JoinedObservation,
    LoggedObservation,
    Outcome,
    UnmatchedObservation,
    UnmatchedReason,
)
from sartor.settings import LoopSettings


class PendingObservation:
    """An observation that was read. It is done with when it is ``done``, or a ``stray``."""

    __slots__ = ("at_us", "done", "event_id", "joined", "placed", "seq", "unmatched")

    def __init__(self, logged: LoggedObservation) -> None:
        self.seq = logged.seq
        self.at_us = logged.at_us
        self.event_id = logged.observation.event_id
        self.joined = JoinedObservation(
            logged.seq, logged.at_us, logged.observation.reward, logged.observation.slot
        )
        self.placed = False
        self.done = False
        self.unmatched: UnmatchedReason | None = None


class RewardWindow:
    """A decision, and the observations that belong to it until it is settled.

    Windows of one event id are chained in order: ``following`` is the next; the first one knows the ``last``.
    """

    __slots__ = ("early", "end_us", "following", "head", "held", "kinds", "last", "reach", "settled")

    def __init__(self, head: DecisionHeader, *, end_us: int, reach: int | None) -> None:
        """``reach``: the last observation in its outcome, 0 for none; None: it has no outcome yet."""
        self.head = head
        self.end_us = end_us
        self.settled = reach is not None
        self.reach = reach or 0
        # Most windows see nothing, and there may be a million: no list before there is something in it.
        self.held: list[PendingObservation] | None = None
        self.kinds: set[str | bool | None] | None = None
        self.early: SettledReward | None = None
        self.following: RewardWindow | None = None
        self.last = self

    def is_news(self, held: PendingObservation) -> bool:
        """Whether an observation is unlike those before: an activation, or a reward of another slot.

        More of the same can't decide anything; asking each time would cost the square of their number.
        """
        activates = held.joined.reward is None
        if not self.head.slots:
            return not self.held or (self.held[-1].joined.reward is None) is not activates
        if self.kinds is None:
            self.kinds = set()
        kind = activates or held.joined.slot
        is_first = kind not in self.kinds
        self.kinds.add(kind)
        return is_first


class RewardWindows:
    """What is open under one set of rules: wait time, aggregation and ``learnWhen`` never change here."""

    def __init__(self, settings: LoopSettings, /, *, cursor: Cursor, recorded: Iterable[Outcome] = ()) -> None:
        """Nothing is read yet. ``recorded``: the outcomes that decisions after the cursor have already."""
        self.settings = settings
        self.heads_read, self.heads_us = cursor.decisions, 0
        self.observations_read, self.observations_us = cursor.observations, 0
        self._wait_us = wait_us(settings)
        self._settled: dict[int, int] = {}
        self._joined: set[int] = set()
        for outcome in recorded:
            joined = [one.seq for one in outcome.joined]
            self._settled[outcome.decision_seq] = max(joined, default=0)
            self._joined.update(joined)
        self._open: deque[RewardWindow] = deque()
        self._over: deque[RewardWindow] = deque()
        self._first: dict[str, RewardWindow] = {}
        self._early: list[RewardWindow] = []
        self._held: deque[PendingObservation] = deque()
        self._waiting: dict[str, list[PendingObservation]] = {}
        self._expiring: deque[PendingObservation] = deque()
        self.imported: list[Outcome] = []
        """The outcomes that came with imported decisions, until the caller has recorded them."""

    @property
    def idle(self) -> bool:
        """Whether everything that was read is done with."""
        return not (self._open or self._over or self._held)

    @property
    def next_us(self) -> int | None:
        """When something falls due if nothing more arrives; None: never."""
        times = [self._early[0].head.at_us] if self._early else []
        if self._open:
            times.append(self._open[0].end_us)
        if self._expiring:
            times.append(self._expiring[0].at_us + BEFORE_US)
        return min(times, default=None)

    @property
    def cursor(self) -> Cursor:
        """Where reading would have to begin again."""
        kept = self._over or self._open
        return Cursor(
            decisions=kept[0].head.seq - 1 if kept else self.heads_read,
            observations=self._held[0].seq - 1 if self._held else self.observations_read,
        )

    def open(self, heads: Sequence[DecisionHeader], /) -> None:
        """Take in the next decisions of the log."""
        for head in heads:
            reach = self._settled.pop(head.seq, None)
            if head.outcome is not None:  # it was settled elsewhere, and no observation here is meant for it
                self.imported += [head.outcome] if reach is None else []
                continue
            window = RewardWindow(head, end_us=head.at_us + self._wait_us, reach=reach)
            self._open.append(window)
            self._chain(window)
            for held in self._waiting.pop(head.event_id, ()):
                self._place(held)
        if heads:
            self.heads_read, self.heads_us = heads[-1].seq, heads[-1].at_us

    def _chain(self, window: RewardWindow) -> None:
        first = self._first.setdefault(window.head.event_id, window)
        if first is not window:
            first.last.following = window
            first.last = window

    def observe(self, observations: Sequence[LoggedObservation], /) -> None:
        """Take in the next observations of the log."""
        for logged in observations:
            held = PendingObservation(logged)
            self._held.append(held)
            if _taken(self._joined, held.seq):
                held.done = True
            elif not self._place(held):
                self._expiring.append(held)
        if observations:
            self.observations_read, self.observations_us = observations[-1].seq, observations[-1].at_us

    def _place(self, held: PendingObservation) -> bool:
        """Give an observation to the earliest decision to which it belongs, or let it wait for one."""
        for window in self._of(held.event_id):
            if belongs_to(window.head, held.at_us, wait_us=self._wait_us) and is_about(
                window.head, held.joined
            ):
                held.placed = True
                self._join(window, held)
                return True
        self._waiting.setdefault(held.event_id, []).append(held)
        return False

    def _of(self, event_id: str) -> Iterator[RewardWindow]:
        window = self._first.get(event_id)
        while window is not None:
            yield window
            window = window.following

    def _join(self, window: RewardWindow, held: PendingObservation) -> None:
        if window.settled or window.early is not None:
            held.done = True  # it came after what decided
            return
        if window.held is None:
            window.held = []
        window.reach = max(window.reach, held.seq)
        is_news = window.is_news(held)
        window.held.append(held)
        if is_news and settles_early(self.settings):
            window.early = self._verdict(window, now_us=held.at_us)
            if window.early is not None:
                self._early.append(window)

    def _verdict(self, window: RewardWindow, *, now_us: int) -> SettledReward | None:
        joined = [held.joined for held in window.held or ()]
        return settle(window.head, joined, now_us=now_us, settings=self.settings)

    def due(self, now_us: int, /, *, limit: int) -> list[tuple[RewardWindow, SettledReward]]:
        """The next decisions that can be settled, in order of falling due, then of the log.

        Args:
            now_us: the time up to which everything was taken in.
            limit: how many at most.
        """
        found = [(w, w.early) for w in self._early if w.early is not None and w.early.due_us <= now_us]
        found += self._ended(now_us, limit=limit)
        found.sort(key=lambda pair: (pair[1].due_us, pair[0].head.seq))
        return found[:limit]

    def _ended(self, now_us: int, *, limit: int) -> list[tuple[RewardWindow, SettledReward]]:
        found: list[tuple[RewardWindow, SettledReward]] = []
        for window in self._open:
            if window.end_us > now_us or len(found) >= limit:
                break
            if not window.settled and window.early is None:
                verdict = self._verdict(window, now_us=now_us)
                if verdict is not None:
                    found.append((window, verdict))
        return found

    def settle(self, windows: Iterable[RewardWindow], /) -> None:
        """These are settled; nothing that comes later changes their outcome."""
        for window in windows:
            window.settled = True
            for held in window.held or ():
                held.done = True
            window.held = window.kinds = None
        self._early = [window for window in self._early if not window.settled]

    def unmet(self, now_us: int, /) -> list[PendingObservation]:
        """The observations that no decision can claim any more; the caller says why each is unmatched."""
        found: list[PendingObservation] = []
        while self._expiring and self._expiring[0].at_us + BEFORE_US <= now_us:
            held = self._expiring.popleft()
            if not held.placed:
                found.append(held)
                _remove(self._waiting, held)
        return found

    def decided_before(self, held: PendingObservation, /) -> bool:
        """Whether a decision with the event id of the observation, not forgotten yet, came before it.

        A decision that has no such slot as a reward names does not count.
        """
        return any(
            window.head.at_us <= held.at_us and is_about(window.head, held.joined)
            for window in self._of(held.event_id)
        )

    def forget(self, now_us: int, /) -> tuple[UnmatchedObservation, ...]:
        """Drop what is done with, in the order of the log, and so move the cursor.

        A unmatched observation is given out when the cursor passes it, so that it is recorded once. A settled
        decision is kept until every observation that could belong to it is done with, and until the cursor has
        passed those that do, which rules of before may have given to it: read again after a crash, or under
        other rules, they must not meet a later decision with the same event id, or be an unmatched observation.
        """
        unmatched: list[UnmatchedObservation] = []
        while self._held and (self._held[0].done or self._held[0].unmatched is not None):
            held = self._held.popleft()
            if held.unmatched is not None:
                unmatched.append(UnmatchedObservation(held.seq, held.unmatched))
        while self._open and self._open[0].settled and self._open[0].end_us <= now_us:
            self._over.append(self._open.popleft())
        while self._over and self._is_behind(self._over[0], now_us):
            self._unchain(self._over.popleft())
        return tuple(unmatched)

    def _is_behind(self, window: RewardWindow, now_us: int) -> bool:
        """Whether all that could concern a window that ended, and all that joined it, is done with."""
        if not self._held:
            return window.end_us <= now_us
        oldest = self._held[0]
        return window.end_us <= min(oldest.at_us, now_us) and window.reach < oldest.seq

    def _unchain(self, window: RewardWindow) -> None:
        following = window.following
        if following is None:
            del self._first[window.head.event_id]
        else:
            following.last = window.last
            self._first[window.head.event_id] = following


def _taken(numbers: set[int], number: int) -> bool:
    if number not in numbers:
        return False
    numbers.remove(number)
    return True


def _remove(waiting: dict[str, list[PendingObservation]], held: PendingObservation) -> None:
    others = waiting[held.event_id]
    others.remove(held)
    if not others:
        del waiting[held.event_id]

"""The open windows of a loop, found by the event id of an observation.

Any number of decisions may share an event id, and any number of observations may wait for one. So what a
look-up costs must not grow with them: windows of one id are kept by what they take (activations, rewards of a
slot), in the order of the log, which is that of their times; observations that wait, in the order of arrival.
"""

from bisect import bisect_right
from collections.abc import Iterator

from sartor.log.settle import BEFORE_US, SettledReward, belongs_to
from sartor.records import DecisionHeader, JoinedObservation, LoggedObservation, UnmatchedReason

_Kind = str | bool | None
"""An activation (True), a reward of a slot (its id), or a reward without a slot (None)."""

_MOST_GONE = 32


class PendingObservation:
    """An observation that was read; finished when it is ``done``, or has a reason for being ``unmatched``.

    Those that wait for a decision are chained: ``following`` is the next one, and the first knows the ``last``.
    """

    __slots__ = ("done", "event_id", "following", "joined", "last", "placed", "unmatched")

    def __init__(self, logged: LoggedObservation) -> None:
        self.event_id = logged.observation.event_id
        self.joined = JoinedObservation(
            logged.seq, logged.at_us, logged.observation.reward, logged.observation.slot
        )
        self.placed = False
        self.done = False
        self.unmatched: UnmatchedReason | None = None
        self.following: PendingObservation | None = None
        self.last: PendingObservation | None = None


class RewardWindow:
    """A decision, and the observations that belong to it until it is settled."""

    __slots__ = ("early", "end_us", "head", "kinds", "pending", "reach", "settled")

    def __init__(self, head: DecisionHeader, *, end_us: int, reach: int | None) -> None:
        """``reach``: the last observation in its outcome, 0 for none; None: it has no outcome yet."""
        self.head = head
        self.end_us = end_us
        self.settled = reach is not None
        self.reach = reach or 0
        # Most windows see nothing, and there may be a million: no list before there is something in it.
        self.pending: list[PendingObservation] | None = None
        self.kinds: set[_Kind] | None = None
        self.early: SettledReward | None = None

    def is_new_kind(self, observation: JoinedObservation) -> bool:
        """Whether an observation is unlike those before: an activation, or a reward of another slot.

        More of the same can't decide anything; asking each time would cost the square of their number.
        """
        if not self.head.slots:
            activates = observation.reward is None
            return not self.pending or (self.pending[-1].joined.reward is None) is not activates
        if self.kinds is None:
            self.kinds = set()
        kind = _kind(observation)
        is_first = kind not in self.kinds
        self.kinds.add(kind)
        return is_first


class WindowIndex:
    """Finds windows by event id. They are added in the order of the log, and removed in that order."""

    def __init__(self) -> None:
        # Nearly all ids are those of one decision, and there may be a million: no index for one window.
        self._by_id: dict[str, RewardWindow | _SharedId] = {}

    def add(self, window: RewardWindow, /) -> None:
        """Add the next window."""
        found = self._by_id.setdefault(window.head.event_id, window)
        if isinstance(found, _SharedId):
            found.add(window)
        elif found is not window:
            shared = self._by_id[window.head.event_id] = _SharedId()
            shared.add(found)
            shared.add(window)

    def remove(self, window: RewardWindow, /) -> None:
        """Remove the first window of its event id."""
        found = self._by_id[window.head.event_id]
        if found is window or (isinstance(found, _SharedId) and found.remove(window)):
            del self._by_id[window.head.event_id]

    def find_owner(self, pending: PendingObservation, /, *, wait_us: int) -> RewardWindow | None:
        """The earliest decision to which an observation belongs; None: there is none yet."""
        window, one = self._by_id.get(pending.event_id), pending.joined
        if isinstance(window, _SharedId):
            window = window.find(_kind(one), after_us=one.at_us - wait_us)
        elif window is not None and _kind(one) not in _kinds(window.head):
            window = None
        is_owner = window is not None and belongs_to(window.head, one.at_us, wait_us=wait_us)
        return window if is_owner else None

    def find_first(self, pending: PendingObservation, /) -> RewardWindow | None:
        """The earliest decision that an observation can be about at all; None: there is none."""
        window = self._by_id.get(pending.event_id)
        if isinstance(window, _SharedId):
            return window.find(_kind(pending.joined), after_us=None)
        return window if window is not None and _kind(pending.joined) in _kinds(window.head) else None


class _SharedId:
    """The windows of decisions that share an event id, by what they take."""

    __slots__ = ("_by_kind", "_count")

    def __init__(self) -> None:
        self._by_kind: dict[_Kind, _WindowsInOrder] = {}
        self._count = 0

    def add(self, window: RewardWindow, /) -> None:
        """Add the next one."""
        self._count += 1
        for kind in _kinds(window.head):
            self._by_kind.setdefault(kind, _WindowsInOrder()).windows.append(window)

    def remove(self, window: RewardWindow, /) -> bool:
        """Remove the first one; whether it was the last that was left."""
        self._count -= 1
        for kind in _kinds(window.head):
            if self._by_kind[kind].remove_first():
                del self._by_kind[kind]
        return not self._count

    def find(self, kind: _Kind, /, *, after_us: int | None) -> RewardWindow | None:
        """The first that takes this kind, of those that began after a time; None: of all."""
        found = self._by_kind.get(kind)
        return None if found is None else found.find(after_us)


class _WindowsInOrder:
    """A queue that can be searched: a list whose first entries are gone."""

    __slots__ = ("gone", "windows")

    def __init__(self) -> None:
        self.windows: list[RewardWindow] = []
        self.gone = 0

    def remove_first(self) -> bool:
        """Remove the first window; whether none is left."""
        self.gone += 1
        # Deleting them one by one would move the whole rest each time.
        if self.gone >= _MOST_GONE and 2 * self.gone >= len(self.windows):
            del self.windows[: self.gone]
            self.gone = 0
        return self.gone >= len(self.windows)

    def find(self, after_us: int | None) -> RewardWindow | None:
        """The first window that began after a time; None: the first of all."""
        place = self.gone
        if after_us is not None:
            place = bisect_right(self.windows, after_us, lo=place, key=_begin)
        return self.windows[place] if place < len(self.windows) else None


class WaitingObservations:
    """Observations that belong to no decision that was read yet."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, _Kind], PendingObservation] = {}

    def add(self, pending: PendingObservation, /) -> None:
        """Let the next observation wait."""
        first = self._first.setdefault((pending.event_id, _kind(pending.joined)), pending)
        if first is not pending:
            (first.last or first).following = pending
            first.last = pending

    def take(self, head: DecisionHeader, /, *, wait_us: int) -> list[PendingObservation]:
        """Those that belong to the next decision of the log, in order of arrival; they don't wait any more.

        Those that came too early for it are forgotten: they come too early for all that follow.
        """
        if not self._first:
            return []
        taken = [pending for kind in _kinds(head) for pending in self._take(head, kind, wait_us)]
        taken.sort(key=lambda pending: pending.joined.seq)
        return taken

    def _take(self, head: DecisionHeader, kind: _Kind, wait_us: int) -> Iterator[PendingObservation]:
        key = (head.event_id, kind)
        while (pending := self._first.get(key)) is not None:
            if belongs_to(head, pending.joined.at_us, wait_us=wait_us):
                yield pending
            elif pending.joined.at_us > head.at_us - BEFORE_US:
                return
            self._remove_first(key, pending)

    def drop(self, pending: PendingObservation, /) -> None:
        """Forget an observation before which none of its kind waits, if it waits still."""
        key = (pending.event_id, _kind(pending.joined))
        if self._first.get(key) is pending:
            self._remove_first(key, pending)

    def _remove_first(self, key: tuple[str, _Kind], pending: PendingObservation) -> None:
        following, pending.following = pending.following, None
        if following is None:
            del self._first[key]
        else:
            following.last = None if pending.last is following else pending.last
            self._first[key] = following


def _kind(one: JoinedObservation) -> _Kind:
    return one.reward is None or one.slot


def _kinds(head: DecisionHeader) -> tuple[_Kind, ...]:
    """What a decision takes; see ``settle.is_about``."""
    return (True, *head.slots) if head.slots else _SINGLE_SLOT


def _begin(window: RewardWindow) -> int:
    return window.head.at_us


_SINGLE_SLOT: tuple[_Kind, ...] = (True, None)

"""The scorecard of a loop: always on, in constant memory, and exact after any crash.

It is a fold over the outcomes in order, with no state but its own: folding on from a checkpoint gives the
same card as folding everything. A checkpoint names the last outcome that is in it.
"""

from functools import reduce
from operator import add

import msgspec
from msgspec import Struct, field

from sartor.errors import Corrupt
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.policy_estimate import policy_estimates
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions
from sartor.estimators.scorecard_view import ScorecardView

MOST = 128


class CurvePoint(Struct, frozen=True, kw_only=True):
    """The sums of all that was settled up to a time."""

    at_us: int
    events: int
    online: Ips
    baseline: Ips
    random: Ips
    lowest: float
    highest: float


class LearningCurve(Struct, kw_only=True):
    """A point every ``stride`` choices; of too many, every other one goes and the stride doubles."""

    most: int = MOST
    stride: int = 1
    points: list[CurvePoint] = []

    def wants(self, events: int, /) -> bool:
        """Whether a point is due after so many choices."""
        return events % self.stride == 0

    def add(self, tally: ReferencePolicies, /, *, at_us: int) -> None:
        """Note where things stand."""
        self.points.append(curve_point(tally, at_us=at_us))
        if len(self.points) > self.most:
            self.stride *= 2
            self.points = [kept for kept in self.points if kept.events % self.stride == 0]


def curve_point(tally: ReferencePolicies, /, *, at_us: int) -> CurvePoint:
    """Where things stand."""
    return CurvePoint(
        at_us=at_us,
        events=tally.online.rows,
        online=tally.online,
        baseline=tally.baseline,
        random=tally.random,
        lowest=tally.lowest,
        highest=tally.highest,
    )


_MINUTE_US = 60_000_000
FINE_US, COARSE_US = 5 * _MINUTE_US, 60 * _MINUTE_US
"""The steps in which windows move: the short ones by five minutes, the long ones by an hour."""

WINDOWS = {"PT5M": (FINE_US, 1), "PT1H": (FINE_US, 12), "PT6H": (COARSE_US, 6), "P1D": (COARSE_US, 24)}
"""Each window's step and how many of them it holds, the one that is under way included."""

_KEPT = {FINE_US: 12, COARSE_US: 24}
_VERSION = 1


class Scorecard(Struct, kw_only=True):
    """What was earned, and what others would have earned, in windows and in total.

    Times are those of settling: the order of the log. ``since``: the first outcome that is in it. ``mark``:
    what the last outcome was, so that a checkpoint is not taken for one of another log. Of a multi-slot
    decision the first slot counts, as in the metrics of the retired service.
    """

    version: int = _VERSION
    revision: int = 0
    since: int = 0
    last: int = 0
    mark: tuple[int, int] = (0, 0)
    at_us: int = 0
    followed: TrackedActions = field(default_factory=TrackedActions)
    closed: ReferencePolicies = field(default_factory=ReferencePolicies)
    """All but the fine step that is under way."""
    opened: ReferencePolicies = field(default_factory=ReferencePolicies)
    """The fine step that is under way, number ``step``."""
    step: int = 0
    fine: dict[int, ReferencePolicies] = {}
    coarse: dict[int, ReferencePolicies] = {}
    curve: LearningCurve = field(default_factory=LearningCurve)

    def skip(self, seq: int, /, *, mark: tuple[int, int]) -> None:
        """An outcome that says nothing: it was never activated."""
        self.since = self.since or seq
        self.last, self.mark = seq, mark

    def add(self, seq: int, choice: LoggedChoice, /, *, at_us: int, mark: tuple[int, int]) -> None:
        """Take in the next outcome.

        Args:
            seq: its number.
            choice: what was done and what it paid.
            at_us: when it was settled; a clock that was set back is passed over.
            mark: what it was: the number of its decision, and ``at_us`` as recorded.
        """
        self.skip(seq, mark=mark)
        self.at_us = max(self.at_us, at_us)
        self._move_on(self.at_us // FINE_US)
        for name in self.followed.offer(choice.ids):
            self._forget(name)
        self.opened.add(choice, followed=self.followed.ordinals)
        if self.curve.wants(self.events):
            self.curve.add(self.total(), at_us=self.at_us)

    @property
    def events(self) -> int:
        """How many choices are in it."""
        return self.closed.online.rows + self.opened.online.rows

    def _move_on(self, step: int) -> None:
        if step == self.step:
            return
        if self.opened.online.rows:
            self.closed = self.closed + self.opened
            _close(self.fine, self.step, self.opened, keep=_KEPT[FINE_US])
            _close(self.coarse, self.step * FINE_US // COARSE_US, self.opened, keep=_KEPT[COARSE_US])
        self.step, self.opened = step, ReferencePolicies()

    def _forget(self, name: str) -> None:
        for tally in (self.closed, self.opened, *self.fine.values(), *self.coarse.values()):
            tally.forget(name)

    def total(self) -> ReferencePolicies:
        """The sums since the beginning."""
        return self.closed + self.opened

    def window(self, name: str, /, *, now_us: int) -> ReferencePolicies:
        """The sums of one of ``WINDOWS`` that ends with the step in which ``now_us`` lies."""
        width, count = WINDOWS[name]
        kept = self.fine if width == FINE_US else self.coarse
        oldest = now_us // width - count
        parts = [tally for step, tally in kept.items() if step > oldest]
        if self.step * FINE_US // width > oldest:
            parts.append(self.opened)
        return reduce(add, parts, ReferencePolicies())

    def reading(self, *, now_us: int, alpha: float = 0.05) -> ScorecardView:
        """The card as people read it. About 100 ms."""
        windows = {
            name: policy_estimates(self.window(name, now_us=now_us), self.followed, alpha=alpha)
            for name in WINDOWS
        }
        total = policy_estimates(self.total(), self.followed, alpha=alpha)
        return ScorecardView(
            since_outcome=self.since, last_outcome=self.last, events=self.events, windows=windows, total=total
        )

    def state(self) -> bytes:
        """All of it (MessagePack)."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_state(cls, state: bytes, /) -> "Scorecard":
        """The card whose ``state()`` this is.

        Raises:
            Corrupt: the bytes are no card, or one of another version of this file.
        """
        try:
            card = msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise Corrupt(f"Not a scorecard: {error}.") from error
        if card.version != _VERSION:
            raise Corrupt(f"A scorecard of version {card.version}; this is version {_VERSION}.")
        return card


def _close(kept: dict[int, ReferencePolicies], step: int, tally: ReferencePolicies, *, keep: int) -> None:
    kept[step] = kept[step] + tally if step in kept else tally
    for old in [other for other in kept if other <= step - keep]:
        del kept[old]

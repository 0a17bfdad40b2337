"""The scorecard of a loop: always on, in constant memory, and exact after any crash.

It is a fold over the outcomes in order, with no state but its own: continuing from a checkpoint gives the
same scorecard as folding all outcomes. A checkpoint names the last outcome that is in it.
"""

from functools import reduce
from operator import add

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from sartor.errors import Corrupt
from sartor.estimators.ips import Ips
from sartor.estimators.lift import estimate_exploration, estimate_lift
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.policy_estimate import estimate_doubly_robust, estimate_policies
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions
from sartor.estimators.reward_model import RewardModel
from sartor.estimators.scorecard_view import ScorecardView
from sartor.numbers import is_reward
from sartor.times import HOUR_US, MINUTE_US

MAX_POINTS = 128


class CurvePoint(Struct, frozen=True, kw_only=True):
    """The sums over all choices settled up to a time.

    ``estimates``: by policy, the doubly robust value and the ends of its interval; UNSET in points that were
    written before there were any.
    """

    at_us: int
    events: int
    online: Ips
    baseline: Ips
    random: Ips
    lowest: float
    highest: float
    estimates: dict[str, tuple[float, float, float]] | UnsetType = UNSET


class LearningCurve(Struct, kw_only=True):
    """A point every ``stride`` choices; of too many, every other one is dropped and the stride doubles."""

    # Scorecards that were written before have this field name.
    max_points: int = field(default=MAX_POINTS, name="most")
    stride: int = 1
    points: list[CurvePoint] = []

    def is_due(self, events: int, /) -> bool:
        """Whether a point is due after ``events`` choices."""
        return events % self.stride == 0

    def add(self, policies: ReferencePolicies, /, *, at_us: int) -> None:
        """Adds a point with the sums so far, and thins the points out where there are too many."""
        self.points.append(to_curve_point(policies, at_us=at_us))
        if len(self.points) > self.max_points:
            self.stride *= 2
            self.points = [kept for kept in self.points if kept.events % self.stride == 0]


def to_curve_point(policies: ReferencePolicies, /, *, at_us: int) -> CurvePoint:
    """Returns a point of the curve with the sums so far."""
    return CurvePoint(
        at_us=at_us,
        events=policies.online.rows,
        online=policies.online,
        baseline=policies.baseline,
        random=policies.random,
        lowest=policies.lowest,
        highest=policies.highest,
        estimates=estimate_doubly_robust(policies) or UNSET,
    )


FINE_US, COARSE_US = 5 * MINUTE_US, HOUR_US
"""The steps by which windows move: the short ones by five minutes, the long ones by an hour."""

WINDOWS = {"PT5M": (FINE_US, 1), "PT1H": (FINE_US, 12), "PT6H": (COARSE_US, 6), "P1D": (COARSE_US, 24)}
"""Each window's step and how many of them it holds, the current one included."""

_KEPT = {FINE_US: 12, COARSE_US: 24}
_VERSION = 1


class Scorecard(Struct, kw_only=True):
    """What was earned, and what the reference policies would have earned, in windows and in total.

    Times are those of settling: the order of the log. ``since``: the first outcome that is in it. ``mark``
    identifies the last outcome, so that a checkpoint is not taken for one of another log. Of a multi-slot
    decision the first slot counts, as in the metrics of the retired service.
    """

    version: int = _VERSION
    revision: int = 0
    since: int = 0
    last: int = 0
    mark: tuple[int, int] = (0, 0)
    at_us: int = 0
    # The names of fields are those of scorecards that were written before.
    tracked: TrackedActions = field(default_factory=TrackedActions, name="followed")
    closed_steps: ReferencePolicies = field(default_factory=ReferencePolicies, name="closed")
    """All but the current fine step."""
    open_step: ReferencePolicies = field(default_factory=ReferencePolicies, name="opened")
    """The current fine step, number ``step`` since 1970."""
    step: int = 0
    fine: dict[int, ReferencePolicies] = {}
    coarse: dict[int, ReferencePolicies] = {}
    curve: LearningCurve = field(default_factory=LearningCurve)
    set_aside: int | UnsetType = UNSET
    """How many outcomes were skipped because their reward is out of range; UNSET: none."""
    reward_model: RewardModel | UnsetType = UNSET
    """UNSET in an empty scorecard, and in one that was written before there were doubly robust sums."""

    def skip(self, seq: int, /, *, mark: tuple[int, int]) -> None:
        """Skips an outcome that is not learned, such as one that was never activated."""
        self.since = self.since or seq
        self.last, self.mark = seq, mark

    def add(self, seq: int, choice: LoggedChoice, /, *, at_us: int, mark: tuple[int, int]) -> None:
        """Adds the next outcome.

        Args:
            seq: its number.
            choice: the logged choice and its reward.
            at_us: when it was settled; times before that of the last outcome count as that one.
            mark: identifies it: the number of its decision, and ``at_us`` as recorded.
        """
        self.skip(seq, mark=mark)
        self.at_us = max(self.at_us, at_us)
        self._advance_to(self.at_us // FINE_US)
        for name in self.tracked.track(choice.ids):
            self._stop_tracking(name)
        if self.reward_model is UNSET and not self.events:
            self.start_model()
        model = None if self.reward_model is UNSET else self.reward_model
        self.open_step.add(choice, tracked=self.tracked.ordinals, model=model)
        if self.curve.is_due(self.events):
            self.curve.add(self.total(), at_us=self.at_us)

    @property
    def events(self) -> int:
        """The number of choices in it."""
        return self.closed_steps.online.rows + self.open_step.online.rows

    @property
    def lacks_model(self) -> bool:
        """Whether it was written before there were doubly robust sums; what is added to it has none either."""
        return self.reward_model is UNSET and self.events > 0

    def start_model(self) -> None:
        """Starts the doubly robust sums: they are about what is added from now on."""
        self.reward_model = RewardModel()
        sums = self.total()
        if sums.online.rows:
            self.reward_model.widen(sums.lowest)
            self.reward_model.widen(sums.highest)

    def _advance_to(self, step: int) -> None:
        if step == self.step:
            return
        if self.open_step.online.rows:
            self.closed_steps = self.closed_steps + self.open_step
            _close_step(self.fine, self.step, self.open_step, keep=_KEPT[FINE_US])
            _close_step(self.coarse, self.step * FINE_US // COARSE_US, self.open_step, keep=_KEPT[COARSE_US])
        self.step, self.open_step = step, ReferencePolicies()

    def _stop_tracking(self, name: str) -> None:
        for sums in (self.closed_steps, self.open_step, *self.fine.values(), *self.coarse.values()):
            sums.stop_tracking(name)

    def total(self) -> ReferencePolicies:
        """Returns the sums over all outcomes."""
        return self.closed_steps + self.open_step

    def window(self, name: str, /, *, now_us: int) -> ReferencePolicies:
        """Returns the sums of one of ``WINDOWS``, which ends with the step in which ``now_us`` lies."""
        width, count = WINDOWS[name]
        kept = self.fine if width == FINE_US else self.coarse
        oldest = now_us // width - count
        parts = [sums for step, sums in kept.items() if step > oldest]
        if self.step * FINE_US // width > oldest:
            parts.append(self.open_step)
        return reduce(add, parts, ReferencePolicies())

    def view(self, *, now_us: int, alpha: float = 0.05) -> ScorecardView:
        """Returns the estimates that the scorecard shows. About 250 ms."""
        windows = {
            name: estimate_policies(self.window(name, now_us=now_us), self.tracked, alpha=alpha)
            for name in WINDOWS
        }
        sums = self.total()
        total = estimate_policies(sums, self.tracked, alpha=alpha)
        return ScorecardView(
            since_outcome=self.since,
            last_outcome=self.last,
            events=self.events,
            windows=windows,
            total=total,
            set_aside=self.set_aside or 0,
            lift=estimate_lift(sums, alpha=alpha),
            exploration=estimate_exploration(sums, alpha=alpha),
        )

    def state(self) -> bytes:
        """Returns the whole scorecard as MessagePack."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_state(cls, state: bytes, /) -> "Scorecard":
        """Returns the scorecard whose ``state()`` this is.

        Raises:
            Corrupt: the bytes are no scorecard, or one of another version of this file.
        """
        try:
            scorecard = msgspec.msgpack.decode(state, type=cls)
        except msgspec.DecodeError as error:
            raise Corrupt(f"Not a scorecard: {error}.") from error
        if scorecard.version != _VERSION:
            raise Corrupt(f"A scorecard of version {scorecard.version}; this is version {_VERSION}.")
        if not all(_is_in_range(sums) for sums in (scorecard.closed_steps, scorecard.open_step)):
            raise Corrupt("The scorecard holds a reward from before rewards had a range.")
        return scorecard


def _close_step(kept: dict[int, ReferencePolicies], step: int, sums: ReferencePolicies, *, keep: int) -> None:
    kept[step] = kept[step] + sums if step in kept else sums
    for old in [other for other in kept if other <= step - keep]:
        del kept[old]


def _is_in_range(sums: ReferencePolicies) -> bool:
    return not sums.online.rows or (is_reward(sums.lowest) and is_reward(sums.highest))

"""What a scorecard shows, as values. Without computation, so that processes that only show it load no NumPy."""

from msgspec import Struct

from sartor.estimators.interval import Interval


class PolicyEstimate(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one policy earned or would have earned per decision.

    ``value``: doubly robust for the baseline and random choice, SNIPS for a fixed action; None, and no
    interval, where the log can't answer: ``reasons`` says why. ``interval``: anytime-valid, however often it is
    looked at; None where it contradicts the log: then the logged probabilities are not those that were used.
    ``action``: the id, for a fixed action.
    """

    policy: str
    action: str | None = None
    events: int
    value: float | None = None
    interval: Interval | None = None
    reasons: tuple[str, ...] = ()


class Lift(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much more than the baseline the learned policy earns per decision, without the control group.

    ``sentence``: what can be said, or why nothing can. ``events``: the decisions that it is about. ``value`` is
    doubly robust; ``interval`` holds at 95 %, however often it is looked at, and so do, together with it, the
    shares of what the baseline earns: ``share``, ``share_at_least``, ``share_at_most``. Those are None where
    they have no bound, or no meaning because the baseline may earn nothing.
    """

    sentence: str
    events: int = 0
    value: float | None = None
    interval: Interval | None = None
    share: float | None = None
    share_at_least: float | None = None
    share_at_most: float | None = None


class ExplorationCost(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is lost per decision because other actions are tried, the control group and the floor included.

    It is what always the action that the learned policy prefers would have earned, less what was earned.
    ``control``: the part of ``value`` that the control group costs, as an estimate. ``interval`` is as in
    ``Lift``; the shares are those of what was earned.
    """

    sentence: str
    events: int = 0
    value: float | None = None
    interval: Interval | None = None
    control: float | None = None
    share: float | None = None
    share_at_least: float | None = None
    share_at_most: float | None = None
    control_share: float | None = None


class ScorecardView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Estimates in total and by windows, named as ISO 8601 durations. Each interval holds by itself.

    ``lift`` and ``exploration``: of the total; None in a scorecard that was written before there were any,
    until the log is folded again. ``set_aside``: how many outcomes don't count because their reward is out of
    range.
    """

    since_outcome: int
    last_outcome: int
    events: int
    total: tuple[PolicyEstimate, ...]
    windows: dict[str, tuple[PolicyEstimate, ...]]
    set_aside: int = 0
    lift: Lift | None = None
    exploration: ExplorationCost | None = None

"""What a scorecard shows, as values. Without computation, so that processes that only show it load no NumPy."""

from msgspec import Struct

from sartor.estimators.interval import Interval


class PolicyEstimate(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one policy earned or would have earned per decision.

    ``value``: SNIPS; None, and no interval, where the log can't answer: ``reasons`` says why. ``interval``:
    anytime-valid, however often it is looked at; None where it contradicts the log: then the logged
    probabilities are not those that were used. ``action``: the id, for a fixed action.
    """

    policy: str
    action: str | None = None
    events: int
    value: float | None = None
    interval: Interval | None = None
    reasons: tuple[str, ...] = ()


class ScorecardView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Estimates in total and by windows, named as ISO 8601 durations. Each interval holds by itself.

    ``set_aside``: how many outcomes don't count because their reward is out of range.
    """

    since_outcome: int
    last_outcome: int
    events: int
    total: tuple[PolicyEstimate, ...]
    windows: dict[str, tuple[PolicyEstimate, ...]]
    set_aside: int = 0

"""What a scorecard says, as values: nothing here computes, so that whoever shows them needs no numerics."""

from msgspec import Struct

from sartor.estimators.interval import Interval


class PolicyEstimate(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one policy earned or would have earned per decision.

    ``value``: SNIPS; None, and no interval, where the log can't say: ``reasons`` tells why. ``interval``:
    anytime-valid, whoever looks how often; None where it contradicts the log: then the logged probabilities
    are not those that were used. ``action``: which one, for a fixed action.
    """

    policy: str
    action: str | None = None
    events: int
    value: float | None = None
    interval: Interval | None = None
    reasons: tuple[str, ...] = ()


class ScorecardView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Standings in total and by windows, named as ISO 8601 durations. Each interval holds by itself."""

    since_outcome: int
    last_outcome: int
    events: int
    total: tuple[PolicyEstimate, ...]
    windows: dict[str, tuple[PolicyEstimate, ...]]

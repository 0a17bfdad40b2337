"""Where a policy stands: its value, two intervals, and whether the log can say so at all."""

from typing import TypeVar

from sartor.estimators.anytime import Anytime
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips, Snips, WeightedSums
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.estimators.support import SupportThresholds, check_support

ONLINE, BASELINE, RANDOM, FIXED = "Online", "Baseline", "Random", "Best fixed action"


def reward_bounds(lowest: float, highest: float, /) -> Bounds:
    """The range of rewards to assume: 0 to 1, widened to what was seen.

    Strictly, an interval needs a range that was known before; the widened one is what the log knows.
    """
    return Bounds(min(0.0, lowest), max(1.0, highest))


def to_snips(sums: WeightedSums, /) -> Snips:
    """The same sums under SNIPS."""
    return _filled(Snips(), sums)


def to_anytime(sums: WeightedSums, bounds: Bounds, /) -> Anytime:
    """The same sums with the anytime interval; the rewards must lie within ``bounds``."""
    return _filled(Anytime(bounds=bounds), sums)


_Kind = TypeVar("_Kind", bound=WeightedSums)


def _filled(empty: _Kind, sums: WeightedSums) -> _Kind:
    for name in WeightedSums.__struct_fields__:
        setattr(empty, name, getattr(sums, name))
    return empty


def policy_estimates(
    tally: ReferencePolicies,
    followed: TrackedActions,
    /,
    *,
    alpha: float = 0.05,
    limits: SupportThresholds | None = None,
) -> tuple[PolicyEstimate, ...]:
    """Online, Baseline, Random, and the best fixed action where there is one. About 5 ms for each."""
    if not tally.online.rows:
        return ()
    found = [
        policy_estimate(name, sums, tally, alpha=alpha, limits=limits)
        for name, sums in ((ONLINE, tally.online), (BASELINE, tally.baseline), (RANDOM, tally.random))
    ]
    best = best_fixed(tally, followed, alpha=alpha, limits=limits)
    return (*found, best) if best is not None else tuple(found)


def policy_estimate(
    policy: str,
    sums: Ips,
    tally: ReferencePolicies,
    /,
    *,
    alpha: float,
    limits: SupportThresholds | None,
    action: str | None = None,
) -> PolicyEstimate:
    """Where one policy stands. What was done needs no support: it is known."""
    if policy != ONLINE:
        verdict = check_support(_diagnostics(sums, tally), limits=limits)
        if not verdict.answerable:
            return PolicyEstimate(policy=policy, action=action, events=sums.rows, reasons=verdict.reasons)
    return PolicyEstimate(
        policy=policy,
        action=action,
        events=sums.rows,
        value=to_snips(sums).value(),
        interval=to_anytime(sums, reward_bounds(tally.lowest, tally.highest)).interval(alpha),
    )


def best_fixed(
    tally: ReferencePolicies,
    followed: TrackedActions,
    /,
    *,
    alpha: float = 0.05,
    limits: SupportThresholds | None = None,
) -> PolicyEstimate | None:
    """The fixed action of which most can be shown: the one whose interval begins highest.

    Not the one with the highest estimate: of many rarely chosen actions, one is always lucky. The level of
    each action's interval is its share of ``alpha``, so that the one that is picked keeps its promise.
    """
    bounds = reward_bounds(tally.lowest, tally.highest)
    best: tuple[float, str, Ips] | None = None
    for ceiling, name, sums in _candidates(tally, followed, bounds):
        if best is not None and ceiling <= best[0]:
            break
        interval = to_anytime(sums, bounds).interval(followed.alpha(name, alpha=alpha))
        low = bounds.lower if interval is None else interval.lower
        if best is None or low > best[0]:
            best = (low, name, sums)
    if best is None:
        return None
    _, name, sums = best
    level = followed.alpha(name, alpha=alpha)
    return policy_estimate(FIXED, sums, tally, alpha=level, limits=limits, action=name)


def _candidates(
    tally: ReferencePolicies, followed: TrackedActions, bounds: Bounds
) -> list[tuple[float, str, Ips]]:
    """Each action with a ceiling over the lower end of its interval, the highest first."""
    found = [
        (_ceiling(sums, bounds), name, sums)
        for name, arm in tally.arms.items()
        if arm.matched and name in followed.ordinals
        for sums in (arm.sums(tally.online),)
    ]
    return sorted(found, key=lambda candidate: (-candidate[0], candidate[1]))


def _ceiling(sums: Ips, bounds: Bounds) -> float:
    return bounds.lower + (sums.product - bounds.lower * sums.weight) / sums.events


def _diagnostics(sums: Ips, tally: ReferencePolicies) -> Diagnostics:
    """What can be told of weights from their sums."""
    return Diagnostics(
        rows=sums.rows,
        events=sums.events,
        matched=sums.matched,
        weight=sums.weight,
        weight_sq=sums.weight_sq,
        largest_weight=sums.largest_weight,
        smallest_propensity=tally.smallest_propensity,
    )

"""Estimates of the reference policies: value and anytime interval, or why the log can't answer."""

from typing import TypeVar

from msgspec import UNSET

from sartor.estimators import doubly_robust_sums
from sartor.estimators.anytime import Anytime
from sartor.estimators.diagnostics import Diagnostics
from sartor.estimators.doubly_robust_sums import DoublyRobustSums
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips, Snips, WeightedSums
from sartor.estimators.reference_policies import ReferencePolicies, TrackedActions
from sartor.estimators.scorecard_view import PolicyEstimate
from sartor.estimators.support import SupportThresholds, check_interval, check_support

ONLINE, BASELINE, RANDOM, FIXED = "Online", "Baseline", "Random", "Best fixed action"


def reward_bounds(lowest: float, highest: float, /) -> Bounds:
    """Returns the range of rewards to assume: 0 to 1, widened to the rewards seen.

    Strictly, an interval needs a range that was known before; the widened one is what the log shows.
    """
    return Bounds(min(0.0, lowest), max(1.0, highest))


def to_snips(sums: WeightedSums, /) -> Snips:
    """Returns the sums as SNIPS."""
    return _copy_sums(Snips(), sums)


def to_anytime(sums: WeightedSums, bounds: Bounds, /) -> Anytime:
    """Returns the sums with the anytime interval; rewards must lie within ``bounds``."""
    return _copy_sums(Anytime(bounds=bounds), sums)


_Kind = TypeVar("_Kind", bound=WeightedSums)


def _copy_sums(empty: _Kind, sums: WeightedSums) -> _Kind:
    for name in WeightedSums.__struct_fields__:
        setattr(empty, name, getattr(sums, name))
    return empty


def estimate_policies(
    policies: ReferencePolicies,
    tracked: TrackedActions,
    /,
    *,
    alpha: float = 0.05,
    limits: SupportThresholds | None = None,
) -> tuple[PolicyEstimate, ...]:
    """Estimates Online, Baseline, Random, and the best fixed action where there is one. About 5 ms for each."""
    if not policies.online.rows:
        return ()
    estimates = [
        estimate_policy(name, sums, policies, alpha=alpha, limits=limits)
        for name, sums in ((ONLINE, policies.online), (BASELINE, policies.baseline), (RANDOM, policies.random))
    ]
    best = find_best_fixed(policies, tracked, alpha=alpha, limits=limits)
    return (*estimates, best) if best is not None else tuple(estimates)


def estimate_policy(
    policy: str,
    sums: Ips,
    policies: ReferencePolicies,
    /,
    *,
    alpha: float,
    limits: SupportThresholds | None,
    action: str | None = None,
) -> PolicyEstimate:
    """Estimates one policy. Online needs no check of support: it is what was done."""
    bounds = reward_bounds(policies.lowest, policies.highest)
    doubly_robust = _complete_sums(policies)
    if policy in _DOUBLY_ROBUST and doubly_robust is not None:
        weights = _diagnostics(sums, policies)
        return _estimate_doubly_robust(policy, doubly_robust, weights, bounds, alpha=alpha, limits=limits)
    if policy != ONLINE:
        verdict = check_support(_diagnostics(sums, policies), limits=limits)
        if not verdict.answerable:
            return PolicyEstimate(policy=policy, action=action, events=sums.rows, reasons=verdict.reasons)
    return PolicyEstimate(
        policy=policy,
        action=action,
        events=sums.rows,
        value=to_snips(sums).value(),
        interval=to_anytime(sums, bounds).interval(alpha),
    )


_DOUBLY_ROBUST = {BASELINE: doubly_robust_sums.BASELINE, RANDOM: doubly_robust_sums.RANDOM}


def _complete_sums(policies: ReferencePolicies) -> DoublyRobustSums | None:
    """Returns the doubly robust sums where they are about the same decisions as the others."""
    sums = policies.doubly_robust
    return sums if sums is not UNSET and sums.rows == policies.online.rows else None


def estimate_doubly_robust(
    policies: ReferencePolicies, /, *, alpha: float = 0.05
) -> dict[str, tuple[float, float, float]]:
    """Returns for Baseline and Random the value and the ends of the anytime interval; empty without the sums.

    Where the ends of an interval cross, they are those of the range of rewards.
    """
    sums = _complete_sums(policies)
    if sums is None or not sums.rows:
        return {}
    bounds = reward_bounds(policies.lowest, policies.highest)
    found = sums.intervals(dict.fromkeys(_DOUBLY_ROBUST.values(), alpha), bounds)
    estimates = {}
    for policy, target in _DOUBLY_ROBUST.items():
        ends = found[target] or Interval(bounds.lower, bounds.upper)
        estimates[policy] = (min(max(sums.value(target), ends.lower), ends.upper), ends.lower, ends.upper)
    return estimates


def _estimate_doubly_robust(
    policy: str,
    sums: DoublyRobustSums,
    weights: Diagnostics,
    bounds: Bounds,
    *,
    alpha: float,
    limits: SupportThresholds | None,
) -> PolicyEstimate:
    target = _DOUBLY_ROBUST[policy]
    interval = sums.intervals({target: alpha}, bounds)[target]
    verdict = check_interval(weights, interval, bounds, limits=limits)
    if not verdict.answerable:
        return PolicyEstimate(policy=policy, events=sums.rows, reasons=verdict.reasons)
    ends = interval or Interval(bounds.lower, bounds.upper)
    value = min(max(sums.value(target), ends.lower), ends.upper)
    return PolicyEstimate(policy=policy, events=sums.rows, value=value, interval=interval)


def find_best_fixed(
    policies: ReferencePolicies,
    tracked: TrackedActions,
    /,
    *,
    alpha: float = 0.05,
    limits: SupportThresholds | None = None,
) -> PolicyEstimate | None:
    """Finds the fixed action whose interval begins highest.

    Not the one with the highest estimate: of many rarely chosen actions, one is always lucky. The level of
    each action's interval is its share of ``alpha``, so that the interval of the one selected still holds.
    """
    bounds = reward_bounds(policies.lowest, policies.highest)
    best: tuple[float, str, Ips] | None = None
    for ceiling, name, sums in _rank_by_ceiling(policies, tracked, bounds):
        if best is not None and ceiling <= best[0]:
            break
        interval = to_anytime(sums, bounds).interval(tracked.alpha(name, alpha=alpha))
        low = bounds.lower if interval is None else interval.lower
        if best is None or low > best[0]:
            best = (low, name, sums)
    if best is None:
        return None
    _, name, sums = best
    level = tracked.alpha(name, alpha=alpha)
    return estimate_policy(FIXED, sums, policies, alpha=level, limits=limits, action=name)


def _rank_by_ceiling(
    policies: ReferencePolicies, tracked: TrackedActions, bounds: Bounds
) -> list[tuple[float, str, Ips]]:
    """Returns each action with an upper bound of the lower end of its interval, the highest first."""
    ranked = [
        (_ceiling(sums, bounds), name, sums)
        for name, action in policies.fixed_actions.items()
        if action.matched and name in tracked.ordinals
        for sums in (action.to_ips(policies.online),)
    ]
    return sorted(ranked, key=lambda candidate: (-candidate[0], candidate[1]))


def _ceiling(sums: Ips, bounds: Bounds) -> float:
    return bounds.lower + (sums.product - bounds.lower * sums.weight) / sums.events


def _diagnostics(sums: Ips, policies: ReferencePolicies) -> Diagnostics:
    """Returns what their sums show of the weights."""
    return Diagnostics(
        rows=sums.rows,
        events=sums.events,
        matched=sums.matched,
        weight=sums.weight,
        weight_sq=sums.weight_sq,
        largest_weight=sums.largest_weight,
        smallest_propensity=policies.smallest_propensity,
    )

"""The lift over the baseline and the cost of exploration: estimates, and the sentences that lead with them."""

from msgspec import UNSET

from sartor.estimators.doubly_robust_sums import EXPLORATION, LEARNED, LIFT
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.policy_estimate import reward_bounds
from sartor.estimators.reference_policies import ReferencePolicies
from sartor.estimators.scorecard_view import ExplorationCost, Lift

_MIN_ROWS = 100

_OF_LIFT = 0.9
"""The part of α that the interval of the lift has; the rest is for what its share is a share of."""

_BASELINE_ONLY = "Only your default order was shown so far: there is nothing to compare it with."
_REFUTED = "The log contradicts its probabilities: nothing can be said about other choices."


def estimate_lift(policies: ReferencePolicies, /, *, alpha: float = 0.05) -> Lift | None:
    """Estimates how much more than the baseline the learned policy earns.

    With d the lift and v the value of the learned policy, the baseline earns v - d, and the lift is the share d
    / (v - d) of it. It grows with d, and its bounds are those at the ends of the intervals of both: the
    interval of d holds at 1 - 0.9 α and that of v, which is known far better, at 1 - 0.1 α, at all times.

    Args:
        policies: the sums.
        alpha: how often the log may ever mislead; sentences say 95 %, which is 0.05.

    Returns:
        None where there are decisions but no doubly robust sums.
    """
    sums = policies.doubly_robust
    if sums is UNSET:
        return Lift(sentence="") if not policies.online.rows else None
    if not sums.differs(LIFT):
        return Lift(sentence=_BASELINE_ONLY, events=sums.rows)
    if sums.rows < _MIN_ROWS:
        return Lift(sentence=_state_too_few(sums.rows), events=sums.rows)
    bounds = _bounds(policies)
    found = sums.intervals({LIFT: _OF_LIFT * alpha, LEARNED: (1 - _OF_LIFT) * alpha}, bounds)
    interval, learned = found[LIFT], found[LEARNED]
    if interval is None or learned is None:
        return Lift(sentence=_REFUTED, events=sums.rows)
    value = _clip(sums.value(LIFT), interval)
    shares = _share_of_baseline(value, interval, sums.value(LEARNED), learned)
    return Lift(
        sentence=_state_lift(value, interval, shares),
        events=sums.rows,
        value=value,
        interval=interval,
        share=shares[0],
        share_at_least=shares[1],
        share_at_most=shares[2],
    )


def estimate_exploration(policies: ReferencePolicies, /, *, alpha: float = 0.05) -> ExplorationCost | None:
    """Estimates what exploration costs, the control group and the floor included; None where ``Lift`` is."""
    sums = policies.doubly_robust
    if sums is UNSET:
        return ExplorationCost(sentence="") if not policies.online.rows else None
    if sums.rows < _MIN_ROWS or not sums.differs(EXPLORATION):
        return ExplorationCost(sentence="", events=sums.rows)
    interval = sums.intervals({EXPLORATION: alpha}, _bounds(policies))[EXPLORATION]
    if interval is None:
        return ExplorationCost(sentence="", events=sums.rows)
    value, control = _clip(sums.value(EXPLORATION), interval), sums.control_cost()
    earned = sums.done / sums.events
    sized = earned > 0
    return ExplorationCost(
        sentence=_state_cost(value, interval, control, earned),
        events=sums.rows,
        value=value,
        interval=interval,
        control=control,
        share=value / earned if sized else None,
        share_at_least=interval.lower / earned if sized else None,
        share_at_most=interval.upper / earned if sized else None,
        control_share=control / earned if sized else None,
    )


def _bounds(policies: ReferencePolicies) -> Bounds:
    return reward_bounds(policies.lowest, policies.highest)


def _clip(value: float, interval: Interval) -> float:
    return min(max(value, interval.lower), interval.upper)


_Shares = tuple[float | None, float | None, float | None]


def _share_of_baseline(value: float, interval: Interval, learned: float, range_: Interval) -> _Shares:
    """Returns the share, and its least and greatest value; None where the baseline may earn nothing."""
    low, high = interval.lower, interval.upper
    of_low = (range_.upper if low >= 0 else range_.lower) - low
    of_high = (range_.lower if high >= 0 else range_.upper) - high
    if learned - value <= 0 or of_low <= 0:
        return None, None, None
    return value / (learned - value), low / of_low, high / of_high if of_high > 0 else None


def _state_too_few(rows: int) -> str:
    return (
        "It can't be said yet whether the learned policy earns more than your default order: the log holds "
        f"{rows:,} decisions and at least {_MIN_ROWS} are needed."
    )


def _state_lift(value: float, interval: Interval, shares: _Shares) -> str:
    share, at_least, at_most = shares
    if interval.lower <= 0 <= interval.upper:
        return (
            "It can't be said yet whether the learned policy earns more than your default order: it is between "
            f"{_state_change(interval.lower, at_least)} and "
            f"{_state_change(interval.upper, at_most if at_least is not None else None)}"
            " (95 %, valid at any time)."
        )
    more = f"The learned policy earns {_state_change(value, share)} than your default order"
    if share is None or at_least is None:
        least, most = sorted((abs(interval.lower), abs(interval.upper)))
        return f"{more} ({least:.2g} to {most:.2g}, 95 %, valid at any time)."
    if at_most is None:
        return f"{more} (at least {_percent(at_least)}, 95 %, valid at any time)."
    least, most = sorted((abs(at_least), abs(at_most)))
    return f"{more} ({_percent(least)} to {_percent(most)}, 95 %, valid at any time)."


def _state_change(value: float, share: float | None) -> str:
    direction = "less" if value < 0 else "more"
    if share is None:
        return f"{abs(value):.2g} per decision {direction}"
    return f"{_percent(abs(share))} {direction}"


def _state_cost(value: float, interval: Interval, control: float, earned: float) -> str:
    def size(amount: float) -> str:
        return _percent(amount / earned) if earned > 0 else f"{amount:.4g}"

    of_what = " of what you earn" if earned > 0 else " per decision"
    if value <= 0:
        return f"Exploration costs nothing that can be measured: at most {size(interval.upper)}{of_what}."
    ends = (
        f"{size(interval.lower)} to {size(interval.upper)}"
        if interval.lower > 0
        else f"at most {size(interval.upper)}"
    )
    part = f", of which the control group {size(control)}" if control > 0 and interval.lower > 0 else ""
    return f"Exploration costs {size(value)}{of_what} ({ends}){part}."


def _percent(share: float) -> str:
    return f"{share:.0%}"[:-1] + " %" if abs(share) >= 0.0995 else f"{share:.1%}"[:-1] + " %"

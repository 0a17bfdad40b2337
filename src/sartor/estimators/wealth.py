"""A confidence sequence for doubly robust terms: bets on the mean, one for each stake, and what they are worth.

Let, for decision t, p(a) be the logged probabilities and target(a) those of a policy whose value
v_t = Σ_a target(a) E[R_t | a] is wanted; for a difference of two policies some are negative. For a prediction m
of the rewards that was made before the reward was seen, and a stake λ > 0, let

    c_t = Σ_a target(a) m(a),    y_t = target(A) / p(A) · (R_t - m(A)),    log M_t = Σ [ ln(1 + λ y) + λ (c - v)
    ].

Given the past and the situation, c_t + E[y_t] = v_t, therefore E[1 + λ y_t] = 1 + λ (v_t - c_t) ≤ exp(λ (v_t -
c_t)): M is a non-negative supermartingale that starts at 1, provided that λ y_t > -1. It depends on the values
by their sum N V alone, V their mean up to now. So does its average over stakes with fixed weights, which by
Ville's inequality ever reaches 2/α with probability α/2 at most: the lower end of the interval is the smallest
V at which it is below. The upper end is minus the lower end for the target -target.

λ y > -1 is arranged by an insurance, for each stake on its own. An action can lose at most loss(a) / p(a), with
loss(a) = target(a) (m(a) - low), or target(a) (m(a) - high) where target(a) < 0. What exceeds ρ / λ is paid
back at its fair price, Σ_a max(0, loss(a) - p(a) ρ / λ), which c is lowered by. It is the same as moving the
prediction m(a) towards the end of the range, and needs no probability above 0: missing support makes the
interval wide, and not wrong.

Assumes: the logged probabilities are those that were used, given the past; rewards from ``low`` to ``high``.
The logging policy may learn, the model may be wrong, contexts may drift: V is the mean over the decisions that
were made, and one may look at any time.

Papers: Waudby-Smith, Wu, Ramdas, Karampatziakis, Mineiro 2022 (2210.10768), section 3, for doubly robust terms
whose predictions are cut off by weight, and for the other end by reflection; the factor 1 + λ y is the bet of
Waudby-Smith, Ramdas 2020 (2010.09686). That bets against one constant value; bounding E[1 + λ y] by the
exponential is what makes M a function of the mean of values that change, and of one sum for each stake.
"""

from typing import NamedTuple

import numpy as np

from sartor.estimators.columns import Floats

_NUMBERS: Floats = np.arange(1.0, 15.0)

STAKES: Floats = 2.0**-_NUMBERS
"""λ, in units of one over the span of rewards: n decisions of variance σ² want about 3 / (σ √n)."""

RISK = 0.75
"""ρ: no bet loses more than this share."""

_LIKELY, _SPREAD = 6.0, 0.5
"""The weights are largest for λ = 2^-6, which suits 10,000 decisions with σ about 2."""

_PRIOR: Floats = 1 / (1 + ((_NUMBERS - _LIKELY) / _SPREAD) ** 2)
_LOG_WEIGHTS: Floats = np.log(_PRIOR / _PRIOR.sum())

_HALVINGS = 44

_SMALLEST = 1e-100
"""Smaller propensities count as this one, so that squares stay finite."""


class RewardRange(NamedTuple):
    """The range of rewards; ``span``: the length, at least that of the range, for which stakes are meant."""

    lowest: float
    highest: float
    span: float


class Bets(NamedTuple):
    """What one decision adds: ``terms`` and ``squares`` have the shape (targets,), ``exponents`` one more axis.

    ``terms``: c + y, the estimates of the value; ``squares``: of y; ``exponents``: ln(1 + λ y) + λ c, insured.
    """

    terms: Floats
    squares: Floats
    exponents: Floats


def doublings_of(width: float, /) -> int:
    """Returns the smallest j ≥ 0 with 2^j ≥ ``width``, the length of the range of rewards."""
    return max(0, int(np.ceil(np.log2(width))))


def bet(
    target: Floats, propensity: Floats, predicted: Floats, chosen: int, reward: float, *, rewards: RewardRange
) -> Bets:
    """Bets on the reward of a decision. About 25 µs for 10 actions.

    Args:
        target: shape (targets, actions); those of the upper ends with the other sign.
        propensity: the logged probability of each action.
        predicted: the expected reward of each action, made before the reward was known.
        chosen: the index of the logged action.
        reward: its reward.
        rewards: their range.
    """
    stakes, most = STAKES / rewards.span, (RISK * rewards.span) / STAKES
    low, high = rewards.lowest, rewards.highest
    loss = target * np.where(target > 0, predicted - low, predicted - high)
    price = np.maximum(loss[:, None, :] - most[:, None] * propensity, 0.0).sum(axis=2)
    weight = target[:, chosen] / max(float(propensity[chosen]), _SMALLEST)
    gain = weight * (reward - predicted[chosen])
    # y with what is paid back: the larger of y and y + loss / p - ρ / λ, whose first part is never negative.
    kept = weight * np.where(weight > 0, reward - low, reward - high)
    insured = np.maximum(gain[:, None], kept[:, None] - most)
    centre = target @ predicted
    # ρ is kept by construction; rounding may miss it by a few units of the last digit.
    worth = np.log1p(np.maximum(stakes * insured, -RISK))
    return Bets(centre + gain, gain * gain, worth + stakes * (centre[:, None] - price))


def widen_span(exponents: Floats, doublings: int, /) -> Floats:
    """Returns the exponents in units of a span that is 2 ** ``doublings`` times as long.

    The stakes of the shorter span are the larger ones. Those that are missing at the end are filled in with
    powers of the last one: M^θ with 0 < θ < 1 is a supermartingale too, and its stake is θ λ.
    """
    kept = exponents[..., doublings:]
    missing = min(doublings, exponents.shape[-1])
    first = doublings - missing + 1
    powers = 2.0 ** -np.arange(float(first), float(first + missing))
    return np.concatenate([kept, exponents[..., -1:] * powers], axis=-1)


def smallest_means(
    exponents: Floats, events: float, span: float, *, log_threshold: Floats, low: Floats, high: Floats
) -> Floats:
    """Returns the smallest means at which the mixed bets are worth less than the threshold. About 0.5 ms.

    Args:
        exponents: the sums of what ``bet`` returned; shape (targets, stakes).
        events: the number of decisions, above 0.
        span: the one that the exponents are for.
        log_threshold: ln(1 / α) of each target.
        low: where to search from, for each target; returned where nothing is implausible.
        high: where to search to.
    """
    stakes = STAKES / span
    high = np.where(log_wealth(exponents - stakes * events * low[:, None]) <= log_threshold, low, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        implausible = log_wealth(exponents - stakes * events * middle[:, None]) > log_threshold
        low, high = np.where(implausible, middle, low), np.where(implausible, high, middle)
    return low


def log_wealth(exponents: Floats, /) -> Floats:
    """Returns the logarithm of the average of the bets; the last axis is that of the stakes."""
    each = exponents + _LOG_WEIGHTS
    top = each.max(axis=-1)
    return np.asarray(top + np.log(np.exp(each - top[..., None]).sum(axis=-1)))

"""Probabilities from expected rewards: inverse gap weighting."""

import math

from sartor.errors import EngineRefused
from sartor.learn.second_order.columns import Vector


def weigh_inverse_gaps(expected: Vector, /, *, gamma: float, epsilon: float = 0.0) -> list[float]:
    """Returns p_a = 1 / (K + γ (f* - f_a)) for all actions but the best, which gets the rest.

    No action gets more than the best one, and with γ = 0 all get the same. Foster, Rakhlin 2020 (SquareCB,
    2002.04926), algorithm 1; Abe, Long 1999.

    Args:
        expected: the expected rewards f, shape (actions,), at least one.
        gamma: γ ≥ 0, in 1 / reward; infinite for the best action alone.
        epsilon: the share that is spread evenly over the actions.

    Raises:
        EngineRefused: an expected reward is no number, or infinite.
    """
    rewards: list[float] = expected.tolist()
    count, top = len(rewards), max(rewards)
    best = rewards.index(top)
    if math.isinf(gamma):
        probabilities = [0.0] * count
    else:
        probabilities = [1.0 / (count + gamma * (top - one)) for one in rewards]
    probabilities[best] = 0.0
    rest = 1.0 - math.fsum(probabilities)
    if not (math.isfinite(top) and math.isfinite(rest)):
        raise EngineRefused("The model expects a reward that is no number, or infinite.")
    probabilities[best] = max(0.0, rest)
    if epsilon:
        return [(1.0 - epsilon) * one + epsilon / count for one in probabilities]
    return probabilities


def exploration_rate(remembered: float, noise: float, /, *, scale: float) -> float:
    """Returns γ = ``scale`` · √(n + 1) / σ, which does not depend on the unit of the rewards.

    Args:
        remembered: n, the number of outcomes that the prediction rests on.
        noise: σ², the variance of a reward around its prediction; 0: nothing was ever different, so γ = 0.
        scale: the factor.
    """
    return scale * math.sqrt(remembered + 1) / math.sqrt(noise) if noise > 0 else 0.0

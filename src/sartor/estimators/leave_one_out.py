"""The effect of a feature: how much less the policy would earn without it."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from msgspec import Struct

from sartor.estimators.columns import Floats
from sartor.estimators.quantiles import normal_quantile
from sartor.feature_names import FeatureName


class Effect(Struct, frozen=True, kw_only=True, rename="camel"):
    """Reward per decision that is lost without a feature, or with an empty name without a namespace.

    Negative: the policy is better off without. ``low`` … ``high``: the interval at 95 %.
    """

    namespace: str
    feature: str
    effect: float
    low: float
    high: float


def measure_effect(
    feature: FeatureName, full: Floats, reduced: Floats, reward: Floats, /, *, alpha: float = 0.05
) -> Effect:
    """Estimates the effect of leaving one feature out, from the weights of two policies on the same rows.

    (1/N) Σ (w_i - v_i) (r_i - c): the difference of two IPS estimates, with every reward moved by the constant
    c = Σ w r / Σ w, which leaves the mean as it is, as all weights average to 1, and removes most of the
    variance. Both policies are scored on the same decisions, so that shared noise cancels. Assumes what IPS
    assumes.
    Interval: Gaussian, at one sample size fixed beforehand. Cost: O(rows).

    Args:
        feature: what was left out.
        full: the weights of the policy that sees every feature; shape (rows,).
        reduced: those of the policy that learned and decided without it; shape (rows,).
        reward: the rewards; shape (rows,).
        alpha: 1 - the level.
    """
    centre = float(full @ reward) / total if (total := float(full.sum())) else 0.0
    terms = (full - reduced) * (reward - centre)
    mean = float(terms.mean())
    half_width = (
        normal_quantile(1 - alpha / 2) * float(terms.std(ddof=1)) / sqrt(len(terms)) if len(terms) > 1 else 0.0
    )
    return Effect(
        namespace=feature.namespace,
        feature=feature.name,
        effect=mean,
        low=mean - half_width,
        high=mean + half_width,
    )


def normalise_effects(effects: Sequence[Effect], /) -> list[Effect]:
    """Returns the effects as shares of the greatest, cut to 0 … 1, descending; all 0 if none is positive."""
    greatest = max((one.effect for one in effects), default=0.0)
    scaled = [
        Effect(
            namespace=one.namespace,
            feature=one.feature,
            effect=_divide(one.effect, greatest),
            low=_divide(one.low, greatest),
            high=_divide(one.high, greatest),
        )
        for one in effects
    ]
    return sorted(scaled, key=lambda one: (-one.effect, -one.high, one.namespace, one.feature))


def _divide(value: float, greatest: float) -> float:
    return float(np.clip(value / greatest, 0.0, 1.0)) if greatest > 0 else 0.0


def group_by_share(
    effects: Sequence[Effect], /, *, floors: Sequence[float] = (0.5, 0.2, 0.05, 0.0)
) -> list[list[str]]:
    """Groups names by their share of the greatest effect, the most important first.

    The older API of the retired service reports importances in this form.
    """
    groups: list[list[str]] = [[] for _ in floors]
    for one in effects:
        index = next(index for index, floor in enumerate(floors) if one.effect >= floor)
        groups[index].append(str(FeatureName(one.namespace, one.feature)))
    return [group for group in groups if group]

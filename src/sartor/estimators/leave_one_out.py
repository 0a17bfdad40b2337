"""What a feature is worth: how much less a policy would earn that never saw it."""

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


def effect_of(
    feature: FeatureName, full: Floats, less: Floats, reward: Floats, /, *, alpha: float = 0.05
) -> Effect:
    """The effect of leaving one feature out, from the weights of two policies on the same decisions.

    (1/N) Σ (w_i - v_i) (r_i - c): the difference of two IPS estimates, with every reward moved by the constant
    c = Σ w r / Σ w, which changes nothing in the mean, as all weights average to 1, and takes out most of the
    variance. Both policies stand on the same decisions, so that shared luck cancels. Assumes what IPS assumes.
    Interval: Gaussian, at one sample size fixed beforehand. Cost: O(rows).

    Args:
        feature: what was left out.
        full: the weights of the policy that sees everything.
        less: those of the policy that learned and decided without.
        reward: the rewards.
        alpha: 1 - the level.
    """
    centre = float(full @ reward) / total if (total := float(full.sum())) else 0.0
    terms = (full - less) * (reward - centre)
    mean = float(terms.mean())
    reach = (
        normal_quantile(1 - alpha / 2) * float(terms.std(ddof=1)) / sqrt(len(terms)) if len(terms) > 1 else 0.0
    )
    return Effect(
        namespace=feature.namespace, feature=feature.name, effect=mean, low=mean - reach, high=mean + reach
    )


def normalise_effects(effects: Sequence[Effect], /) -> list[Effect]:
    """The same, in shares of the greatest: 0 to 1, the greatest first. All are 0 where no feature has any."""
    greatest = max((one.effect for one in effects), default=0.0)
    scaled = [
        Effect(
            namespace=one.namespace,
            feature=one.feature,
            effect=_share(one.effect, greatest),
            low=_share(one.low, greatest),
            high=_share(one.high, greatest),
        )
        for one in effects
    ]
    return sorted(scaled, key=lambda one: (-one.effect, -one.high, one.namespace, one.feature))


def _share(value: float, greatest: float) -> float:
    return float(np.clip(value / greatest, 0.0, 1.0)) if greatest > 0 else 0.0


def group_by_share(
    found: Sequence[Effect], /, *, floors: Sequence[float] = (0.5, 0.2, 0.05, 0.0)
) -> list[list[str]]:
    """Names in groups of similar share, the most important first (the retired service's older form)."""
    made: list[list[str]] = [[] for _ in floors]
    for one in found:
        place = next(place for place, floor in enumerate(floors) if one.effect >= floor)
        made[place].append(str(FeatureName(one.namespace, one.feature)))
    return [tier for tier in made if tier]

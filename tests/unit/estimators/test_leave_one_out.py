"""Effects of features: paired, with intervals, and as shares."""

import numpy as np
import pytest

from sartor.estimators.leave_one_out import Effect, group_by_share, measure_effect, normalise_effects
from sartor.feature_names import FeatureName

FEATURE = FeatureName("Context", "device")


def test_a_policy_that_is_the_same_without_loses_nothing() -> None:
    weights, reward = np.array([1.0, 2.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])
    found = measure_effect(FEATURE, weights, weights, reward)
    assert (found.effect, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.namespace, found.feature) == ("Context", "device")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Uniform log of two actions; the whole policy takes the better one, the blind one either."""
    rng = np.random.default_rng(1)
    held = []
    for _ in range(500):
        best = rng.random(400) < 0.5
        reward = (rng.random(400) < np.where(best, 0.7, 0.3)).astype(float)
        found = measure_effect(FEATURE, np.where(best, 2.0, 0.0), np.ones(400), reward)
        held.append(found.low <= 0.2 <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def made(name: str, value: float, half: float = 0.01) -> Effect:
    return Effect(namespace="n", feature=name, effect=value, low=value - half, high=value + half)


def test_shares_are_of_the_greatest() -> None:
    found = normalise_effects([made("small", 0.02), made("great", 0.1), made("harmful", -0.05)])
    assert [one.feature for one in found] == ["great", "small", "harmful"]
    assert [one.effect for one in found] == pytest.approx([1.0, 0.2, 0.0])
    assert (found[0].low, found[0].high) == pytest.approx((0.9, 1.0))


def test_where_nothing_matters_all_shares_are_nothing() -> None:
    assert [one.effect for one in normalise_effects([made("a", -0.1), made("b", 0.0)])] == [0.0, 0.0]
    assert normalise_effects([]) == []


def test_tiers_have_the_most_important_first_and_none_is_empty() -> None:
    found = normalise_effects([made("a", 0.1), made("b", 0.06), made("c", 0.03), made("d", 0.0)])
    assert group_by_share(found) == [["n.a", "n.b"], ["n.c"], ["n.d"]]

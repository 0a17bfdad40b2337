"""The weights of the regressors, the noise, and the probabilities that follow from it."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.learn.second_order.aggregate import Aggregate
from sartor.learn.second_order.inverse_gap import exploration_rate, weigh_inverse_gaps

COUNT = 4


def score_many(outcomes: int, *, scale: float = 1.0, shift: float = 0.0, good: int = 1) -> Aggregate:
    """Regressors that are all wrong at random, but for one."""
    rng = random.Random(1)
    aggregate = Aggregate.of(COUNT)
    for _ in range(outcomes):
        reward = rng.gauss(0, 1)
        predictions = [reward + rng.gauss(0, 0.3 if place == good else 1.0) for place in range(COUNT)]
        aggregate.score([scale * one for one in predictions], scale * reward)
        aggregate.add(scale * reward + shift)
    return aggregate


def test_before_any_outcome_all_weigh_the_same() -> None:
    aggregate = Aggregate.of(COUNT)
    assert aggregate.weights().tolist() == pytest.approx([1 / COUNT] * COUNT)
    assert (aggregate.noise(), aggregate.variance) == (0.0, 0.0)


@pytest.mark.parametrize("outcomes", [1, 2, 50, 3_000])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e8])
def test_weights_sum_to_one_and_do_not_depend_on_the_unit_of_rewards(outcomes: int, scale: float) -> None:
    weights = score_many(outcomes, scale=scale).weights()
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights.min() >= 0.1 / COUNT * 0.999
    assert weights.tolist() == pytest.approx(score_many(outcomes).weights().tolist(), rel=1e-6)


@pytest.mark.parametrize("good", range(COUNT))
def test_the_best_regressor_wins(good: int) -> None:
    aggregate = score_many(300, good=good)
    assert int(np.argmax(aggregate.weights())) == good
    assert aggregate.weights()[good] > 0.9
    assert aggregate.noise() == pytest.approx(0.09, rel=0.3)


def test_a_regressor_that_becomes_better_wins_later() -> None:
    rng = random.Random(2)
    aggregate = Aggregate.of(2)
    for number in range(6_000):
        reward = rng.gauss(0, 1)
        errors = (0.3, 1.0) if number < 2_000 else (1.0, 0.3)
        aggregate.score([reward + rng.gauss(0, error) for error in errors], reward)
        aggregate.add(reward)
    assert aggregate.weights()[1] > 0.9


def test_mean_and_variance_are_those_of_the_rewards() -> None:
    rewards = [random.Random(3).lognormvariate(0, 2) + number for number in range(50)]
    aggregate = Aggregate.of(1)
    for reward in rewards:
        aggregate.add(reward)
    assert aggregate.mean == pytest.approx(np.mean(rewards))
    assert aggregate.variance == pytest.approx(np.var(rewards))


@pytest.mark.parametrize("reward", [0.0, 1.0, -1e9, 1e9])
def test_rewards_that_are_all_the_same_have_no_noise(reward: float) -> None:
    aggregate = Aggregate.of(COUNT)
    for _ in range(100):
        aggregate.score([0.0] * COUNT, 0.0)
        aggregate.add(reward)
    assert aggregate.noise() == 0.0
    assert exploration_rate(aggregate.count, aggregate.noise(), scale=16) == 0.0
    assert aggregate.weights().tolist() == pytest.approx([1 / COUNT] * COUNT)


def test_the_largest_rewards_leave_everything_finite() -> None:
    aggregate = Aggregate.of(COUNT)
    for number in range(2_000):
        reward = 1e9 * (-1) ** number
        aggregate.score([0.0, reward, -reward, 1e9], reward)
        aggregate.add(reward)
    assert all(map(math.isfinite, [*aggregate.weights(), *aggregate.losses, *aggregate.squares]))
    assert aggregate.noise() > 0
    assert math.isfinite(exploration_rate(aggregate.count, aggregate.noise(), scale=16))


_gaps = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


@settings(max_examples=60, deadline=None)
@given(_gaps, st.sampled_from([0.0, 1e-9, 1.0, 1e6, 1e300, math.inf]), st.sampled_from([0.0, 0.1, 1.0]))
def test_probabilities_are_a_distribution_with_a_floor(
    expected: list[float], gamma: float, epsilon: float
) -> None:
    found = weigh_inverse_gaps(np.array(expected), gamma=gamma, epsilon=epsilon)
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    count, top = len(expected), max(expected)
    for probability, one in zip(found, expected, strict=True):
        least = 0.0 if math.isinf(gamma) else (1 - epsilon) / (count + gamma * (top - one))
        assert probability >= (least + epsilon / count) * (1 - 1e-9)
    best = expected.index(top)
    assert max(found) <= found[best] + 1e-12
    order = sorted(set(range(count)) - {best}, key=expected.__getitem__)
    assert all(found[low] <= found[high] + 1e-12 for low, high in pairwise(order))


def test_each_action_but_the_best_has_the_inverse_of_its_gap() -> None:
    found = weigh_inverse_gaps(np.array([0.5, 1.0, 0.0]), gamma=4.0)
    assert found == pytest.approx([1 / 5, 1 - 1 / 5 - 1 / 7, 1 / 7])


@pytest.mark.parametrize("unit", [1e-6, 3.0, 1e9])
def test_another_unit_of_the_rewards_changes_nothing(unit: float) -> None:
    expected, noise = np.array([0.2, 0.9, 0.4, 0.9]), 0.2
    rates = [exploration_rate(100, noise * u**2, scale=16) for u in (1.0, unit)]
    one, other = (weigh_inverse_gaps(expected * u, gamma=g) for u, g in zip((1.0, unit), rates, strict=True))
    assert one == pytest.approx(other, rel=1e-9)


def test_ties_are_decided_for_the_first_and_get_nothing_for_it() -> None:
    assert weigh_inverse_gaps(np.zeros(4), gamma=100.0) == pytest.approx([0.25] * 4)
    assert weigh_inverse_gaps(np.ones(3), gamma=math.inf) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("gamma", [0.0, 5.0, math.inf])
def test_a_single_action_is_certain(gamma: float) -> None:
    assert weigh_inverse_gaps(np.array([-3.0]), gamma=gamma) == [1.0]
    assert weigh_inverse_gaps(np.array([-3.0]), gamma=gamma, epsilon=0.5) == [1.0]


def test_exploration_ends_with_the_root_of_the_outcomes_and_sooner_with_less_noise() -> None:
    assert exploration_rate(99, 4.0, scale=2.0) == pytest.approx(2 * 10 / 2)
    assert exploration_rate(0, 1.0, scale=1.0) == 1.0
    assert exploration_rate(399, 1.0, scale=1.0) == 2 * exploration_rate(99, 1.0, scale=1.0)
    assert exploration_rate(99, 0.25, scale=1.0) == 2 * exploration_rate(99, 1.0, scale=1.0)

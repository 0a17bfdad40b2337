"""Doubly robust sums: merged or continued they are the same, and they stay finite whatever is logged."""

import random

import numpy as np
import pytest
from msgspec.structs import replace

from sartor.estimators import wealth
from sartor.estimators.doubly_robust_sums import (
    BASELINE,
    EXPLORATION,
    LEARNED,
    LIFT,
    RANDOM,
    TARGETS,
    DoublyRobustSums,
)
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reward_model import MAX_ACTIONS, RewardModel

LEVELS = dict.fromkeys(TARGETS, 0.05)


def make_choices(count: int, *, scale: float = 1.0) -> list[LoggedChoice]:
    """Three actions of which the last is the best; a control group of a tenth."""
    rng, choices = random.Random(3), []
    probabilities = (0.1 + 0.9 * 0.1, 0.9 * 0.2, 0.9 * 0.7)
    for _ in range(count):
        chosen = rng.choices(range(3), weights=probabilities)[0]
        reward = scale * (rng.random() < (0.2, 0.4, 0.7)[chosen])
        choices.append(
            LoggedChoice(
                reward=reward,
                ids=("a", "b", "c"),
                probabilities=probabilities,
                chosen=chosen,
                control=0.1,
            )
        )
    return choices


def fold(
    choices: list[LoggedChoice], model: RewardModel, sums: DoublyRobustSums | None = None
) -> DoublyRobustSums:
    sums = sums or DoublyRobustSums()
    for choice in choices:
        model.widen(choice.reward)
        sums.add(choice, model)
        model.learn(choice.ids[choice.chosen], choice.reward, choice.propensity)
    return sums


def test_values_are_those_of_the_policies() -> None:
    sums = fold(make_choices(3_000), RewardModel())
    learned = 0.1 * 0.2 + 0.2 * 0.4 + 0.7 * 0.7
    done = 0.1 * 0.2 + 0.9 * learned
    truths = {BASELINE: 0.2, RANDOM: 1.3 / 3, LEARNED: learned, LIFT: learned - 0.2, EXPLORATION: 0.7 - done}
    found = sums.intervals(LEVELS, Bounds())
    for target, truth in truths.items():
        interval = found[target]
        assert sums.value(target) == pytest.approx(truth, abs=0.04), target
        assert interval is not None
        assert interval.lower <= truth <= interval.upper, target
    assert sums.control_cost() == pytest.approx(learned - done, abs=0.005)


def test_a_term_is_the_prediction_and_the_weighted_error() -> None:
    model, sums = RewardModel(), DoublyRobustSums()
    model.learn("a", 1.0, 0.5)
    choice = LoggedChoice(reward=0.25, ids=("a", "b"), probabilities=(0.8, 0.2), chosen=0)
    sums.add(choice, model)
    first, second = model.predict(("a", "b"))
    assert sums.value(BASELINE) == pytest.approx(first + (0.25 - first) / 0.8)
    assert sums.value(RANDOM) == pytest.approx((first + second) / 2 + 0.5 / 0.8 * (0.25 - first))


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_sums_of_parts_are_those_of_the_whole(scale: float) -> None:
    choices = make_choices(600, scale=scale)
    model = RewardModel()
    whole = fold(choices, RewardModel())
    parts = [fold(choices[begin : begin + 200], model) for begin in (0, 200, 400)]
    merged = (parts[0] + parts[1]) + parts[2]
    assert (merged.rows, merged.doublings) == (whole.rows, whole.doublings)
    assert np.frombuffer(merged.sums) == pytest.approx(np.frombuffer(whole.sums), rel=1e-9)
    assert parts[0] + DoublyRobustSums() == parts[0]


def test_a_checkpoint_changes_nothing() -> None:
    choices, model = make_choices(100), RewardModel()
    sums = fold(choices[:40], model)
    again = DoublyRobustSums.from_state(sums.state())
    assert fold(choices[40:], model, again).state() == fold(choices, RewardModel()).state()


def test_a_wider_range_of_rewards_keeps_the_evidence() -> None:
    """The stakes that a longer range wants are powers of those that there were: valid, and a little weaker."""
    sums = fold(make_choices(2_000), RewardModel())
    before = sums.intervals(LEVELS, Bounds())[BASELINE]
    model = RewardModel(highest=8.0)
    wide = fold(make_choices(1), model, replace(sums))
    after = wide.intervals(LEVELS, Bounds(0.0, 8.0))[BASELINE]
    assert before is not None
    assert after is not None
    assert wide.doublings == 3
    assert after.half_width < 3 * before.half_width
    exponents = np.frombuffer(sums.sums).reshape(10, -1)[:, 2:]
    assert (wealth.widen_span(exponents, 3)[:, :-3] == exponents[:, 3:]).all()
    assert np.isfinite(wealth.widen_span(exponents, 170)).all()


def test_rewards_in_other_units_give_the_same_interval() -> None:
    small = fold(make_choices(1_000), RewardModel()).intervals(LEVELS, Bounds())[LIFT]
    large = fold(make_choices(1_000, scale=64.0), RewardModel(highest=64.0))
    found = large.intervals(LEVELS, Bounds(0.0, 64.0))[LIFT]
    assert small is not None
    assert found is not None
    assert (found.lower / 64, found.upper / 64) == pytest.approx((small.lower, small.upper), abs=1e-3)


def test_missing_support_makes_the_interval_wide_and_not_wrong() -> None:
    choice = LoggedChoice(reward=1.0, ids=("a", "b"), probabilities=(0.0, 1.0), chosen=1)
    sums = fold([choice] * 1_000, RewardModel())
    found = sums.intervals(LEVELS, Bounds())
    baseline, lift = found[BASELINE], found[LIFT]
    assert baseline is not None
    assert lift is not None
    assert (baseline.lower, baseline.upper) == pytest.approx((0.0, 1.0), abs=0.01)
    assert lift.lower <= 0.0 <= lift.upper


@pytest.mark.parametrize("reward", [1e50, -1e50, 0.0])
@pytest.mark.parametrize("propensity", [1e-300, 1e-12])
@pytest.mark.filterwarnings("error")
def test_the_largest_rewards_and_weights_stay_finite(reward: float, propensity: float) -> None:
    choice = LoggedChoice(reward=reward, ids=("a", "b"), probabilities=(propensity, 1.0), chosen=0)
    sums = fold([choice] * 5, RewardModel())
    assert np.isfinite(np.frombuffer(sums.sums)).all()
    bounds = Bounds(min(0.0, reward), max(1.0, reward))
    for interval in sums.intervals(LEVELS, bounds).values():
        assert interval is None or np.isfinite([interval.lower, interval.upper]).all()


def test_the_model_weighs_rewards_by_how_rarely_they_are_seen() -> None:
    model = RewardModel()
    for _ in range(1_000):
        model.learn("a", 1.0, 0.9)
    for _ in range(100):
        model.learn("a", 0.0, 0.02)
    assert model.predict(("a",))[0] < 0.05, "where the policy likes it less it earns nothing"


def test_the_model_stays_small() -> None:
    model = RewardModel()
    for number in range(MAX_ACTIONS + 10):
        model.learn(f"action-{number}", 1.0, 0.5)
        model.learn("action-0", 1.0, 0.5)
    assert len(model.actions) == MAX_ACTIONS
    assert "action-0" in model.actions
    assert "action-1" not in model.actions

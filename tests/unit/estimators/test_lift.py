"""What the scorecard leads with: a sentence about the lift and one about exploration, or why there is none."""

import random

import pytest

from sartor.estimators.lift import estimate_exploration, estimate_lift
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reference_policies import ReferencePolicies
from sartor.estimators.reward_model import RewardModel

PROBABILITIES = (0.14, 0.86)


def play(
    rows: int, *, worth: tuple[float, float] = (0.3, 0.6), probabilities: tuple[float, float] = PROBABILITIES
) -> ReferencePolicies:
    """A policy that likes the second action; a tenth of the decisions are the control group's."""
    rng, policies, model = random.Random(1), ReferencePolicies(), RewardModel()
    for _ in range(rows):
        chosen = int(rng.random() < probabilities[1])
        reward = float(rng.random() < abs(worth[chosen])) * (-1 if worth[chosen] < 0 else 1)
        choice = LoggedChoice(
            reward=reward,
            ids=("a", "b"),
            probabilities=probabilities,
            chosen=chosen,
            control=0.1 if probabilities[1] < 1 else 0.0,
        )
        policies.add(choice, tracked=(), model=model)
    return policies


def sentence(policies: ReferencePolicies) -> str:
    lift = estimate_lift(policies)
    assert lift is not None
    return lift.sentence


def test_a_lift_is_told_with_its_interval_and_as_a_share_of_the_baseline() -> None:
    lift = estimate_lift(play(4_000))
    assert lift is not None
    assert lift.sentence.startswith("The learned policy earns ")
    assert lift.sentence.endswith("95 %, valid at any time).")
    assert " % more than your default order (" in lift.sentence
    truth = 0.6 * (0.86 / 0.9) + 0.3 * (1 - 0.86 / 0.9) - 0.3
    assert lift.interval is not None
    assert lift.interval.lower < truth < lift.interval.upper
    assert lift.share_at_least is not None
    assert lift.share_at_most is not None
    assert 0 < lift.share_at_least < truth / 0.3 < lift.share_at_most


def test_a_loss_is_told_as_one() -> None:
    assert " % less than your default order (" in sentence(play(4_000, worth=(0.6, 0.3)))


def test_a_lift_that_may_be_none_is_not_told_as_one() -> None:
    told = sentence(play(2_000, worth=(0.5, 0.5)))
    assert told.startswith("It can't be said yet whether the learned policy earns more than your default order")
    assert " less and " in told
    assert told.endswith("more (95 %, valid at any time).")


def test_few_decisions_say_nothing_yet() -> None:
    assert sentence(play(60)).endswith("the log holds 60 decisions and at least 100 are needed.")


def test_a_log_of_baselines_has_nothing_to_compare() -> None:
    policies = play(500, probabilities=(1.0, 0.0))
    assert (
        sentence(policies) == "Only your default order was shown so far: there is nothing to compare it with."
    )
    cost = estimate_exploration(policies)
    assert cost is not None
    assert cost.sentence == ""


def test_where_the_baseline_may_lose_the_lift_is_told_in_rewards() -> None:
    lift = estimate_lift(play(4_000, worth=(-0.5, 0.5)))
    assert lift is not None
    assert lift.share is None
    assert " per decision more than your default order (" in lift.sentence


def test_the_cost_of_exploration_has_the_part_of_the_control_group() -> None:
    cost = estimate_exploration(play(4_000))
    assert cost is not None
    assert cost.sentence.startswith("Exploration costs ")
    assert " of what you earn (" in cost.sentence
    assert ", of which the control group " in cost.sentence
    earned = 0.6 * 0.86 + 0.3 * 0.14
    assert cost.interval is not None
    assert cost.interval.lower < 0.6 - earned < cost.interval.upper
    assert cost.control_share == pytest.approx(0.1 * 0.3 * 0.86 / 0.9 / earned, rel=0.25)


def test_without_doubly_robust_sums_nothing_is_told() -> None:
    policies = ReferencePolicies()
    assert estimate_lift(policies) is not None
    choice = LoggedChoice(reward=1.0, ids=("a", "b"), probabilities=(0.5, 0.5), chosen=0)
    policies.add(choice, tracked=())
    assert estimate_lift(policies) is None
    assert estimate_exploration(policies) is None

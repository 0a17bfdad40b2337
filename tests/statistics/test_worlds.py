"""Worlds pay what they document, and there is something to learn in them."""

import math
from pathlib import Path
from statistics import fmean, variance

import pytest

from sartor.lab.registry import WORLDS, open_world
from sartor.lab.report import Turn, best_fixed, build_play_report

NAMES = list(WORLDS)


def game(name: str, *, seed: int, turns: int) -> list[Turn]:
    world = open_world(name, seed=seed)
    situations = map(world.situation, range(turns))
    return [
        Turn(
            ids=tuple(option.id for option in situation.options),
            expected_rewards=tuple(world.expected_rewards(situation)),
            chosen=0,
            reward=0.0,
        )
        for situation in situations
    ]


@pytest.mark.parametrize("name", NAMES)
def test_rewards_average_to_what_was_expected(name: str) -> None:
    world = open_world(name, seed=11)
    errors = []
    for turn in range(6_000):
        situation = world.situation(turn)
        option = turn % len(situation.options)
        errors.append(world.reward(situation, option) - world.expected_reward(situation, option))
    assert abs(fmean(errors)) <= 4 * math.sqrt(variance(errors) / len(errors))


@pytest.mark.parametrize("name", NAMES)
def test_one_option_averages_to_what_was_expected(name: str) -> None:
    world = open_world(name, seed=5)
    situation = world.situation(7)
    best = max(range(len(situation.options)), key=lambda option: world.expected_reward(situation, option))
    draws = [world.reward(situation, best, repeat=n) for n in range(4_000)]
    assert abs(fmean(draws) - world.expected_reward(situation, best)) <= 4 * math.sqrt(
        variance(draws) / len(draws)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_can_gain_over_the_best_fixed_action(name: str) -> None:
    turns = game(name, seed=1, turns=1_500)
    best = fmean(turn.best for turn in turns)
    random = fmean(fmean(turn.expected_rewards) for turn in turns)
    fixed = fmean(best_fixed(turns))
    assert random < fixed < 0.9 * best
    assert fixed - random > 0.02 * best


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_can_be_earned(name: str) -> None:
    page = Path(__file__).parents[2].joinpath("docs/reference/worlds.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| [{name}](#{name}) |"))
    world = open_world(name)
    reward, actions, *documented = [cell.strip() for cell in row.split("|")[2:8]]
    reference = build_play_report(game(name, seed=0, turns=5_000), world=name, reward_is="", seed=0).reference
    assert reward == world.reward_is
    assert int(actions) == len(world.situation(0).options)
    known = (reference.random, reference.baseline, reference.best_fixed, reference.best)
    assert documented == [f"{value:.3g}" for value in known]
    assert f"\n## {name}\n" in page

"""A comparison of learners plays them in the same worlds, and says exactly what they missed."""

import pytest

from benchmarks.quality.catalogue import CATALOGUE, open_stream, select_worlds
from benchmarks.quality.learners import open_engine
from benchmarks.quality.play import StreamResult, play_stream
from sartor.settings import DEFAULT_ARGUMENTS

TABLES = {"iris", "wine", "breast-cancer", "digits", "diabetes", "segment", "banana", "phishing"}
MADE = sorted(set(CATALOGUE) - TABLES)


def play(
    arguments: str, *, turns: int = 400, delay: int | None = None, batch: int | None = None
) -> StreamResult:
    learner = open_engine(arguments, seed=1)
    return play_stream(open_stream("regions", seed=1), learner, turns=turns, delay=delay, batch=batch)


def test_a_uniform_choice_is_chance() -> None:
    result = play("uniform", turns=2_000)
    assert abs(result.above_random) < 0.1
    assert abs(result.start_gain) < 4 * result.start_error
    assert result.least_probability == 0.25


def test_an_engine_learns_and_is_better_at_the_end() -> None:
    result = play(DEFAULT_ARGUMENTS, turns=1_500)
    assert 0.3 < result.above_random <= 1
    assert result.last_quarter > play("uniform").share


def test_the_same_run_gives_the_same_result() -> None:
    one, other = play(DEFAULT_ARGUMENTS), play(DEFAULT_ARGUMENTS)
    assert (one.share, one.above_random) == (other.share, other.above_random)


@pytest.mark.parametrize(("delay", "batch"), [(400, 1), (0, 401)], ids=["a delay", "a batch"])
def test_what_is_never_learned_changes_nothing(delay: int, batch: int) -> None:
    result = play(DEFAULT_ARGUMENTS, delay=delay, batch=batch)
    assert result.share == play("uniform").share
    assert result.learn_us == 0


@pytest.mark.parametrize("name", MADE)
def test_a_world_is_the_same_for_everyone_and_has_a_best_choice(name: str) -> None:
    world, again, other = (open_stream(name, seed=seed) for seed in (3, 3, 4))
    best = 0.0
    for turn in range(40):
        situation = world.situation(turn)
        assert situation == again.situation(turn)
        means = world.expected_rewards(situation)
        assert [world.reward(situation, i) for i in range(len(means))] == [
            again.reward(situation, i) for i in range(len(means))
        ]
        assert len({option.id for option in situation.options}) == len(means) > 1
        best += max(means)
    assert best > 0
    assert any(world.situation(turn) != other.situation(turn) for turn in range(40))


def test_worlds_for_choosing_are_not_those_that_are_reported() -> None:
    choosing = set(select_worlds(["all"], ["choosing"]))
    reporting = set(select_worlds(["all"], ["reporting"]))
    assert not choosing & reporting


def test_a_world_that_is_not_offered_is_named() -> None:
    with pytest.raises(SystemExit, match="There is no world nowhere"):
        select_worlds(["nowhere"], ["choosing"])

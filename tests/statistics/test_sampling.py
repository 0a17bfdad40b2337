"""Over many event ids the draws are uniform, independent, and as frequent as the probabilities say.

The event ids are fixed, so each test gives the same result in every run. It passes when chance alone would give
a figure as bad in more than one case in a million.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from sartor.explore.decide import decide
from sartor.explore.draw import draw_point, pick_action
from sartor.explore.event_id import new_event_id
from sartor.records import Action, RankInput

MANY = 200_000
LIMIT = 1e-6


def counted(number: int) -> str:
    return str(number)


def service_made(number: int) -> str:
    unique = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return new_event_id(unique, now_us=1_700_000_000_000_000 + number * 1_000)


def padded(number: int) -> str:
    return f"user-42/session-7/{number:012d}"


IDS = [
    pytest.param(counted, id="consecutive numbers"),
    pytest.param(service_made, id="made by the service"),
    pytest.param(padded, id="long and alike"),
]
PROBABILITIES = [
    pytest.param([0.2] * 5, id="uniform"),
    pytest.param([0.04, 0.84, 0.04, 0.04, 0.04], id="greedy with exploration"),
    pytest.param([0.0, 0.3, 0.0, 0.7, 0.0], id="some are impossible"),
    pytest.param([0.001, 0.009, 0.09, 0.9], id="three magnitudes"),
    pytest.param([1 / 50] * 50, id="fifty actions"),
]


@cache
def draws(loop_id: str, name: Callable[[int], str] = counted, count: int = MANY) -> np.ndarray:
    return np.array([draw_point(loop_id, name(number)) for number in range(count)])


@pytest.mark.parametrize("name", IDS)
def test_draws_are_uniform(name: Callable[[int], str]) -> None:
    """Kolmogorov–Smirnov."""
    assert stats.kstest(draws("loop", name), "uniform").pvalue > LIMIT


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("distance", [1, 2, 10])
def test_neighbours_do_not_resemble_each_other(name: Callable[[int], str], distance: int) -> None:
    """Rank correlation of each draw with the one of an id further on."""
    found = draws("loop", name)
    assert stats.spearmanr(found[:-distance], found[distance:]).pvalue > LIMIT


@pytest.mark.parametrize("name", IDS)
def test_neighbours_fill_the_square_evenly(name: Callable[[int], str]) -> None:
    """χ² of pairs of neighbours on a grid of 16 by 16: any dependence, not only a linear one."""
    found = (draws("loop", name) * 16).astype(int)
    cells = np.bincount(found[0::2] * 16 + found[1::2], minlength=256)
    assert stats.chisquare(cells).pvalue > LIMIT


def test_two_loops_draw_independently_for_the_same_event_ids() -> None:
    one = (draws("loop-1") * 16).astype(int)
    other = (draws("loop-2") * 16).astype(int)
    cells = np.bincount(one * 16 + other, minlength=256)
    assert stats.chisquare(cells).pvalue > LIMIT


def test_the_last_bits_are_as_even_as_the_first() -> None:
    low = (draws("loop") * 2**53).astype(np.uint64) & np.uint64(255)
    assert stats.chisquare(np.bincount(low.astype(int), minlength=256)).pvalue > LIMIT


def fits(chosen: Sequence[int], probabilities: Sequence[float]) -> float:
    """The p-value of χ² of what was chosen; what is impossible was never chosen."""
    counts = np.bincount(chosen, minlength=len(probabilities))
    possible = np.array(probabilities) > 0
    assert counts[~possible].sum() == 0
    return float(stats.chisquare(counts[possible], np.array(probabilities)[possible] * len(chosen)).pvalue)


@pytest.mark.parametrize("probabilities", PROBABILITIES)
@pytest.mark.parametrize("name", IDS)
def test_actions_are_picked_as_often_as_the_probabilities_say(
    name: Callable[[int], str], probabilities: list[float]
) -> None:
    chosen = [pick_action(probabilities, point) for point in draws("loop", name).tolist()]
    assert fits(chosen, probabilities) > LIMIT


@pytest.mark.parametrize("excluded", [(), (0,), (1, 3)])
def test_decisions_choose_as_often_as_they_log(excluded: tuple[int, ...]) -> None:
    """The whole way: what a decision says of its probabilities is what happens over 50,000 of them."""
    actions = tuple(Action(f"a{n}", b"[{}]") for n in range(6))
    probabilities = [0.5, 0.2, 0.1, 0.1, 0.06, 0.04][: len(actions) - len(excluded)]
    decisions = [
        decide(
            RankInput(event_id=counted(number), context=b"[]", actions=actions, excluded=excluded),
            probabilities=probabilities,
            loop_id="loop",
            model_id="m",
            settings_version=1,
        )
        for number in range(50_000)
    ]
    assert len({decision.probabilities for decision in decisions}) == 1
    assert fits([decision.chosen for decision in decisions], decisions[0].probabilities) > LIMIT


def test_the_tests_themselves_see_a_die_that_is_loaded_by_one_percent() -> None:
    loaded = [pick_action([0.21, 0.2, 0.2, 0.2, 0.19], point) for point in draws("loop").tolist()]
    assert fits(loaded, [0.2] * 5) < LIMIT

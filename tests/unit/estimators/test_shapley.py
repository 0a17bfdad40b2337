"""Shapley values: by hand, their properties for drawn orders, and intervals that hold the truth."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sartor.estimators.columns import Floats
from sartor.estimators.shapley import (
    CoalitionPlan,
    FeatureShares,
    largest_number_of_players,
    measure_shares,
    plan_coalitions,
)
from sartor.feature_names import FeatureName

Game = Callable[[frozenset[int]], float]


def names(count: int) -> list[FeatureName]:
    return [FeatureName("n", f"{number:02}") for number in range(count)]


def play(plan: CoalitionPlan, players: int, game: Game) -> Floats:
    """The values of everybody, nobody and the coalitions; shape (2 + coalitions,)."""
    coalitions = [range(players), (), *plan.coalitions]
    return np.array([game(frozenset(coalition)) for coalition in coalitions])


def share(
    game: Game, players: int, *, telling: Sequence[int] = (), most: int = 60, seed: int = 1
) -> list[float]:
    plan = plan_coalitions(players, frozenset(telling or range(players)), most=most, seed=seed)
    values = play(plan, players, game)[:, np.newaxis]
    found = measure_shares(plan, names(players), values)
    by_name = {one.feature: one.effect for one in found.shares}
    return [by_name[name.name] for name in names(players)]


def is_one_of(*players: int) -> Game:
    """Worth 1 as soon as one of these is there: they all say the same."""
    return lambda coalition: 1.0 if coalition & set(players) else 0.0


def test_shares_of_a_small_game_are_those_computed_by_hand() -> None:
    """Gloves: 0 has a left one, 1 and 2 have a right one each; a pair is worth 1. Shapley: 2/3, 1/6, 1/6."""

    def pairs(coalition: frozenset[int]) -> float:
        return 1.0 if 0 in coalition and coalition & {1, 2} else 0.0

    assert share(pairs, 3) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_players_that_say_the_same_share_equally_and_one_that_says_nothing_has_none() -> None:
    assert share(is_one_of(0, 1, 2), 4) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])


def test_two_that_say_the_same_share_equally_where_orders_are_drawn_too() -> None:
    assert share(is_one_of(3, 8), 11)[3] == pytest.approx(0.5)
    assert sum(share(is_one_of(3, 8), 11)) == pytest.approx(1.0)


def curved(coalition: frozenset[int]) -> float:
    """A game in which everybody counts, in pairs too."""
    weights = [0.3 * number - 1 for number in range(11)]
    total = sum(weights[player] for player in coalition)
    return total + 0.2 * total**2 + (2.0 if {1, 7} <= coalition else 0.0)


@pytest.mark.parametrize("players", [1, 2, 5, 6, 7, 9, 11])
def test_shares_add_up_to_the_value_of_all_minus_that_of_none(players: int) -> None:
    whole = curved(frozenset(range(players))) - curved(frozenset())
    assert sum(share(curved, players)) == pytest.approx(whole)


@pytest.mark.parametrize("players", range(1, 12))
@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_there_are_never_more_coalitions_than_agreed(players: int, part: float) -> None:
    telling = frozenset(range(round(part * players)))
    plan = plan_coalitions(players, telling, most=60)
    assert len(plan.coalitions) <= 60
    assert len(set(plan.coalitions)) == len(plan.coalitions)
    assert all(telling & set(coalition) for coalition in plan.coalitions)
    assert plan.orders == 0 or len(plan.coefficients) == plan.orders // 2 >= 3


def test_few_players_have_exact_shares_and_as_many_as_there_may_be_have_six_orders() -> None:
    assert plan_coalitions(5, frozenset(range(5)), most=60).orders == 0
    assert largest_number_of_players(60) == 11
    assert plan_coalitions(11, frozenset(range(11)), most=60).orders == 6


def test_coalitions_that_can_not_tell_actions_apart_are_worth_what_nobody_is() -> None:
    """Players 0 and 1 are of the context: without 2, an action's, nothing is known of use."""

    def context_counts_with_actions(coalition: frozenset[int]) -> float:
        return float(len(coalition)) if 2 in coalition else 0.0

    plan = plan_coalitions(3, frozenset({2}), most=60)
    assert plan.coalitions == ((2,), (0, 2), (1, 2))
    exact = [0.5, 0.5, 2.0]
    assert share(context_counts_with_actions, 3, telling=(2,)) == pytest.approx(exact)
    assert share(context_counts_with_actions, 3, telling=(0, 1, 2)) == pytest.approx(exact)


def test_the_mean_over_drawn_orders_is_the_share_of_all_orders() -> None:
    exact = np.array(share(curved, 7, most=200))
    drawn = np.array([share(curved, 7, most=36, seed=seed) for seed in range(400)])
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - exact) < 4 * error + 1e-9)


def measure_noisy(rng: np.random.Generator, *, players: int, most: int, rows: int, game: Game) -> FeatureShares:
    plan = plan_coalitions(players, frozenset(range(players)), most=most, seed=int(rng.integers(2**31)))
    means = play(plan, players, game)[:, np.newaxis]
    common = rng.normal(0, 1, rows)
    return measure_shares(plan, names(players), means + common + rng.normal(0, 0.3, (len(means), rows)))


@pytest.mark.parametrize(("most", "lower"), [(200, 0.93), (36, 0.85)])
def test_intervals_hold_the_shares_about_as_often_as_they_say(most: int, lower: float) -> None:
    """Three pairs of orders tell their own spread roughly: 0.85 to 1 is what to expect of drawn orders."""
    rng = np.random.default_rng(20261130)
    exact = dict(zip((name.name for name in names(7)), share(curved, 7, most=200), strict=True))
    held = [
        one.low <= exact[one.feature] <= one.high
        for _ in range(200)
        for one in measure_noisy(rng, players=7, most=most, rows=200, game=curved).shares
    ]
    assert lower <= np.mean(held) <= 1.0


def test_the_interval_of_the_whole_holds_it() -> None:
    rng = np.random.default_rng(20261130)
    whole = curved(frozenset(range(5))) - curved(frozenset())
    found = [measure_noisy(rng, players=5, most=60, rows=100, game=curved) for _ in range(400)]
    assert np.mean([one.low <= whole <= one.high for one in found]) == pytest.approx(0.95, abs=0.04)


def test_one_decision_has_shares_without_a_spread() -> None:
    plan = plan_coalitions(2, frozenset({0, 1}), most=60)
    found = measure_shares(plan, names(2), np.array([[1.0], [0.0], [0.5], [0.25]]))
    assert [(one.effect, one.low, one.high) for one in found.shares] == [
        (0.625, 0.625, 0.625),
        (0.375, 0.375, 0.375),
    ]
    assert (found.value, found.variants) == (1.0, 3)

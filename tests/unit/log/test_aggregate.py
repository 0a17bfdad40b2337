"""Several rewards become one in six ways; none of them loses a sign, a zero or the range of a double."""

import itertools
import math
import sys
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.log.aggregate import aggregate
from sartor.settings import Aggregation

HUGE = sys.float_info.max
ALL: tuple[Aggregation, ...] = get_args(Aggregation)
finite = st.floats(allow_nan=False, allow_infinity=False)
rewards = st.lists(finite, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("how", "reward"),
    [("earliest", 0.5), ("sum", 1.0), ("average", 0.25), ("median", 0.375), ("min", -0.75), ("max", 1.0)],
)
def test_each_aggregation(how: Aggregation, reward: float) -> None:
    assert aggregate([0.5, -0.75, 0.25, 1.0], how=how) == reward


@pytest.mark.parametrize("how", ALL)
def test_one_reward_is_itself(how: Aggregation) -> None:
    assert aggregate([-0.3], how=how) == -0.3


def test_the_median_of_an_odd_number_is_the_middle_one() -> None:
    assert aggregate([9.0, 1.0, 2.0], how="median") == 2.0


def test_the_maximum_of_negative_rewards_is_negative() -> None:
    assert aggregate([-0.5, -0.25], how="max") == -0.25


@pytest.mark.parametrize("how", ALL)
def test_a_zero_has_no_sign(how: Aggregation) -> None:
    assert math.copysign(1.0, aggregate([-0.0, -0.0], how=how)) == 1.0


@pytest.mark.parametrize(
    ("values", "total"), [([HUGE, HUGE], HUGE), ([-HUGE, -HUGE, 1.0], -HUGE), ([HUGE, HUGE, -HUGE], HUGE)]
)
def test_a_sum_beyond_the_range_is_the_largest_double(values: list[float], total: float) -> None:
    assert aggregate(values, how="sum") == total


def test_a_sum_that_only_passes_beyond_the_range_is_exact() -> None:
    assert aggregate([HUGE, HUGE, -HUGE, -HUGE, 3.0], how="sum") == 3.0


def test_averages_of_huge_rewards_stay_in_range() -> None:
    assert aggregate([HUGE, HUGE], how="average") == HUGE
    assert aggregate([HUGE, -HUGE, HUGE, HUGE], how="median") == HUGE
    assert aggregate([-HUGE, HUGE], how="median") == 0.0


@pytest.mark.parametrize("how", ALL)
@given(rewards)
def test_finite_rewards_give_a_finite_reward(how: Aggregation, values: list[float]) -> None:
    assert math.isfinite(aggregate(values, how=how))


@given(rewards)
def test_an_average_is_right_to_the_last_digit_but_one(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0)) / len(values)
    assert abs(Fraction(aggregate(values, how="average")) - exact) <= 2 * Fraction(math.ulp(float(exact)))


@pytest.mark.parametrize("how", ["earliest", "median", "min", "max"])
@given(rewards)
def test_the_others_lie_between_the_extremes(how: Aggregation, values: list[float]) -> None:
    assert min(values) <= aggregate(values, how=how) <= max(values)


@pytest.mark.parametrize("how", [how for how in ALL if how != "earliest"])
@given(st.lists(finite, min_size=1, max_size=4))
def test_the_order_of_arrival_matters_to_the_earliest_only(how: Aggregation, values: list[float]) -> None:
    assert len({aggregate(order, how=how) for order in itertools.permutations(values)}) == 1

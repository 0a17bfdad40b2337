"""IPS and SNIPS, against numbers worked out by hand."""

from math import sqrt

import numpy as np
import pytest

from sartor.estimators.columns import Columns
from sartor.estimators.ips import Ips, Snips
from tests.unit.estimators.batches import FOUR


def ips(batch: Columns = FOUR) -> Ips:
    """IPS of one batch."""
    estimator = Ips()
    estimator.add(batch)
    return estimator


def snips(batch: Columns = FOUR) -> Snips:
    """SNIPS of one batch."""
    estimator = Snips()
    estimator.add(batch)
    return estimator


def test_values() -> None:
    assert ips().value() == 1.5 / 4
    assert snips().value() == 1.5 / 4


def test_the_sums_are_those_of_the_contract() -> None:
    sums = ips()
    assert (sums.product, sums.events, sums.weight, sums.matched) == (1.5, 4.0, 4.0, 3)
    assert (sums.product_sq, sums.largest_product) == (1.25, 1.0)
    assert (sums.smallest_weight, sums.largest_weight) == (0.0, 2.0)
    assert (sums.weight_sq, sums.product_weight, sums.reward) == (6.0, 1.5, 2.5)


def test_the_largest_product_is_one_of_size() -> None:
    one = Columns(reward=np.array([-3.0, 1.0]), propensity=np.array([0.5, 1.0]), target=np.ones(2))
    assert ips(one).largest_product == 6.0


def test_gaussian_interval_of_ips() -> None:
    variance = (1.25 - 1.5**2 / 4) / 3
    interval = ips().interval()
    assert interval is not None
    assert interval.half_width == pytest.approx(1.959964 * sqrt(variance / 4), rel=1e-6)
    assert (interval.lower + interval.upper) / 2 == pytest.approx(0.375)


def test_delta_method_of_snips() -> None:
    centre = 0.375
    squares = (1 - centre) ** 2 + (2 * centre) ** 2 + (0.5 - centre) ** 2
    assert snips().standard_error() == pytest.approx(sqrt(squares) / 4)


def test_snips_follows_a_constant_added_to_all_rewards_and_ips_does_not() -> None:
    light = Columns(reward=FOUR.reward, propensity=FOUR.propensity, target=FOUR.target / 2)
    raised = Columns(reward=FOUR.reward + 1, propensity=FOUR.propensity, target=FOUR.target / 2)
    assert snips(raised).value() == pytest.approx((snips(light).value() or 0) + 1)
    assert ips(raised).value() == pytest.approx((ips(light).value() or 0) + 0.5)


def test_dropped_rows_are_made_up_for() -> None:
    half = Columns(
        reward=np.array([1.0, 0.0]),
        propensity=np.array([0.5, 0.5]),
        target=np.array([0.5, 0.5]),
        drop_probability=np.array([0.0, 0.75]),
    )
    assert ips(half).value() == 1 / 5
    assert snips(half).value() == 1 / 5


def test_no_match_no_snips() -> None:
    never = Columns(reward=np.ones(3), propensity=np.ones(3), target=np.zeros(3))
    assert ips(never).value() == 0.0
    assert snips(never).value() is None
    assert snips(never).interval() is None


def test_one_event_has_no_interval() -> None:
    one = Columns(reward=np.ones(1), propensity=np.ones(1), target=np.ones(1))
    assert ips(one).interval() is None
    assert snips(one).interval() is None

"""Clopper-Pearson, against tabled values and its own definition."""

import numpy as np
import pytest

from sartor.estimators.clopper_pearson import ClopperPearson, clopper_pearson
from sartor.estimators.columns import Columns
from sartor.estimators.interval import Interval
from tests.unit.estimators.batches import FOUR, SIGNED, UNIT


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.0025286, 0.4450161),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
    ],
)
def test_tabled_values(successes: int, trials: int, lower: float, upper: float) -> None:
    interval = clopper_pearson(successes, trials, alpha=0.05)
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), abs=1e-6)


def test_more_weight_than_events_still_has_a_lower_end() -> None:
    assert 0 < clopper_pearson(3.5, 3.0, alpha=0.05).lower < clopper_pearson(3.5, 3.0, alpha=0.05).upper == 1.0


def test_in_units_of_the_largest_weight() -> None:
    estimator = ClopperPearson(bounds=UNIT)
    estimator.add(FOUR)
    gain, loss = clopper_pearson(1.5 / 2, 4, alpha=0.1), clopper_pearson(2.5 / 2, 4, alpha=0.1)
    assert estimator.interval(0.1) == Interval(2 * gain.lower, 1 - 2 * loss.lower)


def test_with_weights_of_one_it_is_the_classical_interval() -> None:
    estimator = ClopperPearson(bounds=UNIT)
    even = np.full(10, 0.5)
    estimator.add(Columns(reward=np.tile([0.0, 1.0], 5), propensity=even, target=even))
    interval = estimator.interval()
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx((0.1870860, 0.8129140), abs=1e-6)


def test_other_ranges_are_scaled_there_and_back() -> None:
    unit, signed = ClopperPearson(bounds=UNIT), ClopperPearson(bounds=SIGNED)
    unit.add(FOUR)
    signed.add(Columns(reward=2 * FOUR.reward - 1, propensity=FOUR.propensity, target=FOUR.target))
    first, second = unit.interval(), signed.interval()
    assert first is not None
    assert second is not None
    assert second.lower == pytest.approx(2 * first.lower - 1)
    assert second.upper == pytest.approx(2 * first.upper - 1)


def test_without_weight_nothing_is_known() -> None:
    estimator = ClopperPearson(bounds=UNIT)
    estimator.add(Columns(reward=np.ones(2), propensity=np.ones(2), target=np.zeros(2)))
    assert estimator.interval() is None

"""Clopper-Pearson and empirical Bernstein intervals against tables and the formula."""

from math import log, sqrt

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.finite_sample import ClopperPearson, EmpiricalBernstein, clopper_pearson
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


def on_policy(
    rewards: np.ndarray[tuple[int], np.dtype[np.float64]], *, weight_cap: float
) -> EmpiricalBernstein:
    """The interval of a log of the policy itself."""
    estimator = EmpiricalBernstein(bounds=UNIT, weight_cap=weight_cap)
    estimator.add(
        Columns(reward=rewards, propensity=np.full(len(rewards), 0.5), target=np.full(len(rewards), 0.5))
    )
    return estimator


def test_both_ends_follow_the_theorem() -> None:
    rewards = (np.arange(1000) % 4 == 0).astype(float)
    interval = on_policy(rewards, weight_cap=1.0).interval(0.05)
    variance, surprise = 0.25 * 0.75 * 1000 / 999, log(4 / 0.05)
    reach = sqrt(2 * variance * surprise / 1000) + 7 * surprise / (3 * 999)
    assert interval is not None
    assert interval.lower == pytest.approx(0.25 - reach)
    assert interval.upper == pytest.approx(0.25 + reach)


def test_a_larger_cap_costs_width() -> None:
    rewards = (np.arange(1000) % 4 == 0).astype(float)
    small, large = on_policy(rewards, weight_cap=1.0).interval(), on_policy(rewards, weight_cap=5.0).interval()
    assert small is not None
    assert large is not None
    assert large.half_width > small.half_width


def test_weights_above_the_cap_are_cut_and_only_widen() -> None:
    rows = 4000
    rare = np.arange(rows) % 10 == 0
    batch = Columns(
        reward=np.full(rows, 0.5), propensity=np.where(rare, 0.1, 0.9), target=np.where(rare, 1.0, 0.0)
    )
    whole, cut = (EmpiricalBernstein(bounds=UNIT, weight_cap=cap) for cap in (10.0, 5.0))
    whole.add(batch)
    cut.add(batch)
    assert (whole.largest_weight, cut.largest_weight) == (10.0, 5.0)
    known, wider = whole.interval(), cut.interval()
    assert known is not None
    assert wider is not None
    assert wider.lower <= 0.5 <= wider.upper
    assert wider.half_width > known.half_width


def test_where_the_log_contradicts_its_propensities_there_is_no_interval() -> None:
    rows = 4000
    heavy = Columns(reward=np.full(rows, 0.5), propensity=np.full(rows, 0.1), target=np.ones(rows))
    estimator = EmpiricalBernstein(bounds=UNIT, weight_cap=10.0)
    estimator.add(heavy)
    assert estimator.interval() is None


@pytest.mark.parametrize("cap", [0.0, -1.0, float("inf"), float("nan")])
def test_a_cap_that_caps_nothing_is_refused(cap: float) -> None:
    with pytest.raises(InvalidColumns, match="weight_cap"):
        EmpiricalBernstein(bounds=UNIT, weight_cap=cap)

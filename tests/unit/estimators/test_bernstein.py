"""The empirical Bernstein interval, against its formula."""

from math import log, sqrt

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.bernstein import EmpiricalBernstein
from sartor.estimators.columns import Columns
from tests.unit.estimators.batches import UNIT


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
    assert wider.holds(0.5)
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

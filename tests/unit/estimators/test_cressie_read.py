"""The Cressie-Read estimator: its closed form, its limits, its symmetry."""

from math import inf, sqrt

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from tests.unit.estimators.batches import FOUR, SIGNED, UNIT


def fed(batch: Columns, *, max_weight: float = inf) -> CressieRead:
    """The estimator after one batch, for rewards in [0, 1]."""
    estimator = CressieRead(bounds=UNIT, max_weight=max_weight)
    estimator.add(batch)
    return estimator


def test_value_by_hand() -> None:
    # n = 4, Σw = 4, so the imagined weight is the smallest, 0: a = 4/5, b = 6/5.
    a, b = 4 / 5, 6 / 5
    gamma, beta = (b - a) / (a * a - b), (1 - a) / (a * a - b)
    likely = (-gamma * 1.5 - beta * 1.5) / 5
    missing = max(0.0, 1 - (-gamma * 4 - beta * 6) / 5)
    assert fed(FOUR).value() == pytest.approx(likely + missing * 2.5 / 4)


def test_an_infinite_imagined_weight_is_the_limit_of_large_ones() -> None:
    light = Columns(reward=FOUR.reward, propensity=FOUR.propensity, target=FOUR.target / 2)
    assert fed(light).value() == pytest.approx(fed(light, max_weight=1e9).value(), rel=1e-6)
    limit, large = fed(light).interval(), fed(light, max_weight=1e7).interval()
    assert limit is not None
    assert large is not None
    assert limit.lower == pytest.approx(large.lower, abs=1e-4)
    assert limit.upper == pytest.approx(large.upper, abs=1e-4)


@pytest.mark.parametrize(
    ("lightness", "most", "value", "lower", "upper"),
    [
        (1, inf, 0.3713592233009709, 0.28959966961372585, 0.5142903892379251),
        (1, 5.0, 0.3713592233009709, 0.28959966961372585, 0.5198160947947477),
        (2, inf, 0.5, 0.146781626722189, 0.7680060103136404),
        (2, 5.0, 0.3997148288973385, 0.1331727119645955, 0.6062760352889868),
    ],
)
def test_what_the_estimators_of_vowpal_wabbit_say(
    lightness: int, most: float, value: float, lower: float, upper: float
) -> None:
    # Recorded from vw-estimators 0.2.2: twenty-five times the four rows, weights divided by `lightness`.
    estimator = CressieRead(bounds=UNIT, max_weight=most)
    for _ in range(25):
        estimator.add(Columns(reward=FOUR.reward, propensity=FOUR.propensity, target=FOUR.target / lightness))
    interval = estimator.interval()
    assert estimator.value() == pytest.approx(value, abs=1e-9)
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), abs=1e-9)


def test_on_policy_it_is_the_mean_with_its_gaussian_interval() -> None:
    rewards = (np.arange(10_000) % 4 == 0).astype(float)
    even = np.full(10_000, 0.5)
    estimator = fed(Columns(reward=rewards, propensity=even, target=even), max_weight=2.0)
    interval = estimator.interval()
    assert estimator.value() == pytest.approx(0.25, abs=1e-4)
    assert interval is not None
    assert interval.half_width == pytest.approx(1.96 * sqrt(0.25 * 0.75 / 10_000), rel=0.02)


def test_rewards_seen_from_the_other_end_give_the_mirrored_interval() -> None:
    mirrored = Columns(reward=1 - FOUR.reward, propensity=FOUR.propensity, target=FOUR.target)
    first, second = fed(FOUR, max_weight=5.0).interval(), fed(mirrored, max_weight=5.0).interval()
    assert first is not None
    assert second is not None
    assert first.lower == pytest.approx(1 - second.upper)
    assert first.upper == pytest.approx(1 - second.lower)


def test_scaled_rewards_give_the_scaled_interval() -> None:
    signed = CressieRead(bounds=SIGNED)
    signed.add(Columns(reward=2 * FOUR.reward - 1, propensity=FOUR.propensity, target=FOUR.target))
    first, second = fed(FOUR).interval(), signed.interval()
    assert first is not None
    assert second is not None
    assert (second.lower, second.upper) == pytest.approx((2 * first.lower - 1, 2 * first.upper - 1))


def test_the_interval_stays_within_the_range_of_rewards() -> None:
    interval = fed(FOUR).interval(0.001)
    assert interval is not None
    assert interval.lower >= 0.0
    assert interval.upper <= 1.0


@pytest.mark.parametrize(("least", "most"), [(1.0, inf), (0.0, 1.0), (2.0, 3.0)])
def test_weights_lie_around_one(least: float, most: float) -> None:
    with pytest.raises(InvalidColumns, match="min_weight < 1 < max_weight"):
        CressieRead(bounds=UNIT, min_weight=least, max_weight=most)

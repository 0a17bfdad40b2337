"""IPS, SNIPS and the gain over what was done, against values computed by hand."""

from math import sqrt

import numpy as np
import pytest

from sartor.estimators.columns import Columns
from sartor.estimators.ips import Gain, Ips, Snips
from tests.unit.estimators.batches import FOUR, joined


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


def log(rows: int, *, seed: int, dropped: bool = False) -> Columns:
    """Two actions, paid 0.3 and 0.5; the log mostly takes the first, the policy mostly the second."""
    rng = np.random.default_rng(seed)
    first = rng.random(rows) < 0.7
    reward = (rng.random(rows) < np.where(first, 0.3, 0.5)).astype(float)
    return Columns(
        reward=reward,
        propensity=np.where(first, 0.7, 0.3),
        target=np.where(first, 0.2, 0.8),
        drop_probability=np.where(rng.random(rows) < 0.5, 0.5, 0.0) if dropped else None,
    )


def gain(columns: Columns) -> Gain:
    made = Gain()
    made.add(columns)
    return made


def test_it_is_snips_less_what_was_earned() -> None:
    rows, snips = log(400, seed=1), Snips()
    snips.add(rows)
    value = snips.value()
    assert value is not None
    assert gain(rows).value() == pytest.approx(value - rows.reward.mean())


def test_the_policy_that_was_at_work_gains_nothing_for_sure() -> None:
    probabilities = np.array([0.5, 0.2, 0.9])
    same = Columns(reward=np.array([1.0, 0.0, 1.0]), propensity=probabilities, target=probabilities)
    found = gain(same)
    assert found.value() == pytest.approx(0.0)
    assert found.standard_error() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("dropped", [False, True])
def test_the_error_is_that_of_the_bootstrap(dropped: bool) -> None:
    rows = log(600, seed=2, dropped=dropped)
    rng = np.random.default_rng(3)
    names = [name for name in rows.__struct_fields__ if getattr(rows, name) is not None]
    values = []
    for _ in range(400):
        drawn = rng.integers(0, rows.rows, rows.rows)
        values.append(gain(Columns(**{name: getattr(rows, name)[drawn] for name in names})).value() or 0.0)
    assert gain(rows).standard_error() == pytest.approx(float(np.std(values)), rel=0.15)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth = (0.2 * 0.3 + 0.8 * 0.5) - (0.7 * 0.3 + 0.3 * 0.5)
    held = [
        interval.lower <= truth <= interval.upper
        for seed in range(400)
        if (interval := gain(log(500, seed=seed)).interval()) is not None
    ]
    assert len(held) == 400
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_parts_make_the_whole() -> None:
    first, second = log(50, seed=4), log(70, seed=5)
    merged, whole = gain(first) + gain(second), gain(joined(first, second))
    assert merged.value() == pytest.approx(whole.value())
    assert merged.standard_error() == pytest.approx(whole.standard_error())


def test_nothing_says_nothing() -> None:
    assert Gain().value() is None
    assert Gain().interval() is None

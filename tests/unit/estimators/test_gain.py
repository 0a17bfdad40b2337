"""The gain over what was done, and its interval beside the truth and the bootstrap."""

import numpy as np
import pytest

from sartor.estimators.columns import Columns
from sartor.estimators.gain import Gain
from sartor.estimators.ips import Snips
from tests.unit.estimators.batches import joined


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
        interval.holds(truth)
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

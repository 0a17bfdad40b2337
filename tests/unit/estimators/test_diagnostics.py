"""Diagnostics, against numbers worked out by hand."""

from math import inf, sqrt

import numpy as np
import pytest

from sartor.estimators.columns import Columns
from sartor.estimators.diagnostics import Diagnostics
from tests.unit.estimators.batches import FOUR


def of(batch: Columns) -> Diagnostics:
    """The diagnostics of one batch."""
    found = Diagnostics()
    found.add(batch)
    return found


def weights(*values: float) -> Columns:
    """Rows with these weights."""
    w = np.array(values)
    return Columns(
        reward=np.zeros(len(w)), propensity=0.5 / np.maximum(w, 1), target=np.where(w >= 1, 0.5, w / 2)
    )


def test_four_rows_by_hand() -> None:
    found = of(FOUR)
    assert found.effective_sample_size() == 16 / 6
    assert found.mean_weight() == 1.0
    assert found.calibration() == 0.0
    assert found.matched_share() == 0.75
    assert found.largest_share() == 0.5
    assert (found.smallest_propensity, found.largest_propensity) == (0.25, 1.0)
    assert found.mean_weight_error() == pytest.approx(sqrt(2 / 3 / 4))


def test_weights_that_average_to_two_are_out_of_calibration() -> None:
    found = of(weights(*[1.0, 3.0] * 50))
    assert found.calibration() == pytest.approx(1 / sqrt(100 / 99 / 100))


def test_constant_weights_other_than_one_are_infinitely_so() -> None:
    assert of(weights(*[2.0] * 10)).calibration() == inf
    assert of(weights(*[0.5] * 10)).calibration() == -inf
    assert of(weights(*[1.0] * 10)).calibration() == 0.0


def test_the_uniform_test_needs_the_number_of_actions() -> None:
    assert of(FOUR).uniform_calibration() is None
    logged = Columns(
        reward=np.zeros(4),
        propensity=np.array([0.25, 0.75, 0.75, 0.75]),
        target=np.ones(4),
        actions=np.full(4, 2),
    )
    assert of(logged).uniform == pytest.approx(2 + 3 * 2 / 3)
    assert of(logged).uniform_calibration() == pytest.approx(0.0)


def test_overlap_is_estimated_or_known() -> None:
    assert of(weights(0.5, 0.5)).overlap() == 0.5
    assert of(weights(3.0, 1.0)).overlap() == 1.0
    known = Columns(
        reward=np.zeros(2), propensity=np.ones(2), target=np.ones(2), uncovered=np.array([0.5, 0.0])
    )
    assert of(known).overlap() == 0.75
    assert Diagnostics().overlap() is None


def test_tail_share_counts_the_heaviest_rows() -> None:
    heavy = of(weights(*[1.0] * 198, 99.0, 99.0))
    assert heavy.tail_share(0.01) == pytest.approx(0.5)
    assert heavy.tail_share(0.005) == pytest.approx(0.25)
    assert heavy.tail_share(1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5])
def test_tail_share_is_near_the_exact_one(part: float) -> None:
    w = np.exp(np.random.default_rng(3).normal(size=20_000))
    exact = np.sort(w)[::-1][: int(part * len(w))].sum() / w.sum()
    assert of(weights(*w)).tail_share(part) == pytest.approx(exact, rel=0.1)


def test_extreme_weights_find_a_place() -> None:
    found = of(Columns(reward=np.zeros(2), propensity=np.array([1e-100, 1.0]), target=np.array([1.0, 1e-100])))
    assert sum(found.bin_rows) == 2
    assert found.tail_share(0.5) == pytest.approx(1.0)


def test_nothing_seen() -> None:
    found = Diagnostics()
    assert (found.effective_sample_size(), found.matched_share(), found.largest_share()) == (0.0, 0.0, 0.0)
    assert found.mean_weight() is None
    assert found.calibration() is None
    assert found.tail_share() == 0.0

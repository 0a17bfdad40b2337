"""DM, DR, SWITCH-DR and DRos against values computed by hand; means that predict before they learn."""

from math import sqrt
from typing import TypeVar

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.doubly_robust import ActionMeans, Dm, Dr, DrOs, SwitchDr, TunedSums
from tests.unit.estimators.batches import FOUR


def test_dm_is_the_mean_prediction() -> None:
    dm = Dm()
    dm.add(FOUR)
    assert dm.value() == (0.5 + 0.25 + 0.75 + 0.5) / 4


def test_dr_corrects_by_weighted_residuals() -> None:
    dr = Dr()
    dr.add(FOUR)
    terms = [0.5 + 0.5, 0.25 - 1.0, 0.75 + 0.0, 0.5 + 0.0]
    assert dr.value() == sum(terms) / 4
    assert dr.standard_error() == pytest.approx(float(np.std(terms, ddof=1)) / sqrt(4))


def test_dr_counts_rows_that_stand_for_others() -> None:
    dr = Dr()
    dr.add(
        Columns(
            reward=np.array([1.0, 1.0]),
            propensity=np.array([1.0, 0.5]),
            target=np.array([1.0, 1.0]),
            q_logged=np.array([0.0, 0.5]),
            q_policy=np.array([0.0, 0.5]),
            drop_probability=np.array([0.0, 0.5]),
        )
    )
    assert dr.value() == (1.0 + 2 * 1.5) / 3


@pytest.mark.parametrize("kind", [Dm, Dr])
def test_without_predictions_nothing_is_added(kind: type[Dm | Dr]) -> None:
    estimator = kind()
    with pytest.raises(InvalidColumns, match="q_logged and q_policy"):
        estimator.add(Columns(reward=np.ones(1), propensity=np.ones(1), target=np.ones(1)))
    assert estimator == kind()


Tuned = TypeVar("Tuned", bound=TunedSums)


def fed(estimator: Tuned, batch: Columns = FOUR) -> Tuned:
    """The estimator after one batch."""
    estimator.add(batch)
    return estimator


def test_switch_uses_the_log_up_to_tau() -> None:
    assert fed(SwitchDr(grid=(1.0,))).value() == (1.0 + 0.25 + 0.75 + 0.5) / 4
    assert fed(SwitchDr(grid=(2.0,))).value() == (1.0 - 0.75 + 0.75 + 0.5) / 4


def test_shrinkage_by_hand() -> None:
    # w = 1, 2, 0, 1 and λ = 4: w̃ = 4/5, 1, 0, 4/5.
    expected = (0.5 + 0.8 * 0.5 + 0.25 - 1.0 * 0.5 + 0.75 + 0.5) / 4
    assert fed(DrOs(grid=(4.0,))).value() == pytest.approx(expected)


@pytest.mark.parametrize("kind", [SwitchDr, DrOs])
def test_the_ends_are_dm_and_dr(kind: type[SwitchDr | DrOs]) -> None:
    dm, dr = Dm(), Dr()
    dm.add(FOUR)
    dr.add(FOUR)
    none, all_of_it = fed(kind(grid=(0.0,))), fed(kind(grid=(float("inf"),)))
    assert none.value() == dm.value()
    assert none.standard_error() == pytest.approx(dm.standard_error())
    assert all_of_it.value() == dr.value()
    assert all_of_it.standard_error() == pytest.approx(dr.standard_error())


def noisy(*, good_model: bool) -> Columns:
    """A log with weights of 100, and a model that is right, or wrong by 0.5."""
    rows = 20_000
    chosen = np.arange(rows) % 100 == 0
    reward = np.where(chosen, np.arange(rows) % 200 == 0, 0.0)
    predicted = np.full(rows, 0.5 if good_model else 1.0)
    return Columns(
        reward=reward,
        propensity=np.where(chosen, 0.01, 0.99),
        target=chosen.astype(float),
        q_logged=np.where(chosen, predicted, 0.0),
        q_policy=predicted,
    )


def test_heavy_weights_are_dropped_when_the_model_is_right() -> None:
    shrunk = fed(DrOs(), noisy(good_model=True))
    assert shrunk.chosen() == 0.0
    assert shrunk.value() == pytest.approx(0.5)


def test_heavy_weights_are_kept_when_the_model_is_wrong() -> None:
    shrunk = fed(DrOs(), noisy(good_model=False))
    assert shrunk.chosen() >= 1e5
    assert shrunk.value() == pytest.approx(0.5, abs=0.06)


def test_switch_keeps_weights_whose_loss_could_cost_more_than_their_noise() -> None:
    assert fed(SwitchDr(), noisy(good_model=True)).chosen() >= 100
    assert fed(SwitchDr(largest_reward=1e-3), noisy(good_model=True)).chosen() < 100


def test_of_equals_the_one_nearest_to_dr() -> None:
    assert fed(SwitchDr()).chosen() == float("inf")


@pytest.mark.parametrize("grid", [(), (-1.0,), (float("nan"),)])
def test_a_grid_that_makes_no_sense_is_refused(grid: tuple[float, ...]) -> None:
    with pytest.raises(InvalidColumns, match="A grid holds"):
        DrOs(grid=grid)


def test_it_begins_knowing_nothing() -> None:
    assert ActionMeans().predict(("a", "b")) == [0.0, 0.0]


def test_actions_lean_from_the_overall_mean_to_their_own() -> None:
    means = ActionMeans()
    for _ in range(90):
        means.learn("good", 1.0)
    for _ in range(90):
        means.learn("bad", 0.0)
    good, bad, new = means.predict(("good", "bad", "new"))
    assert new == pytest.approx(0.5)
    assert good == pytest.approx((10 * 0.5 + 90) / 100)
    assert bad == pytest.approx((10 * 0.5) / 100)


def test_beyond_its_room_actions_share_the_overall_mean() -> None:
    means = ActionMeans(max_actions=1)
    means.learn("first", 1.0)
    means.learn("second", 0.0)
    first, second = means.predict(("first", "second"))
    assert second == pytest.approx(0.5)
    assert first == pytest.approx((10 * 0.5 + 1) / 11)

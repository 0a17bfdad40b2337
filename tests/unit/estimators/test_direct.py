"""DM and DR, against numbers worked out by hand."""

from math import sqrt

import numpy as np
import pytest

from sartor.errors import InvalidColumns
from sartor.estimators.columns import Columns
from sartor.estimators.direct import Dm, Dr
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

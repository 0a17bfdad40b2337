"""All estimators at once say what each says alone, and their disagreement is seen."""

import numpy as np

from sartor.estimators.columns import Columns
from sartor.estimators.estimator_set import EstimatorResult, EstimatorSet, largest_disagreement
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips
from tests.unit.estimators.batches import FOUR, UNIT


def estimate(name: str, value: float, half_width: float = 0.3) -> EstimatorResult:
    """An estimate with a symmetric interval."""
    interval = Interval(value - half_width, value + half_width)
    return EstimatorResult(estimator=name, value=value, interval=interval)


def test_each_says_what_it_says_alone() -> None:
    estimators, ips = EstimatorSet.empty(bounds=UNIT), Ips()
    estimators.add(FOUR)
    ips.add(FOUR)
    found = {estimate.estimator: estimate for estimate in estimators.estimates(0.1)}
    assert found["ips"] == EstimatorResult(estimator="ips", value=ips.value(), interval=ips.interval(0.1))
    assert set(found) == {
        "ips",
        "snips",
        "dm",
        "dr",
        "switch_dr",
        "dr_os",
        "cressie_read",
        "clopper_pearson",
        "empirical_bernstein",
        "anytime",
    }
    assert estimators.diagnostics.rows == 4


def test_without_predictions_models_stay_silent_and_the_others_speak() -> None:
    estimators = EstimatorSet.empty(bounds=UNIT)
    estimators.add(Columns(reward=FOUR.reward, propensity=FOUR.propensity, target=FOUR.target))
    missing = {estimate.estimator for estimate in estimators.estimates() if estimate.value is None}
    assert missing == {"dm", "dr", "switch_dr", "dr_os"}


def test_switch_dr_knows_the_largest_reward() -> None:
    assert EstimatorSet.empty(bounds=Bounds(-3.0, 2.0)).switch_dr.largest_reward == 3.0


def test_agreement_names_the_two_that_differ_most() -> None:
    found = largest_disagreement(
        [estimate("ips", 0.0), estimate("snips", 0.3), estimate("dr", 0.1), estimate("dm", 9.0)]
    )
    assert found is not None
    assert (found.first, found.second, found.agrees) == ("ips", "snips", True)
    assert np.isclose(found.gap, 0.3 / (0.3 * 2**0.5))


def test_disagreement_is_seen() -> None:
    found = largest_disagreement([estimate("ips", 0.0, 0.01), estimate("dr", 0.1, 0.01)])
    assert found is not None
    assert not found.agrees
    exact = largest_disagreement([estimate("ips", 0.0, 0.0), estimate("dr", 0.1, 0.0)])
    assert exact is not None
    assert exact.gap == float("inf")


def test_one_estimate_agrees_with_nobody() -> None:
    unknown = EstimatorResult(estimator="dr", value=None, interval=None)
    assert largest_disagreement([estimate("ips", 0.0), unknown]) is None

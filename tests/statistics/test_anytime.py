"""The anytime interval covers at all times: on paths of a learning logging policy, 5 % of runs leave the truth.

Both kinds are looked at after every single event, which is what stopping at any time amounts to: whoever
stops when an interval says something false needs only one such moment.
"""

from functools import cache
from math import log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from sartor.estimators.anytime import Anytime, constant_exponents, log_wealth
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips
from tests.statistics.simulated_logs import SEED, Floats, Paths

RUNS, TURNS, ALPHA = 500, 600, 0.05
MOST = ALPHA + 4 * sqrt(ALPHA * (1 - ALPHA) / RUNS)
DRIFTS = [pytest.param(0.0, id="a still world"), pytest.param(0.15, id="a drifting world")]


@cache
def simulate_paths(drift: float) -> Paths:
    """Runs with a logging policy that learns."""
    return Paths(turns=TURNS, runs=RUNS, drift=drift, seed=SEED + 20)


def refuted(terms: Floats, truth: Floats) -> NDArray[np.bool_]:
    """At which turns of which runs the truth is below the lower end that these terms give."""
    out = np.empty(terms.shape, dtype=bool)
    total, squares = terms.cumsum(axis=0), (terms**2).cumsum(axis=0)
    for turn in range(len(terms)):
        events = np.full(terms.shape[1], turn + 1.0)
        constant = constant_exponents(events, total[turn], squares[turn])
        worth = log_wealth(constant, total[turn] - events * truth[turn])
        out[turn] = worth > log(2 / ALPHA)
    return out


@cache
def outside(drift: float) -> NDArray[np.bool_]:
    """At which turns of which runs the interval leaves out the truth."""
    simulated = simulate_paths(drift)
    below = refuted(simulated.weight * simulated.reward, simulated.truth)
    return np.asarray(below | refuted(simulated.weight * (1 - simulated.reward), 1 - simulated.truth))


@pytest.mark.parametrize("drift", DRIFTS)
def test_few_runs_ever_leave_the_truth(drift: float) -> None:
    assert outside(drift).any(axis=0).mean() <= MOST, SEED


@pytest.mark.parametrize("drift", DRIFTS)
def test_the_gaussian_interval_is_left_by_many_runs(drift: float) -> None:
    simulated = simulate_paths(drift)
    terms, events = simulated.weight * simulated.reward, np.arange(1, TURNS + 1)[:, None]
    total, squares = terms.cumsum(axis=0), (terms**2).cumsum(axis=0)
    error = np.sqrt((squares - total**2 / events) / np.maximum(events - 1, 1) / events)
    left = np.abs(total / events - simulated.truth[:, None]) > 1.96 * error
    assert left[99:].any(axis=0).mean() > 2 * MOST, SEED


def test_propensities_that_are_wrong_are_detected() -> None:
    simulated = simulate_paths(0.0)
    below = refuted(2 * simulated.weight * simulated.reward, simulated.truth)
    assert below.any(axis=0).mean() > 2 * MOST, SEED


def test_the_interval_agrees_with_the_paths_and_is_not_much_wider_than_the_gaussian() -> None:
    simulated, ratios = simulate_paths(0.0), []
    for run in range(0, RUNS, 10):
        estimator, ips = Anytime(bounds=Bounds()), Ips()
        estimator.add(simulated.log(run))
        ips.add(simulated.log(run))
        interval, gaussian = estimator.interval(ALPHA), ips.interval(ALPHA)
        assert interval is not None
        assert gaussian is not None
        assert (interval.lower <= float(simulated.truth[-1]) <= interval.upper) != outside(0.0)[-1, run], SEED
        ratios.append(interval.half_width / gaussian.half_width)
    assert np.mean(ratios) < 3.5, SEED

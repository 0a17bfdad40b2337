"""Intervals cover the truth as often as they claim: 93 to 97 % if exact, not below 95 % if conservative."""

from collections.abc import Callable
from functools import cache
from math import sqrt

import numpy as np
import pytest

from sartor.estimators.accumulator import Estimator
from sartor.estimators.anytime import Anytime
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from sartor.estimators.doubly_robust import Dr
from sartor.estimators.finite_sample import ClopperPearson, EmpiricalBernstein
from sartor.estimators.interval import Bounds, Interval
from sartor.estimators.ips import Ips, Snips
from tests.statistics.simulated_logs import LOGGING, SEED, TARGET, logs, value

RUNS, ROWS = 2000, 2000
HEAVIEST = {name: float((TARGET / logging).max()) for name, logging in LOGGING.items()}

IntervalOf = Callable[[Columns, float], Interval | None]


def interval_of(estimator: Estimator, batch: Columns) -> Interval | None:
    """The interval of one log."""
    estimator.add(batch)
    return estimator.interval()


EXACT: dict[str, IntervalOf] = {
    "ips": lambda batch, _: interval_of(Ips(), batch),
    "snips": lambda batch, _: interval_of(Snips(), batch),
    "dr": lambda batch, _: interval_of(Dr(), batch),
    "cressie-read, largest weight known": lambda batch, heaviest: interval_of(
        CressieRead(bounds=Bounds(), max_weight=heaviest), batch
    ),
}
CONSERVATIVE: dict[str, IntervalOf] = {
    "cressie-read": lambda batch, _: interval_of(CressieRead(bounds=Bounds()), batch),
    "clopper-pearson": lambda batch, _: interval_of(ClopperPearson(bounds=Bounds()), batch),
    "empirical bernstein": lambda batch, heaviest: interval_of(
        EmpiricalBernstein(bounds=Bounds(), weight_cap=heaviest), batch
    ),
    "empirical bernstein, weights cut": lambda batch, heaviest: interval_of(
        EmpiricalBernstein(bounds=Bounds(), weight_cap=heaviest / 2), batch
    ),
    "anytime": lambda batch, _: interval_of(Anytime(bounds=Bounds()), batch),
}


@cache
def coverage(logging: str) -> dict[str, float]:
    """The share of logs whose interval holds the truth, for each interval."""
    intervals = EXACT | CONSERVATIVE
    covered = dict.fromkeys(intervals, 0)
    for batch in logs(LOGGING[logging], runs=RUNS, rows=ROWS, seed=SEED + 10):
        for name, compute in intervals.items():
            interval = compute(batch, HEAVIEST[logging])
            covered[name] += interval is not None and interval.lower <= value() <= interval.upper
    return {name: count / RUNS for name, count in covered.items()}


@pytest.mark.parametrize("logging", ["uniform", "one favourite"])
@pytest.mark.parametrize("name", EXACT)
def test_exact_intervals_hold_in_93_to_97_of_100(name: str, logging: str) -> None:
    assert 0.93 <= coverage(logging)[name] <= 0.97, SEED


@pytest.mark.parametrize("logging", ["uniform", "one favourite"])
@pytest.mark.parametrize("name", CONSERVATIVE)
def test_conservative_intervals_hold_in_95_of_100_or_more(name: str, logging: str) -> None:
    assert coverage(logging)[name] >= 0.95 - 4 * sqrt(0.95 * 0.05 / RUNS), SEED


@pytest.mark.parametrize("worth", [0.01, 0.2, 0.95])
def test_clopper_pearson_holds_for_every_rate_where_gaussian_does_not(worth: float) -> None:
    rng = np.random.default_rng(SEED + 11)
    covered = {"clopper-pearson": 0, "gaussian": 0}
    for _ in range(RUNS):
        rewards = (rng.random(100) < worth).astype(float)
        batch = Columns(reward=rewards, propensity=np.full(100, 0.5), target=np.full(100, 0.5))
        exact, gaussian = interval_of(ClopperPearson(bounds=Bounds()), batch), interval_of(Ips(), batch)
        covered["clopper-pearson"] += exact is not None and exact.lower <= worth <= exact.upper
        covered["gaussian"] += gaussian is not None and gaussian.lower <= worth <= gaussian.upper
    assert covered["clopper-pearson"] / RUNS >= 0.95 - 4 * sqrt(0.95 * 0.05 / RUNS), SEED
    if worth == 0.01:
        assert covered["gaussian"] / RUNS < 0.8, SEED

"""Intervals hold the truth as often as they say: 93 to 97 % where exact, not below 95 % where conservative."""

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

Asked = Callable[[Columns, float], Interval | None]


def answer(estimator: Estimator, batch: Columns) -> Interval | None:
    """The interval of one log."""
    estimator.add(batch)
    return estimator.interval()


EXACT: dict[str, Asked] = {
    "ips": lambda batch, _: answer(Ips(), batch),
    "snips": lambda batch, _: answer(Snips(), batch),
    "dr": lambda batch, _: answer(Dr(), batch),
    "cressie-read, largest weight known": lambda batch, heaviest: answer(
        CressieRead(bounds=Bounds(), max_weight=heaviest), batch
    ),
}
CONSERVATIVE: dict[str, Asked] = {
    "cressie-read": lambda batch, _: answer(CressieRead(bounds=Bounds()), batch),
    "clopper-pearson": lambda batch, _: answer(ClopperPearson(bounds=Bounds()), batch),
    "empirical bernstein": lambda batch, heaviest: answer(
        EmpiricalBernstein(bounds=Bounds(), weight_cap=heaviest), batch
    ),
    "empirical bernstein, weights cut": lambda batch, heaviest: answer(
        EmpiricalBernstein(bounds=Bounds(), weight_cap=heaviest / 2), batch
    ),
    "anytime": lambda batch, _: answer(Anytime(bounds=Bounds()), batch),
}


@cache
def coverage(logging: str) -> dict[str, float]:
    """The share of logs whose interval holds the truth, for each interval."""
    asked = EXACT | CONSERVATIVE
    held = dict.fromkeys(asked, 0)
    for batch in logs(LOGGING[logging], runs=RUNS, rows=ROWS, seed=SEED + 10):
        for name, ask in asked.items():
            interval = ask(batch, HEAVIEST[logging])
            held[name] += interval is not None and interval.lower <= value() <= interval.upper
    return {name: count / RUNS for name, count in held.items()}


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
    held = {"clopper-pearson": 0, "gaussian": 0}
    for _ in range(RUNS):
        rewards = (rng.random(100) < worth).astype(float)
        batch = Columns(reward=rewards, propensity=np.full(100, 0.5), target=np.full(100, 0.5))
        exact, gaussian = answer(ClopperPearson(bounds=Bounds()), batch), answer(Ips(), batch)
        held["clopper-pearson"] += exact is not None and exact.lower <= worth <= exact.upper
        held["gaussian"] += gaussian is not None and gaussian.lower <= worth <= gaussian.upper
    assert held["clopper-pearson"] / RUNS >= 0.95 - 4 * sqrt(0.95 * 0.05 / RUNS), SEED
    if worth == 0.01:
        assert held["gaussian"] / RUNS < 0.8, SEED

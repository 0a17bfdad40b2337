"""Estimates are unbiased: their mean over many simulated logs is within four standard errors of the truth."""

from collections.abc import Iterable

import numpy as np
import pytest

from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from sartor.estimators.doubly_robust import Dm, Dr, DrOs, SwitchDr
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips, Snips
from tests.statistics.simulated_logs import LOGGING, SEED, TARGET, Paths, logs, value

UNIT = Bounds()
RUNS, ROWS = 300, 1500


def kinds(heaviest: float = 100.0) -> dict[str, Estimator]:
    """One of each that aims at the truth, whatever the reward model says."""
    return {
        "ips": Ips(),
        "snips": Snips(),
        "dr": Dr(),
        "switch-dr that keeps all": SwitchDr(grid=(float("inf"),)),
        "dr-os that keeps all": DrOs(grid=(float("inf"),)),
        "cressie-read": CressieRead(bounds=UNIT, max_weight=heaviest),
    }


def values(batches: Iterable[Columns], heaviest: float = 100.0) -> dict[str, list[float]]:
    """The values of each estimator over logs."""
    found: dict[str, list[float]] = {name: [] for name in kinds()}
    for batch in batches:
        for name, estimator in kinds(heaviest).items():
            estimator.add(batch)
            found[name].append(estimator.value() or 0.0)
    return found


def deviation(found: list[float], truth: float) -> float:
    """How many standard errors the mean is off."""
    return float((np.mean(found) - truth) / (np.std(found, ddof=1) / np.sqrt(len(found))))


@pytest.mark.parametrize("logging", LOGGING)
def test_estimates_average_to_the_truth(logging: str) -> None:
    heaviest = float((TARGET / LOGGING[logging]).max())
    found = values(logs(LOGGING[logging], runs=RUNS, rows=ROWS, seed=SEED), heaviest)
    for name, estimates in found.items():
        assert abs(deviation(estimates, value())) <= 4, (name, SEED)


def test_also_when_the_logging_policy_learns_while_it_logs() -> None:
    paths = Paths(turns=800, runs=RUNS, drift=0.0, seed=SEED)
    found = values(paths.log(run) for run in range(RUNS))
    for name in ("ips", "dr", "switch-dr that keeps all", "dr-os that keeps all"):
        assert abs(deviation(found[name], value())) <= 4, (name, SEED)


def thinned(batch: Columns, rng: np.random.Generator) -> Columns:
    """The log with four in five of the rows without a reward left out."""
    drop = np.where(batch.reward == 0, 0.8, 0.0)
    kept = rng.random(batch.rows) >= drop
    return Columns(
        reward=batch.reward[kept],
        propensity=batch.propensity[kept],
        target=batch.target[kept],
        q_logged=None if batch.q_logged is None else batch.q_logged[kept],
        q_policy=None if batch.q_policy is None else batch.q_policy[kept],
        drop_probability=drop[kept],
    )


def test_also_when_rows_were_left_out_with_known_probabilities() -> None:
    rng = np.random.default_rng(SEED + 1)
    whole = logs(LOGGING["one favourite"], runs=RUNS, rows=ROWS, seed=SEED)
    found = values(thinned(batch, rng) for batch in whole)
    for name in ("ips", "snips", "dr"):
        assert abs(deviation(found[name], value())) <= 4, (name, SEED)


def test_ignoring_the_rows_left_out_would_be_detected() -> None:
    rng = np.random.default_rng(SEED + 1)
    found = []
    for batch in logs(LOGGING["one favourite"], runs=RUNS, rows=ROWS, seed=SEED):
        thin, ips = thinned(batch, rng), Ips()
        ips.add(Columns(reward=thin.reward, propensity=thin.propensity, target=thin.target))
        found.append(ips.value() or 0.0)
    assert deviation(found, value()) > 4, SEED


def test_wrong_propensities_would_be_detected() -> None:
    found = []
    for batch in logs(LOGGING["uniform"], runs=RUNS, rows=ROWS, seed=SEED):
        ips = Ips()
        ips.add(Columns(reward=batch.reward, propensity=batch.propensity * 0.97, target=batch.target))
        found.append(ips.value() or 0.0)
    assert deviation(found, value()) > 4, SEED


def test_the_direct_method_is_as_biased_as_its_model() -> None:
    found: list[float] = []
    for batch in logs(LOGGING["uniform"], runs=RUNS, rows=ROWS, seed=SEED):
        dm = Dm()
        dm.add(batch)
        found.append(dm.value() or 0.0)
    assert abs(deviation(found, value())) > 4, SEED


def test_shrunk_weights_keep_the_error_below_that_of_ips() -> None:
    squared: dict[str, float] = {"ips": 0.0, "switch_dr": 0.0, "dr_os": 0.0}
    for batch in logs(LOGGING["contrary"], runs=RUNS, rows=200, seed=SEED):
        estimators: dict[str, Estimator] = {"ips": Ips(), "switch_dr": SwitchDr(), "dr_os": DrOs()}
        for name, estimator in estimators.items():
            estimator.add(batch)
            squared[name] += ((estimator.value() or 0.0) - value()) ** 2
    assert squared["switch_dr"] < squared["ips"], SEED
    assert squared["dr_os"] < squared["ips"], SEED

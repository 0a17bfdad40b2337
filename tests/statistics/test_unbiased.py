"""On average, estimators say what is true: within four standard errors, over many simulated logs."""

from collections.abc import Iterable

import numpy as np
import pytest

from sartor.estimators.accumulator import Estimator
from sartor.estimators.columns import Columns
from sartor.estimators.cressie_read import CressieRead
from sartor.estimators.crossfit import Candidates, cross_fit
from sartor.estimators.direct import Dm, Dr
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips, Snips
from sartor.estimators.shrinkage import DrOs, SwitchDr
from sartor.estimators.slate import ProductSlate, PseudoInverse, SlateBatch
from tests.statistics.simulated_logs import (
    ACTIONS,
    KINDS,
    LOGGING,
    SEED,
    SHARES,
    TARGET,
    WORTH,
    Paths,
    logs,
    sample,
    softmax,
    value,
)

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
        "cressie-read": CressieRead(bounds=UNIT, most_weight=heaviest),
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


def test_also_when_rows_were_left_out_by_known_odds() -> None:
    rng = np.random.default_rng(SEED + 1)
    whole = logs(LOGGING["one favourite"], runs=RUNS, rows=ROWS, seed=SEED)
    found = values(thinned(batch, rng) for batch in whole)
    for name in ("ips", "snips", "dr"):
        assert abs(deviation(found[name], value())) <= 4, (name, SEED)


def test_forgetting_the_rows_left_out_would_be_seen() -> None:
    rng = np.random.default_rng(SEED + 1)
    found = []
    for batch in logs(LOGGING["one favourite"], runs=RUNS, rows=ROWS, seed=SEED):
        thin, ips = thinned(batch, rng), Ips()
        ips.add(Columns(reward=thin.reward, propensity=thin.propensity, target=thin.target))
        found.append(ips.value() or 0.0)
    assert deviation(found, value()) > 4, SEED


def test_wrong_propensities_would_be_seen() -> None:
    found = []
    for batch in logs(LOGGING["uniform"], runs=RUNS, rows=ROWS, seed=SEED):
        ips = Ips()
        ips.add(Columns(reward=batch.reward, propensity=batch.propensity * 0.97, target=batch.target))
        found.append(ips.value() or 0.0)
    assert deviation(found, value()) > 4, SEED


def test_the_direct_method_believes_its_model() -> None:
    found: list[float] = []
    for batch in logs(LOGGING["uniform"], runs=RUNS, rows=ROWS, seed=SEED):
        dm = Dm()
        dm.add(batch)
        found.append(dm.value() or 0.0)
    assert abs(deviation(found, value())) > 4, SEED


def test_tamed_weights_keep_the_error_below_that_of_ips() -> None:
    squared: dict[str, float] = {"ips": 0.0, "switch_dr": 0.0, "dr_os": 0.0}
    for batch in logs(LOGGING["contrary"], runs=RUNS, rows=200, seed=SEED):
        estimators: dict[str, Estimator] = {"ips": Ips(), "switch_dr": SwitchDr(), "dr_os": DrOs()}
        for name, estimator in estimators.items():
            estimator.add(batch)
            squared[name] += ((estimator.value() or 0.0) - value()) ** 2
    assert squared["switch_dr"] < squared["ips"], SEED
    assert squared["dr_os"] < squared["ips"], SEED


def test_cross_fitted_dr_averages_to_the_truth_and_varies_less_than_ips() -> None:
    rng = np.random.default_rng(SEED + 2)
    logging, rows = LOGGING["one favourite"], 600
    every = np.eye(KINDS * ACTIONS)
    fitted: list[float] = []
    plain: list[float] = []
    for _ in range(RUNS):
        kind = rng.choice(KINDS, size=rows, p=SHARES)
        action = sample(rng, logging[kind])
        reward = (rng.random(rows) < WORTH[kind, action]).astype(float)
        place = kind[:, None] * ACTIONS + np.arange(ACTIONS)
        candidates = Candidates(
            features=every[place.ravel()], row=np.repeat(np.arange(rows), ACTIONS), target=TARGET[kind].ravel()
        )
        q_logged, q_policy = cross_fit(every[kind * ACTIONS + action], reward, np.arange(rows) % 5, candidates)
        batch = Columns(
            reward=reward,
            propensity=logging[kind, action],
            target=TARGET[kind, action],
            q_logged=q_logged,
            q_policy=q_policy,
        )
        for estimator, found in ((Dr(), fitted), (Ips(), plain)):
            estimator.add(batch)
            found.append(estimator.value() or 0.0)
    assert abs(deviation(fitted, value())) <= 4, SEED
    assert np.std(fitted) < 0.8 * np.std(plain), SEED


SLOTS = np.array([[0.2, 0.1, 0.4], [0.3, 0.0, 0.1]])
"""What each action adds, by slot."""


def slates(rng: np.random.Generator, *, rows: int, together: float) -> SlateBatch:
    """Two slots with three actions each; ``together``: an extra for showing action 0 in both."""
    logging = softmax(-SLOTS, sharpness=2.0)
    target = softmax(SLOTS, sharpness=4.0)
    shown = np.stack([sample(rng, np.tile(logging[slot], (rows, 1))) for slot in (0, 1)], axis=1)
    worth = SLOTS[0, shown[:, 0]] + SLOTS[1, shown[:, 1]] + together * (shown == 0).all(axis=1)
    slot = np.arange(2)
    return SlateBatch(
        reward=(rng.random(rows) < worth).astype(float),
        propensity=logging[slot, shown],
        target=target[slot, shown],
    )


def slate_value(together: float) -> float:
    """What the target policy's slates earn."""
    target = softmax(SLOTS, sharpness=4.0)
    return float((target * SLOTS).sum() + together * target[0, 0] * target[1, 0])


def slate_deviation(kind: type[ProductSlate | PseudoInverse], *, together: float) -> float:
    """How far the mean over many logs is off, in standard errors."""
    rng = np.random.default_rng(SEED + 3)
    found = []
    for _ in range(RUNS):
        estimator = kind()
        estimator.add(slates(rng, rows=ROWS, together=together))
        found.append(estimator.value() or 0.0)
    return deviation(found, slate_value(together))


def test_whole_slates_average_to_the_truth() -> None:
    assert abs(slate_deviation(ProductSlate, together=0.3)) <= 4, SEED
    assert abs(slate_deviation(ProductSlate, together=0.0)) <= 4, SEED
    assert abs(slate_deviation(PseudoInverse, together=0.0)) <= 4, SEED


def test_the_pseudo_inverse_needs_slots_that_add_up() -> None:
    assert abs(slate_deviation(PseudoInverse, together=0.3)) > 4, SEED

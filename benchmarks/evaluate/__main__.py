"""``python -m benchmarks.evaluate``: one million scored events through all estimators, with their intervals."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sartor.estimators.columns import Columns
from sartor.estimators.estimator_set import EstimatorSet
from sartor.estimators.interval import Bounds
from sartor.estimators.support import check_support

EVENTS = 1_000_000
BATCH = 10_000
REPEATS = 3
AT_MOST_S = 2.0


def make_columns(events: int, *, seed: int = 1) -> dict[str, Any]:
    """The columns of a log with ten actions, every optional column included."""
    rng = np.random.default_rng(seed)
    propensity = rng.choice([0.02, 0.82], size=events, p=[0.18, 0.82])
    target = np.where(propensity < 0.5, rng.choice([0.0, 0.1, 0.4], size=events), rng.random(events))
    return {
        "reward": (rng.random(events) < 0.3).astype(float),
        "propensity": propensity,
        "target": target,
        "q_logged": rng.random(events) * 0.6,
        "q_policy": rng.random(events) * 0.6,
        "drop_probability": np.where(rng.random(events) < 0.5, 0.5, 0.0),
        "actions": np.full(events, 10.0),
        "uncovered": np.zeros(events),
    }


def time_fastest(measured: Callable[[], None]) -> float:
    """Seconds of the fastest of a few runs."""
    times = []
    for _ in range(REPEATS):
        started_s = time.perf_counter()
        measured()
        times.append(time.perf_counter() - started_s)
    return min(times)


def measure(events: int = EVENTS) -> dict[str, float]:
    """Seconds: in one batch; in batches of ten thousand, stored in between; each estimator alone."""
    data = make_columns(events)

    def at_once() -> None:
        estimators = EstimatorSet.empty(bounds=Bounds(), weight_cap=50.0)
        estimators.add(Columns(**data))
        estimators.estimates()
        check_support(estimators.diagnostics)

    def in_batches() -> None:
        estimators = EstimatorSet.empty(bounds=Bounds(), weight_cap=50.0)
        for start in range(0, events, BATCH):
            piece = {name: column[start : start + BATCH] for name, column in data.items()}
            estimators.add(Columns(**piece))
            estimators = EstimatorSet.from_state(estimators.state())
        estimators.estimates()

    found = {
        "all, at once": time_fastest(at_once),
        "all, in batches, stored after each": time_fastest(in_batches),
    }
    columns = Columns(**data)
    empty = EstimatorSet.empty(bounds=Bounds(), weight_cap=50.0)
    for name, estimator in empty.by_name().items():
        found[f"{name} alone"] = time_fastest(lambda estimator=estimator: estimator.add(columns))  # type: ignore[misc]
    return found


def main() -> None:
    """Print seconds and events per second; fail where the promise is broken."""
    found = measure()
    for name, seconds in found.items():
        print(f"{name:36} {seconds * 1000:8.1f} ms   {EVENTS / seconds / 1e6:8.1f} M events/s")
    print(json.dumps({name: round(seconds, 4) for name, seconds in found.items()}))
    if found["all, at once"] > AT_MOST_S:
        raise SystemExit(f"Slower than {AT_MOST_S} s.")


if __name__ == "__main__":
    main()

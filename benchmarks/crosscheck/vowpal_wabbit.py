"""What the Vowpal Wabbit project's estimators say; imported by name, as they are no dependency."""

from importlib import import_module
from typing import Any

from benchmarks.crosscheck.logs import Log

INFINITE, LARGEST = float("inf"), 60.0


def values(log: Log) -> dict[str, float]:
    """Point estimates by name."""
    cressie_read = _module("bandits.cressieread")
    estimators = {
        "ips": _module("bandits.ips").Estimator(),
        "snips": _module("bandits.snips").Estimator(),
        "cressie-read": cressie_read.Estimator(),
        "cressie-read, largest weight known": cressie_read.Estimator(wmax=LARGEST),
    }
    for propensity, reward, target in _rows(log):
        for estimator in estimators.values():
            estimator.add_example(propensity, reward, target)
    return {name: float(estimator.get()) for name, estimator in estimators.items()}


def intervals(log: Log, *, drop: bool) -> dict[str, tuple[float, float]]:
    """Intervals at 95 % by name."""
    cressie_read = _module("bandits.cressieread")
    estimators = {
        "gaussian": _module("bandits.gaussian").Interval(),
        "clopper-pearson": _module("bandits.clopper_pearson").Interval(),
        "cressie-read": cressie_read.Interval(),
        "cressie-read, largest weight known": cressie_read.Interval(wmax=LARGEST),
    }
    dropped = log.drop.tolist() if drop else [0.0] * len(log.action)
    for (propensity, reward, target), probabilities in zip(_rows(log), dropped, strict=True):
        for estimator in estimators.values():
            estimator.add_example(propensity, reward, target, p_drop=probabilities)
    return {name: _ends(estimator.get(0.05)) for name, estimator in estimators.items()}


def anytime(log: Log) -> tuple[float, float]:
    """Their confidence sequence."""
    estimator = _module("bandits.cs").Interval()
    for propensity, reward, target in _rows(log):
        estimator.add_example(propensity, reward, target)
    return _ends(estimator.get(0.05))


def _module(name: str) -> Any:
    return import_module(f"estimators.{name}")


def _rows(log: Log) -> list[tuple[float, float, float]]:
    return list(zip(log.propensity.tolist(), log.reward.tolist(), log.chosen.tolist(), strict=True))


def _ends(pair: list[float]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])

"""What Open Bandit Pipeline says; imported by name, as it is no dependency."""

from importlib import import_module

import numpy as np

from benchmarks.crosscheck.logs import Log


def values(log: Log) -> dict[str, float]:
    """Point estimates by name."""
    ope = import_module("obp.ope")
    estimators = {
        "ips": ope.InverseProbabilityWeighting(),
        "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
        "dm": ope.DirectMethod(),
        "dr": ope.DoublyRobust(),
        "switch-dr τ=2": ope.SwitchDoublyRobust(tau=2.0),
        "switch-dr τ=5": ope.SwitchDoublyRobust(tau=5.0),
        "switch-dr τ=∞": ope.SwitchDoublyRobust(tau=float("inf")),
        "dr-os λ=1": ope.DoublyRobustWithShrinkage(lambda_=1.0),
        "dr-os λ=50": ope.DoublyRobustWithShrinkage(lambda_=50.0),
    }
    given = {
        "reward": log.reward,
        "action": log.action,
        "pscore": log.propensity,
        "action_dist": log.target[:, :, None],
        "estimated_rewards_by_reg_model": log.model[:, :, None],
        "position": np.zeros(len(log.action), dtype=int),
    }
    return {name: float(estimator.estimate_policy_value(**given)) for name, estimator in estimators.items()}

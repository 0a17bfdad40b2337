"""The logs on which estimators are compared."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sartor.estimators.columns import Columns

Floats = NDArray[np.float64]
ROWS, ACTIONS = 2000, 4


class Log(Struct, frozen=True, eq=False):
    """Whole vectors of both policies and of a reward model: shape (rows, actions)."""

    reward: Floats
    action: NDArray[np.int64]
    logging: Floats
    target: Floats
    model: Floats
    drop: Floats

    @property
    def propensity(self) -> Floats:
        """The logged probability of the chosen action."""
        return self.logging[np.arange(len(self.action)), self.action]

    @property
    def chosen(self) -> Floats:
        """The target's probability of the chosen action."""
        return self.target[np.arange(len(self.action)), self.action]

    def columns(self, *, drop: bool = False) -> Columns:
        """As Sartor takes them."""
        return Columns(
            reward=self.reward,
            propensity=self.propensity,
            target=self.chosen,
            q_logged=self.model[np.arange(len(self.action)), self.action],
            q_policy=(self.target * self.model).sum(axis=1),
            drop_probability=self.drop if drop else None,
        )


def probabilities(rng: np.random.Generator, sharpness: float) -> Floats:
    """Random probabilities over actions, for each row."""
    scores = np.exp(sharpness * rng.normal(size=(ROWS, ACTIONS)))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def make_log(seed: int) -> Log:
    """Random policies, model, rewards in [0, 1] and drop probabilities."""
    rng = np.random.default_rng(seed)
    logging = 0.1 / ACTIONS + 0.9 * probabilities(rng, 1.0)
    action = (logging.cumsum(axis=1) < rng.random((ROWS, 1))).sum(axis=1).clip(max=ACTIONS - 1)
    return Log(
        reward=rng.beta(0.5, 1.0, size=ROWS),
        action=action,
        logging=logging,
        target=probabilities(rng, 2.0),
        model=rng.random((ROWS, ACTIONS)),
        drop=rng.choice([0.0, 0.5, 0.75], size=ROWS),
    )

"""Logs of a small world whose truth is known: five kinds of visitors, four actions, rewards 0 and 1."""

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sartor.estimators.columns import Columns

Floats = NDArray[np.float64]

SEED = int(os.environ.get("SARTOR_TEST_SEED", "20261124"))
"""Set SARTOR_TEST_SEED to repeat the statistics with other random numbers."""

KINDS, ACTIONS = 5, 4
SHARES = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
"""How often each kind of visitor comes."""

WORTH = np.array(
    [
        [0.60, 0.30, 0.20, 0.50],
        [0.20, 0.55, 0.40, 0.30],
        [0.35, 0.25, 0.70, 0.20],
        [0.50, 0.45, 0.10, 0.65],
        [0.15, 0.30, 0.35, 0.40],
    ]
)
"""The probability of reward 1, by kind and action."""

TARGET = 0.15 / ACTIONS + 0.85 * np.eye(ACTIONS)[[0, 1, 2, 3, 3]]
"""The evaluated policy: mostly the best action of each kind."""

MODEL = np.clip(WORTH + 0.15 * np.cos(np.arange(KINDS * ACTIONS)).reshape(KINDS, ACTIONS), 0, 1)
"""A reward model that is wrong by up to 0.15."""


def softmax(scores: Floats, *, sharpness: float) -> Floats:
    """Probabilities that favour high scores."""
    probabilities = np.exp(sharpness * scores)
    return np.asarray(probabilities / probabilities.sum(axis=-1, keepdims=True))


LOGGING: dict[str, Floats] = {
    "uniform": np.full((KINDS, ACTIONS), 1 / ACTIONS),
    "one favourite": 0.4 / ACTIONS + 0.6 * np.eye(ACTIONS)[[1, 1, 1, 1, 1]],
    "already good": softmax(WORTH, sharpness=4.0),
    "contrary": softmax(-WORTH, sharpness=3.0),
}
"""Logging policies, by kind of visitor."""


def value(target: Floats = TARGET, worth: Floats = WORTH) -> float:
    """What the policy earns per decision."""
    return float(SHARES @ (target * worth).sum(axis=1))


def sample(rng: np.random.Generator, probabilities: Floats) -> NDArray[np.int64]:
    """One action for each row of probabilities."""
    points = rng.random(probabilities.shape[:-1])[..., None]
    return np.asarray(
        (probabilities.cumsum(axis=-1) < points).sum(axis=-1).clip(max=probabilities.shape[-1] - 1)
    )


def batch(kind: NDArray[np.int64], action: NDArray[np.int64], propensity: Floats, reward: Floats) -> Columns:
    """The columns of decisions, with the predictions of the wrong model."""
    return Columns(
        reward=reward,
        propensity=propensity,
        target=TARGET[kind, action],
        q_logged=MODEL[kind, action],
        q_policy=(TARGET * MODEL).sum(axis=1)[kind],
        actions=np.full(len(kind), float(ACTIONS)),
    )


def logs(logging: Floats, *, runs: int, rows: int, seed: int) -> Iterator[Columns]:
    """Independent logs, one after another."""
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        kind = rng.choice(KINDS, size=rows, p=SHARES)
        action = sample(rng, logging[kind])
        reward = (rng.random(rows) < WORTH[kind, action]).astype(float)
        yield batch(kind, action, logging[kind, action], reward)


class Learner:
    """A logging policy that learns while it logs: many independent runs side by side.

    Mostly the action that paid best so far for that kind of visitor, in that run; explores less and less.
    """

    def __init__(self, runs: int) -> None:
        self.paid = np.full((runs, KINDS, ACTIONS), 0.5)
        self.tried = np.ones((runs, KINDS, ACTIONS))
        self.each = np.arange(runs)

    def probabilities(self, kind: NDArray[np.int64], turn: int) -> Floats:
        """The probabilities of each run for its visitor."""
        explore = max(0.1, (1 + turn) ** -0.4)
        means = (self.paid / self.tried)[self.each, kind]
        return np.asarray(explore / ACTIONS + (1 - explore) * np.eye(ACTIONS)[means.argmax(axis=1)])

    def learn(self, kind: NDArray[np.int64], action: NDArray[np.int64], reward: Floats) -> None:
        """Take in one reward in each run."""
        self.paid[self.each, kind, action] += reward
        self.tried[self.each, kind, action] += 1


class Paths:
    """Adaptive logs as matrices of shape (turns, runs), and the policy's mean value up to each turn."""

    def __init__(self, *, turns: int, runs: int, drift: float, seed: int) -> None:
        shape = (turns, runs)
        self.weight, self.reward, self.propensity = np.empty(shape), np.empty(shape), np.empty(shape)
        self.kind, self.action = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
        truths = np.empty(turns)
        rng, learner = np.random.default_rng(seed), Learner(runs)
        for turn in range(turns):
            worth = np.clip(WORTH + drift * np.sin(turn / 150), 0, 1)
            truths[turn] = value(worth=worth)
            self._play(turn, rng, learner, worth)
        self.truth = truths.cumsum() / np.arange(1, turns + 1)

    def _play(self, turn: int, rng: np.random.Generator, learner: Learner, worth: Floats) -> None:
        runs = self.weight.shape[1]
        kind = rng.choice(KINDS, size=runs, p=SHARES)
        probabilities = learner.probabilities(kind, turn)
        action = sample(rng, probabilities)
        reward = (rng.random(runs) < worth[kind, action]).astype(float)
        learner.learn(kind, action, reward)
        propensity = probabilities[learner.each, action]
        self.kind[turn], self.action[turn], self.reward[turn] = kind, action, reward
        self.propensity[turn], self.weight[turn] = propensity, TARGET[kind, action] / propensity

    def log(self, run: int) -> Columns:
        """One run as a log."""
        return batch(self.kind[:, run], self.action[:, run], self.propensity[:, run], self.reward[:, run])

"""Other libraries as learners; they run in their own environment and are imported by name, as no dependencies.

Each has one setting, the library's default where it has one. Arms are ids; those that appear later are added.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from benchmarks.quality.columns import Columns, Vector
from benchmarks.quality.learners import Choice, Learner
from sartor.lab.world import Situation, World


class PeerLearner:
    """A learner that scores the offered ids for a row of columns and takes the best, or draws.

    Times include the library's own checks, but not the making of columns.
    """

    def __init__(self, world: World[Any], /, *, turns: int, seed: int) -> None:
        """Look at the whole stream of contexts, in the learner's favour."""
        contexts = (world.situation(turn).context for turn in range(turns))
        self.columns = Columns(contexts)
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.decide_us = 0.0
        self.learn_us = 0.0

    def choose(self, situation: Situation[Any], /) -> Choice:
        """Take what ``pick`` says."""
        row = self.columns.encode(situation.context)
        started = time.perf_counter_ns()
        choice = self.pick(row, situation)
        self.decide_us += (time.perf_counter_ns() - started) / 1_000
        return choice

    def learn(self, situation: Situation[Any], choice: Choice, reward: float, /) -> None:
        """Teach the arm that was chosen."""
        row = self.columns.encode(situation.context)
        started = time.perf_counter_ns()
        self.update(row, situation, choice.option, reward)
        self.learn_us += (time.perf_counter_ns() - started) / 1_000

    def close(self) -> None:
        """Nothing is held."""

    def pick(self, row: Vector, situation: Situation[Any], /) -> Choice:
        """Choose an option."""
        raise NotImplementedError

    def update(self, row: Vector, situation: Situation[Any], option: int, reward: float, /) -> None:
        """Learn the reward of an option."""
        raise NotImplementedError


class Mabwiser(PeerLearner):
    """LinUCB of MABWiser: a linear model for each arm.

    Each arm is an object of the library of its own: arms don't share anything in it, and it would otherwise
    invert the matrices of all arms at each outcome of one. An arm without any outcome has the library's prior,
    whose matrix is the identity.
    """

    def __init__(self, world: World[Any], /, *, turns: int, seed: int) -> None:
        """Begin without arms."""
        super().__init__(world, turns=turns, seed=seed)
        self._library = import_module("mabwiser.mab")
        self._arms: dict[str, Any] = {}

    def pick(self, row: Vector, situation: Situation[Any], /) -> Choice:
        """The greatest of the arms' expectations."""
        values = []
        for option in situation.options:
            arm = self._arms.get(option.id)
            if arm is None:
                values.append(self.expect_new(row))
            else:
                values.append(float(arm.predict_expectations(row[None, :])[option.id]))
        return Choice(pick_greatest(values, self.rng))

    def update(self, row: Vector, situation: Situation[Any], option: int, reward: float, /) -> None:
        """One outcome."""
        name = situation.options[option].id
        if name in self._arms:
            self._arms[name].partial_fit([name], [reward], row[None, :])
            return
        policy = self.make_policy(self._library.LearningPolicy)
        arm = self._library.MAB(arms=[name], learning_policy=policy, seed=self.seed + len(self._arms))
        arm.fit([name], [reward], row[None, :])
        self._arms[name] = arm

    def make_policy(self, policies: Any, /) -> Any:
        """The policy of the library."""
        return policies.LinUCB(alpha=1.0)

    def expect_new(self, row: Vector, /) -> float:
        """What the policy expects of an arm without outcomes."""
        return float(np.linalg.norm(row))


class MabwiserThompson(Mabwiser):
    """LinTS of MABWiser."""

    def make_policy(self, policies: Any, /) -> Any:
        """The policy of the library."""
        return policies.LinTS(alpha=1.0)

    def expect_new(self, row: Vector, /) -> float:
        """A draw from the prior."""
        return float(np.linalg.norm(row) * self.rng.standard_normal())


class BayesianThompson(PeerLearner):
    """Thompson sampling with ``bayesianbandits``: normal-inverse-gamma regression for each arm."""

    def __init__(self, world: World[Any], /, *, turns: int, seed: int) -> None:
        """Begin without arms."""
        super().__init__(world, turns=turns, seed=seed)
        self._kind = import_module("bayesianbandits").NormalInverseGammaRegressor
        self._learners: dict[str, Any] = {}

    def pick(self, row: Vector, situation: Situation[Any], /) -> Choice:
        """The greatest of one sample for each arm."""
        samples = [
            float(np.ravel(self._learner(option.id).sample(row[None, :], size=1))[0])
            for option in situation.options
        ]
        return Choice(pick_greatest(samples, self.rng))

    def update(self, row: Vector, situation: Situation[Any], option: int, reward: float, /) -> None:
        """One outcome."""
        self._learner(situation.options[option].id).partial_fit(row[None, :], np.array([reward]))

    def _learner(self, name: str) -> Any:
        if name not in self._learners:
            self._learners[name] = self._kind(random_state=self.seed + len(self._learners))
        return self._learners[name]


class RidgeSquare(PeerLearner):
    """A ridge regression for each arm, and SquareCB on rewards in units of their deviation so far."""

    def __init__(self, world: World[Any], /, *, turns: int, seed: int) -> None:
        """Begin without arms."""
        super().__init__(world, turns=turns, seed=seed)
        self._arms: dict[str, tuple[Vector, Vector]] = {}
        self._scale = RewardScale()

    def pick(self, row: Vector, situation: Situation[Any], /) -> Choice:
        """Inverse gap weighting of the predicted rewards."""
        values = [float(row @ self._arm(option.id)[1]) for option in situation.options]
        return draw_inverse_gap(values, self._scale, self.rng)

    def update(self, row: Vector, situation: Situation[Any], option: int, reward: float, /) -> None:
        """One step of recursive least squares."""
        inverse, weights = self._arm(situation.options[option].id)
        gain = inverse @ row
        spread = 1.0 + row @ gain
        weights += gain * (reward - row @ weights) / spread
        inverse -= np.outer(gain, gain) / spread
        self._scale.add(reward)

    def _arm(self, name: str) -> tuple[Vector, Vector]:
        if name not in self._arms:
            self._arms[name] = np.eye(self.columns.count), np.zeros(self.columns.count)
        return self._arms[name]


class TreesSquare(PeerLearner):
    """Boosted trees (LightGBM) of context, action and its features, refitted at intervals, and SquareCB."""

    def __init__(self, world: World[Any], /, *, turns: int, seed: int) -> None:
        """Look at the options of the whole stream too; numbers are left as they are."""
        super().__init__(world, turns=turns, seed=seed)
        situations = [world.situation(turn) for turn in range(turns)]
        self.columns = Columns((situation.context for situation in situations), standardise=False)
        self._actions = Columns(
            (_describe(option) for situation in situations for option in situation.options), standardise=False
        )
        self._rows: list[Vector] = []
        self._rewards: list[float] = []
        self._scale = RewardScale()
        self._model: Any = None
        self._next_fit = 50

    def pick(self, row: Vector, situation: Situation[Any], /) -> Choice:
        """Inverse gap weighting of the predicted rewards."""
        if self._model is None:
            return Choice(int(self.rng.integers(len(situation.options))), 1 / len(situation.options))
        rows = np.array([self._join(row, situation, i) for i in range(len(situation.options))])
        return draw_inverse_gap(list(self._model.predict(rows, num_threads=1)), self._scale, self.rng)

    def update(self, row: Vector, situation: Situation[Any], option: int, reward: float, /) -> None:
        """Keep the outcome; fit at 50, 100, 200, 400 and then at every 500."""
        self._rows.append(self._join(row, situation, option))
        self._rewards.append(reward)
        self._scale.add(reward)
        if len(self._rows) >= self._next_fit:
            self._next_fit += min(len(self._rows), 500)
            self._fit()

    def _fit(self) -> None:
        trees = import_module("lightgbm")
        data = trees.Dataset(np.array(self._rows), label=np.array(self._rewards))
        settings = {"verbosity": -1, "num_threads": 1, "seed": self.seed, "num_leaves": 15}
        self._model = trees.train(settings | {"min_data_in_leaf": 10}, data, num_boost_round=60)

    def _join(self, row: Vector, situation: Situation[Any], option: int) -> Vector:
        return np.concatenate([row, self._actions.encode(_describe(situation.options[option]))])


class RewardScale:
    """The running mean and deviation of rewards, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, reward: float, /) -> None:
        """Count one."""
        self.count += 1
        away = reward - self._mean
        self._mean += away / self.count
        self._squares += away * (reward - self._mean)

    @property
    def deviation(self) -> float:
        """The standard deviation, at least 1e-6; 1 before there are two."""
        return max(1e-6, (self._squares / self.count) ** 0.5) if self.count > 1 else 1.0


def _describe(option: Any) -> Sequence[object]:
    return [{"id": option.id}, *option.features]


def pick_greatest(values: Sequence[float], rng: np.random.Generator, /) -> int:
    """Returns the index of the greatest, one of them at random if there are several."""
    greatest = np.flatnonzero(np.asarray(values) == max(values))
    return int(rng.choice(greatest)) if len(greatest) else int(rng.integers(len(values)))


def draw_inverse_gap(values: Sequence[float], scale: RewardScale, rng: np.random.Generator, /) -> Choice:
    """Draws by inverse gap weighting (Foster and Rakhlin, arXiv:2002.04926), with γ = 10 √n."""
    gaps = (max(values) - np.asarray(values)) / scale.deviation
    probabilities = 1 / (len(values) + 10 * scale.count**0.5 * gaps)
    best = int(np.argmin(gaps))
    probabilities[best] += 1 - probabilities.sum()
    option = int(rng.choice(len(values), p=probabilities))
    return Choice(option, float(probabilities[option]))


MakePeer: TypeAlias = Callable[..., Learner]

PEERS: Mapping[str, MakePeer] = {
    "linucb": Mabwiser,
    "lints": MabwiserThompson,
    "bayesian-ts": BayesianThompson,
    "ridge-squarecb": RidgeSquare,
    "trees-squarecb": TreesSquare,
}

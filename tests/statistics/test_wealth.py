"""Doubly robust intervals cover at all times: with a policy that learns, heavy weights and wrong models.

They are looked at after every single decision. The bets of all runs are computed side by side, by moving the
predictions, which is another way of saying what ``wealth.bet`` does.
"""

from math import log, sqrt

import numpy as np
import pytest

from sartor.estimators import wealth
from sartor.estimators.doubly_robust_sums import BASELINE, EXPLORATION, LIFT, RANDOM, DoublyRobustSums
from sartor.estimators.interval import Bounds
from sartor.estimators.logged_choices import LoggedChoice
from sartor.estimators.reward_model import RewardModel
from tests.statistics.simulated_logs import ACTIONS, KINDS, SEED, SHARES, WORTH, Floats, Learner, sample

RUNS, TURNS, ALPHA = 200, 250, 0.05
CONTROL, FLOOR = 0.03, 0.02
MOST = ALPHA + 4 * sqrt(ALPHA * (1 - ALPHA) / RUNS)
NAMES = {"baseline": BASELINE, "random": RANDOM, "lift": LIFT, "exploration": EXPLORATION}


class Play:
    """Many runs of a learner with a control group; ``worth`` may drift, and the model be what it likes."""

    def __init__(self, *, worth: Floats, drift: float = 0.0, model: str, overstate: float = 1.0) -> None:
        self.rng, self.learner = np.random.default_rng(SEED + 40), Learner(RUNS)
        self.worth, self.drift, self.model, self.overstate = worth, drift, model, overstate
        self.paid, self.tried = np.full((RUNS, ACTIONS), 0.5), np.ones((RUNS, ACTIONS))

    def turn(self, number: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Returns targets and their values, logged probabilities, predictions, and the choices with rewards."""
        kind = self.rng.choice(KINDS, size=RUNS, p=SHARES)
        worth = np.clip(self.worth + self.drift * np.sin(number / 60), 0, 1)[kind]
        greedy = self.learner.probabilities(kind, number * 20)
        policy = FLOOR / ACTIONS + (1 - FLOOR) * greedy
        done = (1 - CONTROL) * policy + CONTROL * np.eye(ACTIONS)[0]
        targets = np.stack(
            [
                np.broadcast_to(np.eye(ACTIONS)[0], done.shape),
                np.full(done.shape, 1 / ACTIONS),
                policy - np.eye(ACTIONS)[0],
                np.eye(ACTIONS)[policy.argmax(axis=1)] - done,
            ],
            axis=1,
        )
        action = sample(self.rng, done)
        reward = (self.rng.random(RUNS) < worth[self.learner.each, action]).astype(float)
        predicted = self.predict(worth)
        self.learner.learn(kind, action, reward)
        self.paid[self.learner.each, action] += reward
        self.tried[self.learner.each, action] += 1
        values = (targets * worth[:, None, :]).sum(axis=2)
        return targets, values, done, predicted, np.stack([action, reward], axis=1)

    def predict(self, worth: Floats) -> Floats:
        """Returns predictions from before the turn: running means, far too high, or the truth reversed."""
        if self.model == "means":
            return np.asarray(self.paid / self.tried)
        return np.full(worth.shape, 0.95) if self.model == "too high" else 1 - worth

    def ever_left(self) -> Floats:
        """Returns the share of runs in which the interval ever left out the truth, for each of ``NAMES``."""
        shape = (RUNS, 2 * len(NAMES))
        exponents, truth = np.zeros((*shape, len(wealth.STAKES))), np.zeros(shape)
        left = np.zeros(shape, dtype=bool)
        for number in range(TURNS):
            targets, values, done, predicted, choice = self.turn(number)
            logged = done / self.overstate
            exponents += bets(np.concatenate([targets, -targets], axis=1), logged, predicted, choice)
            truth += np.concatenate([values, -values], axis=1)
            worth = wealth.log_wealth(exponents - wealth.STAKES * truth[..., None])
            left |= worth > log(2 / ALPHA)
        return np.asarray((left[:, : len(NAMES)] | left[:, len(NAMES) :]).mean(axis=0))


def bets(target: Floats, propensity: Floats, predicted: Floats, choice: Floats) -> Floats:
    """Returns what a turn adds to the exponents: shape (runs, targets, stakes); rewards from 0 to 1."""
    weight = (target / propensity[:, None, :])[:, :, None, :]
    most = wealth.RISK / wealth.STAKES[:, None] / np.maximum(np.abs(weight), 1e-12)
    q = predicted[:, None, None, :]
    moved = np.where(weight > 0, np.minimum(q, most), np.maximum(q, 1 - most))
    centre = (target[:, :, None, :] * moved).sum(axis=3)
    each, action = np.arange(len(target)), choice[:, 0].astype(int)
    gain = weight[each, :, 0, action][:, :, None] * (choice[:, 1][:, None, None] - moved[each, :, :, action])
    return np.asarray(np.log1p(wealth.STAKES * gain) + wealth.STAKES * centre)


@pytest.mark.parametrize(
    "play",
    [
        pytest.param({"worth": WORTH, "model": "means"}, id="running means"),
        pytest.param({"worth": WORTH, "model": "contrary"}, id="a model that says the opposite"),
        pytest.param({"worth": 0.05 * WORTH, "model": "too high"}, id="rare rewards, predicted far too high"),
        pytest.param({"worth": WORTH, "drift": 0.15, "model": "means"}, id="a drifting world"),
    ],
)
def test_few_runs_ever_leave_the_truth(play: dict[str, object]) -> None:
    left = dict(zip(NAMES, Play(**play).ever_left(), strict=True))  # type: ignore[arg-type]
    assert max(left.values()) <= MOST, (SEED, left)


def test_propensities_that_are_wrong_are_detected() -> None:
    left = Play(worth=WORTH, model="too high", overstate=2.0).ever_left()
    assert left[list(NAMES).index("random")] > 2 * MOST, (SEED, left)


def test_the_sums_agree_with_the_runs_and_their_interval_is_not_much_wider_than_the_gaussian() -> None:
    turns, run = 1_500, 3
    play, model, sums = Play(worth=WORTH, model="means"), RewardModel(), DoublyRobustSums()
    exponents = np.zeros((2 * len(NAMES), len(wealth.STAKES)))
    for number in range(turns):
        targets, _, done, _, choice = play.turn(number)
        action, reward = int(choice[run, 0]), float(choice[run, 1])
        logged = LoggedChoice(
            reward=reward,
            ids=tuple("abcd"),
            probabilities=tuple(done[run]),
            chosen=action,
            control=CONTROL,
        )
        predicted = np.array([model.predict(logged.ids)])
        both = np.concatenate([targets[run], -targets[run]])[None]
        exponents += bets(both, done[run][None], predicted, choice[run][None])[0]
        sums.add(logged, model)
        model.learn(logged.ids[action], reward, logged.propensity)
    interval = sums.intervals({BASELINE: ALPHA}, Bounds())[BASELINE]
    assert interval is not None
    for end, at in ((interval.lower, 0), (-interval.upper, len(NAMES))):
        worth = wealth.log_wealth(exponents[at] - wealth.STAKES * turns * end)
        assert float(worth) == pytest.approx(log(2 / ALPHA), abs=1e-6)
    assert interval.half_width < 2.2 * 1.96 * sums.standard_error(BASELINE), SEED

"""``python -m benchmarks.control_group``: what control group and floor cost, and what the log then can tell.

Every world of the lab is played in this process. Half-widths are those of a normal interval of 95 % at the
end of the run, by importance weighting with normalised weights (SNIPS) and by DR with progressive means of the
actions (``estimators.doubly_robust``), in shares of the range of the rewards. The cost is the expected reward
of the engine's own probabilities minus that of the mixture, as a share of the best possible reward. "greedy" is
an engine that knows the best action and gives it probability 1: no log tells less about other policies.
"""

import argparse
import math
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from sartor.estimators.doubly_robust import ActionMeans
from sartor.lab.registry import WORLDS, open_world
from sartor.lab.simulate import decide_situation, encode_rewarded
from sartor.lab.world import Situation, World
from sartor.learn.engines import create_engine
from sartor.mixture import MixtureRules, policy_probabilities
from sartor.ports import Engine
from sartor.records import Decision
from sartor.settings import DEFAULT_ARGUMENTS, NEW_CONTROL_SHARE, NEW_EXPLORATION_FLOOR

GREEDY = "greedy"
_Z = 1.959964


class WorldFigures(Struct, frozen=True, kw_only=True):
    """What one world gave: half-widths in shares of the reward's range, the others of the best reward."""

    world: str
    actions: int
    earned: float
    cost: float
    half_widths: list[float]
    """Of Baseline by SNIPS and by DR, then of Random."""


class _Recording:
    """The choice of a run as it grows: rewards, propensities, targets, predictions, values."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self.cost = self.best = self.earned = 0.0
        self._means = ActionMeans()

    def add(self, decision: Decision, own: Sequence[float], values: Sequence[float], reward: float) -> None:
        ids = [action.id for action in decision.actions]
        q = self._means.predict(ids)
        chosen, count = decision.chosen, len(ids)
        self.rows.append((reward, decision.propensity, chosen == 0, 1 / count, q[chosen], q[0], sum(q) / count))
        self._means.learn(ids[chosen], reward)
        shown = decision.probabilities
        self.cost += sum((a - b) * value for a, b, value in zip(own, shown, values, strict=True))
        self.earned += sum(p * value for p, value in zip(shown, values, strict=True))
        self.best += max(values)

    def half_widths(self) -> list[float]:
        """Baseline by SNIPS and DR, then Random."""
        reward, p, is_baseline, uniform, q, q_baseline, q_random = np.array(self.rows, dtype=float).T
        spread = float(reward.max() - reward.min()) or 1.0
        found = []
        for target, expected in ((is_baseline, q_baseline), (uniform, q_random)):
            weight = target / p
            value = float(weight @ reward / weight.sum())
            snips = math.sqrt(float(weight**2 @ (reward - value) ** 2)) / float(weight.sum())
            terms = expected + weight * (reward - q)
            found += [_Z * snips / spread, _Z * float(terms.std()) / math.sqrt(len(terms)) / spread]
        return found


def play(world: World[Any], engine: Engine | None, rules: MixtureRules, *, turns: int) -> WorldFigures:
    """Play one world; without an engine the best action is known."""
    recording = _Recording()
    due: deque[bytes] = deque()
    actions = 0
    for turn in range(turns):
        situation = world.situation(turn)
        values = world.expected_rewards(situation)
        decision, own = _decide(situation, engine, values, rules, f"{turn}-{world.seed}")
        actions = max(actions, len(values))
        reward = world.reward(situation, decision.chosen)
        recording.add(decision, own, values, reward)
        due.append(encode_rewarded(decision, turn, reward))
        if engine and len(due) > world.delay_turns:
            engine.learn(due.popleft())
    return WorldFigures(
        world=world.name,
        actions=actions,
        earned=recording.earned / recording.best,
        cost=recording.cost / recording.best,
        half_widths=recording.half_widths(),
    )


class _Greedy:
    """Gives one action probability 1, then learns nothing."""

    def __init__(self, values: Sequence[float]) -> None:
        self._best = max(range(len(values)), key=values.__getitem__)

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        return [float(index == self._best) for index in range(actions)]


class _Remembering:
    """Remembers the last probabilities that an engine gave."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.last: list[float] = []

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        self.last = self._engine.probabilities(context, actions)
        return self.last


def _decide(
    situation: Situation[Any],
    engine: Engine | None,
    values: Sequence[float],
    rules: MixtureRules,
    event_id: str,
) -> tuple[Decision, list[float]]:
    """The decision, and the engine's own probabilities."""
    asked: Any = _Remembering(engine or _Greedy(values))
    decision = decide_situation(situation, asked, event_id=event_id, loop_id="lab", rules=rules)
    assert rules.floor or np.allclose(policy_probabilities(decision), asked.last, atol=1e-6)
    return decision, asked.last


def main() -> None:
    """Parse the flags, play, print one table for each engine and pair of settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.control_group", description=__doc__)
    parser.add_argument("--turns", type=int, default=10_000, help="how many turns in each world")
    parser.add_argument("--seed", type=int, default=0, help="of the worlds")
    parser.add_argument(
        "--engines",
        nargs="*",
        default=[DEFAULT_ARGUMENTS, GREEDY],
        help="learning settings, or greedy; by default those of a new loop, and greedy",
    )
    parser.add_argument(
        "--rules",
        nargs="*",
        default=[f"{NEW_CONTROL_SHARE},{NEW_EXPLORATION_FLOOR}"],
        help="pairs of control share and floor; by default those of a new loop",
    )
    chosen = parser.parse_args()
    for pair in chosen.rules:
        share, floor = (float(part) for part in pair.split(","))
        rules = MixtureRules(control_share=share, floor=floor)
        for name in chosen.engines:
            print(f"\n`{name}`, controlShare {share}, explorationFloor {floor}, {chosen.turns} turns\n")
            print("| world | actions | earned | cost | Baseline SNIPS | DR | Random SNIPS | DR |")
            print("| --- | --- | --- | --- | --- | --- | --- | --- |")
            for world in WORLDS:
                engine = None if name == GREEDY else create_engine(name)
                one = play(open_world(world, seed=chosen.seed), engine, rules, turns=chosen.turns)
                shares = (one.earned, one.cost, *one.half_widths)
                print(f"| {one.world} | {one.actions} | {' | '.join(f'{share:.3f}' for share in shares)} |")
                sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Plays a world as a loop would, and compares the scorecard with what the world knows."""

from collections import deque
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from sartor.dsjson import single_slot
from sartor.estimators.doubly_robust_sums import (
    BASELINE,
    EXPLORATION,
    LIFT,
    RANDOM,
    TARGETS,
    DoublyRobustSums,
    find_targets,
)
from sartor.estimators.interval import Bounds
from sartor.estimators.ips import Ips
from sartor.estimators.logged_choices import LoggedChoice, logged_choices
from sartor.estimators.policy_estimate import to_anytime
from sartor.estimators.reference_policies import ReferencePolicies
from sartor.estimators.reward_model import RewardModel
from sartor.explore.decide import decide
from sartor.inference import request_probabilities
from sartor.lab.registry import open_world
from sartor.lab.world import Situation, World
from sartor.learn.engines import create_engine
from sartor.mixture import MixtureRules
from sartor.ports import Engine
from sartor.records import NO_MODEL, Action, Decision, LoggedDecision, Outcome, RankInput

_ALPHA = 0.05
_LOOK_EVERY = 100
_encode = msgspec.json.Encoder().encode


class ScorecardRun(Struct, frozen=True, kw_only=True):
    """One world played once. Half widths are in units of the range of rewards, at 95 % and at the end.

    ``by_weights``: that of the baseline's anytime interval without a reward model. ``left``: which of the five
    intervals left out the truth at one of the looks, every 100 decisions. ``cost``: what control group and
    floor cost, as a share of the best possible expected reward; ``share``: what the loop earned of it.
    ``lift``: the true one in units of the range; ``told``: whether its interval is above 0, as the lift is, or
    below.
    """

    world: str
    seed: int
    baseline: float
    random: float
    by_weights: float
    lift_width: float
    exploration_width: float
    lift: float
    told: bool
    cost: float
    share: float
    left: tuple[int, ...]


class _Truth:
    """Sums of expected rewards, which the world knows."""

    def __init__(self) -> None:
        self.values = np.zeros(len(TARGETS))
        self.best = self.engine = self.done = 0.0

    def add(self, choice: LoggedChoice, engine: list[float], expected: list[float]) -> None:
        targets = find_targets(choice, np.array(choice.probabilities))[: len(TARGETS)]
        self.values += targets @ np.array(expected)
        self.best += max(expected)
        self.engine += float(np.dot(engine, expected))
        self.done += float(np.dot(choice.probabilities, expected))


def play(
    name: str, arguments: str, /, *, seed: int, decisions: int, control: float, floor: float
) -> ScorecardRun:
    """Plays a world; every reward is learned as soon as it is known.

    Args:
        name: of the world.
        arguments: the learning settings.
        seed: of the world and of the draws.
        decisions: how many.
        control: the share of the control group.
        floor: what all actions have together at least.
    """
    world, engine = open_world(name, seed=seed), create_engine(arguments)
    rules = MixtureRules(control_share=control, floor=floor)
    policies, model, truth = ReferencePolicies(), RewardModel(), _Truth()
    left: set[int] = set()
    due: deque[bytes] = deque()
    for turn in range(decisions):
        situation = world.situation(turn)
        decision, probabilities = _decide(world, situation, engine, rules)
        outcome = _settle(turn, decision, world.reward(situation, decision.chosen))
        (choice,) = logged_choices(decision, outcome)
        policies.add(choice, tracked=(), model=model)
        truth.add(choice, probabilities, world.expected_rewards(situation))
        due.append(single_slot.encode_outcome_line(LoggedDecision(turn + 1, turn, decision), outcome))
        if len(due) > world.delay_turns:
            engine.learn(due.popleft())
        if (turn + 1) % _LOOK_EVERY == 0:
            left |= _find_left(policies, model, truth)
    engine.close()
    return _summarise(name, seed, policies, model, truth, left)


def _decide(
    world: World[Any], situation: Situation[Any], engine: Engine, rules: MixtureRules
) -> tuple[Decision, list[float]]:
    """Returns the decision, and the engine's probabilities before anything was mixed into them."""
    actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
    request = RankInput(
        event_id=f"{situation.turn}-{world.seed}", context=_encode(situation.context), actions=actions
    )
    probabilities = request_probabilities(engine, request)
    decision = decide(
        request,
        probabilities=probabilities,
        loop_id="scorecard",
        model_id=NO_MODEL,
        settings_version=1,
        rules=rules,
    )
    total = sum(probabilities)
    return decision, [probability / total for probability in probabilities]


def _settle(turn: int, decision: Decision, reward: float) -> Outcome:
    return Outcome(
        decision_seq=turn + 1,
        event_id=decision.event_id,
        reward=reward,
        learnable=True,
        joined=(),
        settled_at_us=turn,
        settings_version=1,
    )


def _sums(policies: ReferencePolicies) -> DoublyRobustSums:
    assert isinstance(policies.doubly_robust, DoublyRobustSums)
    return policies.doubly_robust


def _find_left(policies: ReferencePolicies, model: RewardModel, truth: _Truth) -> set[int]:
    """Returns the targets whose interval leaves out the truth now."""
    sums = _sums(policies)
    found = sums.intervals(dict.fromkeys(TARGETS, _ALPHA), Bounds(model.lowest, model.highest))
    return {
        target
        for target, interval in found.items()
        if interval is None or not interval.lower <= truth.values[target] / sums.events <= interval.upper
    }


def _summarise(
    name: str, seed: int, policies: ReferencePolicies, model: RewardModel, truth: _Truth, left: set[int]
) -> ScorecardRun:
    bounds = Bounds(model.lowest, model.highest)
    found = _sums(policies).intervals(dict.fromkeys(TARGETS, _ALPHA), bounds)

    def half_width(target: int) -> float:
        interval = found[target]
        return float("nan") if interval is None else interval.half_width / bounds.width

    lift, events = found[LIFT], policies.online.events
    return ScorecardRun(
        world=name,
        seed=seed,
        baseline=half_width(BASELINE),
        random=half_width(RANDOM),
        by_weights=_half_width_by_weights(policies.baseline, bounds),
        lift_width=half_width(LIFT),
        exploration_width=half_width(EXPLORATION),
        lift=float(truth.values[LIFT]) / events / bounds.width,
        told=lift is not None and not lift.lower <= 0 <= lift.upper,
        cost=(truth.engine - truth.done) / truth.best,
        share=truth.done / truth.best,
        left=tuple(sorted(left)),
    )


def _half_width_by_weights(sums: Ips, bounds: Bounds) -> float:
    interval = to_anytime(sums, bounds).interval(_ALPHA)
    return float("nan") if interval is None else interval.half_width / bounds.width

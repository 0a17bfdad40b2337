"""Estimated from the log of one policy, the value of another is its true value, within its interval.

Worlds know the expected reward of every option. So the true value of a policy that learned from the log as
it went along is known too: the mean, over the decisions, of what its probabilities were worth.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec
import numpy as np
import pytest

from sartor.dsjson import context_json, single_slot
from sartor.estimators.policy_estimate import reward_bounds
from sartor.evaluation.progressive_validation import Candidate, ProgressiveValidation
from sartor.explore.decide import decide
from sartor.inference import uniform_probabilities
from sartor.lab.registry import WORLDS, open_world
from sartor.learn.vw import create_engine
from sartor.ports import Engine
from sartor.records import NO_MODEL, Action, LoggedDecision, Outcome, RankInput
from sartor.testing.fakes import SingleSlot
from tests.statistics.simulated_logs import SEED

RUNS, TURNS = 6, 250
LOGGING = "--cb_explore_adf --epsilon 0.3 --cb_type mtr -q ::"
POLICY = "--cb_explore_adf --squarecb --cb_type mtr -q ::"

_encode = msgspec.json.Encoder().encode


class RecordingEngine(SingleSlot):
    """An engine that records its probabilities."""

    def __init__(self, inner: Engine) -> None:
        self.recorded: list[list[float]] = []
        self._inner = inner

    def probabilities(self, context: bytes, actions: int, /) -> list[float]:
        found = self._inner.probabilities(context, actions)
        self.recorded.append(found)
        return found

    def learn(self, line: bytes, /) -> None:
        self._inner.learn(line)

    def dump(self) -> bytes:
        return b""

    def close(self) -> None:
        self._inner.close()


class EvaluatedRun:
    """The estimates of one evaluation, and the truth. Some worlds pay more than 1; their range is known."""

    def __init__(self, world: str, run: int) -> None:
        policy, worth = RecordingEngine(create_engine(POLICY)), []
        log = list(simulate_log(world, run))
        rewards = [outcome.reward for _, outcome, _ in log]
        self.bounds = reward_bounds(min(rewards), max(rewards))
        candidate = Candidate(name="policy", arguments=POLICY, source="Custom", engine=policy)
        validation = ProgressiveValidation([candidate], bounds=self.bounds, bin_us=60_000_000)
        for logged, outcome, expectations in log:
            validation.add(logged, outcome)
            worth.append(np.dot(policy.recorded[-1], expectations))
        (found,) = validation.finish()
        policy.close()
        estimators = found.scores[""].estimators
        self.truth = float(np.mean(worth))
        self.error = ((estimators.ips.value() or 0.0) - self.truth) / self.bounds.width
        self.interval = estimators.anytime.interval()

    def covers_truth(self) -> bool:
        return self.interval is not None and self.interval.lower <= self.truth <= self.interval.upper


def simulate_log(name: str, run: int) -> Iterator[tuple[LoggedDecision, Outcome, Sequence[float]]]:
    """A log of a policy that learns: uniform at first, then ever better, and never without exploration."""
    world, logging = open_world(name, seed=SEED + run), create_engine(LOGGING)
    for turn in range(TURNS):
        situation = world.situation(turn)
        actions = tuple(Action(option.id, _encode(option.features)) for option in situation.options)
        request = RankInput(
            event_id=f"{run}-{turn}-{SEED}", context=_encode(situation.context), actions=actions
        )
        probabilities = (
            uniform_probabilities(len(actions))
            if turn < 20
            else logging.probabilities(context_json.encode_context(request.context, actions), len(actions))
        )
        decision = decide(
            request, probabilities=probabilities, loop_id="truth", model_id=NO_MODEL, settings_version=1
        )
        logged = LoggedDecision(turn + 1, turn * 1_000_000, decision)
        outcome = Outcome(
            decision_seq=turn + 1,
            event_id=decision.event_id,
            reward=world.reward(situation, decision.chosen),
            learnable=True,
            joined=(),
            settled_at_us=turn * 1_000_000,
            settings_version=1,
        )
        logging.learn(single_slot.encode_outcome_line(logged, outcome))
        yield logged, outcome, world.expected_rewards(situation)
    logging.close()


@cache
def evaluate_runs(world: str) -> tuple[EvaluatedRun, ...]:
    return tuple(EvaluatedRun(world, run) for run in range(RUNS))


@pytest.fixture(scope="module")
def runs() -> list[EvaluatedRun]:
    return [one for world in WORLDS for one in evaluate_runs(world)]


@pytest.mark.parametrize("world", WORLDS)
def test_every_log_gives_an_interval(world: str) -> None:
    """First, so that each world is played in a time of its own, and not all in the time of one test."""
    assert [one.interval is None for one in evaluate_runs(world)] == [False] * RUNS


def test_the_truth_lies_in_the_anytime_interval(runs: list[EvaluatedRun]) -> None:
    covered = [one.covers_truth() for one in runs]
    assert np.mean(covered) >= 0.93, (
        f"{len(covered) - sum(covered)} of {len(covered)} intervals leave the truth out"
    )


def test_the_intervals_say_something(runs: list[EvaluatedRun]) -> None:
    widths = [one.interval.half_width / one.bounds.width for one in runs if one.interval is not None]
    assert len(widths) == len(runs)
    assert np.median(widths) < 0.3


def test_values_are_right_on_average(runs: list[EvaluatedRun]) -> None:
    errors = np.array([one.error for one in runs])
    assert abs(errors.mean()) < 4 * errors.std(ddof=1) / np.sqrt(len(errors))
    assert np.median(np.abs(errors)) < 0.1

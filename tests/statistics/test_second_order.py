"""The second-order engine: what it says is how often it shows, and it is better than chance from the start.

Everything is seeded. A test of frequencies passes when chance alone would give a figure as bad in more than one
case in a million; the margins of the games are about half of what these games give.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from statistics import fmean

import msgspec
import pytest

from sartor.dsjson.context_json import encode_context
from sartor.dsjson.single_slot import encode_outcome_line
from sartor.explore.decide import decide
from sartor.explore.response_view import view_decision
from sartor.explore.slots import decide_slots
from sartor.inference import slot_predictor
from sartor.lab.registry import WORLDS, open_world
from sartor.lab.report import PlayReport
from sartor.lab.simulate import simulate
from sartor.learn.engines import create_engine
from sartor.ports import Engine
from sartor.records import (
    Action,
    Decision,
    LoggedDecision,
    Mode,
    MultiSlotInput,
    Outcome,
    RankInput,
    SlotInput,
)
from sartor.settings import VW_ARGUMENTS
from tests.statistics.test_modes import agrees

MANY = 20_000
TURNS = 500
LEARNED = (0, 12, 90)
CONTEXT = b'[{"hour":9,"device":"mobile"}]'
ACTIONS = tuple(Action(f"a{n}", b'[{"kind":%d}]' % (n % 2)) for n in range(4))
SLOTS = (
    SlotInput(id="x", features=b'[{"place":"top"}]', baseline=0),
    SlotInput(id="y", features=b'[{"place":"low"}]', baseline=1, excluded=(2,)),
    SlotInput(id="z", features=b"[]", baseline=3, excluded=(0, 1)),
)
Predictor = Callable[[Sequence[int], Sequence[int]], Sequence[float]]


def single(number: int, probabilities: Sequence[float], mode: Mode = "Online") -> Decision:
    request = RankInput(event_id=f"e{number}", context=CONTEXT, actions=ACTIONS)
    return decide(
        request, probabilities=probabilities, loop_id="loop", model_id="m", settings_version=1, mode=mode
    )


def several(number: int, predict: Predictor, mode: Mode = "Online") -> Decision:
    request = MultiSlotInput(event_id=f"e{number}", context=CONTEXT, actions=ACTIONS, slots=SLOTS)
    return decide_slots(request, predict=predict, loop_id="loop", model_id="m", settings_version=1, mode=mode)


def encode_outcome(decision: Decision, rewards: Sequence[float]) -> bytes:
    outcome = Outcome(
        decision_seq=1,
        event_id=decision.event_id,
        reward=rewards[0],
        learnable=True,
        joined=(),
        settled_at_us=1,
        settings_version=1,
        slot_rewards=tuple(rewards) if decision.slots else (),
    )
    return encode_outcome_line(LoggedDecision(1, 1, decision), outcome)


def reward(rng: random.Random, action: int) -> float:
    return float(rng.random() < 0.2 + 0.15 * action)


@cache
def odds_after(learned: int) -> tuple[float, ...]:
    """What an engine says after so many outcomes of its own decisions."""
    engine, rng = create_engine("--sartor"), random.Random(learned)
    request = encode_context(CONTEXT, ACTIONS)
    for number in range(learned):
        decision = single(number, engine.probabilities(request, 4))
        engine.learn(encode_outcome(decision, [reward(rng, decision.chosen)]))
    return tuple(engine.probabilities(request, 4))


def predictor_after(learned: int) -> Predictor:
    """The same for several slots; each question is asked once, since answers change nothing."""
    engine, rng = create_engine("--sartor --ccb_explore_adf"), random.Random(learned)
    for number in range(learned):
        decision = several(number, _ask(engine, number))
        engine.learn(encode_outcome(decision, [reward(rng, slot.chosen) for slot in decision.slots]))
    answers: dict[tuple[tuple[int, ...], tuple[int, ...]], Sequence[float]] = {}
    ask = _ask(engine, 0)

    def predict(taken: Sequence[int], offered: Sequence[int]) -> Sequence[float]:
        question = tuple(taken), tuple(offered)
        if question not in answers:
            answers[question] = ask(taken, offered)
        return answers[question]

    return predict


def _ask(engine: Engine, number: int) -> Predictor:
    request = MultiSlotInput(event_id=f"e{number}", context=CONTEXT, actions=ACTIONS, slots=SLOTS)
    return slot_predictor(engine, request)


@pytest.mark.parametrize("mode", ["Online", "Apprentice", "LoggingOnly"])
@pytest.mark.parametrize("learned", LEARNED)
def test_each_mode_draws_as_often_as_it_logs(learned: int, mode: Mode) -> None:
    odds = odds_after(learned)
    decisions = [single(number, odds, mode) for number in range(MANY)]
    logged = {decision.probabilities for decision in decisions}
    assert len(logged) == 1
    assert agrees([decision.chosen for decision in decisions], logged.pop())
    if mode == "LoggingOnly":
        assert {decision.chosen for decision in decisions} == {0}
    else:
        assert decisions[0].probabilities == pytest.approx(odds, abs=1e-12)
    if mode != "Online":
        assert {view_decision(decision).chosen for decision in decisions[:200]} == {0}


def test_what_was_learned_is_told_apart_from_chance() -> None:
    """The test above would see it if the draws were uniform instead."""
    uniform = [single(number, [0.25] * 4).chosen for number in range(MANY)]
    assert agrees(uniform, odds_after(0))
    assert not agrees(uniform, odds_after(90))


@pytest.mark.parametrize("mode", ["Online", "Apprentice"])
@pytest.mark.parametrize("learned", LEARNED)
def test_each_slot_draws_as_often_as_it_logs_given_the_slots_before(learned: int, mode: Mode) -> None:
    predict, seen = predictor_after(learned), defaultdict(list)
    for number in range(MANY):
        decision = several(number, predict, mode)
        for place in range(len(SLOTS)):
            seen[tuple(slot.chosen for slot in decision.slots[:place])].append(decision)
    assert len(seen) > 8
    for before, decisions in seen.items():
        logged = {decision.slots[len(before)].probabilities for decision in decisions}
        assert len(logged) == 1
        assert agrees([decision.slots[len(before)].chosen for decision in decisions], logged.pop())


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_importance_weights_average_to_one(epsilon: float) -> None:
    """Of each action: the mean of 1 / p where it was chosen, over all decisions of an engine that learns."""
    engine, rng = create_engine(f"--sartor --epsilon {epsilon}"), random.Random(5)
    weights: dict[int, list[float]] = {action: [] for action in range(4)}
    variances = dict.fromkeys(range(4), 0.0)
    for number in range(600):
        context = msgspec.json.encode([{"hour": rng.randrange(24), "device": rng.choice("ab")}])
        request = RankInput(event_id=f"w{number}", context=context, actions=ACTIONS)
        odds = engine.probabilities(encode_context(context, ACTIONS), 4)
        decision = decide(request, probabilities=odds, loop_id="loop", model_id="m", settings_version=1)
        engine.learn(encode_outcome(decision, [reward(rng, decision.chosen)]))
        for action, odd in enumerate(odds):
            weights[action].append((decision.chosen == action) / odd - 1.0)
            variances[action] += 1.0 / odd - 1.0
    for action in range(4):  # a martingale: five of its standard deviations
        assert abs(sum(weights[action])) <= 5 * variances[action] ** 0.5


def play(arguments: str) -> Iterator[tuple[str, PlayReport]]:
    for name in WORLDS:
        mind = create_engine(arguments)
        yield name, simulate(open_world(name, seed=1), mind, iterations=TURNS)
        mind.close()


@pytest.fixture(scope="module")
def games() -> Mapping[str, PlayReport]:
    """The first tenth of a run of 5,000 turns, in each world."""
    return dict(play("--sartor"))


def test_within_few_turns_it_beats_the_default_of_vowpal_wabbit(games: Mapping[str, PlayReport]) -> None:
    other = dict(play(VW_ARGUMENTS))
    gains = {name: games[name].share_of_best - other[name].share_of_best for name in WORLDS}
    assert fmean(gains.values()) > 0.04
    assert len([name for name, gain in gains.items() if gain > 0]) >= 9


@pytest.mark.parametrize("name", WORLDS)
def test_the_first_tenth_of_a_run_is_never_below_chance(name: str, games: Mapping[str, PlayReport]) -> None:
    assert games[name].mean_expected > games[name].reference.random


def test_two_games_with_the_same_seed_are_the_same() -> None:
    one, other = (
        simulate(open_world("tutorial", seed=2), create_engine("--sartor"), iterations=80) for _ in range(2)
    )
    assert one == other

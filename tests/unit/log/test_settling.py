"""Whatever arrives, in whatever steps, through any crash: each decision is settled once, and the same."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sartor.records import Cursor, Observation
from sartor.settings import LoopSettings, with_changes
from sartor.testing.builders import make_decision
from tests.unit.log.history import (
    Arrival,
    S,
    Step,
    World,
    expected,
    expected_strays,
    histories,
    lives,
    owners,
)


def rules(**changes: object) -> LoopSettings:
    return with_changes(LoopSettings(), {"rewardWaitTime": "PT10S", "defaultReward": -1.0, **changes})


RULES = [
    pytest.param(rules(), id="at the reward"),
    pytest.param(rules(learnWhen="window"), id="at the end of the window"),
    pytest.param(rules(rewardAggregation="sum"), id="sum"),
    pytest.param(rules(rewardWaitTime="PT5M"), id="a window longer than two minutes"),
]

A_REWARD_OF_ONE_MUST_NOT_MEET_THE_NEXT = [
    Arrival(0, make_decision("b", deferred=True)),
    Arrival(S, Observation(event_id="b", reward=1.0)),
    Arrival(0, make_decision("a")),
    Arrival(5 * S, Observation(event_id="a", reward=1.0)),
    Arrival(0, Observation(event_id="a", reward=0.25)),
    Arrival(5 * S, make_decision("a")),
]

A_REWARD_AT_THE_END_OF_THE_SHORTER_WINDOW = [
    Arrival(0, make_decision("a")),
    Arrival(0, make_decision("b")),
    Arrival(10 * S, Observation(event_id="a", reward=None)),
    Arrival(0, Observation(event_id="b", reward=0.0)),
    Arrival(0, make_decision("b")),
]


def lived(history: Sequence[Arrival], life: Sequence[Step], settings: LoopSettings) -> World:
    world = World(history)
    world.live(life, settings)
    world.finish(settings)
    return world


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=300)
@given(history=histories, life=lives)
@example(history=A_REWARD_OF_ONE_MUST_NOT_MEET_THE_NEXT, life=[Step(9, (), 9, ""), Step(0, (), 9, "restart")])
def test_outcomes_and_strays_are_those_of_the_whole_history(
    rule: LoopSettings, history: list[Arrival], life: list[Step]
) -> None:
    world = lived(history, life, rule)
    assert world.results() == {seq: fate[1:] for seq, fate in expected(world, rule).items()}
    assert world.unmatched() == expected_strays(world, rule)


@pytest.mark.parametrize("rule", RULES)
@given(history=histories, life=lives)
def test_outcomes_are_in_the_order_in_which_they_fell_due(
    rule: LoopSettings, history: list[Arrival], life: list[Step]
) -> None:
    world = lived(history, life, rule)
    due_us = {seq: fate[0] for seq, fate in expected(world, rule).items()}
    order = [due_us[logged.outcome.decision_seq] for logged in world.settled()]
    assert order == sorted(order)


@pytest.mark.parametrize("rule", RULES)
@given(history=histories, life=lives)
def test_in_the_end_the_cursor_has_passed_everything(
    rule: LoopSettings, history: list[Arrival], life: list[Step]
) -> None:
    world = lived(history, life, rule)
    assert world.outcomes.counts().cursor == Cursor(len(world.heads()), len(world.observed()))
    assert world.settler.step(rule, settings_version=1) == 0


@given(history=histories, life=lives)
def test_the_times_of_settling_never_run_backwards(history: list[Arrival], life: list[Step]) -> None:
    world = lived(history, life, rules())
    times = [logged.outcome.settled_at_us for logged in world.settled()]
    assert times == sorted(times)


@settings(max_examples=300)
@given(
    history=histories,
    lives_under=st.lists(st.tuples(lives, st.sampled_from([rule.values[0] for rule in RULES])), max_size=4),
)
@example(
    history=A_REWARD_AT_THE_END_OF_THE_SHORTER_WINDOW,
    lives_under=[([Step(4, (), 1, "")], RULES[3].values[0]), ([Step(0, (), 1, "")], RULES[0].values[0])],
)
def test_when_the_settings_change_every_decision_is_still_settled_once(
    history: list[Arrival], lives_under: list[tuple[list[Step], LoopSettings]]
) -> None:
    world = World(history)
    for life, rule in lives_under:
        world.live(life, rule)
    world.finish(rules(rewardWaitTime="PT5M"))
    outcomes = [logged.outcome for logged in world.settled()]
    joined = [one.seq for outcome in outcomes for one in outcome.joined]
    assert sorted(outcome.decision_seq for outcome in outcomes) == [head.seq for head in world.heads()]
    assert len(set(joined)) == len(joined)
    assert not set(joined) & set(world.unmatched())


def test_the_expectation_itself_knows_whose_reward_is_whose() -> None:
    world = World(A_REWARD_OF_ONE_MUST_NOT_MEET_THE_NEXT)
    world.finish(rules())
    assert owners(world, rules()) == {1: 1, 2: 2, 3: 2}

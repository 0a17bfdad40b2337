"""Rewards of several slots: each counts for its own slot, whatever arrives and however settling is cut up."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.log.settle import is_about, settle
from sartor.records import Decision, DecisionHeader, JoinedObservation, Observation, Slot
from sartor.settings import LoopSettings, with_changes
from sartor.testing.builders import make_decision
from tests.unit.log.history import BEFORE_S, Arrival, S, Step, World, gaps_us, lives

AT = 1_000 * S
HEAD = DecisionHeader(1, AT, "e", False, ("top", "side"))


def rules(**changes: object) -> LoopSettings:
    return with_changes(LoopSettings(), {"rewardWaitTime": "PT10S", "defaultReward": -1.0, **changes})


def at(seconds: float, reward: float | None, slot: str | None = None) -> JoinedObservation:
    return JoinedObservation(round(seconds * 10), AT + round(seconds * S), reward, slot)


def test_it_settles_at_once_when_every_slot_has_a_reward() -> None:
    one, other = at(1, 0.5, "side"), at(2, 0.25, "top")
    assert settle(HEAD, [one], now_us=AT + 3 * S, settings=rules()) is None
    verdict = settle(HEAD, [one, other, at(3, 1.0, "top")], now_us=AT + 3 * S, settings=rules())
    assert verdict is not None
    assert verdict.slot_rewards == (0.25, 0.5)
    assert (verdict.reward, verdict.due_us, verdict.joined) == (0.25, AT + 2 * S, (one, other))


def test_a_slot_without_a_reward_gets_the_default_one_at_the_end_of_the_window() -> None:
    verdict = settle(HEAD, [at(1, 0.5, "side")], now_us=AT + 10 * S, settings=rules())
    assert verdict is not None
    assert (verdict.reward, verdict.slot_rewards) == (-1.0, (-1.0, 0.5))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("earliest", (1.0, 0.5)),
        ("sum", (3.0, 0.5)),
        ("average", (1.5, 0.5)),
        ("max", (2.0, 0.5)),
        ("min", (1.0, 0.5)),
    ],
)
def test_rewards_are_aggregated_slot_by_slot(how: str, expected: tuple[float, ...]) -> None:
    seen = [at(1, 1.0, "top"), at(2, 2.0, "top"), at(3, 0.5, "side")]
    verdict = settle(HEAD, seen, now_us=AT + 10 * S, settings=rules(rewardAggregation=how, learnWhen="window"))
    assert verdict is not None
    assert verdict.slot_rewards == expected


def test_one_activation_is_for_all_slots() -> None:
    deferred = replace(HEAD, deferred=True)
    rewards = [at(1, 0.5, "side"), at(2, 0.25, "top")]
    assert settle(deferred, rewards, now_us=AT + 3 * S, settings=rules()) is None
    verdict = settle(deferred, [*rewards, at(4, None)], now_us=AT + 4 * S, settings=rules())
    assert verdict is not None
    assert (verdict.learnable, verdict.due_us) == (True, AT + 4 * S)
    never = settle(deferred, rewards, now_us=AT + 10 * S, settings=rules())
    assert never is not None
    assert (never.learnable, never.slot_rewards) == (False, (0.25, 0.5))


@pytest.mark.parametrize(
    ("slots", "one", "expected"),
    [
        (("top",), at(1, 0.0, "top"), True),
        (("top",), at(1, 0.0, "side"), False),
        (("top",), at(1, 0.0), False),
        (("top",), at(1, None), True),
        ((), at(1, 0.0), True),
        ((), at(1, 0.0, "top"), False),
        ((), at(1, None), True),
    ],
)
def test_a_reward_concerns_the_slot_that_it_names(
    slots: tuple[str, ...], one: JoinedObservation, expected: bool
) -> None:
    assert is_about(replace(HEAD, slots=slots), one) is expected


def slots_decision(event_id: str, names: Sequence[str], *, deferred: bool) -> Decision:
    decision = make_decision(event_id, deferred=deferred)
    slots = [
        Slot(
            id=name,
            features=b"[]",
            excluded=(),
            baseline=number,
            probabilities=decision.probabilities,
            ranking=decision.ranking,
            chosen=number,
        )
        for number, name in enumerate(names)
    ]
    return replace(decision, slots=tuple(slots))


event_ids = st.sampled_from("ab")
decisions = st.builds(
    lambda name, names, later: slots_decision(name, names, deferred=later),
    event_ids,
    st.sampled_from([(), ("x",), ("x", "y")]),
    st.booleans(),
)
observations = st.builds(
    lambda name, reward, slot: Observation(event_id=name, reward=reward, slot=None if reward is None else slot),
    event_ids,
    st.none() | st.sampled_from([0.0, 1.0, -0.5]),
    st.sampled_from(["x", "y", "z", None]),
)
histories = st.lists(st.builds(Arrival, gaps_us, decisions | observations), max_size=14)


def owners(world: World, wait_us: int) -> dict[int, int]:
    """The decision of each observation that has one: the earliest that it can be about."""
    found: dict[int, int] = {}
    for seen in world.observed():
        one = seen.observation
        for head in world.heads():
            about = one.reward is None or (one.slot in head.slots if head.slots else one.slot is None)
            fits = head.at_us - BEFORE_S * S < seen.at_us < head.at_us + wait_us
            if head.event_id == one.event_id and about and fits:
                found[seen.seq] = head.seq
                break
    return found


def expected(
    world: World, *, at_once: bool, sums: bool
) -> dict[int, tuple[bool, tuple[float, ...], tuple[int, ...]]]:
    """Whether each decision is learned, the reward of each slot (or the only one), and what joined."""
    belongs_to = owners(world, 10 * S)
    outcomes: dict[int, tuple[bool, tuple[float, ...], tuple[int, ...]]] = {}
    for head in world.heads():
        rewards: dict[str | None, list[float]] = {slot: [] for slot in head.slots or (None,)}
        active, joined = not head.deferred, []
        for seen in world.observed():
            if belongs_to.get(seen.seq) != head.seq:
                continue
            joined.append(seen.seq)
            if seen.observation.reward is None:
                active = True
            else:
                rewards[seen.observation.slot].append(seen.observation.reward)
            if at_once and active and all(rewards.values()):
                break
        totals = [(sum(each) if sums else each[0]) if each else -1.0 for each in rewards.values()]
        outcomes[head.seq] = (active, tuple(totals), tuple(joined))
    return outcomes


@pytest.mark.parametrize(
    ("rule", "at_once", "sums"),
    [
        pytest.param(rules(), True, False, id="at the reward"),
        pytest.param(rules(learnWhen="window"), False, False, id="at the end of the window"),
        pytest.param(rules(rewardAggregation="sum"), False, True, id="sum"),
    ],
)
@settings(max_examples=200)
@given(history=histories, life=lives)
def test_outcomes_are_those_of_the_whole_history(
    rule: LoopSettings, at_once: bool, sums: bool, history: list[Arrival], life: list[Step]
) -> None:
    world = World(history)
    world.live(life, rule)
    world.finish(rule)
    settled = [logged.outcome for logged in world.settled()]
    found = {
        o.decision_seq: (o.learnable, o.slot_rewards or (o.reward,), tuple(one.seq for one in o.joined))
        for o in settled
    }
    assert found == expected(world, at_once=at_once, sums=sums)
    assert all(o.reward == o.slot_rewards[0] for o in settled if o.slot_rewards)


@given(history=histories, life=lives)
def test_what_no_decision_can_be_meant_by_is_a_stray(history: list[Arrival], life: list[Step]) -> None:
    world = World(history)
    world.live(life, rules())
    world.finish(rules())
    met = owners(world, 10 * S)
    assert set(world.unmatched()) == {seen.seq for seen in world.observed()} - set(met)


def test_a_reward_for_a_slot_that_is_not_there_dangles_and_disturbs_nobody() -> None:
    history = [
        Arrival(0, slots_decision("a", ("x",), deferred=False)),
        Arrival(S, Observation(event_id="a", reward=9.0, slot="nowhere")),
        Arrival(S, Observation(event_id="a", reward=1.0, slot="x")),
    ]
    world = World(history)
    world.finish(rules())
    assert [logged.outcome.slot_rewards for logged in world.settled()] == [(1.0,)]
    assert world.unmatched() == {1: "dangling"}

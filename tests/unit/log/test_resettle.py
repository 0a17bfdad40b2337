"""When the rules of settling change, the last days follow them: exactly, once, and through any crash."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sartor.log.resettle import Resettler
from sartor.log.settler import Settler
from sartor.ports import Loop
from sartor.records import Decision, Observation, Outcome
from sartor.settings import LoopSettings, with_changes
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.log.history import Arrival, S, histories

DAY = 86_400 * S
OLD = with_changes(LoopSettings(), {"rewardWaitTime": "PT10S", "defaultReward": 0.0})


def rules(**changes: object) -> LoopSettings:
    return with_changes(OLD, changes)


class World:
    """A loop in memory, its settler and its resettler."""

    def __init__(self, loop: Loop | None = None) -> None:
        self.clock = Clock()
        self.stores = MemoryStores(clock_us=self.clock)
        self.logs = self.stores.open(loop or make_loop())
        self.restart()

    def restart(self) -> None:
        self.settler = Settler(self.logs.events, self.logs.outcomes)
        self.resettler = Resettler(self.logs.events, self.logs.outcomes, self.logs.blobs)

    def arrive(self, *events: Decision | Observation, after_us: int = 0) -> None:
        self.clock.now_us += after_us
        self.logs.events.append(list(events))

    def settle(self, rule: LoopSettings) -> None:
        while self.settler.step(rule, settings_version=1):
            pass

    def step(self, rule: LoopSettings, *, limit: int = 10_000) -> bool:
        return self.resettler.step(rule, settings_version=2, now_us=self.clock.now_us, limit=limit)

    def resettle(self, rule: LoopSettings, *, limit: int = 10_000) -> int:
        steps = 0
        while self.step(rule, limit=limit):
            steps += 1
        return steps

    def outcomes(self) -> list[Outcome]:
        return [logged.outcome for logged in self.logs.outcomes.outcomes(after=0, limit=10_000)]

    def rewards(self) -> dict[str, float]:
        return {outcome.event_id: outcome.reward for outcome in self.outcomes()}

    @property
    def revision(self) -> int:
        return self.logs.outcomes.counts().revision


@pytest.fixture
def world() -> World:
    """A settled decision that was rewarded in time, one that was rewarded late, one that was not."""
    world = World()
    world.arrive(make_decision("timely"), make_decision("late"), make_decision("never"))
    world.arrive(Observation(event_id="timely", reward=1.0), after_us=S)
    world.arrive(Observation(event_id="timely", reward=0.5), after_us=S)
    world.arrive(Observation(event_id="late", reward=1.0), after_us=20 * S)
    world.clock.now_us += 300 * S
    world.step(OLD)
    world.settle(OLD)
    world.step(OLD)
    assert world.rewards() == {"timely": 1.0, "late": 0.0, "never": 0.0}
    return world


def test_under_the_same_rules_nothing_is_done(world: World) -> None:
    assert world.resettle(OLD) == 0
    assert world.resettle(rules(explorationPercentage=0.5, learnWhen="window")) == 0
    assert world.revision == 0


def test_a_new_default_reward_is_given_to_those_that_had_the_old_one(world: World) -> None:
    assert world.resettle(rules(defaultReward=-1.0)) > 0
    assert world.rewards() == {"timely": 1.0, "late": -1.0, "never": -1.0}
    assert world.revision > 0


def test_a_longer_wait_takes_in_what_came_too_late(world: World) -> None:
    world.resettle(rules(rewardWaitTime="PT1M"))
    assert world.rewards() == {"timely": 1.0, "late": 1.0, "never": 0.0}


def test_a_shorter_wait_leaves_out_what_comes_too_late_now(world: World) -> None:
    world.resettle(rules(rewardWaitTime="PT1S"))
    assert world.rewards() == {"timely": 0.0, "late": 0.0, "never": 0.0}


def test_another_aggregation_counts_the_rewards_that_came_after_the_first(world: World) -> None:
    world.resettle(rules(rewardAggregation="sum"))
    assert world.rewards() == {"timely": 1.5, "late": 0.0, "never": 0.0}


def test_a_decision_whose_new_window_is_open_keeps_what_is_known(world: World) -> None:
    world.resettle(rules(rewardWaitTime="P1D", defaultReward=0.25))
    assert world.rewards() == {"timely": 1.0, "late": 1.0, "never": 0.25}


def test_the_outcomes_say_under_which_settings_they_were_made(world: World) -> None:
    before = world.outcomes()
    world.resettle(rules(defaultReward=-1.0))
    after = world.outcomes()
    assert {outcome.settings_version for outcome in after} == {2}
    assert [o.settled_at_us for o in after] == [o.settled_at_us for o in before]
    assert [o.decision_seq for o in after] == [o.decision_seq for o in before]


def test_what_was_settled_before_the_days_that_are_retrained_stays(world: World) -> None:
    world.clock.now_us += 3 * DAY
    world.arrive(make_decision("recent"))
    world.clock.now_us += 300 * S
    world.settle(OLD)
    world.resettle(rules(defaultReward=-1.0, modelRetrainDays=2))
    assert world.rewards() == {"timely": 1.0, "late": 0.0, "never": 0.0, "recent": -1.0}


def test_without_days_to_retrain_nothing_is_amended(world: World) -> None:
    world.resettle(rules(defaultReward=-1.0, modelRetrainDays=0))
    assert world.rewards()["never"] == 0.0
    assert world.revision == 0


def test_what_was_erased_stays_erased(world: World) -> None:
    blank = replace(world.outcomes()[0], event_id="", learnable=False)
    world.logs.outcomes.amend([blank])
    world.resettle(rules(defaultReward=-1.0))
    erased = next(o for o in world.outcomes() if o.decision_seq == blank.decision_seq)
    assert (erased.event_id, erased.learnable, erased.reward) == ("", False, blank.reward)


def test_what_was_corrected_stays_and_keeps_its_observations(world: World) -> None:
    right = replace(world.outcomes()[0], reward=0.75, corrected=True)
    world.logs.outcomes.amend([right])
    world.arrive(make_decision("timely"))
    world.clock.now_us += 300 * S
    world.settle(OLD)
    world.resettle(rules(rewardWaitTime="PT1M", defaultReward=-1.0))
    rewards = [(o.event_id, o.reward) for o in sorted(world.outcomes(), key=lambda o: o.decision_seq)]
    assert rewards == [("timely", 0.75), ("late", 1.0), ("never", -1.0), ("timely", -1.0)]


def test_a_change_while_nobody_looked_is_noticed_after_a_start(world: World) -> None:
    world.restart()
    world.resettle(rules(defaultReward=-1.0))
    assert world.rewards()["never"] == -1.0


def test_a_second_change_in_the_middle_of_the_first_counts(world: World) -> None:
    assert world.step(rules(defaultReward=-1.0), limit=1)
    world.resettle(rules(defaultReward=0.5))
    assert world.rewards() == {"timely": 1.0, "late": 0.5, "never": 0.5}


def test_a_change_taken_back_in_the_middle_is_undone() -> None:
    world = World()
    world.arrive(*[make_decision(f"e{n}") for n in range(5)])
    world.clock.now_us += 300 * S
    world.settle(OLD)
    world.step(OLD)
    while not world.revision:
        assert world.step(rules(defaultReward=-1.0), limit=1)
    world.resettle(OLD)
    assert set(world.rewards().values()) == {0.0}


def test_a_loop_that_settled_nothing_keeps_nothing() -> None:
    world = World()
    assert not world.step(OLD)
    assert not world.step(rules(defaultReward=1.0))
    assert list(world.logs.blobs.names()) == []


def test_one_step_does_a_bounded_part() -> None:
    world = World()
    world.arrive(*[make_decision(f"e{n}") for n in range(40)])
    world.clock.now_us += 300 * S
    world.settle(OLD)
    world.step(OLD)
    assert world.resettle(rules(defaultReward=-1.0), limit=10) >= 8
    assert set(world.rewards().values()) == {-1.0}


CHANGES = st.fixed_dictionaries(
    {
        "rewardWaitTime": st.sampled_from(["PT1S", "PT10S", "PT5M"]),
        "defaultReward": st.sampled_from([0.0, -1.0]),
        "rewardAggregation": st.sampled_from(["earliest", "sum"]),
    }
)


def distinct(history: Sequence[Arrival]) -> list[Arrival]:
    """The history, with decisions that have an id of their own, so that each reward can be for one only."""
    seen: set[str] = set()
    kept: list[Arrival] = []
    for arrival in history:
        if isinstance(arrival.event, Decision):
            if arrival.event.event_id in seen:
                continue
            seen.add(arrival.event.event_id)
        kept.append(arrival)
    return kept


@settings(max_examples=200)
@given(history=histories, change=CHANGES, limit=st.sampled_from([1, 3, 10_000]), crash_after=st.integers(0, 4))
def test_the_outcomes_are_those_of_a_loop_that_had_the_rules_from_the_beginning(
    history: list[Arrival], change: dict[str, object], limit: int, crash_after: int
) -> None:
    rule = rules(**change)
    world, ideal = World(), World()
    for arrival in distinct(history):
        world.arrive(arrival.event, after_us=arrival.after_us)
        ideal.arrive(arrival.event, after_us=arrival.after_us)
    for one in (world, ideal):
        one.clock.now_us += 600 * S
    world.settle(OLD)
    world.step(OLD)
    for _ in range(crash_after):
        world.step(rule, limit=limit)
    world.restart()
    world.resettle(rule, limit=limit)
    ideal.settle(rule)
    facts = {o.decision_seq: (o.reward, o.learnable, o.joined) for o in world.outcomes()}
    assert facts == {o.decision_seq: (o.reward, o.learnable, o.joined) for o in ideal.outcomes()}


@settings(max_examples=200)
@given(history=histories, change=CHANGES, more=histories)
def test_no_observation_counts_twice_whatever_goes_on(
    history: list[Arrival], change: dict[str, object], more: list[Arrival]
) -> None:
    world = World()
    for arrival in history:
        world.arrive(arrival.event, after_us=arrival.after_us)
    world.settle(OLD)
    world.step(OLD)
    rule = rules(**change)
    world.resettle(rule, limit=2)
    for arrival in more:
        world.arrive(arrival.event, after_us=arrival.after_us)
        world.settle(rule)
    world.clock.now_us += 600 * S
    world.settle(rule)
    joined = [one.seq for outcome in world.outcomes() for one in outcome.joined]
    assert len(joined) == len(set(joined))
    decisions = [outcome.decision_seq for outcome in world.outcomes()]
    assert sorted(decisions) == list(range(1, world.logs.events.horizon().decisions + 1))


def test_durations_are_kept_to_the_microsecond(world: World) -> None:
    odd = replace(OLD, reward_wait_time=timedelta(seconds=10, microseconds=1))
    assert world.resettle(odd) > 0
    world.restart()
    assert world.resettle(odd) == 0

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


class House:
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
def house() -> House:
    """A settled decision that was rewarded in time, one that was rewarded late, one that was not."""
    house = House()
    house.arrive(make_decision("timely"), make_decision("late"), make_decision("never"))
    house.arrive(Observation(event_id="timely", reward=1.0), after_us=S)
    house.arrive(Observation(event_id="timely", reward=0.5), after_us=S)
    house.arrive(Observation(event_id="late", reward=1.0), after_us=20 * S)
    house.clock.now_us += 300 * S
    house.step(OLD)
    house.settle(OLD)
    house.step(OLD)
    assert house.rewards() == {"timely": 1.0, "late": 0.0, "never": 0.0}
    return house


def test_under_the_same_rules_nothing_is_done(house: House) -> None:
    assert house.resettle(OLD) == 0
    assert house.resettle(rules(explorationPercentage=0.5, learnWhen="window")) == 0
    assert house.revision == 0


def test_a_new_default_reward_is_given_to_those_that_had_the_old_one(house: House) -> None:
    assert house.resettle(rules(defaultReward=-1.0)) > 0
    assert house.rewards() == {"timely": 1.0, "late": -1.0, "never": -1.0}
    assert house.revision > 0


def test_a_longer_wait_takes_in_what_came_too_late(house: House) -> None:
    house.resettle(rules(rewardWaitTime="PT1M"))
    assert house.rewards() == {"timely": 1.0, "late": 1.0, "never": 0.0}


def test_a_shorter_wait_leaves_out_what_comes_too_late_now(house: House) -> None:
    house.resettle(rules(rewardWaitTime="PT1S"))
    assert house.rewards() == {"timely": 0.0, "late": 0.0, "never": 0.0}


def test_another_aggregation_counts_the_rewards_that_came_after_the_first(house: House) -> None:
    house.resettle(rules(rewardAggregation="sum"))
    assert house.rewards() == {"timely": 1.5, "late": 0.0, "never": 0.0}


def test_a_decision_whose_new_window_is_open_keeps_what_is_known(house: House) -> None:
    house.resettle(rules(rewardWaitTime="P1D", defaultReward=0.25))
    assert house.rewards() == {"timely": 1.0, "late": 1.0, "never": 0.25}


def test_the_outcomes_say_under_which_settings_they_were_made(house: House) -> None:
    before = house.outcomes()
    house.resettle(rules(defaultReward=-1.0))
    after = house.outcomes()
    assert {outcome.settings_version for outcome in after} == {2}
    assert [o.settled_at_us for o in after] == [o.settled_at_us for o in before]
    assert [o.decision_seq for o in after] == [o.decision_seq for o in before]


def test_what_was_settled_before_the_days_that_are_retrained_stays(house: House) -> None:
    house.clock.now_us += 3 * DAY
    house.arrive(make_decision("recent"))
    house.clock.now_us += 300 * S
    house.settle(OLD)
    house.resettle(rules(defaultReward=-1.0, modelRetrainDays=2))
    assert house.rewards() == {"timely": 1.0, "late": 0.0, "never": 0.0, "recent": -1.0}


def test_without_days_to_retrain_nothing_is_amended(house: House) -> None:
    house.resettle(rules(defaultReward=-1.0, modelRetrainDays=0))
    assert house.rewards()["never"] == 0.0
    assert house.revision == 0


def test_what_was_erased_stays_erased(house: House) -> None:
    blank = replace(house.outcomes()[0], event_id="", learnable=False)
    house.logs.outcomes.amend([blank])
    house.resettle(rules(defaultReward=-1.0))
    erased = next(o for o in house.outcomes() if o.decision_seq == blank.decision_seq)
    assert (erased.event_id, erased.learnable, erased.reward) == ("", False, blank.reward)


def test_what_was_corrected_stays_and_keeps_its_observations(house: House) -> None:
    right = replace(house.outcomes()[0], reward=0.75, corrected=True)
    house.logs.outcomes.amend([right])
    house.arrive(make_decision("timely"))
    house.clock.now_us += 300 * S
    house.settle(OLD)
    house.resettle(rules(rewardWaitTime="PT1M", defaultReward=-1.0))
    fates = [(o.event_id, o.reward) for o in sorted(house.outcomes(), key=lambda o: o.decision_seq)]
    assert fates == [("timely", 0.75), ("late", 1.0), ("never", -1.0), ("timely", -1.0)]


def test_a_change_while_nobody_looked_is_noticed_after_a_start(house: House) -> None:
    house.restart()
    house.resettle(rules(defaultReward=-1.0))
    assert house.rewards()["never"] == -1.0


def test_a_second_change_in_the_middle_of_the_first_counts(house: House) -> None:
    assert house.step(rules(defaultReward=-1.0), limit=1)
    house.resettle(rules(defaultReward=0.5))
    assert house.rewards() == {"timely": 1.0, "late": 0.5, "never": 0.5}


def test_a_change_taken_back_in_the_middle_is_undone() -> None:
    house = House()
    house.arrive(*[make_decision(f"e{n}") for n in range(5)])
    house.clock.now_us += 300 * S
    house.settle(OLD)
    house.step(OLD)
    while not house.revision:
        assert house.step(rules(defaultReward=-1.0), limit=1)
    house.resettle(OLD)
    assert set(house.rewards().values()) == {0.0}


def test_a_loop_that_settled_nothing_keeps_nothing() -> None:
    house = House()
    assert not house.step(OLD)
    assert not house.step(rules(defaultReward=1.0))
    assert list(house.logs.blobs.names()) == []


def test_one_step_does_a_bounded_part() -> None:
    house = House()
    house.arrive(*[make_decision(f"e{n}") for n in range(40)])
    house.clock.now_us += 300 * S
    house.settle(OLD)
    house.step(OLD)
    assert house.resettle(rules(defaultReward=-1.0), limit=10) >= 8
    assert set(house.rewards().values()) == {-1.0}


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
    house, ideal = House(), House()
    for arrival in distinct(history):
        house.arrive(arrival.event, after_us=arrival.after_us)
        ideal.arrive(arrival.event, after_us=arrival.after_us)
    for one in (house, ideal):
        one.clock.now_us += 600 * S
    house.settle(OLD)
    house.step(OLD)
    for _ in range(crash_after):
        house.step(rule, limit=limit)
    house.restart()
    house.resettle(rule, limit=limit)
    ideal.settle(rule)
    facts = {o.decision_seq: (o.reward, o.learnable, o.joined) for o in house.outcomes()}
    assert facts == {o.decision_seq: (o.reward, o.learnable, o.joined) for o in ideal.outcomes()}


@settings(max_examples=200)
@given(history=histories, change=CHANGES, more=histories)
def test_no_observation_counts_twice_whatever_goes_on(
    history: list[Arrival], change: dict[str, object], more: list[Arrival]
) -> None:
    house = House()
    for arrival in history:
        house.arrive(arrival.event, after_us=arrival.after_us)
    house.settle(OLD)
    house.step(OLD)
    rule = rules(**change)
    house.resettle(rule, limit=2)
    for arrival in more:
        house.arrive(arrival.event, after_us=arrival.after_us)
        house.settle(rule)
    house.clock.now_us += 600 * S
    house.settle(rule)
    joined = [one.seq for outcome in house.outcomes() for one in outcome.joined]
    assert len(joined) == len(set(joined))
    decisions = [outcome.decision_seq for outcome in house.outcomes()]
    assert sorted(decisions) == list(range(1, house.logs.events.horizon().decisions + 1))


def test_durations_are_kept_to_the_microsecond(house: House) -> None:
    odd = replace(OLD, reward_wait_time=timedelta(seconds=10, microseconds=1))
    assert house.resettle(odd) > 0
    house.restart()
    assert house.resettle(odd) == 0

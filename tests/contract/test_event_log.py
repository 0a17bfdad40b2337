"""What every event log promises."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sartor.errors import InvalidRequest, StoreUnavailable
from sartor.ports import EventLog, Loop, Stores
from sartor.records import Action, Decision, Horizon, Observation
from sartor.testing.builders import make_decision
from sartor.testing.fakes import Clock
from tests.contract.conftest import FullDisk


def append_decisions(events: EventLog, count: int) -> None:
    events.append([make_decision(f"event-{number}") for number in range(1, count + 1)])


def test_an_empty_log_holds_nothing(events: EventLog, clock: Clock) -> None:
    assert events.horizon() == Horizon(now_us=clock.now_us, decisions=0, observations=0)
    assert not events.heads(after=0, limit=10)
    assert not events.decisions(after=0, limit=10)
    assert not events.observations(after=0, limit=10)


def test_what_was_appended_comes_back_as_it_was(events: EventLog, clock: Clock) -> None:
    decision = Decision(
        event_id="κλειδί/1 \x00 \U0001f642",
        context=b'[{"device":"mobile"}]',
        actions=(Action("a", b"[{}]"), Action("b", b'[{"x":1}]'), Action("c", b"[]")),
        excluded=(1,),
        probabilities=(0.1 + 0.2, 0.0, 1 - (0.1 + 0.2)),
        ranking=(2, 1, 0),
        chosen=2,
        model_id="m",
        settings_version=7,
        mode="Apprentice",
        deferred=True,
    )
    events.append([decision])
    (logged,) = events.decisions(after=0, limit=10)
    (head,) = events.heads(after=0, limit=10)
    assert logged.decision == decision
    assert (logged.seq, logged.at_us) == (1, clock.now_us)
    assert (head.seq, head.at_us, head.event_id, head.deferred) == (
        1,
        clock.now_us,
        decision.event_id,
        True,
    )


def test_decisions_and_observations_are_numbered_each_from_one(events: EventLog) -> None:
    events.append([make_decision("a"), Observation(event_id="a", reward=1.0), make_decision("b")])
    events.append([Observation(event_id="b")])
    assert [(head.seq, head.event_id) for head in events.heads(after=0, limit=10)] == [(1, "a"), (2, "b")]
    assert [
        (logged.seq, logged.observation.event_id, logged.observation.reward)
        for logged in events.observations(after=0, limit=10)
    ] == [(1, "a", 1.0), (2, "b", None)]


def test_reading_goes_on_after_a_number_and_stops_at_the_limit(events: EventLog) -> None:
    append_decisions(events, 5)
    events.append([Observation(event_id="x", reward=float(number)) for number in range(5)])
    assert [head.seq for head in events.heads(after=1, limit=3)] == [2, 3, 4]
    assert [logged.seq for logged in events.decisions(after=3, limit=10)] == [4, 5]
    assert [logged.seq for logged in events.observations(after=4, limit=1)] == [5]
    assert not events.decisions(after=5, limit=10)


def test_the_same_event_id_may_come_twice(events: EventLog) -> None:
    events.append([make_decision("same")])
    events.append([make_decision("same", chosen=1)])
    assert [logged.decision.chosen for logged in events.decisions(after=0, limit=10)] == [0, 1]


def test_nothing_to_append_is_no_error(events: EventLog) -> None:
    events.append([])
    assert events.horizon().decisions == 0


@given(reward=st.floats(allow_nan=False))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rewards_keep_every_bit(events: EventLog, reward: float) -> None:
    number = events.horizon().observations
    events.append([Observation(event_id="a", reward=reward)])
    (logged,) = events.observations(after=number, limit=1)
    assert logged.observation.reward is not None
    assert logged.observation.reward.hex() == reward.hex()


@pytest.mark.parametrize("reward", [-0.0, 0.0, 1.0, -1e300, 5e-324, 2.0**53 + 2, math.inf])
def test_rewards_keep_their_sign_and_size(events: EventLog, reward: float) -> None:
    events.append([Observation(event_id="a", reward=reward)])
    (logged,) = events.observations(after=0, limit=1)
    assert repr(logged.observation.reward) == repr(reward)


def test_a_reward_that_is_no_number_fails_its_whole_batch(events: EventLog) -> None:
    with pytest.raises(InvalidRequest):
        events.append([make_decision("a"), Observation(event_id="a", reward=math.nan)])
    assert (events.horizon().decisions, events.horizon().observations) == (0, 0)


def test_a_batch_has_one_time_and_later_ones_are_not_earlier(events: EventLog, clock: Clock) -> None:
    append_decisions(events, 2)
    clock.advance(1.5)
    append_decisions(events, 1)
    first, second, third = (head.at_us for head in events.heads(after=0, limit=3))
    assert (first, third - first) == (second, 1_500_000)


def test_time_does_not_run_back_behind_an_event(events: EventLog, clock: Clock) -> None:
    append_decisions(events, 1)
    clock.advance(-3600)
    events.append([Observation(event_id="event-1", reward=1.0), make_decision("second")])
    first, second = events.heads(after=0, limit=2)
    (observed,) = events.observations(after=0, limit=1)
    assert first.at_us == second.at_us == observed.at_us


def test_time_does_not_run_back_behind_a_horizon(
    stores: Stores, loop: Loop, events: EventLog, clock: Clock
) -> None:
    other = stores.open(loop)
    append_decisions(events, 1)
    clock.advance(10)
    horizon = other.events.horizon()
    clock.advance(-5)
    append_decisions(events, 1)
    assert horizon == Horizon(now_us=clock.now_us + 5_000_000, decisions=1, observations=0)
    assert events.heads(after=horizon.decisions, limit=1)[0].at_us >= horizon.now_us
    other.close()


@pytest.mark.parametrize("days", [1, 40, 400])
def test_time_goes_on_where_the_clock_was_ahead_and_is_right_again(
    events: EventLog, clock: Clock, days: int
) -> None:
    clock.advance(days * 86_400)
    append_decisions(events, 1)
    ahead_us = events.horizon().now_us
    clock.advance(-days * 86_400)
    append_decisions(events, 1)
    clock.advance(600)
    append_decisions(events, 1)
    assert events.horizon().now_us == ahead_us + 600_000_000
    times = [head.at_us for head in events.heads(after=0, limit=3)]
    assert times == [ahead_us, ahead_us, ahead_us + 600_000_000]


def test_a_horizon_counts_all_that_was_appended(events: EventLog) -> None:
    events.append([make_decision("a"), Observation(event_id="a"), Observation(event_id="b", reward=0.5)])
    horizon = events.horizon()
    assert (horizon.decisions, horizon.observations) == (1, 2)


def test_two_openings_of_a_loop_see_one_log(stores: Stores, loop: Loop, events: EventLog) -> None:
    other = stores.open(loop)
    append_decisions(events, 2)
    assert len(other.events.heads(after=0, limit=10)) == 2
    append_decisions(other.events, 1)
    assert [head.seq for head in events.heads(after=0, limit=10)] == [1, 2, 3]
    other.close()


def test_a_full_disk_takes_nothing_and_the_log_goes_on_when_there_is_room(
    events: EventLog, full_disk: FullDisk
) -> None:
    append_decisions(events, 3)
    with full_disk():
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                append_decisions(events, 50)
    assert events.horizon().decisions == 3
    append_decisions(events, 2)
    assert [head.seq for head in events.heads(after=0, limit=100)] == [1, 2, 3, 4, 5]

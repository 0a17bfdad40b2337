"""The settler, story by story: what it records, when, and what it costs when nothing happens."""

import pytest

from sartor.errors import StoreUnavailable
from sartor.records import Cursor, Horizon, JoinedObservation, Observation, Outcome
from sartor.settings import LoopSettings, with_changes
from sartor.testing.builders import make_decision
from tests.unit.log.history import Interrupted, S, World

EARLIEST = with_changes(LoopSettings(), {"rewardWaitTime": "PT10S", "defaultReward": 0.1})
WINDOW = with_changes(EARLIEST, {"learnWhen": "window"})


def reward(event_id: str, value: float | None) -> Observation:
    return Observation(event_id=event_id, reward=value)


def step(world: World, settings: LoopSettings = EARLIEST, *, limit: int = 10_000) -> int:
    return world.settler.step(settings, settings_version=7, limit=limit)


def test_a_rewarded_decision_is_settled_at_once_and_whole() -> None:
    world = World()
    start_us = world.clock.now_us
    world.events.append([make_decision("e")])
    world.clock.advance(2)
    world.events.append([reward("e", 0.5)])
    world.clock.advance(1)
    assert step(world) == 1
    assert [logged.outcome for logged in world.settled()] == [
        Outcome(
            decision_seq=1,
            event_id="e",
            reward=0.5,
            learnable=True,
            joined=(JoinedObservation(1, start_us + 2 * S, 0.5),),
            settled_at_us=start_us + 3 * S,
            settings_version=7,
        )
    ]


def test_a_decision_without_a_reward_is_settled_when_its_window_ends() -> None:
    world = World()
    world.events.append([make_decision("e")])
    world.clock.advance(9.999999)
    assert step(world) == 0
    world.clock.advance(0.000001)
    assert step(world) == 1
    assert world.results() == {1: (0.1, True, ())}


def test_a_reward_that_overtook_its_rank_is_joined() -> None:
    world = World()
    world.events.append([reward("e", 1.0)])
    world.clock.advance(119.999999)
    assert step(world) == 0
    world.events.append([make_decision("e")])
    assert step(world) == 1
    assert world.results() == {1: (1.0, True, (1,))}


def test_a_reward_that_met_no_decision_within_two_minutes_is_dangling() -> None:
    world = World()
    world.events.append([reward("e", 1.0)])
    step(world)
    world.clock.advance(119)
    step(world)
    assert world.unmatched() == {}
    world.clock.advance(1)
    step(world)
    assert world.unmatched() == {1: "dangling"}
    world.events.append([make_decision("e")])
    world.clock.advance(10)
    step(world)
    assert world.results() == {1: (0.1, True, ())}


def test_a_reward_after_the_window_is_late() -> None:
    world = World()
    world.events.append([make_decision("e")])
    world.clock.advance(10)
    world.events.append([reward("e", 1.0)])
    step(world)
    world.clock.advance(120)
    step(world)
    assert world.results() == {1: (0.1, True, ())}
    assert world.unmatched() == {1: "late"}


def test_a_second_reward_inside_the_window_goes_to_the_settled_decision_and_not_to_the_next() -> None:
    world = World()
    world.events.append([make_decision("e"), reward("e", 1.0)])
    step(world)
    world.clock.advance(5)
    world.events.append([reward("e", 0.5)])
    world.clock.advance(1)
    world.events.append([make_decision("e")])
    step(world)
    world.clock.advance(200)
    step(world)
    assert world.results() == {1: (1.0, True, (1,)), 2: (0.1, True, ())}
    assert world.unmatched() == {}


def test_two_ranks_with_one_id_are_two_decisions_and_the_second_sees_what_comes_after_the_first() -> None:
    world = World()
    world.events.append([make_decision("e")])
    world.clock.advance(6)
    world.events.append([make_decision("e")])
    world.clock.advance(3)
    world.events.append([reward("e", 1.0)])
    world.clock.advance(3)
    world.events.append([reward("e", 0.5)])
    assert step(world) == 2
    assert world.results() == {1: (1.0, True, (1,)), 2: (0.5, True, (2,))}


def test_a_step_settles_no_more_than_its_limit_and_the_next_goes_on() -> None:
    world = World()
    for number in range(5):
        world.events.append([make_decision(f"e{number}"), reward(f"e{number}", 1.0)])
    assert [step(world, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [logged.outcome.decision_seq for logged in world.settled()] == [1, 2, 3, 4, 5]


def test_inside_a_step_the_order_is_that_of_falling_due() -> None:
    world = World()
    world.events.append([make_decision("never rewarded"), make_decision("late"), make_decision("soon")])
    world.clock.advance(1)
    world.events.append([reward("soon", 1.0)])
    world.clock.advance(1)
    world.events.append([reward("late", 1.0)])
    world.clock.advance(8)
    step(world)
    assert [logged.outcome.event_id for logged in world.settled()] == ["soon", "late", "never rewarded"]


def test_when_the_wait_time_grows_open_decisions_wait_longer() -> None:
    world = World()
    world.events.append([make_decision("e")])
    step(world, WINDOW)
    world.clock.advance(15)
    longer = with_changes(WINDOW, {"rewardWaitTime": "PT20S"})
    assert step(world, longer) == 0
    world.events.append([reward("e", 1.0)])
    world.clock.advance(5)
    assert step(world, longer) == 1
    assert world.results() == {1: (1.0, True, (1,))}


def test_when_the_wait_time_shrinks_what_came_after_it_is_late() -> None:
    world = World()
    world.events.append([make_decision("e")])
    world.clock.advance(5)
    world.events.append([reward("e", 1.0)])
    step(world, WINDOW)
    shorter = with_changes(WINDOW, {"rewardWaitTime": "PT5S"})
    assert step(world, shorter) == 1
    world.clock.advance(120)
    step(world, shorter)
    assert world.results() == {1: (0.1, True, ())}
    assert world.unmatched() == {1: "late"}


def test_when_rewards_are_to_be_learned_at_once_those_that_wait_are() -> None:
    world = World()
    world.events.append([make_decision("e"), reward("e", 1.0)])
    assert step(world, WINDOW) == 0
    assert step(world, EARLIEST) == 1


def test_the_default_reward_of_the_moment_of_settling_counts() -> None:
    world = World()
    world.events.append([make_decision("e")])
    step(world)
    world.clock.advance(10)
    step(world, with_changes(EARLIEST, {"defaultReward": -0.5}))
    assert world.results() == {1: (-0.5, True, ())}


def test_the_cursor_is_recorded_when_the_last_window_is_over() -> None:
    world = World()
    world.events.append([make_decision("e"), reward("e", 1.0)])
    step(world)
    assert world.outcomes.counts().cursor == Cursor(0, 1)
    world.clock.advance(10)
    step(world)
    assert world.outcomes.counts().cursor == Cursor(1, 1)


def test_a_restart_reads_again_only_what_is_not_done_with() -> None:
    world = World()
    world.events.append([make_decision("done"), reward("done", 1.0)])
    step(world)
    world.clock.advance(10)
    step(world)
    world.events.append([make_decision("open")])
    step(world)
    read_after: list[int] = []

    class Spied(Interrupted):
        def heads(self, *, after: int, limit: int) -> list:  # type: ignore[type-arg]
            read_after.append(after)
            return list(super().heads(after=after, limit=limit))

    world.events = Spied(world.events, lambda: None)
    world.restart()
    step(world)
    assert min(read_after) == 1


class Counted(Interrupted):
    """Counts how often the horizon of the log is read."""

    horizons = 0

    def horizon(self) -> Horizon:
        self.horizons += 1
        return super().horizon()


def counted() -> tuple[World, Counted]:
    world = World()
    events = Counted(world.events, lambda: None)
    world.events = events
    world.restart()
    return world, events


def test_an_empty_log_is_never_asked_for_its_horizon() -> None:
    world, events = counted()
    assert [step(world) for _ in range(3)] == [0, 0, 0]
    assert events.horizons == 0


def test_the_horizon_is_not_asked_for_before_something_is_due() -> None:
    world, events = counted()
    world.events.append([make_decision("e"), reward("nobody", 1.0)])
    start_us = world.clock.now_us
    world.settler.step(EARLIEST, settings_version=1, now_us=start_us)
    assert events.horizons == 1
    world.clock.advance(9)
    world.settler.step(EARLIEST, settings_version=1, now_us=start_us + 9 * S)
    assert events.horizons == 1
    world.clock.advance(1)
    assert world.settler.step(EARLIEST, settings_version=1, now_us=start_us + 10 * S) == 1
    assert events.horizons == 2
    world.clock.advance(110)
    world.settler.step(EARLIEST, settings_version=1, now_us=start_us + 120 * S)
    assert world.unmatched() == {1: "dangling"}


def test_without_a_clock_the_settler_asks_while_anything_is_open() -> None:
    world, events = counted()
    world.events.append([make_decision("e")])
    for _ in range(3):
        step(world)
    assert events.horizons == 3
    world.clock.advance(10)
    step(world)
    step(world)
    assert events.horizons == 4


@pytest.mark.parametrize("crash", ["before record", "after record"])
def test_after_a_failure_nothing_is_lost_and_nothing_settled_twice(crash: str) -> None:
    world = World()
    world.events.append([make_decision("e"), reward("e", 1.0), reward("e", 0.5)])
    world.outcomes.crash = crash
    with pytest.raises(StoreUnavailable if crash == "before record" else KeyboardInterrupt):
        step(world)
    step(world)
    assert world.results() == {1: (1.0, True, (1,))}


def test_after_a_restart_thousands_of_outcomes_are_known_again() -> None:
    world = World()
    for number in range(12_000):
        world.events.append([make_decision(f"e{number}"), reward(f"e{number}", 1.0)])
    while step(world):
        pass
    world.restart()
    assert step(world) == 0
    world.clock.advance(10)
    assert step(world) == 0
    assert world.outcomes.counts().outcomes == 12_000


def test_the_cursor_does_not_lag_far_behind_while_nothing_else_is_recorded() -> None:
    world = World()
    world.events.append([make_decision("open", deferred=True)])
    world.clock.advance(1)
    world.events.append([make_decision("e"), reward("e", 1.0)])
    step(world)
    for _ in range(11_000):
        world.events.append([reward("e", 0.5)])
    while step(world):
        pass
    assert world.outcomes.counts().cursor == Cursor(0, 11_001)


def test_a_reward_that_was_learned_is_not_learned_again_when_the_wait_time_shrinks() -> None:
    world = World()
    world.events.append([make_decision("held", deferred=True), reward("held", 1.0), make_decision("e")])
    world.clock.advance(8)
    world.events.append([reward("e", 1.0)])
    assert step(world) == 1
    world.clock.advance(1)
    world.events.append([make_decision("e")])
    shorter = with_changes(EARLIEST, {"rewardWaitTime": "PT5S"})
    step(world, shorter)
    world.clock.advance(130)
    step(world, shorter)
    assert world.results() == {1: (1.0, False, (1,)), 2: (1.0, True, (2,)), 3: (0.1, True, ())}
    assert world.unmatched() == {}


def test_while_decisions_are_still_to_be_read_no_reward_is_given_up() -> None:
    world = World()
    world.events.append([reward("z", 1.0)])
    for event_id in "abcz":
        world.clock.advance(1)
        world.events.append([make_decision(event_id)])
    world.clock.advance(300)
    while step(world, limit=1):
        pass
    assert world.results()[4] == (1.0, True, (1,))
    assert world.unmatched() == {}


def test_while_decisions_are_still_to_be_read_none_is_settled_before_its_turn() -> None:
    world = World()
    for event_id in ("late", "x", "y", "soon"):
        world.events.append([make_decision(event_id)])
        world.clock.advance(0.1)
    world.events.append([reward("soon", 1.0)])
    world.clock.advance(5)
    world.events.append([reward("late", 1.0)])
    while step(world, limit=1):
        pass
    assert [logged.outcome.event_id for logged in world.settled()] == ["soon", "late"]


def test_while_observations_are_still_to_be_read_no_window_ends_without_them() -> None:
    world = World()
    world.events.append([make_decision("e")])
    for event_id in ("a", "b", "c", "e"):
        world.clock.advance(1)
        world.events.append([reward(event_id, 1.0)])
    world.clock.advance(300)
    while step(world, WINDOW, limit=1):
        pass
    assert world.results() == {1: (1.0, True, (4,))}

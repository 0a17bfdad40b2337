"""The settler and imported decisions: their outcomes came with them."""

from collections.abc import Sequence

import pytest

from sartor.errors import StoreUnavailable
from sartor.log.settler import Settler
from sartor.ports import OutcomeLog
from sartor.records import ImportedDecision, JoinedObservation, LoggedOutcome, Observation, Outcome
from sartor.settings import LoopSettings, with_changes
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores
from tests.unit.log.history import Mortal

SETTINGS = with_changes(LoopSettings(), {"rewardWaitTime": "PT10S", "defaultReward": 0.1})
MADE_US = 1_500_000_000_000_000


def imported(event_id: str, reward: float = 0.25) -> ImportedDecision:
    joined = (JoinedObservation(0, MADE_US, reward), JoinedObservation(0, MADE_US, 1.0))
    outcome = Outcome(
        decision_seq=0,
        event_id=event_id,
        reward=reward,
        learnable=True,
        joined=joined,
        settled_at_us=0,
        settings_version=0,
    )
    return ImportedDecision(decision=make_decision(event_id), made_at_us=MADE_US, outcome=outcome)


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        logs = MemoryStores(clock_us=self.clock).open(make_loop())
        self.events, self.history = logs.events, logs.history
        self.outcomes = Mortal(logs.outcomes)
        self.restart()

    def restart(self) -> None:
        self.settler = Settler(self.events, self.outcomes)

    def step(self, *, limit: int = 10_000) -> int:
        return self.settler.step(SETTINGS, settings_version=3, limit=limit)


def settled(outcomes: OutcomeLog) -> Sequence[LoggedOutcome]:
    return outcomes.outcomes(after=0, limit=1_000)


def test_the_outcome_is_recorded_as_it_came() -> None:
    world = World()
    world.history.import_decisions([imported("a"), imported("b", 0.5)], source=1)
    assert world.step() == 2
    first, second = [logged.outcome for logged in settled(world.outcomes)]
    assert (first.decision_seq, second.decision_seq) == (1, 2)
    assert (first.event_id, first.reward, first.joined) == ("a", 0.25, imported("a").outcome.joined)
    assert (second.reward, second.settings_version) == (0.5, 0)
    assert (first.settled_at_us, second.settled_at_us) == (world.clock.now_us,) * 2
    assert world.outcomes.counts().cursor.decisions == 2
    assert world.step() == 0


def test_those_made_here_wait_for_their_window_and_imported_ones_do_not() -> None:
    world = World()
    world.events.append([make_decision("here")])
    world.history.import_decisions([imported("a")], source=1)
    assert world.step() == 1
    assert world.outcomes.counts().cursor.decisions == 0
    world.clock.advance(10)
    assert world.step() == 1
    assert [logged.outcome.decision_seq for logged in settled(world.outcomes)] == [2, 1]
    world.clock.advance(10)
    world.step()
    assert world.outcomes.counts().cursor.decisions == 2


@pytest.mark.parametrize("crash", ["before record", "after record"])
def test_a_crash_neither_loses_nor_doubles_them(crash: str) -> None:
    world = World()
    world.events.append([make_decision("here")])
    world.history.import_decisions([imported(f"old-{number}") for number in range(5)], source=1)
    world.outcomes.crash = crash
    with pytest.raises((StoreUnavailable, KeyboardInterrupt)):
        world.step()
    world.restart()
    world.step()
    assert sorted(logged.outcome.decision_seq for logged in settled(world.outcomes)) == [2, 3, 4, 5, 6]


def test_a_reward_here_is_not_meant_for_one_of_them() -> None:
    world = World()
    world.history.import_decisions([imported("a")], source=1)
    world.events.append([Observation(event_id="a", reward=1.0)])
    world.step()
    world.clock.advance(200)
    world.step()
    (logged,) = settled(world.outcomes)
    assert logged.outcome.reward == 0.25
    assert (world.outcomes.counts().late, world.outcomes.counts().dangling) == (1, 0)


def test_a_reward_that_waits_for_its_rank_passes_them_by() -> None:
    world = World()
    world.events.append([Observation(event_id="a", reward=1.0)])
    world.step()
    world.history.import_decisions([imported("a")], source=1)
    world.step()
    world.events.append([make_decision("a")])
    world.step()
    assert [logged.outcome.reward for logged in settled(world.outcomes)] == [0.25, 1.0]


def test_many_of_them_are_taken_in_bounded_steps() -> None:
    world = World()
    world.history.import_decisions([imported(f"old-{number}") for number in range(100)], source=1)
    assert [world.step(limit=40) for _ in range(4)] == [40, 40, 20, 0]

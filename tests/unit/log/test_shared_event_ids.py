"""One event id for many events: what settling one costs does not grow with how many share the id."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from sartor.log.settler import Settler
from sartor.ports import LoopStores
from sartor.records import Decision, Observation
from sartor.settings import LoopSettings, with_changes
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock
from tests.unit.log.history import Arrival, S, World, expected, expected_strays
from tests.unit.log.test_settling_slots import slots_decision

SETTINGS = with_changes(LoopSettings(), {"rewardWaitTime": "PT10S"})
ID = "shared"


def ranks(count: int) -> list[Decision | Observation]:
    return [make_decision(ID) for _ in range(count)]


def rewards(count: int, slot: str | None = None) -> list[Decision | Observation]:
    return [Observation(event_id=ID, reward=1.0, slot=slot) for _ in range(count)]


def activations(count: int) -> list[Decision | Observation]:
    return [Observation(event_id=ID) for _ in range(count)]


Story = tuple[list[Decision | Observation], float, list[Decision | Observation]]
"""Events, how many seconds pass, and events again."""

STORIES: dict[str, Callable[[int], Story]] = {
    "ranks and then rewards": lambda n: (ranks(n), 1, rewards(n)),
    "rewards and then ranks": lambda n: (rewards(n), 1, ranks(n)),
    "rewards that are late": lambda n: (ranks(n), 11, rewards(n)),
    "rewards that are late for what was forgotten": lambda n: (ranks(n), 500, rewards(n)),
    "rewards between two batches of ranks": lambda n: (ranks(n) + rewards(n), 5, ranks(n)),
    "deferred ranks and activations": lambda n: (
        [make_decision(ID, deferred=True) for _ in range(n)],
        1,
        activations(n) + rewards(n),
    ),
    "activations before deferred ranks": lambda n: (
        rewards(n, "nowhere") + activations(n),
        1,
        [make_decision(ID, deferred=True) for _ in range(n)],
    ),
    "rewards of a slot that only the last rank has": lambda n: (
        [*ranks(n), slots_decision(ID, ("x", "y"), deferred=False)],
        1,
        rewards(n, "x"),
    ),
    "rewards of a slot that no rank has": lambda n: (
        [slots_decision(ID, ("x", "y"), deferred=False) for _ in range(n)],
        1,
        rewards(n, "nowhere"),
    ),
    "rewards without a rank": lambda n: (rewards(n), 1, [make_decision("other")]),
}


class Calls:
    """Counts the calls of functions, those written in C included, while it is active."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.count += event in ("call", "c_call")


def settle_all(logs: LoopStores, clock: Clock, settings: LoopSettings, *, restarts: bool = False) -> None:
    """Settle everything in small steps, as the learn process does."""
    settler = Settler(logs.events, logs.outcomes)
    for seconds in (0, 11, 121, 11, 0):
        clock.advance(seconds)
        settler = Settler(logs.events, logs.outcomes) if restarts else settler
        is_first = True
        while is_first or not settler.caught_up:
            settler.step(settings, settings_version=1, limit=100, reads=1)
            is_first = False


def count_calls(folder: Path, story: Story, settings: LoopSettings) -> int:
    clock = Clock()
    stores = open_stores(folder, clock_us=clock)
    logs = stores.open(make_loop())
    first, seconds, second = story
    logs.events.append(first)
    if seconds > 100:
        settle_all(logs, clock, settings)
    clock.advance(seconds)
    logs.events.append(second)
    with Calls() as calls:
        settle_all(logs, clock, settings, restarts=True)
    counts = logs.outcomes.counts()
    assert counts.cursor.decisions == sum(isinstance(one, Decision) for one in [*first, *second])
    assert counts.cursor.observations == sum(isinstance(one, Observation) for one in [*first, *second])
    logs.close()
    stores.close()
    return calls.count


@pytest.mark.parametrize("aggregation", ["earliest", "sum"])
@pytest.mark.parametrize("story", STORIES)
def test_four_times_the_events_cost_four_times_as_much(tmp_path: Path, story: str, aggregation: str) -> None:
    settings = with_changes(SETTINGS, {"rewardAggregation": aggregation})
    few, many = (count_calls(tmp_path / str(count), STORIES[story](count), settings) for count in (300, 1_200))
    assert many < 4.5 * few, "the rest is for the logarithm of a search"


def test_a_rank_that_shares_its_id_with_many_is_settled_as_the_whole_history_says() -> None:
    chance = random.Random(5)
    history = [
        Arrival(
            chance.choice([0, 1, S, 3 * S, 10 * S - 1]),
            make_decision(ID, deferred=chance.random() < 0.3)
            if chance.random() < 0.5
            else Observation(event_id=ID, reward=chance.choice([None, 1.0, 0.5])),
        )
        for _ in range(400)
    ]
    settings = with_changes(SETTINGS, {"defaultReward": -1.0})
    world = World(history)
    while world.coming:
        world.arrive(37)
        if chance.random() < 0.2:
            world.restart()
        world.try_step(settings, limit=chance.choice([1, 10, 1_000]))
    world.finish(settings)
    assert world.results() == {seq: fate[1:] for seq, fate in expected(world, settings).items()}
    assert world.unmatched() == expected_strays(world, settings)


def test_what_is_settled_does_not_depend_on_the_size_of_the_steps(tmp_path: Path) -> None:
    found = []
    for limit in (3, 1_000):
        clock = Clock()
        logs = open_stores(tmp_path / str(limit), clock_us=clock).open(make_loop())
        for _ in range(20):
            logs.events.append(ranks(5) + rewards(7))
            clock.advance(4)
        clock.advance(300)
        settler = Settler(logs.events, logs.outcomes)
        while not settler.caught_up:
            settler.step(SETTINGS, settings_version=1, limit=limit, reads=1)
        outcomes = logs.outcomes.outcomes(after=0, limit=1_000)
        found.append([(one.outcome.decision_seq, one.outcome.reward, one.outcome.joined) for one in outcomes])
        logs.close()
    assert found[0] == found[1]
    assert len(found[0]) == 100

"""From when to when a log reaches."""

import pytest
from msgspec.structs import replace

from sartor.log.joined_log import find_settled_time_range
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryLoopStores, MemoryStores


class World:
    """Decisions ten seconds apart."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.start_us = self.clock()
        self.logs: MemoryLoopStores = MemoryStores(clock_us=self.clock).open(make_loop())

    def decide(self, count: int) -> None:
        for number in range(count):
            self.logs.events.append([make_decision(f"event-{number}")])
            self.clock.advance(10)

    def settle(self, *decisions: int, event_id: str | None = None) -> None:
        outcomes = tuple(
            replace(make_outcome(number), event_id=f"event-{number}" if event_id is None else event_id)
            for number in decisions
        )
        self.logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor()))

    def time(self, number: int) -> int:
        return self.logs.events.heads(after=number - 1, limit=1)[0].at_us

    def span(self) -> tuple[int, int] | None:
        return find_settled_time_range(self.logs.events, self.logs.outcomes)


@pytest.fixture
def world() -> World:
    return World()


def test_an_empty_log_has_no_beginning(world: World) -> None:
    assert world.span() is None


def test_what_is_not_settled_is_not_in_the_log_yet(world: World) -> None:
    world.decide(4)
    assert world.span() is None
    world.settle(2, 3)
    assert world.span() == (world.time(2), world.time(3))


def test_one_that_settled_out_of_order_is_no_end(world: World) -> None:
    world.decide(4)
    world.settle(3, 2)
    assert world.span() == (world.time(2), world.time(3))


def test_what_was_erased_does_not_count(world: World) -> None:
    world.decide(5)
    world.settle(1, event_id="")
    assert world.span() is None
    world.settle(2, 3)
    world.settle(4, 5, event_id="")
    assert world.span() == (world.time(2), world.time(3))


def test_long_rows_of_erased_decisions_are_passed_over(world: World) -> None:
    world.decide(2_500)
    world.settle(1)
    world.settle(*range(2, 2_400), event_id="")
    assert world.span() == (world.time(1), world.time(1))
    world.settle(2_400)
    assert world.span() == (world.time(1), world.time(2_400))

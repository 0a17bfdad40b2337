"""The first entry of a log at a time or later is found, wherever the log begins and ends."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.log_search import first_decision_since, first_observation_since, first_outcome_since
from sartor.ports import LoopStores
from sartor.records import Cursor, Observation, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores

STEP_US = 10


def written(count: int) -> tuple[LoopStores, list[int]]:
    """A log of ``count`` decisions, rewards and outcomes, and the times of its decisions."""
    clock = Clock()
    logs = MemoryStores(clock_us=clock).open(make_loop())
    times: list[int] = []
    for number in range(1, count + 1):
        clock.advance(STEP_US / 1_000_000)
        logs.events.append([make_decision(f"e{number}")])
        logs.events.append([Observation(event_id=f"e{number}", reward=1.0)])
        times.append(clock())
        outcome = replace(make_outcome(number, f"e{number}"), settled_at_us=clock())
        settlement = Settlement(outcomes=(outcome,), unmatched=(), cursor=Cursor(number, number))
        logs.outcomes.record(settlement)
    return logs, times


def found(logs: LoopStores, at_us: int) -> Sequence[int]:
    return (
        first_decision_since(logs.events, at_us),
        first_observation_since(logs.events, at_us),
        first_outcome_since(logs.outcomes, at_us),
    )


def test_an_empty_log_has_its_first_entry_still_to_come() -> None:
    logs, _ = written(0)
    assert found(logs, 0) == (1, 1, 1)


@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_each_entry_is_found_by_its_own_time_and_any_since_the_one_before(count: int) -> None:
    logs, times = written(count)
    for number, at_us in enumerate(times, start=1):
        assert found(logs, at_us) == (number,) * 3
        assert found(logs, at_us - STEP_US + 1) == (number,) * 3
        assert found(logs, at_us + 1) == (number + 1,) * 3

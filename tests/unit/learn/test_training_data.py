from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.dsjson import single_slot
from sartor.errors import Corrupt, StoreUnavailable
from sartor.learn.training_data import read_examples
from sartor.records import Cursor, LoggedDecision, Outcome, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.events import MemoryEvents
from sartor.testing.fakes import Clock, Disk
from sartor.testing.stores import MemoryLoopStores, MemoryStores


def make_log(decisions: int) -> MemoryLoopStores:
    log = MemoryStores().open(make_loop())
    log.events.append([make_decision(f"event-{number}") for number in range(1, decisions + 1)])
    return log


def settle(log: MemoryLoopStores, *outcomes: Outcome) -> None:
    log.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor()))


def test_outcomes_come_in_their_own_order_each_with_its_decision() -> None:
    log = make_log(3_000)
    order = [*range(2_900, 3_001), *range(1, 200, 7), 2_000, 500, 1_999, 201, 200]
    settle(log, *(make_outcome(seq) for seq in order))
    found = list(read_examples(log.events, log.outcomes, after=0, limit=10_000))
    assert [example.seq for example in found] == list(range(1, len(order) + 1))
    assert [example.decision.seq for example in found if example.decision] == order


class Watched(MemoryEvents):
    """An event log that remembers the numbers of the decisions that were read."""

    def __init__(self, log: MemoryLoopStores) -> None:
        super().__init__(clock_us=Clock(), disk=Disk())
        self.append([logged.decision for logged in log.events.decisions(after=0, limit=10_000)])
        self.read: list[int] = []

    def decisions(self, *, after: int, limit: int) -> Sequence[LoggedDecision]:
        found = super().decisions(after=after, limit=limit)
        self.read += [logged.seq for logged in found]
        return found


def test_what_is_not_learned_has_no_line_and_is_not_read() -> None:
    log = make_log(40)
    idle = replace(make_outcome(20), learnable=False)
    settle(log, make_outcome(40), idle, make_outcome(1))
    watched = Watched(log)
    found = list(read_examples(watched, log.outcomes, after=0, limit=10))
    assert [example.encode_line() is None for example in found] == [False, True, False]
    assert found[0].decision is not None
    assert found[0].encode_line() == single_slot.encode_outcome_line(found[0].decision, make_outcome(40))
    assert watched.read == [1, 40]


def test_decisions_close_together_are_read_in_one_go_and_those_far_apart_are_not() -> None:
    log = make_log(2_000)
    settle(log, *(make_outcome(seq) for seq in (1_991, 1, 4, 1_995, 9)))
    watched = Watched(log)
    assert len(list(read_examples(watched, log.outcomes, after=0, limit=10))) == 5
    assert watched.read == [*range(1, 10), *range(1_991, 1_996)]


@pytest.mark.parametrize(
    ("after", "limit", "expected"), [(0, 2, [1, 2]), (2, 10, [3]), (3, 10, []), (0, 0, [])]
)
def test_reading_starts_and_stops_where_asked(after: int, limit: int, expected: list[int]) -> None:
    log = make_log(3)
    settle(log, *(make_outcome(seq) for seq in (1, 2, 3)))
    found = read_examples(log.events, log.outcomes, after=after, limit=limit)
    assert [example.seq for example in found] == expected


def test_more_outcomes_than_fit_a_block_are_read_block_by_block() -> None:
    log = make_log(2_500)
    settle(log, *(make_outcome(seq) for seq in range(1, 2_501)))
    found = read_examples(log.events, log.outcomes, after=0, limit=2_400)
    assert [example.seq for example in found] == list(range(1, 2_401))


def test_an_outcome_whose_decision_is_missing_is_corrupt() -> None:
    log = make_log(1)
    settle(log, make_outcome(1), make_outcome(2))
    with pytest.raises(Corrupt, match="Outcome 2 settles decision 2, which is missing"):
        list(read_examples(log.events, log.outcomes, after=0, limit=10))


def test_a_store_that_fails_midway_has_given_whole_blocks_only() -> None:
    stores = MemoryStores()
    log = stores.open(make_loop())
    log.events.append([make_decision()] * 1_500)
    settle(log, *(make_outcome(seq) for seq in range(1, 1_501)))
    reading = read_examples(log.events, log.outcomes, after=0, limit=1_500)
    taken = [next(reading).seq for _ in range(1_000)]
    stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        next(reading)
    assert taken == list(range(1, 1_001))

"""The joined log is in the order of the outcomes, whole, and read in pieces."""

import json

import pytest

from sartor.errors import Corrupt
from sartor.log import joined_log
from sartor.ports import LoopStores
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.stores import MemoryStores


def logs_of(decisions: int, settled: list[int], *, cursor: int = 0) -> LoopStores:
    """Decisions 1 … and outcomes of some of them, in this order."""
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision(f"event-{number}") for number in range(1, decisions + 1)])
    outcomes = tuple(make_outcome(number) for number in settled)
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor(cursor, 0)))
    return logs


def ids(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["EventId"] for line in lines]


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([1, 2, 3], id="as decided"),
        pytest.param([3, 1, 2], id="rewards settle first"),
        pytest.param([1, 900, 2, 901, 450], id="far apart"),
        pytest.param([*range(2, 1002, 2), *range(1001, 0, -2)], id="over several batches"),
    ],
)
def test_the_order_is_that_of_learning(order: list[int]) -> None:
    logs = logs_of(max(order), order)
    assert ids(list(joined_log.read_settled_lines(logs))) == [f"event-{number}" for number in order]


def test_what_has_no_outcome_is_pending() -> None:
    logs = logs_of(6, [1, 2, 5], cursor=2)
    assert ids(list(joined_log.read_pending_lines(logs))) == ["event-3", "event-4", "event-6"]


def test_a_second_decision_of_the_same_id_is_pending_by_its_number() -> None:
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision("same"), make_decision("same")])
    outcome = make_outcome(1, "same")
    logs.outcomes.record(Settlement(outcomes=(outcome,), unmatched=(), cursor=Cursor(0, 0)))
    assert [logged.seq for logged in joined_log.read_open_decisions(logs)] == [2]


def test_an_outcome_without_its_decision_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="Outcome 2 settles decision 9, which is missing"):
        list(joined_log.read_settled_lines(logs_of(3, [1, 9])))


def test_an_empty_log_has_no_lines() -> None:
    logs = MemoryStores().open(make_loop())
    assert list(joined_log.read_settled_lines(logs)) == []
    assert list(joined_log.read_pending_lines(logs)) == []

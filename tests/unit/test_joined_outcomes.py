"""Outcomes come with their decisions; what retention removes while they are read is left out."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from sartor.errors import Corrupt
from sartor.joined_outcomes import read_joined_outcomes
from sartor.ports import OutcomeCounts
from sartor.records import Cursor, Settlement
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.fakes import Disk
from sartor.testing.outcomes import MemoryOutcomes
from sartor.testing.stores import MemoryLoopStores, MemoryStores


def make_logs(decisions: int, settled: Sequence[int], *, idle: Sequence[int] = ()) -> MemoryLoopStores:
    """Decisions 1 … and outcomes of some of them, in this order; those of ``idle`` are not learnable."""
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision(f"event-{number}") for number in range(1, decisions + 1)])
    outcomes = tuple(replace(make_outcome(number), learnable=number not in idle) for number in settled)
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=(), cursor=Cursor()))
    return logs


def test_the_order_is_that_of_settling() -> None:
    order = [*range(2, 3_000, 2), *range(2_999, 0, -2)]
    logs = make_logs(3_000, order)
    joined = list(read_joined_outcomes(logs.events, logs.outcomes))
    assert [one.seq for one in joined] == list(range(1, len(order) + 1))
    assert [one.decision.seq for one in joined if one.decision] == order


def test_decisions_of_outcomes_that_are_not_learnable_come_only_where_wanted() -> None:
    logs = make_logs(5, [4, 2, 5], idle=[2])
    everything = read_joined_outcomes(logs.events, logs.outcomes)
    learnable = read_joined_outcomes(logs.events, logs.outcomes, learnable_only=True)
    assert [one.decision and one.decision.seq for one in everything] == [4, 2, 5]
    assert [one.decision and one.decision.seq for one in learnable] == [4, None, 5]


@pytest.mark.parametrize(
    ("after", "limit", "expected"), [(0, None, [1, 2, 3]), (0, 2, [1, 2]), (2, 9, [3]), (3, None, [])]
)
def test_reading_begins_and_ends_where_asked(after: int, limit: int | None, expected: list[int]) -> None:
    logs = make_logs(3, [1, 2, 3])
    joined = read_joined_outcomes(logs.events, logs.outcomes, after=after, limit=limit)
    assert [one.seq for one in joined] == expected


def test_an_outcome_whose_decision_is_missing_is_corrupt() -> None:
    logs = make_logs(1, [1, 2])
    with pytest.raises(Corrupt, match="Outcome 2 settles decision 2, which is missing"):
        list(read_joined_outcomes(logs.events, logs.outcomes))


class RetainedOutcomes(MemoryOutcomes):
    """Outcomes of which retention removes the first two just after they were read."""

    def counts(self) -> OutcomeCounts:
        return replace(super().counts(), first_outcome=3)


def test_what_retention_removes_meanwhile_is_left_out() -> None:
    logs = make_logs(1, [])
    outcomes = RetainedOutcomes(disk=Disk())
    outcomes.record(Settlement(outcomes=tuple(map(make_outcome, (9, 8, 1))), unmatched=(), cursor=Cursor()))
    assert [one.seq for one in read_joined_outcomes(logs.events, outcomes)] == [3]

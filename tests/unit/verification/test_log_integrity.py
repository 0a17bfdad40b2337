"""Counting finds what is missing, double, or belongs to nothing."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from sartor.ports import LoopStores
from sartor.records import Cursor, JoinedObservation, Observation, Settlement, UnmatchedObservation
from sartor.testing.builders import make_decision, make_loop, make_outcome
from sartor.testing.stores import MemoryStores
from sartor.verification.log_integrity import LogIntegrityCheck


@pytest.fixture
def logs() -> LoopStores:
    """Three decisions, two observations; two outcomes, one of which joined the first observation."""
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision(f"event-{number}") for number in (1, 2, 3)])
    logs.events.append([Observation(event_id="event-1", reward=1.0), Observation(event_id="x", reward=0.0)])
    joined = msgspec.structs.replace(make_outcome(1), joined=(JoinedObservation(1, 0, 1.0),))
    settle(logs, joined, make_outcome(2), cursor=Cursor(2, 2), unmatched=(UnmatchedObservation(2, "dangling"),))
    return logs


def settle(
    logs: LoopStores, *outcomes: Any, cursor: Cursor, unmatched: tuple[UnmatchedObservation, ...] = ()
) -> None:
    logs.outcomes.record(Settlement(outcomes=outcomes, unmatched=unmatched, cursor=cursor))


def complaints(logs: Any) -> list[str]:
    return LogIntegrityCheck().run(logs)


class Holes:
    """A log that lost an entry."""

    def __init__(self, log: Any, *, lost: int) -> None:
        self._log = log
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def _without(self, found: Sequence[Any]) -> list[Any]:
        return [one for one in found if one.seq != self._lost]

    def decisions(self, **where: int) -> list[Any]:
        return self._without(self._log.decisions(**where))

    def outcomes(self, **where: int) -> list[Any]:
        return self._without(self._log.outcomes(**where))


class Opened:
    """Stores of a loop, one of them exchanged."""

    def __init__(self, logs: LoopStores, **exchanged: Any) -> None:
        self.events: Any = exchanged.get("events", logs.events)
        self.outcomes: Any = exchanged.get("outcomes", logs.outcomes)
        self.jobs = logs.jobs
        self.models = logs.models

    def close(self) -> None:
        """Nothing to close."""


def test_a_log_in_order_is_counted(logs: LoopStores) -> None:
    census = LogIntegrityCheck()
    assert census.run(logs) == []
    assert census.counts == {
        "decisions": 3,
        "observations": 2,
        "outcomes": 2,
        "learnable": 2,
        "open": 1,
        "late": 0,
        "dangling": 1,
        "orphans": 0,
    }


def test_an_empty_log_is_in_order() -> None:
    assert complaints(MemoryStores().open(make_loop())) == []


def test_a_lost_decision_is_found(logs: LoopStores) -> None:
    holes = Opened(logs, events=Holes(logs.events, lost=2))
    assert complaints(holes) == ["Gaps in the numbers of the decisions, before: 3."]


def test_a_lost_end_is_found(logs: LoopStores) -> None:
    holes = Opened(logs, events=Holes(logs.events, lost=3))
    assert complaints(holes) == ["The decisions end before the last number that was given, at: 2."]


def test_a_lost_outcome_is_found(logs: LoopStores) -> None:
    holes = Opened(logs, outcomes=Holes(logs.outcomes, lost=1))
    assert complaints(holes) == [
        "Gaps in the numbers of the outcomes, before: 2.",
        "Decisions that were passed over without an outcome: 1.",
        "The count of learnable outcomes is wrong; counted: 1.",
    ]


def test_an_outcome_of_nothing_is_an_orphan(logs: LoopStores) -> None:
    settle(logs, make_outcome(9), cursor=Cursor(2, 2))
    census = LogIntegrityCheck()
    assert census.run(logs) == ["Outcomes without a decision: 3."]
    assert census.counts["orphans"] == 1
    assert census.counts["open"] == 1


def test_an_observation_counts_once(logs: LoopStores) -> None:
    twice = msgspec.structs.replace(
        make_outcome(3), joined=(JoinedObservation(1, 0, 1.0), JoinedObservation(7, 0, 1.0))
    )
    settle(logs, twice, cursor=Cursor(3, 2))
    assert complaints(logs) == [
        "Observations that count for two decisions: 1.",
        "Outcomes with an observation that is not there: 3.",
    ]


def test_a_decision_passed_over_is_found(logs: LoopStores) -> None:
    settle(logs, cursor=Cursor(3, 2))
    assert complaints(logs) == ["Decisions that were passed over without an outcome: 3."]


def test_a_cursor_ahead_of_the_log_is_found(logs: LoopStores) -> None:
    settle(logs, make_outcome(3), cursor=Cursor(4, 2))
    assert complaints(logs) == ["Settling is ahead of the log, at decision: 4."]


def test_many_numbers_are_not_all_told() -> None:
    logs = MemoryStores().open(make_loop())
    logs.events.append([make_decision(f"event-{number}") for number in range(9)])
    settle(logs, cursor=Cursor(9, 0))
    assert complaints(logs) == ["Decisions that were passed over without an outcome: 1, 2, 3, 4, 5 and 4 more."]

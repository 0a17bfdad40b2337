"""A loop that fails keeps no other from its turn, is reported once, and no loop is always the last."""

import logging

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.runtime.for_each_loop import LoopVisits, for_each_loop
from sartor.testing.builders import make_loop

BROKEN, SECOND, THIRD = (make_loop(name, loop_id=name) for name in ("a-broken", "b", "c"))
LOOPS = (BROKEN, SECOND, THIRD)


class Visitor:
    """Notes whom it visited; fails at the loops that are named in ``errors``."""

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.visited: list[str] = []

    def __call__(self, loop: Loop) -> None:
        self.visited.append(loop.name)
        if loop.name in self.errors:
            raise self.errors[loop.name]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.mark.parametrize("error", [StoreUnavailable("The disk is full."), ZeroDivisionError("a bug")])
def test_the_loops_after_a_broken_one_are_visited(visitor: Visitor, error: Exception) -> None:
    visits = LoopVisits("visit_failed")
    visitor.errors["a-broken"] = error
    for_each_loop(LOOPS, visitor, visits=visits)
    assert visitor.visited == ["a-broken", "b", "c"]
    assert set(visits.failures) == {"a-broken"}


def test_a_failure_is_logged_once_until_it_changes_or_ends(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visits = LoopVisits("visit_failed")
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for _ in range(3):
        for_each_loop(LOOPS, visitor, visits=visits)
    assert [record.getMessage() for record in caplog.records] == ["Loop 'a-broken': The disk is full."]
    visitor.errors["a-broken"] = StoreUnavailable("It is gone.")
    for_each_loop(LOOPS, visitor, visits=visits)
    visitor.errors.clear()
    for_each_loop(LOOPS, visitor, visits=visits)
    for_each_loop(LOOPS, visitor, visits=visits)
    assert [record.getMessage() for record in caplog.records][1:] == [
        "Loop 'a-broken': It is gone.",
        "Loop 'a-broken': recovered.",
    ]
    assert not visits.failures


def test_an_error_that_nobody_foresaw_is_logged_with_its_traceback(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.errors["a-broken"] = ZeroDivisionError("a bug")
    for_each_loop(LOOPS, visitor, visits=LoopVisits("visit_failed"))
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].getMessage() == "Loop 'a-broken': ZeroDivisionError: a bug"


def test_each_round_begins_with_the_next_loop(visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed")
    firsts = []
    for _ in range(4):
        visitor.visited.clear()
        for_each_loop(LOOPS, visitor, visits=visits)
        assert sorted(visitor.visited) == ["a-broken", "b", "c"]
        firsts.append(visitor.visited[0])
    assert firsts == ["a-broken", "b", "c", "a-broken"]


def test_a_visitor_without_time_for_more_goes_on_with_others_in_the_next_round(visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed")

    def one(loop: Loop) -> bool:
        visitor(loop)
        return True

    for _ in range(3):
        for_each_loop(LOOPS, one, visits=visits)
    assert visitor.visited == ["a-broken", "b", "c"]


def test_failures_of_loops_that_are_gone_are_forgotten(visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed")
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    for_each_loop((SECOND, THIRD), visitor, visits=visits)
    assert not visits.failures


def test_no_loops_no_visits(visitor: Visitor) -> None:
    for_each_loop((), visitor, visits=LoopVisits("visit_failed"))
    assert visitor.visited == []


def test_what_is_known_of_a_loop_that_is_not_due_stays(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visits = LoopVisits("visit_failed")
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    for_each_loop(LOOPS, visitor, visits=visits, is_due=lambda loop: loop != BROKEN)
    assert visits.failures == {"a-broken": "The disk is full."}
    assert visitor.visited.count("a-broken") == 1
    assert len(caplog.records) == 1

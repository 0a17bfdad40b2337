"""A loop that fails keeps no other from its turn, is reported once, and no loop is always the last."""

import logging

import pytest

from sartor.errors import Corrupt, LoopDeleted, StoreUnavailable
from sartor.ports import Catalog, Loop
from sartor.runtime.for_each_loop import NOT_SEEN, LoopVisits, for_each_loop
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores

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
def catalog() -> Catalog:
    catalog = MemoryStores().catalog
    for loop in LOOPS:
        catalog.create(loop)
    return catalog


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.mark.parametrize("error", [StoreUnavailable("The disk is full."), ZeroDivisionError("a bug")])
def test_the_loops_after_a_broken_one_are_visited(catalog: Catalog, visitor: Visitor, error: Exception) -> None:
    visits = LoopVisits("visit_failed", catalog)
    visitor.errors["a-broken"] = error
    for_each_loop(LOOPS, visitor, visits=visits)
    assert visitor.visited == ["a-broken", "b", "c"]
    assert set(visits.failures) == {"a-broken"}


def test_a_failure_is_logged_once_until_it_changes_or_ends(
    catalog: Catalog, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visits = LoopVisits("visit_failed", catalog)
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
    catalog: Catalog, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.errors["a-broken"] = ZeroDivisionError("a bug")
    for_each_loop(LOOPS, visitor, visits=LoopVisits("visit_failed", catalog))
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].getMessage() == "Loop 'a-broken': ZeroDivisionError: a bug"


def test_each_round_begins_with_the_next_loop(catalog: Catalog, visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed", catalog)
    firsts = []
    for _ in range(4):
        visitor.visited.clear()
        for_each_loop(LOOPS, visitor, visits=visits)
        assert sorted(visitor.visited) == ["a-broken", "b", "c"]
        firsts.append(visitor.visited[0])
    assert firsts == ["a-broken", "b", "c", "a-broken"]


def test_a_visitor_without_time_for_more_goes_on_with_others_in_the_next_round(
    catalog: Catalog, visitor: Visitor
) -> None:
    visits = LoopVisits("visit_failed", catalog)

    def one(loop: Loop) -> bool:
        visitor(loop)
        return True

    for _ in range(3):
        for_each_loop(LOOPS, one, visits=visits)
    assert visitor.visited == ["a-broken", "b", "c"]


def test_failures_of_loops_that_are_gone_are_forgotten(catalog: Catalog, visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed", catalog)
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    for_each_loop((SECOND, THIRD), visitor, visits=visits)
    assert not visits.failures


def test_no_loops_no_visits(catalog: Catalog, visitor: Visitor) -> None:
    for_each_loop((), visitor, visits=LoopVisits("visit_failed", catalog))
    assert visitor.visited == []


def test_what_is_known_of_a_loop_that_is_not_due_stays(
    catalog: Catalog, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visits = LoopVisits("visit_failed", catalog)
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    for_each_loop(LOOPS, visitor, visits=visits, is_due=lambda loop: loop != BROKEN)
    assert visits.failures == {"a-broken": "The disk is full."}
    assert visitor.visited.count("a-broken") == 1
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "error", [StoreUnavailable("a/latest-time can't be written."), Corrupt("It is damaged."), KeyError("a")]
)
def test_a_loop_that_is_deleted_during_its_visit_is_no_failure(
    catalog: Catalog, visitor: Visitor, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.INFO)
    visits = LoopVisits("visit_failed", catalog)

    def delete_meanwhile(loop: Loop) -> None:
        visitor(loop)
        if loop == BROKEN:
            catalog.delete(loop.name)
            raise error

    for_each_loop(LOOPS, delete_meanwhile, visits=visits)
    assert visitor.visited == ["a-broken", "b", "c"]
    assert not visits.failures
    assert visits.find_problems("A visit failed") == []
    assert caplog.records == []


def test_what_was_wrong_with_a_loop_is_forgotten_when_it_is_deleted(catalog: Catalog, visitor: Visitor) -> None:
    visits = LoopVisits("visit_failed", catalog)
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    visitor.errors["a-broken"] = LoopDeleted()
    for_each_loop(LOOPS, visitor, visits=visits)
    assert not visits.failures


def test_a_loop_that_has_another_name_now_is_no_failure_under_the_old_one(
    catalog: Catalog, visitor: Visitor
) -> None:
    visits = LoopVisits("visit_failed", catalog)
    catalog.delete("a-broken", recoverable_until_us=1)
    catalog.recover("a-broken", name="renamed")
    visitor.errors["a-broken"] = StoreUnavailable("The folder is gone.")
    for_each_loop(LOOPS, visitor, visits=visits)
    assert not visits.failures


def test_a_failure_counts_where_the_catalog_can_not_be_asked(visitor: Visitor) -> None:
    stores = MemoryStores()
    stores.disk.failing = True
    visits = LoopVisits("visit_failed", stores.catalog)
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for_each_loop(LOOPS, visitor, visits=visits)
    assert visits.failures == {"a-broken": "The disk is full."}


def test_a_visit_that_saw_nothing_of_the_loop_changes_nothing(
    catalog: Catalog, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visits = LoopVisits("visit_failed", catalog)
    visitor.errors["a-broken"] = StoreUnavailable("The disk is full.")
    for _ in range(3):
        for_each_loop(LOOPS, visitor, visits=visits)
        for_each_loop(LOOPS, lambda _: NOT_SEEN, visits=visits)
    assert visits.failures == {"a-broken": "The disk is full."}
    assert [record.getMessage() for record in caplog.records] == ["Loop 'a-broken': The disk is full."]
    for_each_loop(LOOPS, lambda _: None, visits=visits)
    assert not visits.failures

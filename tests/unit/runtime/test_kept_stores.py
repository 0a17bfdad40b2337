"""Stores of loops are opened once for many visits, and closed when their loop is gone."""

from collections import Counter

import pytest
from msgspec.structs import replace

from sartor.jobs.worker import JobWorker
from sartor.ports import Loop
from sartor.runtime.kept_stores import KeptLoopStores
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryLoopStores, MemoryStores


class CountingStores(MemoryStores):
    """Counts by name how often the stores of a loop were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Counter[str] = Counter()

    def open(self, loop: Loop, /) -> MemoryLoopStores:
        self.opened[loop.name] += 1
        return super().open(loop)


@pytest.fixture
def stores() -> CountingStores:
    return CountingStores()


def test_many_visits_open_the_stores_once(stores: CountingStores) -> None:
    kept = KeptLoopStores(stores)
    for _ in range(5):
        kept.of(make_loop("a"))
        kept.of(make_loop("b"))
    assert stores.opened == {"a": 1, "b": 1}


def test_a_loop_under_another_name_is_opened_where_it_is_now(stores: CountingStores) -> None:
    kept = KeptLoopStores(stores)
    loop = make_loop("a")
    kept.of(loop)
    kept.of(replace(loop, name="b"))
    assert stores.opened == {"a": 1, "b": 1}


def test_those_of_loops_that_are_gone_are_closed(stores: CountingStores) -> None:
    kept = KeptLoopStores(stores)
    loops = [make_loop(name) for name in ("a", "b")]
    for loop in loops:
        kept.of(loop)
    kept.keep_only(loops[:1])
    for loop in loops:
        kept.of(loop)
    assert stores.opened == {"a": 1, "b": 2}


def test_the_job_worker_opens_each_queue_once_and_reads_only_loops_that_changed(stores: CountingStores) -> None:
    for number in range(100):
        stores.catalog.create(make_loop(f"loop-{number:02d}"))
    worker = JobWorker(stores, lambda *_: pytest.fail("there is no job"))
    worker.run_once(now_us=1)
    stores.catalog.loops_read = 0
    for number in range(10):
        stores.catalog.update(replace(make_loop("loop-50"), key1=f"key {number}"))
        worker.run_once(now_us=1)
    assert stores.catalog.loops_read == 10
    assert set(stores.opened.values()) == {1}
    assert len(stores.opened) == 100

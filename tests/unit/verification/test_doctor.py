"""The check of all loops: one that can't be opened is reported, and stops no other."""

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop, LoopStores
from sartor.runtime import compose
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from sartor.verification.doctor import check_all_loops


class Stores(MemoryStores):
    """Can't open one loop."""

    broken = ""

    def open(self, loop: Loop, /) -> LoopStores:  # type: ignore[override]
        if loop.name == self.broken:
            raise StoreUnavailable("The folder can't be opened.")
        return super().open(loop)


@pytest.mark.parametrize("broken", ["a", "b", "c"])
def test_a_loop_that_can_not_be_opened_is_a_problem_of_its_own(broken: str) -> None:
    stores = Stores()
    stores.broken = broken
    for name in "abc":
        stores.catalog.create(make_loop(name))
    reports = check_all_loops(stores, compose.engine_factory(), replay=False)
    assert [report.loop for report in reports] == ["a", "b", "c"]
    assert {report.loop: report.problems for report in reports if not report.healthy} == {
        broken: ("The loop can't be checked: The folder can't be opened.",)
    }

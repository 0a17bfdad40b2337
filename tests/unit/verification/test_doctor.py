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

    refused = ""
    error: Exception = StoreUnavailable("The folder can't be opened.")

    def open(self, loop: Loop, /) -> LoopStores:  # type: ignore[override]
        if loop.name == self.refused:
            raise self.error
        return super().open(loop)


@pytest.mark.parametrize("broken", ["a", "b", "c"])
def test_a_loop_that_can_not_be_opened_is_a_problem_of_its_own(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    stores = Stores()
    stores.refused = broken
    for name in "abc":
        stores.catalog.create(make_loop(name))
    reports = check_all_loops(stores, compose.engine_factory(), replay=False)
    assert [report.loop for report in reports] == ["a", "b", "c"]
    assert {report.loop: report.problems for report in reports if not report.healthy} == {
        broken: ("The loop can't be checked: The folder can't be opened.",)
    }
    assert not caplog.records, "the report says it"


def test_an_unforeseen_error_with_one_loop_is_a_problem_of_its_own() -> None:
    stores = Stores()
    stores.refused, stores.error = "a", ZeroDivisionError("a bug")
    for name in "ab":
        stores.catalog.create(make_loop(name))
    first, second = check_all_loops(stores, compose.engine_factory(), replay=False)
    assert first.problems == ("The loop can't be checked: ZeroDivisionError: a bug",)
    assert second.healthy

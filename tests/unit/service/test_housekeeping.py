"""Housekeeping visits every loop, whatever is wrong with one, and logs a failure once."""

import logging
from collections.abc import Sequence

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.service.housekeeping import Housekeeping
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores


class Stores(MemoryStores):
    """Remembers what was maintained; refuses the loops that are listed in ``broken``."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.maintained: list[str] = []
        self.is_due = True
        self.error: Exception = StoreUnavailable("The folder is read-only.")
        for name in names:
            self.catalog.create(make_loop(name))

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> bool:
        if loop.name in self.broken:
            raise self.error
        self.maintained.append(loop.name)
        return self.is_due


def warnings(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_every_loop_is_maintained() -> None:
    stores = Stores("a", "b")
    Housekeeping(stores).run_once()
    assert stores.maintained == ["a", "b"]


@pytest.mark.parametrize("error", [StoreUnavailable("The folder is read-only."), ZeroDivisionError("a bug")])
def test_a_broken_loop_does_not_stop_the_others(error: Exception) -> None:
    stores = Stores("a", "b", "c")
    stores.broken = {"a"}
    stores.error = error
    Housekeeping(stores).run_once()
    assert stores.maintained == ["b", "c"]


def test_a_failure_is_logged_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    stores = Stores("a")
    housekeeping = Housekeeping(stores)
    for broken in ({"a"}, {"a"}, set(), {"a"}):
        stores.broken = broken
        housekeeping.run_once()
    assert warnings(caplog) == ["Loop 'a': The folder is read-only."] * 2


def test_a_failure_is_not_over_while_nothing_is_due(caplog: pytest.LogCaptureFixture) -> None:
    stores = Stores("a")
    housekeeping = Housekeeping(stores)
    for broken, is_due in (({"a"}, True), (set(), False), ({"a"}, True)):
        stores.broken, stores.is_due = broken, is_due
        housekeeping.run_once()
    assert warnings(caplog) == ["Loop 'a': The folder is read-only."]


def test_deleted_loops_are_purged() -> None:
    stores = Stores("a", "b")
    stores.catalog.delete("a")
    assert list(Housekeeping(stores).purge()) == ["id-of-a"]
    assert list(Housekeeping(stores).purge()) == []

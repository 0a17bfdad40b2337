"""House-keeping visits every loop, whatever is wrong with one, and tells of a trouble once."""

import logging
from collections.abc import Sequence

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop
from sartor.service.housekeeping import Housekeeping
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores


class Stores(MemoryStores):
    """Remembers what was tidied; refuses the loops that are listed in ``broken``."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.tidied: list[str] = []
        self.broken: set[str] = set()
        for name in names:
            self.catalog.create(make_loop(name))

    def maintain(self, loop: Loop, /, *, sparing: bool = False) -> None:
        if loop.name in self.broken:
            raise StoreUnavailable("The folder is read-only.")
        self.tidied.append(loop.name)


def told(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_every_loop_is_tidied() -> None:
    stores = Stores("a", "b")
    assert Housekeeping(stores).run_once() == 2
    assert stores.tidied == ["a", "b"]


def test_a_broken_loop_does_not_stop_the_others() -> None:
    stores = Stores("a", "b", "c")
    stores.broken = {"a"}
    assert Housekeeping(stores).run_once() == 2
    assert stores.tidied == ["b", "c"]


def test_a_trouble_is_told_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    stores = Stores("a")
    house = Housekeeping(stores)
    for broken in ({"a"}, {"a"}, set(), {"a"}):
        stores.broken = broken
        house.run_once()
    assert told(caplog) == ["The store of a loop could not be tidied: The folder is read-only."] * 2


def test_deleted_loops_are_purged() -> None:
    stores = Stores("a", "b")
    stores.catalog.delete("a")
    assert list(Housekeeping(stores).purge()) == ["id-of-a"]
    assert list(Housekeeping(stores).purge()) == []

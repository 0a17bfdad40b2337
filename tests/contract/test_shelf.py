"""What every shelf promises."""

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop, LoopStores, Stores
from sartor.testing.builders import make_loop
from tests.contract.conftest import FullDisk


def test_what_was_put_is_there_and_nothing_else(opened: LoopStores) -> None:
    assert opened.shelf.get("scorecard") is None
    assert list(opened.shelf.names()) == []
    opened.shelf.put("scorecard", b"one")
    opened.shelf.put("another", b"")
    assert opened.shelf.get("scorecard") == b"one"
    assert opened.shelf.get("another") == b""
    assert list(opened.shelf.names()) == ["another", "scorecard"]


def test_a_second_put_replaces_the_first(opened: LoopStores) -> None:
    opened.shelf.put("scorecard", b"longer than the second")
    opened.shelf.put("scorecard", b"two")
    assert opened.shelf.get("scorecard") == b"two"
    assert list(opened.shelf.names()) == ["scorecard"]


def test_what_is_dropped_is_gone_and_dropping_it_again_is_no_error(opened: LoopStores) -> None:
    opened.shelf.drop("scorecard")
    opened.shelf.put("scorecard", b"one")
    opened.shelf.drop("scorecard")
    opened.shelf.drop("scorecard")
    assert opened.shelf.get("scorecard") is None
    assert list(opened.shelf.names()) == []


def test_it_outlives_closing(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    opened.shelf.put("scorecard", b"one")
    opened.close()
    again = stores.open(loop)
    assert again.shelf.get("scorecard") == b"one"
    again.close()


def test_a_loop_of_a_deleted_ones_name_has_a_shelf_of_its_own(
    stores: Stores, loop: Loop, opened: LoopStores
) -> None:
    opened.shelf.put("scorecard", b"first")
    stores.catalog.delete(loop.name)
    second = make_loop(loop.name, loop_id="second")
    stores.catalog.create(second)
    again = stores.open(second)
    assert again.shelf.get("scorecard") is None
    again.shelf.put("scorecard", b"second")
    assert again.shelf.get("scorecard") == b"second"
    again.close()


def test_a_full_disk_leaves_what_was_there(opened: LoopStores, full_disk: FullDisk) -> None:
    opened.shelf.put("scorecard", b"one")
    with full_disk(), pytest.raises(StoreUnavailable):
        opened.shelf.put("scorecard", b"x" * 1000)
    assert opened.shelf.get("scorecard") == b"one"
    assert list(opened.shelf.names()) == ["scorecard"]

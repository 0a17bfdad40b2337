"""What every blob store promises."""

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop, LoopStores, Stores
from sartor.testing.builders import make_loop
from tests.contract.conftest import FullDisk


def test_what_was_put_is_there_and_nothing_else(opened: LoopStores) -> None:
    assert opened.blobs.get("scorecard") is None
    assert list(opened.blobs.names()) == []
    opened.blobs.put("scorecard", b"one")
    opened.blobs.put("another", b"")
    assert opened.blobs.get("scorecard") == b"one"
    assert opened.blobs.get("another") == b""
    assert list(opened.blobs.names()) == ["another", "scorecard"]


def test_a_second_put_replaces_the_first(opened: LoopStores) -> None:
    opened.blobs.put("scorecard", b"longer than the second")
    opened.blobs.put("scorecard", b"two")
    assert opened.blobs.get("scorecard") == b"two"
    assert list(opened.blobs.names()) == ["scorecard"]


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_error(opened: LoopStores) -> None:
    opened.blobs.delete("scorecard")
    opened.blobs.put("scorecard", b"one")
    opened.blobs.delete("scorecard")
    opened.blobs.delete("scorecard")
    assert opened.blobs.get("scorecard") is None
    assert list(opened.blobs.names()) == []


def test_it_outlives_closing(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    opened.blobs.put("scorecard", b"one")
    opened.close()
    again = stores.open(loop)
    assert again.blobs.get("scorecard") == b"one"
    again.close()


def test_a_loop_of_a_deleted_ones_name_has_a_blob_store_of_its_own(
    stores: Stores, loop: Loop, opened: LoopStores
) -> None:
    opened.blobs.put("scorecard", b"first")
    stores.catalog.delete(loop.name)
    second = make_loop(loop.name, loop_id="second")
    stores.catalog.create(second)
    again = stores.open(second)
    assert again.blobs.get("scorecard") is None
    again.blobs.put("scorecard", b"second")
    assert again.blobs.get("scorecard") == b"second"
    again.close()


def test_a_full_disk_leaves_what_was_there(opened: LoopStores, full_disk: FullDisk) -> None:
    opened.blobs.put("scorecard", b"one")
    with full_disk(), pytest.raises(StoreUnavailable):
        opened.blobs.put("scorecard", b"x" * 1000)
    assert opened.blobs.get("scorecard") == b"one"
    assert list(opened.blobs.names()) == ["scorecard"]

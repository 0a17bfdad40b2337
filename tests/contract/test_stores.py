"""What every store of an instance promises."""

import pytest

from sartor.errors import StoreUnavailable
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Cursor, Observation, Settlement
from sartor.testing.builders import make_decision, make_loop, make_model, make_outcome
from tests.contract.conftest import FullDisk


def fill(loop_stores: LoopStores) -> None:
    loop_stores.events.append([make_decision("e"), Observation(event_id="e", reward=1.0)])
    loop_stores.outcomes.record(Settlement(outcomes=(make_outcome(1),), unmatched=(), cursor=Cursor(1, 1)))
    loop_stores.models.publish(make_model("m"), b"bytes", live=True)


def is_filled(loop_stores: LoopStores) -> bool:
    counts = (
        len(loop_stores.events.heads(after=0, limit=2)),
        len(loop_stores.events.observations(after=0, limit=2)),
        len(loop_stores.outcomes.outcomes(after=0, limit=2)),
        len(loop_stores.models.history()),
    )
    assert counts in ((0, 0, 0, 0), (1, 1, 1, 1))
    return counts != (0, 0, 0, 0)


def test_loops_have_nothing_in_common(stores: Stores, opened: LoopStores) -> None:
    other = make_loop("other")
    stores.catalog.create(other)
    fill(opened)
    second = stores.open(other)
    assert is_filled(opened)
    assert not is_filled(second)
    second.close()


def test_what_a_loop_holds_outlives_closing_it(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    fill(opened)
    opened.close()
    opened.close()
    again = stores.open(loop)
    assert is_filled(again)
    again.close()


def test_maintenance_changes_nothing(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    stores.maintain(loop)
    fill(opened)
    stores.maintain(loop)
    stores.maintain(loop)
    assert is_filled(opened)
    opened.events.append([make_decision("after")])
    assert len(opened.events.heads(after=0, limit=10)) == 2


def test_a_loop_of_a_deleted_ones_name_starts_empty(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    fill(opened)
    stores.catalog.delete(loop.name)
    second = make_loop(loop.name, loop_id="second")
    stores.catalog.create(second)
    again = stores.open(second)
    assert not is_filled(again)
    fill(again)
    opened.close()
    assert stores.purge() == [loop.loop_id]
    assert is_filled(again)
    again.close()
    reopened = stores.open(second)
    assert is_filled(reopened)
    reopened.close()


def test_purging_removes_deleted_loops_once(stores: Stores, loop: Loop, opened: LoopStores) -> None:
    fill(opened)
    assert not stores.purge()
    stores.catalog.delete(loop.name)
    opened.close()
    assert list(stores.purge()) == [loop.loop_id]
    assert not stores.purge()
    stores.catalog.create(loop)
    again = stores.open(loop)
    assert not is_filled(again)
    again.close()


def test_a_full_disk_is_noticed_and_its_end_too(stores: Stores, full_disk: FullDisk) -> None:
    stores.check_writable()
    with full_disk(), pytest.raises(StoreUnavailable):
        stores.check_writable()
    stores.check_writable()

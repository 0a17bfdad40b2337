"""What every activity log promises: entries in order, never changed, committed with the change."""

import pytest
from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound, StoreUnavailable
from sartor.ports import Stores
from sartor.records import Activity
from sartor.stores.audit import BEGINNING, chain_digest
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.contract.conftest import FullDisk


def activity(action: str, loop_id: str = "") -> Activity:
    return Activity(by="somebody", action=action, loop_id=loop_id, before=b"null", after=b'{"a":1}')


def actions(stores: Stores) -> list[str]:
    return [line.activity.action for line in stores.audit.activities(limit=100)]


def test_entries_are_numbered_dated_and_come_back(stores: Stores, clock: Clock) -> None:
    assert list(stores.audit.activities(limit=10)) == []
    stores.audit.append(activity("one"))
    clock.advance(5)
    stores.audit.append(activity("two", "loop-1"))
    first, second = stores.audit.activities(limit=10)
    assert (first.seq, second.seq) == (1, 2)
    assert second.at_us - first.at_us == 5_000_000
    assert second.activity == activity("two", "loop-1")
    assert list(stores.audit.activities(after=1, limit=10)) == [second]
    assert list(stores.audit.activities(limit=1)) == [first]


def test_each_entry_has_a_digest_of_all_before_it(stores: Stores) -> None:
    for action in ("one", "two", "three"):
        stores.audit.append(activity(action))
    before = BEGINNING
    for line in stores.audit.activities(limit=10):
        assert line.digest == chain_digest(before, line.activity, seq=line.seq, at_us=line.at_us)
        forged = replace(line.activity, by="another")
        assert line.digest != chain_digest(before, forged, seq=line.seq, at_us=line.at_us)
        before = line.digest


def test_times_do_not_run_back(stores: Stores, clock: Clock) -> None:
    stores.audit.append(activity("one"))
    clock.advance(-60)
    stores.audit.append(activity("two"))
    first, second = stores.audit.activities(limit=10)
    assert first.at_us == second.at_us


def test_the_newest_entries_first(stores: Stores) -> None:
    for action in ("one", "two", "three"):
        stores.audit.append(activity(action))
    assert [line.activity.action for line in stores.audit.last(2)] == ["three", "two"]


def test_a_change_and_its_entry_are_one_commit(stores: Stores) -> None:
    catalog, loop = stores.catalog, make_loop("a")
    catalog.create(loop, activity=activity("create"))
    catalog.update(loop, activity=activity("update"))
    catalog.delete("a", recoverable_until_us=1 << 60, activity=activity("delete"))
    catalog.recover(loop.loop_id, activity=activity("recover"))
    catalog.delete("a", recoverable_until_us=1 << 60, activity=activity("delete"))
    catalog.give_up(loop.loop_id, activity=activity("give up"))
    assert actions(stores) == ["create", "update", "delete", "recover", "delete", "give up"]


def test_a_change_that_fails_leaves_no_entry(stores: Stores, full_disk: FullDisk) -> None:
    stores.catalog.create(make_loop("a"))
    with pytest.raises(LoopExists):
        stores.catalog.create(make_loop("a", loop_id="another"), activity=activity("create"))
    with pytest.raises(LoopNotFound):
        stores.catalog.update(make_loop("b"), activity=activity("update"))
    with pytest.raises(LoopNotFound):
        stores.catalog.delete("b", activity=activity("delete"))
    with full_disk(), pytest.raises(StoreUnavailable):
        stores.catalog.update(make_loop("a"), activity=activity("update"))
    assert actions(stores) == []

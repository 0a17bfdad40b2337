"""What every audit log promises: entries in order, never changed, committed with the change."""

import pytest
from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound, StoreUnavailable
from sartor.ports import Stores
from sartor.records import AuditEntry
from sartor.stores.audit import BEGINNING, chain_digest
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from tests.contract.conftest import FullDisk


def make_entry(action: str, loop_id: str = "") -> AuditEntry:
    return AuditEntry(by="somebody", action=action, loop_id=loop_id, before=b"null", after=b'{"a":1}')


def actions(stores: Stores) -> list[str]:
    return [line.entry.action for line in stores.audit.entries(limit=100)]


def test_entries_are_numbered_dated_and_come_back(stores: Stores, clock: Clock) -> None:
    assert list(stores.audit.entries(limit=10)) == []
    stores.audit.append(make_entry("one"))
    clock.advance(5)
    stores.audit.append(make_entry("two", "loop-1"))
    first, second = stores.audit.entries(limit=10)
    assert (first.seq, second.seq) == (1, 2)
    assert second.at_us - first.at_us == 5_000_000
    assert second.entry == make_entry("two", "loop-1")
    assert list(stores.audit.entries(after=1, limit=10)) == [second]
    assert list(stores.audit.entries(limit=1)) == [first]


def test_each_entry_has_a_digest_of_all_before_it(stores: Stores) -> None:
    for action in ("one", "two", "three"):
        stores.audit.append(make_entry(action))
    before = BEGINNING
    for line in stores.audit.entries(limit=10):
        assert line.digest == chain_digest(before, line.entry, seq=line.seq, at_us=line.at_us)
        forged = replace(line.entry, by="another")
        assert line.digest != chain_digest(before, forged, seq=line.seq, at_us=line.at_us)
        before = line.digest


def test_times_do_not_run_back(stores: Stores, clock: Clock) -> None:
    stores.audit.append(make_entry("one"))
    clock.advance(-60)
    stores.audit.append(make_entry("two"))
    first, second = stores.audit.entries(limit=10)
    assert first.at_us == second.at_us


def test_the_newest_entries_about_a_loop(stores: Stores) -> None:
    for number in range(6):
        stores.audit.append(make_entry(f"action {number}", "loop-1" if number % 2 else "loop-2"))
    stores.audit.append(make_entry("about none"))
    found = stores.audit.last_of("loop-1", 2)
    assert [(one.seq, one.entry.action) for one in found] == [(6, "action 5"), (4, "action 3")]
    assert [one.seq for one in stores.audit.last_of("loop-2", 9)] == [5, 3, 1]
    assert not stores.audit.last_of("loop", 9)
    assert [one.seq for one in stores.audit.last_of("", 9)] == [7]


def test_the_newest_entries_first(stores: Stores) -> None:
    for action in ("one", "two", "three"):
        stores.audit.append(make_entry(action))
    assert [line.entry.action for line in stores.audit.last(2)] == ["three", "two"]


def test_a_change_and_its_entry_are_one_commit(stores: Stores) -> None:
    catalog, loop = stores.catalog, make_loop("a")
    catalog.create(loop, entry=make_entry("create"))
    catalog.update(loop, entry=make_entry("update"))
    catalog.delete("a", recoverable_until_us=1 << 60, entry=make_entry("delete"))
    catalog.recover(loop.loop_id, entry=make_entry("recover"))
    catalog.delete("a", recoverable_until_us=1 << 60, entry=make_entry("delete"))
    catalog.give_up(loop.loop_id, entry=make_entry("give up"))
    assert actions(stores) == ["create", "update", "delete", "recover", "delete", "give up"]


def test_a_change_that_fails_leaves_no_entry(stores: Stores, full_disk: FullDisk) -> None:
    stores.catalog.create(make_loop("a"))
    with pytest.raises(LoopExists):
        stores.catalog.create(make_loop("a", loop_id="another"), entry=make_entry("create"))
    with pytest.raises(LoopNotFound):
        stores.catalog.update(make_loop("b"), entry=make_entry("update"))
    with pytest.raises(LoopNotFound):
        stores.catalog.delete("b", entry=make_entry("delete"))
    with full_disk(), pytest.raises(StoreUnavailable):
        stores.catalog.update(make_loop("a"), entry=make_entry("update"))
    assert actions(stores) == []

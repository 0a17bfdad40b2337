"""What every catalog promises."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sartor.errors import InvalidSetting, LoopExists, LoopNotFound, StoreUnavailable
from sartor.ports import Catalog, Stores
from sartor.settings import LoopSettings
from sartor.testing.builders import make_loop
from tests.contract.conftest import FullDisk


def test_an_empty_catalog_has_no_loops(catalog: Catalog) -> None:
    assert not catalog.loops()


def test_loops_come_back_as_they_were_by_name(catalog: Catalog) -> None:
    settings = LoopSettings(
        reward_wait_time=timedelta(seconds=1.5), default_reward=-0.25, reward_aggregation="median"
    )
    loops = [make_loop("b"), make_loop("a", settings=settings), make_loop("c-2_x")]
    for loop in loops:
        catalog.create(loop)
    assert list(catalog.loops()) == [loops[1], loops[0], loops[2]]


def test_a_name_is_taken_once(catalog: Catalog) -> None:
    catalog.create(make_loop("a"))
    with pytest.raises(LoopExists):
        catalog.create(make_loop("a", loop_id="another"))
    assert list(catalog.loops()) == [make_loop("a")]


def test_an_update_raises_the_stored_version_by_one(catalog: Catalog) -> None:
    catalog.create(make_loop("a"))
    catalog.create(make_loop("b"))
    changed = replace(make_loop("a"), key1="new-key", arguments="--cb_explore_adf", version=99)
    assert catalog.update(changed) == replace(changed, version=2)
    assert catalog.update(changed) == replace(changed, version=3)
    assert list(catalog.loops()) == [replace(changed, version=3), make_loop("b")]


def test_an_unknown_loop_can_not_be_changed_or_deleted(catalog: Catalog) -> None:
    with pytest.raises(LoopNotFound):
        catalog.update(make_loop("a"))
    with pytest.raises(LoopNotFound):
        catalog.delete("a")


def test_a_deleted_loop_is_gone_and_its_name_is_free(catalog: Catalog) -> None:
    catalog.create(make_loop("a"))
    catalog.delete("a")
    assert not catalog.loops()
    with pytest.raises(LoopNotFound):
        catalog.delete("a")
    catalog.create(make_loop("a", loop_id="second"))
    assert list(catalog.loops()) == [make_loop("a", loop_id="second")]


def test_an_update_never_changes_another_loop_that_took_the_name(catalog: Catalog) -> None:
    catalog.create(make_loop("a", loop_id="first"))
    catalog.delete("a")
    catalog.create(make_loop("a", loop_id="second"))
    with pytest.raises(LoopNotFound):
        catalog.update(make_loop("a", loop_id="first"))
    assert list(catalog.loops()) == [make_loop("a", loop_id="second")]


def test_the_version_changes_with_every_change_and_with_nothing_else(catalog: Catalog) -> None:
    seen = [catalog.version()]
    catalog.create(make_loop("a"))
    seen.append(catalog.version())
    catalog.update(make_loop("a"))
    seen.append(catalog.version())
    catalog.delete("a")
    seen.append(catalog.version())
    catalog.loops()
    assert len(set(seen)) == 4
    assert catalog.version() == seen[-1]


def test_a_full_disk_changes_nothing(catalog: Catalog, full_disk: FullDisk) -> None:
    catalog.create(make_loop("a"))
    version = catalog.version()
    with full_disk():
        with pytest.raises(StoreUnavailable):
            catalog.create(make_loop("b"))
        with pytest.raises(StoreUnavailable):
            catalog.update(make_loop("a"))
        with pytest.raises(StoreUnavailable):
            catalog.delete("a")
    assert list(catalog.loops()) == [make_loop("a")]
    assert catalog.version() == version
    catalog.create(make_loop("b"))
    assert len(catalog.loops()) == 2


def test_changes_since_a_version_are_those_alone(catalog: Catalog) -> None:
    for name in ("a", "b", "c"):
        catalog.create(make_loop(name))
    first = catalog.changes(since=None)
    assert (first.complete, sorted(loop.name for loop in first.loops)) == (True, ["a", "b", "c"])
    assert first.version == catalog.version()
    updated = catalog.update(replace(make_loop("b"), key1="new-key"))
    second = catalog.changes(since=first.version)
    assert (second.complete, second.loops, second.gone) == (False, (updated,), ())
    nothing = catalog.changes(since=second.version)
    assert (nothing.version, nothing.loops, nothing.gone) == (second.version, (), ())


def test_changes_name_what_was_deleted_and_what_came_back(catalog: Catalog) -> None:
    for name in ("a", "b"):
        catalog.create(make_loop(name))
    before = catalog.version()
    catalog.delete("a", recoverable_until_us=10**18)
    deleted = catalog.changes(since=before)
    assert (deleted.loops, deleted.gone) == ((), ("id-of-a",))
    catalog.create(make_loop("a", loop_id="second"))
    recovered = catalog.recover("id-of-a", name="c")
    found = catalog.changes(since=deleted.version)
    assert {loop.name: loop for loop in found.loops} == {"a": make_loop("a", loop_id="second"), "c": recovered}
    assert found.gone == ()


def test_a_version_that_the_catalog_never_had_gives_all_loops(catalog: Catalog) -> None:
    catalog.create(make_loop("a"))
    found = catalog.changes(since=catalog.version() + 5)
    assert (found.complete, found.loops) == (True, (make_loop("a"),))


def test_a_deletion_that_was_purged_since_makes_the_changes_complete(stores: Stores) -> None:
    catalog = stores.catalog
    for name in ("a", "b"):
        catalog.create(make_loop(name))
    before = catalog.version()
    catalog.delete("a")
    seen = catalog.changes(since=before).version
    assert list(stores.purge()) == ["id-of-a"]
    late = catalog.changes(since=before)
    assert (late.complete, late.loops) == (True, (make_loop("b"),))
    assert catalog.changes(since=seen).complete is False


def test_an_empty_catalog_has_no_changes(catalog: Catalog) -> None:
    first = catalog.changes(since=None)
    assert (first.loops, first.gone, first.complete) == ((), (), True)
    assert catalog.changes(since=first.version).loops == ()


def test_a_loop_is_found_by_its_name_and_by_its_id(catalog: Catalog) -> None:
    for name in ("a", "b"):
        catalog.create(make_loop(name))
    assert catalog.find("b") == make_loop("b")
    assert catalog.find_by_id("id-of-b") == make_loop("b")
    catalog.delete("b")
    with pytest.raises(LoopNotFound):
        catalog.find("b")
    assert catalog.find_by_id("id-of-b") is None


@pytest.mark.parametrize("name", ["", "Shop", "a/b", "..", "-a", "a\r\nset-cookie: b", "é", "a" * 64])
def test_a_name_that_no_folder_has_is_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(InvalidSetting, match="can't name a loop"):
        catalog.create(make_loop(name))
    catalog.create(make_loop("shop"))
    catalog.delete("shop", recoverable_until_us=1)
    if name:  # an empty one is none: it comes back under its own
        with pytest.raises(InvalidSetting, match="can't name a loop"):
            catalog.recover(make_loop("shop").loop_id, name=name)
    assert not catalog.loops()

"""What every catalog promises."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sartor.errors import LoopExists, LoopNotFound, StoreUnavailable
from sartor.ports import Catalog
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

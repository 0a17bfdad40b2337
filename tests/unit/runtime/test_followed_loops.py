"""Who follows the catalog knows all loops, and reads only those that changed."""

import pytest
from msgspec.structs import replace

from sartor.errors import StoreUnavailable
from sartor.runtime.followed_loops import FollowedLoops
from sartor.testing.builders import make_loop
from sartor.testing.fakes import Clock
from sartor.testing.stores import MemoryStores


@pytest.fixture
def stores() -> MemoryStores:
    return MemoryStores(clock_us=Clock())


@pytest.fixture
def thousand(stores: MemoryStores) -> MemoryStores:
    for number in range(1_000):
        stores.catalog.create(make_loop(f"loop-{number:04d}"))
    return stores


def test_a_change_among_a_thousand_loops_reads_one(thousand: MemoryStores) -> None:
    followed = FollowedLoops(thousand.catalog)
    assert len(followed.current()) == 1_000
    for number in (0, 500, 999):
        changed = replace(make_loop(f"loop-{number:04d}"), key1="new")
        thousand.catalog.update(changed)
        thousand.catalog.loops_read = 0
        assert followed.follow().loops == (replace(changed, version=2),)
        assert thousand.catalog.loops_read == 1
    assert [loop.key1 for loop in followed.all()].count("new") == 3
    thousand.catalog.loops_read = 0
    assert followed.follow().loops == ()
    assert thousand.catalog.loops_read == 0


def test_a_deletion_reads_none_and_a_creation_one(thousand: MemoryStores) -> None:
    followed = FollowedLoops(thousand.catalog)
    followed.follow()
    thousand.catalog.delete("loop-0003")
    thousand.catalog.create(make_loop("another"))
    thousand.catalog.loops_read = 0
    changes = followed.follow()
    assert changes.gone == ("id-of-loop-0003",)
    assert [loop.name for loop in changes.loops] == ["another"]
    assert thousand.catalog.loops_read == 1
    assert followed.all()[0].name == "another"
    assert len(followed.all()) == 1_000


def test_a_deletion_is_seen_although_the_loop_was_purged_since(stores: MemoryStores) -> None:
    for name in ("a", "b"):
        stores.catalog.create(make_loop(name))
    followed, late = FollowedLoops(stores.catalog), FollowedLoops(stores.catalog)
    followed.follow()
    late.follow()
    stores.catalog.delete("a")
    assert followed.follow().gone == ("id-of-a",)
    stores.purge()
    assert followed.follow().gone == ()
    assert late.follow().gone == ("id-of-a",)
    assert [loop.name for loop in late.all()] == ["b"]


def test_a_failure_leaves_what_is_known_and_loses_no_change(stores: MemoryStores) -> None:
    stores.catalog.create(make_loop("a"))
    followed = FollowedLoops(stores.catalog)
    followed.follow()
    stores.catalog.create(make_loop("b"))
    stores.disk.failing = True
    with pytest.raises(StoreUnavailable):
        followed.follow()
    assert [loop.name for loop in followed.all()] == ["a"]
    stores.disk.failing = False
    assert [loop.name for loop in followed.current()] == ["a", "b"]


def test_a_loop_that_was_recovered_under_another_name_is_changed(stores: MemoryStores) -> None:
    stores.catalog.create(make_loop("a"))
    followed = FollowedLoops(stores.catalog)
    followed.follow()
    stores.catalog.delete("a", recoverable_until_us=10**18)
    stores.catalog.recover("id-of-a", name="b")
    changes = followed.follow()
    assert ([loop.name for loop in changes.loops], changes.gone) == (["b"], ())
    assert [loop.name for loop in followed.all()] == ["b"]

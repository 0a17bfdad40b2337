"""What every store promises of deleted loops: they are recovered whole, or purged when it is time."""

import pytest

from sartor.errors import LoopExists, LoopNotFound
from sartor.ports import Loop, LoopStores, Stores
from sartor.records import Observation
from sartor.testing.builders import make_decision, make_loop
from sartor.testing.fakes import Clock

WEEK_S = 7 * 86_400


def until(clock: Clock) -> int:
    return clock() + WEEK_S * 1_000_000


def test_a_deleted_loop_comes_back_with_all_that_it_had(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    opened.events.append([make_decision("e"), Observation(event_id="e", reward=1.0)])
    opened.close()
    stores.catalog.delete(loop.name, recoverable_until_us=until(clock))
    assert list(stores.catalog.loops()) == []
    assert [one.loop_id for one in stores.catalog.deleted()] == [loop.loop_id]
    assert list(stores.purge()) == []
    back = stores.catalog.recover(loop.loop_id)
    assert (back.key1, back.key2, back.settings) == (loop.key1, loop.key2, loop.settings)
    assert (back.version, back.recoverable_until_us) == (loop.version + 1, 0)
    assert list(stores.catalog.loops()) == [back]
    assert list(stores.catalog.deleted()) == []
    again = stores.open(back)
    assert [head.event_id for head in again.events.heads(after=0, limit=9)] == ["e"]
    again.close()


def test_it_comes_back_under_another_name_when_its_own_is_taken(
    stores: Stores, loop: Loop, opened: LoopStores, clock: Clock
) -> None:
    opened.events.append([make_decision("e")])
    opened.close()
    stores.catalog.delete(loop.name, recoverable_until_us=until(clock))
    second = make_loop(loop.name, loop_id="second")
    stores.catalog.create(second)
    with pytest.raises(LoopExists):
        stores.catalog.recover(loop.loop_id)
    back = stores.catalog.recover(loop.loop_id, name="other")
    assert [one.name for one in stores.catalog.loops()] == [loop.name, "other"]
    for kept, events in ((back, 1), (second, 0)):
        again = stores.open(kept)
        assert len(again.events.heads(after=0, limit=9)) == events
        again.close()


def test_it_is_purged_when_its_time_is_over(stores: Stores, loop: Loop, clock: Clock) -> None:
    stores.catalog.delete(loop.name, recoverable_until_us=until(clock))
    clock.advance(WEEK_S - 1)
    assert list(stores.purge()) == []
    clock.advance(2)
    assert list(stores.purge()) == [loop.loop_id]
    with pytest.raises(LoopNotFound):
        stores.catalog.recover(loop.loop_id)


def test_it_is_purged_at_once_when_it_is_given_up(stores: Stores, loop: Loop, clock: Clock) -> None:
    stores.catalog.delete(loop.name, recoverable_until_us=until(clock))
    stores.catalog.give_up(loop.loop_id)
    assert list(stores.purge()) == [loop.loop_id]
    assert list(stores.catalog.deleted()) == []


def test_a_loop_in_service_is_no_deleted_one(stores: Stores, loop: Loop) -> None:
    with pytest.raises(LoopNotFound):
        stores.catalog.recover(loop.loop_id)
    with pytest.raises(LoopNotFound):
        stores.catalog.give_up(loop.loop_id)


def test_deletion_and_recovery_change_the_version(stores: Stores, loop: Loop, clock: Clock) -> None:
    seen = [stores.catalog.version()]
    stores.catalog.delete(loop.name, recoverable_until_us=until(clock))
    seen.append(stores.catalog.version())
    stores.catalog.recover(loop.loop_id)
    seen.append(stores.catalog.version())
    assert len(set(seen)) == 3

"""Retention: what is older than a loop keeps it is removed, in a thread of its own."""

import logging
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from sartor.ports import Loop
from sartor.service.retention_schedule import RetentionSchedule
from sartor.settings import with_changes
from sartor.stores.stores import open_stores
from sartor.testing.builders import make_loop
from sartor.testing.stores import MemoryStores
from tests.unit.transfer.copying import Copying

DAY_S = 86_400


def retention(copying: Copying) -> RetentionSchedule:
    return RetentionSchedule(copying.stores, now_us=copying.clock)


def keep(copying: Copying, days: int) -> None:
    copying.loop = replace(
        copying.loop, settings=with_changes(copying.loop.settings, {"logRetentionDays": days})
    )


def first_outcome(copying: Copying) -> int:
    return copying.logs.outcomes.counts().first_outcome


def test_what_is_older_is_removed() -> None:
    copying = Copying()
    keep(copying, 2)
    copying.settle(3)
    copying.clock.advance(2 * DAY_S - 1)
    copying.settle(1)
    assert retention(copying).visit([copying.loop]) == 0
    copying.clock.advance(2)
    assert retention(copying).visit([copying.loop]) > 0
    assert first_outcome(copying) == 4


def test_without_a_limit_nothing_is_removed() -> None:
    copying = Copying()
    keep(copying, -1)
    copying.settle(2)
    copying.clock.advance(10_000 * DAY_S)
    copying.settle(1)
    assert retention(copying).visit([copying.loop]) == 0


def test_a_loop_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    copying = Copying()
    keep(copying, 1)
    copying.settle(2)
    copying.clock.advance(2 * DAY_S)
    copying.settle(1)
    broken = replace(copying.loop, name="a-broken", loop_id="0")

    class Stores(MemoryStores):
        def apply_retention(self, loop: Loop, /, *, before_us: int) -> int:
            if loop == broken:
                raise ZeroDivisionError("a bug")
            return copying.stores.apply_retention(loop, before_us=before_us)

    stores = Stores()
    stores.catalog.create(broken)
    schedule = RetentionSchedule(stores, now_us=copying.clock)
    assert schedule.visit([broken, copying.loop]) > 0
    schedule.visit([broken, copying.loop])
    assert [record.getMessage() for record in caplog.records] == ["Loop 'a-broken': ZeroDivisionError: a bug"]


def test_a_loop_that_is_deleted_meanwhile_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_stores(tmp_path)) as stores:
        loops = [make_loop(name, loop_id=name) for name in ("a-deleted", "b")]
        loops = [replace(loop, settings=replace(loop.settings, log_retention_days=1)) for loop in loops]
        for loop in loops:
            stores.catalog.create(loop)
        stores.catalog.delete("a-deleted")
        schedule = RetentionSchedule(stores)
        schedule.visit(loops)
        stores.purge()
        schedule.visit(loops)
        assert schedule.visits.failures == {}
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
        assert sorted(path.name for path in (tmp_path / "loops").iterdir()) == ["b"]


def test_a_round_returns_at_once_and_rests_then() -> None:
    copying = Copying()
    keep(copying, 1)
    copying.settle(2)
    copying.clock.advance(2 * DAY_S)
    copying.settle(1)
    visiting = retention(copying)
    visiting.run_once([copying.loop])
    end = time.monotonic() + 5
    while first_outcome(copying) == 1 or _is_visiting():
        assert time.monotonic() < end
        time.sleep(0.002)
    visiting.run_once([copying.loop])
    assert not _is_visiting()


def _is_visiting() -> bool:
    return "retention" in {thread.name for thread in threading.enumerate()}

"""Retention: what is older than a loop keeps it goes, and nobody waits for that."""

import threading
import time

from msgspec.structs import replace

from sartor.service.retention_schedule import RetentionSchedule
from sartor.settings import with_changes
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


def test_what_is_older_goes() -> None:
    copying = Copying()
    keep(copying, 2)
    copying.settle(3)
    copying.clock.advance(2 * DAY_S - 1)
    copying.settle(1)
    assert retention(copying).visit([copying.loop]) == 0
    copying.clock.advance(2)
    assert retention(copying).visit([copying.loop]) > 0
    assert first_outcome(copying) == 4


def test_for_ever_is_for_ever() -> None:
    copying = Copying()
    keep(copying, -1)
    copying.settle(2)
    copying.clock.advance(10_000 * DAY_S)
    copying.settle(1)
    assert retention(copying).visit([copying.loop]) == 0


def test_a_loop_that_fails_does_not_stop_the_others() -> None:
    failing, other = Copying(), Copying()
    keep(other, 1)
    other.settle(2)
    other.clock.advance(2 * DAY_S)
    other.settle(1)
    keep(failing, 1)
    failing.stores.disk.failing = True
    assert retention(failing).visit([failing.loop]) == 0
    assert retention(other).visit([other.loop]) > 0


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

"""What is made of the clock of a machine, which people and networks set, sometimes wrongly.

Beside it every machine has an uptime, which nobody sets: on the same start of a machine it tells how much time
has passed, in every process, whatever the clock says. Two records follow both:

* ``LogTime``: the time of a log, by which decisions are settled. It never goes back and never stands still.
* ``ClockRecord``: the time by which an instance removes data. It follows the clock only as far as that agrees
  with the uptime.

All but ``read_uptime`` is pure. See docs/design/adr/0011-a-clock-that-is-set.md.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

from sartor import times
from sartor.times import DAY_US, SECOND_US

TOLERANCE_US = 10 * SECOND_US
"""How far a clock may be off before it counts as set; an hour of slewing adds 3.6 s to it."""

AGREED_US = DAY_US
"""How long a clock that was set must agree with the uptime before it is trusted to remove data."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_KERNEL_UPTIME = Path("/proc/uptime")
_SHIFTED_US = SECOND_US
_UNEVEN_US = SECOND_US
"""How much later one process may read the uptime than another at the same moment: it is rounded to 10 ms."""


class Uptime(NamedTuple):
    """How long a machine runs, time asleep included. ``boot``: which start of which machine; never 0."""

    boot: int
    at_us: int


ReadUptime = Callable[[], Uptime | None]
"""Reads the uptime; None: it is not known, as in tests with a clock of their own."""


def read_uptime() -> Uptime:
    """Reads the uptime of this machine."""
    return Uptime(_read_boot(), times.uptime_us() + _find_shift())


@lru_cache(maxsize=1)
def _find_shift() -> int:
    """What the kernel's own account is ahead of the uptime that this process is shown, in µs; mostly 0.

    A library that runs a process at another date shifts this clock with the others. The account in a file is
    left alone: it is read once, because that takes longer.
    """
    try:
        kernel_us = round(float(_KERNEL_UPTIME.read_text().split()[0]) * 1e6)
    except (OSError, ValueError, IndexError):  # no Linux
        return 0
    shift_us = kernel_us - times.uptime_us()
    return shift_us if abs(shift_us) > _SHIFTED_US else 0


@lru_cache(maxsize=1)
def _read_boot() -> int:
    try:
        text = _BOOT_ID.read_bytes()
    except OSError:  # no Linux: another start of the machine shows in an uptime that is shorter
        text = b""
    return int.from_bytes(blake2b(text, digest_size=7).digest(), "little") | 1


class LogTime(Struct, frozen=True):
    """The time of a log.

    Attributes:
        latest_us: the latest time that was assigned.
        ahead_us: by how much it runs ahead of the clock; negative: behind.
        boot: on which start of the machine it was assigned; 0: not known.
        uptime_us: the uptime then.
        set_us: the uptime when the clock was last seen to have been set.
    """

    latest_us: int = 0
    ahead_us: int = 0
    boot: int = 0
    uptime_us: int = 0
    set_us: int = 0


def advance_log_time(was: LogTime, /, *, now_us: int, uptime: Uptime | None) -> LogTime:
    """The time to assign next, never before the one assigned last.

    Where the clock is set, it goes on at its own pace: so a window lasts as long as it should. It follows a
    clock that was set forward once that has agreed with the uptime for as long as it was set forward by, a day
    at most; and one that was set back when it is set forward again, or while the machine is off.
    """
    ahead_us, set_us = was.ahead_us, was.set_us
    if uptime is None or not _is_later(uptime, boot=was.boot, uptime_us=was.uptime_us):
        if uptime is not None:  # how long the machine was off is not known: the clock is all there is
            ahead_us, set_us = 0, uptime.at_us
        behind_us = was.latest_us - now_us - ahead_us
        ahead_us += behind_us if behind_us > TOLERANCE_US else 0
    else:
        elapsed_us = max(0, uptime.at_us - was.uptime_us)
        off_us = now_us + ahead_us - was.latest_us - elapsed_us
        if abs(off_us) > find_tolerance(elapsed_us):
            ahead_us, set_us = ahead_us - off_us, uptime.at_us
        elif ahead_us < 0 and uptime.at_us - set_us >= min(-ahead_us, AGREED_US):
            ahead_us = 0
    if abs(ahead_us) <= TOLERANCE_US:
        ahead_us = 0
    boot, uptime_us = uptime or (0, 0)
    return LogTime(max(was.latest_us, now_us + ahead_us), ahead_us, boot, uptime_us, set_us)


class ClockRecord(Struct, frozen=True, kw_only=True):
    """What an instance knows of the clock of its machine.

    Attributes:
        now_us: what it showed when it was last looked at.
        trusted_us: the time by which data may be removed: never later than ``now_us``.
        boot: on which start of the machine it was looked at; 0: not known.
        uptime_us: the uptime then.
        agreed_us: since which uptime the clock has not been set.
        set_by_us: by how much it was set between the last two looks, as far as that is known; 0: it was not.
    """

    now_us: int
    trusted_us: int
    boot: int = 0
    uptime_us: int = 0
    agreed_us: int = 0
    set_by_us: int = 0

    @property
    def held_us(self) -> int:
        """How much of the clock's time is not trusted yet."""
        return self.now_us - self.trusted_us


def begin_clock_record(*, now_us: int, uptime: Uptime | None, newest_us: int | None) -> ClockRecord:
    """The first record. Of the past only the log is known: a day more than its newest event is trusted.

    Args:
        now_us: what the clock shows.
        uptime: the uptime.
        newest_us: when the newest event of the instance was committed; None: there is none.
    """
    trusted_us = now_us if newest_us is None else min(now_us, newest_us + DAY_US)
    boot, uptime_us = uptime or (0, 0)
    return ClockRecord(
        now_us=now_us, trusted_us=trusted_us, boot=boot, uptime_us=uptime_us, agreed_us=uptime_us
    )


def advance_clock_record(was: ClockRecord, /, *, now_us: int, uptime: Uptime | None) -> ClockRecord:
    """The next record: what the uptime does not account for is not trusted until the clock agreed for a day."""
    boot, uptime_us = uptime or (0, 0)
    moved_us = now_us - was.now_us
    is_known = uptime is not None and _is_later(uptime, boot=was.boot, uptime_us=was.uptime_us)
    elapsed_us = max(0, uptime_us - was.uptime_us) if is_known else 0
    is_set = abs(moved_us - elapsed_us) > find_tolerance(elapsed_us)
    trusted_us = min(now_us, was.trusted_us + (elapsed_us if is_set else max(0, moved_us)))
    agreed_us = was.agreed_us if is_known and not is_set else uptime_us
    if is_known and uptime_us - agreed_us >= AGREED_US:
        trusted_us = now_us
    return ClockRecord(
        now_us=now_us,
        trusted_us=trusted_us,
        boot=boot,
        uptime_us=uptime_us,
        agreed_us=agreed_us,
        set_by_us=moved_us - elapsed_us if is_set else 0,
    )


def _is_later(uptime: Uptime, *, boot: int, uptime_us: int) -> bool:
    """Whether an uptime is of the same start of the machine as an earlier one."""
    return uptime.boot == boot and uptime.at_us >= uptime_us - _UNEVEN_US


def find_tolerance(elapsed_us: int, /) -> int:
    """By how much a clock may be off after a time without having been set: slewing makes 500 ppm at most."""
    return TOLERANCE_US + elapsed_us // 1_000


class ClockRecords(Protocol):
    """Keeps the record of an instance, for all of its processes."""

    def read(self) -> ClockRecord | None:
        """The record; None: there is none yet."""

    def update(self, change: Callable[[ClockRecord | None], ClockRecord], /) -> ClockRecord:
        """Replace the record by what the function makes of it, one process at a time; returns the new one."""

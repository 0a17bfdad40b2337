"""Times: whole microseconds since 1970 (UTC), as every record holds them, and how long common spans are.

Also the one way to read the days and times that people and programs write, in one range for all of them.
"""

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

FIRST_DAY = date(1, 1, 1)
LAST_DAY = date(9998, 12, 31)
"""The last day that is read. The calendar ends a year later, so a window or a wait still fits after it."""

DAYS_READ = f"from {FIRST_DAY} to {LAST_DAY}"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_END = datetime(LAST_DAY.year + 1, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d\d:?[0-5]\d)?)?", re.ASCII
)
_SHOWN_CHARS = 64
_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_us() -> int:
    """The time of this machine, in µs since 1970 (UTC). It may go back; the clock of a log does not."""
    return time.time_ns() // 1_000


def uptime_us() -> int:
    """How long this machine runs, in µs, time asleep included. It never goes back and is never set."""
    return time.clock_gettime_ns(_UPTIME) // 1_000


def format_timestamp(at_us: int, /) -> str:
    """Formats a time (µs since 1970) in ISO 8601: UTC, to the microsecond, ``Z``."""
    seconds, micros = divmod(at_us, SECOND_US)
    return f"{_format_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=256)
def _format_second(seconds: int) -> str:
    # Neighbours in a log share their second, and a calendar costs as much as the rest of a dsjson line.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def parse_day(text: str, /) -> date:
    """Parses a day, ``2026-03-31``.

    Raises:
        ValueError: it is none, or outside ``FIRST_DAY`` to ``LAST_DAY``; the message says what is accepted.
    """
    try:
        if _DAY.fullmatch(text) and (day := date.fromisoformat(text)) <= LAST_DAY:
            return day
    except ValueError:
        pass
    raise ValueError(f"{text[:_SHOWN_CHARS]!r} is not a day: write it as 2026-03-31, {DAYS_READ}")


def parse_time(text: str, /) -> datetime:
    """Parses a time, ``2026-03-31T09:30:00.5+02:00``, to UTC; UTC where it names no zone.

    A day alone is its beginning. Fractions of a microsecond are cut.

    Raises:
        ValueError: it is none, or outside ``FIRST_DAY`` to ``LAST_DAY``; the message says what is accepted.
    """
    found = _TIME.fullmatch(text)
    if found is not None:
        day, minute, second, fraction, zone = found.groups()
        try:
            whole = _parse_second(day, minute or "00:00", (second or ":00")[1:3], (zone or "Z").upper())
        except ValueError:
            pass
        else:
            return whole.replace(microsecond=int(((fraction or "") + "000000")[:6]))
    raise ValueError(
        f"{text[:_SHOWN_CHARS]!r} is not a time: write an ISO 8601 time like 2024-05-17T09:30:00Z, {DAYS_READ}"
    )


def parse_time_us(text: str, /) -> int:
    """Parses a time as ``parse_time`` does, to microseconds since 1970.

    Raises:
        ValueError: as ``parse_time``.
    """
    return (parse_time(text) - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=256)
def _parse_second(day: str, minute: str, second: str, zone: str) -> datetime:
    if minute.startswith("24"):
        raise ValueError("newer Pythons read 24:00 as the next day, older ones refuse it")
    time = datetime.fromisoformat(f"{day}T{minute}:{second}{zone}")
    try:
        moment = time.astimezone(UTC)
    except OverflowError:
        if time.year > 1:
            raise ValueError("after the last day of the calendar") from None
        # The retired service's "never" is the first second of year 1; with a zone east of Greenwich, before it.
        return datetime.min.replace(tzinfo=UTC)
    if moment >= _END:
        raise ValueError("after the last day that is read")
    return moment

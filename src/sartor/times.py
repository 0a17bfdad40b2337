"""Times: whole microseconds since 1970 (UTC), as every record holds them, and how long common spans are."""

import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def now_us() -> int:
    """The time of this machine, in µs since 1970 (UTC). It may go back; the clock of a log does not."""
    return time.time_ns() // 1_000


def format_timestamp(at_us: int, /) -> str:
    """Formats a time (µs since 1970) in ISO 8601: UTC, to the microsecond, ``Z``."""
    seconds, micros = divmod(at_us, SECOND_US)
    return f"{_format_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=256)
def _format_second(seconds: int) -> str:
    # Neighbours in a log share their second, and a calendar costs as much as the rest of a dsjson line.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

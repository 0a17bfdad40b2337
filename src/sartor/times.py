"""Times: whole microseconds since 1970 (UTC), as every record holds them, and how long common spans are."""

import time

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def now_us() -> int:
    """The time of this machine, in µs since 1970 (UTC). It may go back; the clock of a log does not."""
    return time.time_ns() // 1_000

"""The meter of a loop with quotas: ranks in this second, and in this calendar month (UTC).

The second is exact across processes but for those that answer at the same instant. The month is read from the
store now and then, and this process adds what it answered since; it may be exceeded by what the others
answer in between.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sartor.access.shared_counters import WindowCounter
from sartor.errors import TooManyRequests
from sartor.settings import LoopTerms

SELDOM_S = 10.0
"""How often the month is read while most of it is left."""

OFTEN_S = 1.0
"""How often once a tenth or less is left."""


class QuotaLimiter:
    """Serves ``api.access.meter.Meter``. ``follow`` and ``refresh`` are called between requests."""

    def __init__(self, tally: WindowCounter, /, *, clock_s: Callable[[], float] = time.time) -> None:
        """``clock_s``: seconds since 1970."""
        self._tally = tally
        self._clock_s = clock_s
        self._per_second = 0
        self._per_month = 0
        self._used = 0
        self._due_s = 0.0

    def follow(self, terms: LoopTerms, /) -> None:
        """Take over the quotas of these terms."""
        quotas = (terms.quota_per_second, terms.quota_per_month)
        if quotas != (self._per_second, self._per_month):
            self._per_second, self._per_month = quotas
            self._due_s = 0.0

    def refresh(self, used: Callable[[int, int], int], /) -> None:
        """Read the month, if it is time.

        Args:
            used: how many ranks there were from a time to before another, microseconds since 1970.
        """
        now_s = self._clock_s()
        if not self._per_month or now_s < self._due_s:
            return
        self._due_s = now_s + OFTEN_S
        self._used = used(_month_us(now_s), round(now_s * 1e6) + 1)
        self._due_s = now_s + (OFTEN_S if 10 * self._used >= 9 * self._per_month else SELDOM_S)
        self._due_s = min(self._due_s, _next_month_s(now_s))

    def take(self) -> None:
        """Count one more rank.

        Raises:
            TooManyRequests: the quota of this second or this month is used up.
        """
        now_s = self._clock_s()
        second = int(now_s)
        if self._per_second and self._tally.count(second) >= self._per_second:
            raise TooManyRequests(f"This loop may rank {self._per_second} times a second.", retry_after_s=1)
        if self._per_month and self._used >= self._per_month:
            wait_s = max(1, int(_next_month_s(now_s) - now_s) + 1)
            raise TooManyRequests(f"This loop may rank {self._per_month} times a month.", retry_after_s=wait_s)
        if self._per_second:
            self._tally.add(second)
        self._used += 1

    def close(self) -> None:
        """Release what is shared; idempotent."""
        self._tally.close()


def _month_us(now_s: float) -> int:
    return round(_month(now_s).timestamp()) * 1_000_000


def _next_month_s(now_s: float) -> float:
    return (_month(now_s) + timedelta(days=31)).replace(day=1).timestamp()


def _month(now_s: float) -> datetime:
    now = datetime.fromtimestamp(now_s, UTC)
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


class RateLimiter(Protocol):
    """Counts the ranks of a loop; a loop without quotas has none."""

    def take(self) -> None:
        """Count one more rank.

        Raises:
            TooManyRequests: the quota of this second or this month is used up.
        """
